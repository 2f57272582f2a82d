-- Reports that were issued, and how a number on one is checked. Occupational records, which no door of the points may
-- touch: a source reaches them through functions that prove its token, a citizen by their own row.

create table scoring.career (
  citizen_id uuid not null,
  since timestamptz not null,
  constraint pk_career primary key (citizen_id)
);

create table scoring.career_source (
  source text not null,
  digest bytea not null,
  citizen_id uuid not null,
  constraint pk_career_source primary key (source, digest),
  constraint fk_career_source_citizen_id foreign key (citizen_id)
    references scoring.career (citizen_id) on delete cascade
);

create index ix_career_source_citizen_id on scoring.career_source (citizen_id);

create table scoring.career_record (
  id uuid not null,
  citizen_id uuid not null,
  source text not null,
  ref text not null,
  version integer not null,
  received_at timestamptz not null,
  keep_until date,
  sealed bytea not null,
  constraint pk_career_record primary key (id),
  constraint uq_career_record_source_ref unique (source, ref),
  constraint fk_career_record_citizen_id foreign key (citizen_id)
    references scoring.career (citizen_id) on delete cascade
);

create index ix_career_record_citizen_id on scoring.career_record (citizen_id);

create table scoring.report (
  id uuid not null,
  citizen_id uuid not null,
  purpose text not null,
  score_of uuid generated always as (case when purpose = 'score' then citizen_id end) stored,
  career_of uuid generated always as (case when purpose <> 'score' then citizen_id end) stored,
  number_digest bytea not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  pdf_digest bytea not null,
  sealed bytea not null,
  constraint pk_report primary key (id),
  constraint uq_report_number_digest unique (number_digest),
  constraint ck_report_purpose check (purpose in ('score', 'occupational-report')),
  constraint fk_report_score_of foreign key (score_of) references scoring.link (citizen_id) on delete cascade,
  constraint fk_report_career_of foreign key (career_of) references scoring.career (citizen_id) on delete cascade
);

create index ix_report_citizen_id on scoring.report (citizen_id);

create index ix_report_score_of on scoring.report (score_of);

create index ix_report_career_of on scoring.report (career_of);

grant select, insert, update (revoked_at) on scoring.report to {role}_citizen;

grant select (expires_at, revoked_at), delete on scoring.report to {role}_jobs;

grant select on scoring.report to {role}_gate;

create policy citizen on scoring.report to {role}_citizen
  using (citizen_id = (select auth.citizen_now()) and exists (
    select from auth.live_consent l where l.citizen_id = report.citizen_id and l.purpose = report.purpose))
  with check (citizen_id = (select auth.citizen_now()) and exists (
    select from auth.live_consent l where l.citizen_id = report.citizen_id and l.purpose = report.purpose));

create policy jobs on scoring.report to {role}_jobs
  using (least(expires_at, revoked_at) < (select core.civil_now()) - interval '30 days');

create policy gate on scoring.report for select to {role}_gate
  using (revoked_at is null and exists (
    select from auth.live_consent l where l.citizen_id = report.citizen_id and l.purpose = report.purpose));

alter table scoring.report enable row level security, force row level security;

grant select, insert, update (since), delete on scoring.career to {role}_citizen;

grant select, insert, delete on scoring.career_source to {role}_citizen;

grant select on scoring.career_record to {role}_citizen;

grant select, delete on scoring.career to {role}_jobs;

grant select (keep_until), delete on scoring.career_record to {role}_jobs;

grant select on scoring.career_source to {role}_gate;

grant select, insert, update, delete on scoring.career_record to {role}_gate;

-- A citizen may always go; coming and being sent about takes the consent.
create policy citizen on scoring.career to {role}_citizen
  using (citizen_id = (select auth.citizen_now()))
  with check (citizen_id = (select auth.citizen_now()) and exists (
    select from auth.live_consent l where l.citizen_id = career.citizen_id and l.purpose = 'occupational-report'));

create policy citizen on scoring.career_source to {role}_citizen
  using (citizen_id = (select auth.citizen_now())) with check (citizen_id = (select auth.citizen_now()));

