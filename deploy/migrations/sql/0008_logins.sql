-- Several accounts lead to one citizen, who may not have proved a name yet; sessions say what they proved, and are listed.

CREATE TABLE auth.account (
    digest BYTEA NOT NULL,
    provider TEXT NOT NULL,
    citizen_id UUID NOT NULL,
    sealed BYTEA,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (digest),
    CONSTRAINT fk_account_citizen_id FOREIGN KEY(citizen_id) REFERENCES auth.citizen (id) ON DELETE CASCADE
);

CREATE INDEX ix_account_citizen_id ON auth.account (citizen_id);

CREATE TABLE auth.phone (
    citizen_id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    verified_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_phone PRIMARY KEY (citizen_id),
    CONSTRAINT fk_phone_citizen_id FOREIGN KEY(citizen_id) REFERENCES auth.citizen (id) ON DELETE CASCADE
);

insert into auth.account (digest, provider, citizen_id, linked_at)
  select account, '', id, created_at from auth.citizen;

alter table auth.citizen
  drop column account, alter column id_digest drop not null, alter column sealed_profile drop not null,
  add constraint ck_citizen_whole check ((id_digest is null) = (sealed_profile is null));

delete from auth.session;

alter table auth.session
  add column id UUID NOT NULL CONSTRAINT uq_session_id UNIQUE,
  add column acr SMALLINT NOT NULL,
  add column device TEXT NOT NULL,
  add column began_at TIMESTAMP WITH TIME ZONE NOT NULL,
  add column used_at TIMESTAMP WITH TIME ZONE NOT NULL;

delete from auth.code;

alter table auth.code add column acr SMALLINT NOT NULL;

grant select, insert, update on auth.account, auth.phone to {role}_auth;

grant select (provider, citizen_id, linked_at), delete on auth.account to {role}_citizen;

grant select, delete on auth.phone to {role}_citizen;

grant delete on auth.citizen, keys.person_key to {role}_auth;

grant select (id, citizen_id, acr, device, auth_time, began_at, used_at, expires_at, ended_at), update (ended_at)
  on auth.session to {role}_citizen;
