-- Counters, cards, relatives. Everything here belongs to the auth door and goes with its citizen.

alter table auth.token add column actor text;

create table auth.card (
  id uuid constraint pk_card primary key,
  digest bytea not null constraint uq_card_digest unique,
  citizen_id uuid not null constraint fk_card_citizen_id references auth.citizen (id) on delete cascade,
  sealed_number bytea not null,
  salt bytea not null,
  pin bytea not null,
  bound_at timestamptz not null,
  tries smallint not null,
  tried_at timestamptz
);

create index ix_card_citizen_id on auth.card (citizen_id);

create table auth.spoken_code (
  digest bytea constraint pk_spoken_code primary key,
  citizen_id uuid not null constraint fk_spoken_code_citizen_id references auth.citizen (id) on delete cascade,
  use text not null constraint ck_spoken_code_use check (use in ('counter', 'proxy')),
  until_on date,
  expires_at timestamptz not null,
  constraint uq_spoken_code_citizen_id_use unique (citizen_id, use)
);

create table auth.assisted (
  id uuid constraint pk_assisted primary key,
  jti_hash bytea not null constraint uq_assisted_jti_hash unique,
  citizen_id uuid not null constraint fk_assisted_citizen_id references auth.citizen (id) on delete cascade,
  client_id text not null constraint fk_assisted_client_id references auth.client (client_id),
  clerk text not null,
  purpose text not null,
  proved_by text not null,
  opened_at timestamptz not null,
  proved_again_at timestamptz,
  expires_at timestamptz not null,
  ended_at timestamptz
);

create index ix_assisted_citizen_id on auth.assisted (citizen_id);

create index ix_assisted_expires_at on auth.assisted (expires_at);

create table auth.proxy (
  id uuid constraint pk_proxy primary key,
  citizen_id uuid not null constraint fk_proxy_citizen_id references auth.citizen (id) on delete cascade,
  proxy_id uuid not null constraint fk_proxy_proxy_id references auth.citizen (id) on delete cascade,
  basis text not null constraint ck_proxy_basis check (basis in ('invited', 'relative')),
  begun_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  constraint ck_proxy_another check (citizen_id <> proxy_id)
);

create index ix_proxy_citizen_id on auth.proxy (citizen_id);

create index ix_proxy_proxy_id on auth.proxy (proxy_id);

create table auth.death (
  id uuid constraint pk_death primary key,
  citizen_id uuid not null constraint fk_death_citizen_id references auth.citizen (id) on delete cascade,
  sealed_document bytea not null,
  relative_id uuid constraint fk_death_relative_id references auth.citizen (id) on delete set null,
  relation text,
  client_id text not null constraint fk_death_client_id references auth.client (client_id),
  recorded_by text not null,
  recorded_at timestamptz not null,
  approved_by text,
  approved_at timestamptz,
  done_at timestamptz,
  constraint ck_death_two_persons check (approved_by <> recorded_by),
  constraint ck_death_approved_whole check ((approved_by is null) = (approved_at is null))
);

create index ix_death_citizen_id on auth.death (citizen_id);

create table auth.last_wish (
  citizen_id uuid constraint pk_last_wish primary key
    constraint fk_last_wish_citizen_id references auth.citizen (id) on delete cascade,
  at timestamptz not null
);

grant select, insert, delete on auth.last_wish to {role}_auth;

grant select, insert, update, delete on auth.card, auth.spoken_code to {role}_auth;

grant select, insert, update on auth.assisted, auth.proxy, auth.death to {role}_auth;

grant select, delete on auth.spoken_code, auth.assisted, auth.proxy to {role}_jobs;
