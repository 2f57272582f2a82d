-- What a door must do to rows that it may not see: end the feed's lines, erase after a consent, end records in grace.
-- {role}_gate decides about callers; {role}_eraser ends and deletes. Neither can log in; row security binds both.

do $$ begin if not exists (select from pg_roles where rolname = '{role}_eraser') then create role {role}_eraser nologin;
end if; end $$;

grant {role}_gate, {role}_eraser to current_user;

grant create on schema auth to {role}_gate;

grant create on schema auth, scoring to {role}_eraser;

grant usage on schema incentives to {role}_eraser;

grant usage on schema core, auth, scoring to {role}_eraser;

grant usage on sequence auth.source_subject_seq to {role}_gate;

grant select, insert, update on auth.source_subject to {role}_gate;

grant select on auth.consent, auth.consent_end, auth.live_consent, core.civil_offset to {role}_eraser;

grant execute on function core.civil_now(), auth.citizen_now() to {role}_eraser;

grant select, update, delete on scoring.link, scoring.record to {role}_eraser;

grant select, delete on scoring.live, scoring.refusal, scoring.standing, scoring.standing_change, scoring.staging
  to {role}_eraser;

-- Take a citizen's lines out of the sources' feeds: the caller's own, or, for the jobs, those under no live consent.
-- p_keep names sources that go on, p_only the one that stops, p_under the consent that ended.
create function auth.leave_sources(p_citizen uuid, p_keep text[], p_only text, p_under uuid) returns void
language sql volatile security definer
begin atomic
  update auth.source_subject n
  set citizen_id = null, consent_id = null, seq = nextval('auth.source_subject_seq'), changed_at = clock_timestamp(),
    left_at = clock_timestamp()
  where n.citizen_id = p_citizen and n.source <> all (p_keep) and n.source = coalesce(p_only, n.source)
    and n.consent_id = coalesce(p_under, n.consent_id)
    and (p_citizen = (select auth.citizen_now())
      or session_user = '{role}_jobs' and not exists (select from auth.live_consent l where l.id = n.consent_id));
end;

-- Let the sources that the caller's live consent names send about them, each under the digest agreed with it.
create function auth.name_sources(p_consent uuid, p_sources text[], p_digests bytea[]) returns void
language sql volatile security definer
begin atomic
  insert into auth.source_subject (source, digest, citizen_id, consent_id, seq, changed_at)
  select named.source, named.digest, l.citizen_id, l.id, nextval('auth.source_subject_seq'), clock_timestamp()
  from unnest(p_sources, p_digests) as named (source, digest)
  join auth.live_consent l on l.id = p_consent and l.citizen_id = (select auth.citizen_now())
    and named.source = any (l.sources)
  on conflict (source, digest) do update set citizen_id = excluded.citizen_id, consent_id = excluded.consent_id,
    seq = excluded.seq, changed_at = excluded.changed_at, left_at = null;
end;

-- A citizen's thread, locked, also after their consent, so that what stood on it can be found once more: the caller's
-- own, or, for the jobs, anybody's.
create function scoring.thread_to_erase(p_citizen uuid) returns setof bytea
language sql volatile security definer
begin atomic
  select l.sealed from scoring.link l
  where l.citizen_id = p_citizen and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs')
  for update;
end;

-- Erase what stood on a citizen's `score` consents, which are over; while one lives nothing goes, and the answer is false.
-- p_subject is null where the thread is lost.
create function scoring.erase_of(p_citizen uuid, p_subject uuid) returns boolean
language sql volatile security definer
begin atomic
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

-- Erase the records of one kind, also of somebody whose `score` consent has run out. Returns how many went.
create function scoring.erase_kind(p_citizen uuid, p_subject uuid, p_kind text) returns bigint
language sql volatile security definer
begin atomic
  with gone as (
    delete from scoring.record r
    where r.record_subject = p_subject and r.kind = p_kind
      and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs')
    returning 1
  )
  select count(*) from gone;
end;

-- End every record that a source calls by this ref, also of people in the 30 days after their consent: a renewal must
-- not bring back what was revoked or repaired. Returns the subjects whose record changed.
create function scoring.end_records(p_source text, p_ref text, p_version int, p_status text, p_at timestamptz)
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