create policy citizen on scoring.career_record for select to {role}_citizen
  using (citizen_id = (select auth.citizen_now()) and exists (
    select from auth.live_consent l where l.citizen_id = career_record.citizen_id and l.purpose = 'occupational-report'));

create policy jobs on scoring.career to {role}_jobs
  using (not exists (
    select from auth.live_consent l where l.citizen_id = career.citizen_id and l.purpose = 'occupational-report'));

create policy jobs on scoring.career_record to {role}_jobs
  using (keep_until <= (select (core.civil_now() at time zone 'Asia/Shanghai')::date));

create policy gate on scoring.career_source for select to {role}_gate
  using (exists (
    select from auth.live_consent l where l.citizen_id = career_source.citizen_id and l.purpose = 'occupational-report'));

-- Also of people whose consent has run out and waits for its renewal: what was revoked must not come back with it.
create policy gate on scoring.career_record to {role}_gate using (true)
  with check (sealed = '' or exists (
    select from auth.live_consent l where l.citizen_id = career_record.citizen_id and l.purpose = 'occupational-report'));

alter table scoring.career enable row level security, force row level security;

alter table scoring.career_source enable row level security, force row level security;

alter table scoring.career_record enable row level security, force row level security;

create policy gate_reports on keys.person_key for select to {role}_gate using (purpose in ('reports', 'occupational'));

-- Entries of sources have a policy of migration 0017.
create policy gate_anyone on core.audit_entry for insert to {role}_gate with check (actor_kind = 'anyone');

create table scoring.statistic (
  quarter text not null,
  made_at timestamptz not null,
  body bytea not null,
  constraint pk_statistic primary key (quarter)
);

grant select on scoring.statistic to {role}_citizen, {role}_staff;

grant select, insert on scoring.statistic to {role}_jobs;

grant select (source, received, accepted, received_at) on scoring.batch to {role}_jobs;

create policy everyone on scoring.statistic for select using (true);

create policy jobs on scoring.statistic for insert to {role}_jobs with check (true);

create policy jobs on scoring.batch for select to {role}_jobs using (true);

alter table scoring.statistic enable row level security, force row level security;

grant {role}_gate to current_user;

grant create on schema auth, scoring to {role}_gate;

-- What a number leads to, for whoever has the paper. The entry that its holder reads is written by the statement that
-- answers. A number that never was, one that is over, stopped, or whose consent is over: no row, and no difference.
create function auth.check_report(p_digest bytea)
returns table (
  id uuid, citizen_id uuid, purpose text, issued_at timestamptz, pdf_digest bytea, sealed bytea, epoch integer,
  wrapped bytea
)
language sql volatile security definer
begin atomic
  with found as materialized (
    select r.id, r.citizen_id, r.purpose, r.issued_at, r.pdf_digest, r.sealed, k.epoch, k.wrapped
    from scoring.report r join keys.person_key k on k.owner = r.citizen_id
      and k.purpose = case r.purpose when 'score' then 'reports' else 'occupational' end
    where r.number_digest = p_digest and r.expires_at > (select core.civil_now())
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'anyone', 'anyone', 'report.check', 'verification', 'shown', f.citizen_id,
      jsonb_build_object('report', f.purpose, 'issued_at', f.issued_at)
    from found f
  )
  select f.id, f.citizen_id, f.purpose, f.issued_at, f.pdf_digest, f.sealed, f.epoch, f.wrapped from found f;
end;

-- Per digest of the calling source, the person who consents, with what seals about them.
create function scoring.career_people(p_token bytea, p_digests bytea[])
returns table (digest bytea, citizen_id uuid, epoch integer, wrapped bytea)
language sql stable security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'records:write' = any (string_to_array(t.scope, ' ')) and c.role = 'source' and c.disabled_at is null
  )
  select s.digest, s.citizen_id, k.epoch, k.wrapped
  from caller join scoring.career_source s on s.source = caller.client_id and s.digest = any (p_digests)
  join keys.person_key k on k.owner = s.citizen_id and k.purpose = 'occupational';
