-- Impact assessments, changes of clients by two persons, incidents.

create table core.assessment (
  id uuid not null,
  subject_kind text not null,
  subject text not null,
  document text not null,
  risks text not null,
  measures text not null,
  valid_until date not null,
  drafted_by text not null,
  drafted_at timestamptz not null,
  decided_by text,
  decided_at timestamptz,
  approved boolean,
  constraint pk_assessment primary key (id),
  constraint ck_assessment_subject_kind check (subject_kind in ('partner', 'perk', 'city', 'processing')),
  constraint ck_assessment_two_persons check (decided_by <> drafted_by),
  constraint ck_assessment_decided_whole
    check ((decided_by is null) = (decided_at is null) and (decided_by is null) = (approved is null))
);

create index ix_assessment_subject_kind_subject on core.assessment (subject_kind, subject);

grant select, insert on core.assessment to {role}_staff;

grant update (decided_by, decided_at, approved) on core.assessment to {role}_staff;

grant select on core.assessment to {role}_jobs;

alter table auth.client add column assessment_id uuid;

create table auth.client_change (
  id uuid not null,
  client_id text not null,
  kind text not null,
  body jsonb not null,
  assessment_id uuid,
  drafted_by text not null,
  drafted_at timestamptz not null,
  approved_by text,
  approved_at timestamptz,
  constraint pk_client_change primary key (id),
  constraint ck_client_change_kind check (kind in ('register', 'keys', 'enable')),
  constraint ck_client_change_two_persons check (approved_by <> drafted_by)
);

grant select, insert on auth.client_change to {role}_staff;

grant update (approved_by, approved_at) on auth.client_change to {role}_staff;

grant select (name, public, scopes, kinds, redirect_uris, jwks, created_at, assessment_id) on auth.client to {role}_staff;

grant insert on auth.client to {role}_staff;

grant update (jwks, disabled_at, assessment_id) on auth.client to {role}_staff;

-- A breach. known_at (wall clock) starts the four hours; sealed_persons is whom to tell, gone once they were told and it
-- is closed.
create table core.incident (
  id uuid not null,
  kinds text[] not null,
  from_at timestamptz not null,
  until_at timestamptz not null,
  client_id text,
  cause text not null,
  measures text not null,
  known_at timestamptz not null,
  opened_by text not null,
  opened_at timestamptz not null,
  persons integer not null,
  numbers jsonb not null,
  sealed_persons bytea,
  reported_at timestamptz,
  notified_at timestamptz,
  closed_by text,
  closed_at timestamptz,
  constraint pk_incident primary key (id),
  constraint ck_incident_in_order check (
    (notified_at is null or reported_at is not null) and (closed_at is null or notified_at is not null)
  ),
  constraint ck_incident_two_persons check (closed_by <> opened_by),
  constraint ck_incident_closed_whole check (
    (closed_by is null) = (closed_at is null) and (closed_at is null) = (sealed_persons is not null)
  )
);

grant select, insert on core.incident to {role}_staff;

grant update (reported_at, notified_at, closed_by, closed_at, sealed_persons) on core.incident to {role}_staff;

grant select (known_at, reported_at) on core.incident to {role}_jobs;

-- What happened in a time is looked for by blocks: an index of a few pages, which costs writers nothing.
create index ix_audit_entry_at on core.audit_entry using brin (at);
