-- Rehearsals of releases; what is approved can be withdrawn before its day; what was done to everybody is shown to each.

alter table core.release
  add column rehearsal text,
  add column withdrawn_by text,
  add column withdrawn_at timestamptz,
  add constraint ck_release_withdrawn_whole check ((withdrawn_by is null) = (withdrawn_at is null)),
  drop constraint uq_release_kind_name_digest;

-- The same bytes may come again for another day, or after they were withdrawn.
create unique index ix_release_once on core.release (kind, name, digest, effective_on) where withdrawn_at is null;

revoke update on core.release from {role}_staff;

grant update (approved_by, approved_at, rehearsal, withdrawn_by, withdrawn_at) on core.release to {role}_staff;

-- Lines of a release that never ruled go with it.
grant delete on incentives.perk to {role}_staff;

drop policy staff on incentives.perk;

create policy staff on incentives.perk for insert to {role}_staff with check (true);

create policy staff_withdraws on incentives.perk for delete to {role}_staff
  using (effective_on > (core.civil_now() at time zone 'Asia/Shanghai')::date);

-- A rehearsal: of which bytes, against which rule book, and the numbers that came out. Of people it holds only counts.
create table scoring.rehearsal (
  id uuid not null,
  release_id uuid not null,
  digest text not null,
  against text not null,
  effective_on date not null,
  asked_by text not null,
  asked_at timestamptz not null,
  state text not null,
  done integer not null,
  total integer not null,
  beat_at timestamptz,
  made_at timestamptz,
  figures_of uuid,
  report bytea,
  report_digest text,
  statement text,
  constraint pk_rehearsal primary key (id),
  constraint ck_rehearsal_state check (state in ('queued', 'running', 'done', 'failed')),
  constraint ck_rehearsal_whole check (
    (state = 'done') = (report is not null) and (report is null) = (report_digest is null)
    and (report is null) = (statement is null) and (report is null) = (made_at is null)
  ),
  constraint fk_rehearsal_release_id foreign key (release_id) references core.release (id)
);

create index ix_rehearsal_release_id on scoring.rehearsal (release_id);

create index ix_rehearsal_waiting on scoring.rehearsal (asked_at) where state in ('queued', 'running');

grant usage on schema scoring to {role}_staff;

grant select, insert on scoring.rehearsal to {role}_staff;

grant select, update (state, done, total, beat_at, made_at, figures_of, report, report_digest, statement)
  on scoring.rehearsal to {role}_jobs;

alter table scoring.rehearsal enable row level security, force row level security;

create policy staff on scoring.rehearsal for select to {role}_staff using (true);

create policy staff_asks on scoring.rehearsal for insert to {role}_staff with check (state = 'queued');

create policy jobs on scoring.rehearsal to {role}_jobs using (true) with check (true);

-- What was done to everybody is one entry about nobody; whoever took part then reads it among their own.
create policy citizen_everyone on core.audit_entry for select to {role}_citizen
  using (owner is null and action like 'everyone.%' and exists (
    select from auth.consent c left join auth.consent_end e on e.consent_id = c.id
    where c.purpose = 'score' and c.given_at <= audit_entry.at and least(e.at, c.expires_at) > audit_entry.at
  ));

create index ix_audit_entry_everyone on core.audit_entry (id) where owner is null and action like 'everyone.%';

-- Whether anybody takes part: an empty city needs no rehearsal. One bit, about nobody.
grant {role}_gate to current_user;

grant create on schema scoring to {role}_gate;

create function scoring.inhabited() returns boolean
language sql stable security definer
begin atomic
  select exists (select from scoring.standing);
end;

alter function scoring.inhabited() owner to {role}_gate;

revoke create on schema scoring from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function scoring.inhabited() from public;

grant execute on function scoring.inhabited() to {role}_staff;
