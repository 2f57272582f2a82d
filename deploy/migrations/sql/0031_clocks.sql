-- Whole batches can be withdrawn: when that was, and what a record said before it was corrected, for a while. The days
-- of a dispute are published.

alter table scoring.batch add column withdrawn_at timestamptz;

grant update (withdrawn_at) on scoring.batch to {role}_scorer;

-- Earlier versions of the same kind, newest first, as rows of this table without what identifies them.
alter table scoring.record add column earlier jsonb;

create index ix_record_earlier on scoring.record (received_at) where earlier is not null;

-- The published clocks under which a dispute began; those that are open began under the shipped numbers.
alter table scoring.dispute add column rules text not null default '';

grant {role}_eraser to current_user;

grant create on schema scoring to {role}_eraser;

-- Take back what a batch said about people in the 30 days after their consent: a renewal must not bring it back. The
-- others are seen, locked and rescored by the door itself.
create function scoring.withdraw_unseen(p_source text, p_batch uuid, p_at timestamptz) returns void
language sql volatile security definer
begin atomic
  update scoring.record r set status = 'revoked', status_at = p_at, earlier = null
  from scoring.live v
  where v.record_subject = r.record_subject and v.until <= (select core.civil_now())
    and r.source = p_source and r.batch_id = p_batch and r.status <> 'revoked';
end;

alter function scoring.withdraw_unseen(text, uuid, timestamptz) owner to {role}_eraser;

revoke all on function scoring.withdraw_unseen from public;

grant execute on function scoring.withdraw_unseen to {role}_scorer;

revoke create on schema scoring from {role}_eraser;

revoke {role}_eraser from current_user;