-- Drop the staged lines that come too late: the same ref in the same or a higher version is stored about somebody else.
create function scoring.drop_taken(p_batch uuid, p_source text) returns void
language sql volatile security definer
begin atomic
  delete from scoring.staging where ctid = any (array(
    select s.ctid from scoring.staging s cross join lateral (
      select from scoring.record r join scoring.live l on l.record_subject = r.record_subject
      where r.source = p_source and r.ref = s.ref and r.record_subject <> s.record_subject and r.version >= s.version
      limit 1
    ) earlier
    where s.batch_id = p_batch
  ));
end;

-- Remove records that a higher version of this batch moves to somebody else, from people in the 30 days after their
-- consent; the merge sees, locks and rescores the others by itself. p_dropped: ref to version of unstored lines.
create function scoring.drop_moved(p_batch uuid, p_source text, p_dropped jsonb) returns void
language sql volatile security definer
begin atomic
  with moved as materialized (
    select ref, version, record_subject from scoring.staging where batch_id = p_batch
    union all
    select key, value::int, null from jsonb_each_text(p_dropped)
  )
  delete from scoring.record where id = any (array(
    select earlier.id from moved m cross join lateral (
      select r.id from scoring.record r join scoring.live l on l.record_subject = r.record_subject
      where r.source = p_source and r.ref = m.ref and r.version < m.version
        and r.record_subject is distinct from m.record_subject and l.until <= (select core.civil_now())
      offset 0
    ) earlier
  ));
end;

alter function auth.leave(bytea) owner to {role}_eraser;

alter function auth.leave_sources(uuid, text[], text, uuid) owner to {role}_gate;

alter function auth.name_sources(uuid, text[], bytea[]) owner to {role}_gate;

alter function scoring.thread_to_erase(uuid) owner to {role}_eraser;

alter function scoring.erase_of(uuid, uuid) owner to {role}_eraser;

alter function scoring.erase_kind(uuid, uuid, text) owner to {role}_eraser;

alter function scoring.end_records(text, text, int, text, timestamptz) owner to {role}_eraser;

alter function scoring.drop_taken(uuid, text) owner to {role}_eraser;

alter function scoring.drop_moved(uuid, text, jsonb) owner to {role}_eraser;

revoke all on function auth.leave_sources, auth.name_sources, scoring.thread_to_erase, scoring.erase_of,
  scoring.erase_kind, scoring.end_records, scoring.drop_taken, scoring.drop_moved from public;

grant execute on function auth.name_sources to {role}_citizen;

grant execute on function auth.leave_sources, scoring.thread_to_erase, scoring.erase_of, scoring.erase_kind
  to {role}_citizen, {role}_jobs;

grant execute on function scoring.end_records, scoring.drop_taken, scoring.drop_moved to {role}_scorer;

revoke create on schema auth from {role}_gate;

revoke create on schema auth, scoring from {role}_eraser;

revoke {role}_gate, {role}_eraser from current_user;

-- What the functions do now, the doors need no right for any more.
revoke all on auth.source_subject from {role}_citizen, {role}_jobs;

grant select (left_at), delete on auth.source_subject to {role}_jobs;

grant select (source, changed_at, citizen_id) on auth.source_subject to {role}_citizen;

revoke all on sequence auth.source_subject_seq from {role}_citizen, {role}_jobs;

revoke select on auth.session, auth.token, auth.code, auth.code_use from {role}_jobs;

grant select (expires_at) on auth.session, auth.token, auth.code to {role}_jobs;

grant select (at) on auth.code_use to {role}_jobs;

revoke select on incentives.credit_code, incentives.credit_code_use, incentives.decision from {role}_jobs;

grant select (expires_at) on incentives.credit_code to {role}_jobs;

grant select (at) on incentives.credit_code_use, incentives.decision to {role}_jobs;

revoke select on core.idempotency from {role}_jobs;

grant select (created_at) on core.idempotency to {role}_jobs;

revoke update, delete on scoring.standing_change from {role}_citizen, {role}_scorer;

revoke update on scoring.standing_change from {role}_jobs;

revoke delete on scoring.link, scoring.live from {role}_citizen;

revoke all on scoring.refusal from {role}_jobs;

revoke update on scoring.live from {role}_scorer;

revoke delete on scoring.standing from {role}_citizen, {role}_scorer, {role}_jobs;

revoke select, insert, update, delete on core.short_claim, core.short_count, core.short_value, core.short_epoch
  from {role}_citizen, {role}_source, {role}_scorer, {role}_staff, {role}_jobs;