end;

-- Whom the calling source may send about, in the order of their digests.
create function scoring.career_subjects(p_token bytea, p_after bytea, p_limit integer) returns setof bytea
language sql stable security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'records:write' = any (string_to_array(t.scope, ' ')) and c.role = 'source' and c.disabled_at is null
  )
  select s.digest from caller join scoring.career_source s on s.source = caller.client_id
  where s.digest > p_after order by s.digest limit p_limit;
end;

-- Keep sealed lines of the calling source: a higher version takes the place of a lower one, of whomever it was; a
-- dropped line of a higher version removes it. Each person reads of it. Returns how many lines were kept.
create function scoring.keep_career(
  p_token bytea, p_citizens uuid[], p_ids uuid[], p_refs text[], p_versions integer[], p_until date[], p_sealed bytea[],
  p_dropped jsonb, p_batch text
) returns bigint
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'records:write' = any (string_to_array(t.scope, ' ')) and c.role = 'source' and c.disabled_at is null
  )
  delete from scoring.career_record r using caller
  where r.source = caller.client_id and r.version < (p_dropped ->> r.ref)::int;
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'records:write' = any (string_to_array(t.scope, ' ')) and c.role = 'source' and c.disabled_at is null
  ), kept as (
    insert into scoring.career_record as r (id, citizen_id, source, ref, version, received_at, keep_until, sealed)
    select line.id, line.citizen_id, caller.client_id, line.ref, line.version, core.civil_now(), line.until, line.sealed
    from caller cross join unnest(p_ids, p_citizens, p_refs, p_versions, p_until, p_sealed)
      as line (id, citizen_id, ref, version, until, sealed)
    where exists (
      select from scoring.career_source s where s.source = caller.client_id and s.citizen_id = line.citizen_id)
    on conflict (source, ref) do update
    set id = excluded.id, citizen_id = excluded.citizen_id, version = excluded.version,
      received_at = excluded.received_at, keep_until = excluded.keep_until, sealed = excluded.sealed
    where excluded.version > r.version
    returning r.citizen_id
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'source', caller.client_id, 'occupational.write', 'occupational-report', 'done',
      told.citizen_id, jsonb_build_object('batch', p_batch, 'records', told.lines)
    from caller join (select citizen_id, count(*) as lines from kept group by citizen_id) told on true
  )
  select count(*) from kept;
end;

-- Take a record of the calling source back: what it said goes at once, its number stays, so that it cannot come again.
create function scoring.end_career(p_token bytea, p_ref text, p_version integer) returns bigint
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'records:write' = any (string_to_array(t.scope, ' ')) and c.role = 'source' and c.disabled_at is null
  ), ended as (
    update scoring.career_record r set sealed = ''
    from caller
    where r.source = caller.client_id and r.ref = p_ref and (p_version is null or r.version <= p_version)
      and r.sealed <> ''
    returning r.citizen_id
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'source', caller.client_id, 'occupational.revoke', 'occupational-report', 'done',
      ended.citizen_id, '{}'::jsonb
    from caller join ended on true
  )
  select count(*) from ended;
end;

alter function auth.check_report(bytea) owner to {role}_gate;

alter function scoring.career_people(bytea, bytea[]) owner to {role}_gate;

alter function scoring.career_subjects(bytea, bytea, integer) owner to {role}_gate;

alter function scoring.keep_career(bytea, uuid[], uuid[], text[], integer[], date[], bytea[], jsonb, text)
  owner to {role}_gate;

alter function scoring.end_career(bytea, text, integer) owner to {role}_gate;

revoke all on function scoring.career_people, scoring.career_subjects, scoring.keep_career, scoring.end_career
  from public;

grant execute on function scoring.career_people, scoring.career_subjects, scoring.keep_career, scoring.end_career
  to {role}_source;

revoke create on schema auth, scoring from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function auth.check_report(bytea) from public;

grant execute on function auth.check_report(bytea) to {role}_auth;
