-- Take the repairs away, and let records end as in 0015.

drop function scoring.turn_repair, scoring.read_repair, scoring.waiting_repairs;

grant {role}_eraser to current_user;

create or replace function scoring.end_records(p_source text, p_ref text, p_version int, p_status text, p_at timestamptz)
returns setof uuid
language sql volatile security definer
begin atomic
  update scoring.record r set status = p_status, status_at = p_at
  from scoring.live v
  where v.record_subject = r.record_subject and r.source = p_source and r.ref = p_ref
    and (p_version is null or r.version <= p_version)
    and case p_status
      when 'revoked' then r.status <> 'revoked'
      when 'repaired' then r.status not in ('revoked', 'repaired') and r.kind like 'N%'
    end
  returning r.record_subject;
end;

revoke {role}_eraser from current_user;

drop policy repairs on scoring.record;

revoke select (id, version, status, until_on) on scoring.record from {role}_gate;

drop table scoring.right_event, scoring.repair;
