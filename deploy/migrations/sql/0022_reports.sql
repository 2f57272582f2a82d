-- Reports that were issued, and how a number on one is checked.

create table scoring.report (
  id uuid not null,
  citizen_id uuid not null,
  purpose text not null,
  score_of uuid generated always as (case when purpose = 'score' then citizen_id end) stored,
  number_digest bytea not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  pdf_digest bytea not null,
  sealed bytea not null,
  constraint pk_report primary key (id),
  constraint uq_report_number_digest unique (number_digest),
  constraint ck_report_purpose check (purpose in ('score', 'occupational-report')),
  constraint fk_report_score_of_link foreign key (score_of) references scoring.link (citizen_id) on delete cascade
);

create index ix_report_citizen_id on scoring.report (citizen_id);

create index ix_report_score_of on scoring.report (score_of);

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

create policy gate_reports on keys.person_key for select to {role}_gate using (purpose in ('reports', 'occupational'));

create policy gate_anyone on core.audit_entry for insert to {role}_gate with check (actor_kind = 'anyone');

grant {role}_gate to current_user;

grant create on schema auth to {role}_gate;

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

alter function auth.check_report(bytea) owner to {role}_gate;

revoke create on schema auth from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function auth.check_report(bytea) from public;

grant execute on function auth.check_report(bytea) to {role}_auth;
