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
  sealed_persons bytea not null,
  reported_at timestamptz,
  notified_at timestamptz,
  closed_at timestamptz,
  constraint pk_incident primary key (id)
);

grant select, insert on core.incident to {role}_staff;

grant update (reported_at, notified_at, closed_at) on core.incident to {role}_staff;

grant select on core.incident to {role}_jobs;

grant select on core.audit_entry to {role}_staff;
