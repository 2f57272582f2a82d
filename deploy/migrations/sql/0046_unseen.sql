-- Who acts on records of people in the 30 days after their consent holds these people first, by their row of
-- scoring.live: a renewal, which needs that row, comes before all of it or after. Rows are held in the order of the
-- subjects, before any link is. Where a function answers true, somebody renewed while they were waited for; it left them
-- alone, and is to be undone and called anew, so that nobody keeps the row of a person whose link they have yet to ask for.

grant {role}_eraser to current_user;

grant create on schema scoring to {role}_eraser;

-- To hold a row; what it says cannot be changed.
grant update (until) on scoring.live to {role}_eraser;

alter policy eraser on scoring.live using (true) with check (false);

-- Hold whoever has one of these records, each ref beside its source, so that `end_records` may end them.
create function scoring.hold_unseen(p_sources text[], p_refs text[]) returns boolean
language sql volatile security definer
begin atomic
  with concerned as materialized (
    select found.record_subject from unnest(p_sources, p_refs) as named (source, ref) cross join lateral (
      select r.record_subject from scoring.record r join scoring.live v on v.record_subject = r.record_subject
      where r.source = named.source and r.ref = named.ref and v.until <= (select core.civil_now())
      offset 0
    ) found
  ), held as materialized (
    select v.until from scoring.live v
    where v.record_subject = any (array(select c.record_subject from concerned c))
    order by v.record_subject for update
  )
  select exists (select from held h where h.until > (select core.civil_now()));
end;

drop function scoring.drop_moved(uuid, text, jsonb), scoring.withdraw_unseen(text, uuid, timestamptz);

-- Remove records that a higher version of this batch moves to somebody else, from people after their consent; the merge
-- sees, locks and rescores the others by itself. p_dropped: ref to version of unstored lines.
create function scoring.drop_moved(p_batch uuid, p_source text, p_dropped jsonb) returns boolean
language sql volatile security definer
begin atomic
  with moved as materialized (
    select ref, version, record_subject from scoring.staging where batch_id = p_batch
    union all
    select key, value::int, null from jsonb_each_text(p_dropped)
  ), concerned as materialized (
    select earlier.id, earlier.record_subject from moved m cross join lateral (
      select r.id, r.record_subject from scoring.record r join scoring.live v on v.record_subject = r.record_subject
      where r.source = p_source and r.ref = m.ref and r.version < m.version
        and r.record_subject is distinct from m.record_subject and v.until <= (select core.civil_now())
      offset 0
    ) earlier
  ), held as materialized (
    select v.record_subject, v.until from scoring.live v
    where v.record_subject = any (array(select c.record_subject from concerned c))
    order by v.record_subject for update
  ), gone as (
    delete from scoring.record where id = any (array(select c.id from concerned c))
      and record_subject = any (array(select h.record_subject from held h where h.until <= (select core.civil_now())))
  )
  select exists (select from held h where h.until > (select core.civil_now()));
end;

-- Take back what a batch said about people after their consent: a renewal must not bring it back. The others are seen,
-- locked and rescored by the door itself.
create function scoring.withdraw_unseen(p_source text, p_batch uuid, p_at timestamptz) returns boolean
language sql volatile security definer
begin atomic
  with concerned as materialized (
    select r.id, r.record_subject from scoring.record r join scoring.live v on v.record_subject = r.record_subject
    where r.source = p_source and r.batch_id = p_batch and r.status <> 'revoked'
      and v.until <= (select core.civil_now())
  ), held as materialized (
    select v.record_subject, v.until from scoring.live v
    where v.record_subject = any (array(select c.record_subject from concerned c))
    order by v.record_subject for update
  ), gone as (
    update scoring.record set status = 'revoked', status_at = p_at, earlier = null
    where id = any (array(select c.id from concerned c)) and status <> 'revoked'
      and record_subject = any (array(select h.record_subject from held h where h.until <= (select core.civil_now())))
  )
  select exists (select from held h where h.until > (select core.civil_now()));
end;

-- As in 0015, but the person's row is held before their records go, which is the order of the functions above.
create or replace function scoring.erase_of(p_citizen uuid, p_subject uuid) returns boolean
language sql volatile security definer
begin atomic
  select 1 from scoring.live v
  where v.record_subject = p_subject and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs')
  for update;
  delete from scoring.record r
  where r.record_subject = p_subject and exists (select from scoring.link l where l.citizen_id = p_citizen)
    and not exists (select from auth.live_consent c where c.citizen_id = p_citizen and c.purpose = 'score')
    and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs');
  delete from scoring.live v
  where v.record_subject = p_subject and exists (select from scoring.link l where l.citizen_id = p_citizen)
    and not exists (select from auth.live_consent c where c.citizen_id = p_citizen and c.purpose = 'score')
    and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs');
  delete from scoring.refusal f
  where f.citizen_id = p_citizen
    and not exists (select from auth.live_consent c where c.citizen_id = p_citizen and c.purpose = 'score')
    and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs');
  delete from scoring.standing s
  where s.citizen_id = p_citizen
    and not exists (select from auth.live_consent c where c.citizen_id = p_citizen and c.purpose = 'score')
    and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs');
  delete from scoring.standing_change s
  where s.citizen_id = p_citizen
    and not exists (select from auth.live_consent c where c.citizen_id = p_citizen and c.purpose = 'score')
    and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs');
  delete from scoring.link l
  where l.citizen_id = p_citizen
    and not exists (select from auth.live_consent c where c.citizen_id = p_citizen and c.purpose = 'score')
    and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs');
  select not exists (select from auth.live_consent c where c.citizen_id = p_citizen and c.purpose = 'score')
    and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs');
end;

create or replace function scoring.erase_kind(p_citizen uuid, p_subject uuid, p_kind text) returns bigint
language sql volatile security definer
begin atomic
  select 1 from scoring.live v
  where v.record_subject = p_subject and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs')
  for update;
  with gone as (
    delete from scoring.record r
    where r.record_subject = p_subject and r.kind = p_kind
      and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs')
    returning 1
  )
  select count(*) from gone;
end;

alter function scoring.hold_unseen(text[], text[]) owner to {role}_eraser;

alter function scoring.drop_moved(uuid, text, jsonb) owner to {role}_eraser;

alter function scoring.withdraw_unseen(text, uuid, timestamptz) owner to {role}_eraser;

revoke all on function scoring.hold_unseen, scoring.drop_moved, scoring.withdraw_unseen from public;

grant execute on function scoring.hold_unseen, scoring.drop_moved, scoring.withdraw_unseen to {role}_scorer;

revoke create on schema scoring from {role}_eraser;

revoke {role}_eraser from current_user;
