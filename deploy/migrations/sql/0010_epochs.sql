-- Epochs that live. `osmanthus migrate` makes those of the epochs file known (core.db.arm).

create table keys.epoch (
  number integer constraint pk_epoch primary key,
  began_at timestamptz not null
);

create table keys.destroyed_epoch (
  number integer constraint pk_destroyed_epoch primary key,
  began_at timestamptz not null,
  destroyed_at timestamptz not null,
  destroyed_by text not null
);

create table keys.erased (owner uuid not null, purpose text not null, at timestamptz not null);

create index ix_erased_owner on keys.erased (owner);

insert into keys.epoch select epoch, now() from keys.person_key union select epoch, now() from scoring.live;

-- Indexes of before the epochs count as of an epoch 0, which no file holds: the first round of the jobs makes them anew.
insert into keys.epoch select 0, now() where exists (select from auth.citizen);

update auth.citizen set id_digest = '\x010000'::bytea || id_digest;

alter table keys.person_key add constraint fk_person_key_epoch foreign key (epoch) references keys.epoch (number);

create index ix_person_key_epoch on keys.person_key (epoch);

alter table scoring.live add constraint fk_live_epoch foreign key (epoch) references keys.epoch (number);

create index ix_live_epoch on scoring.live (epoch);

alter table auth.citizen add column index_epoch integer
  generated always as (get_byte(id_digest, 1) * 256 + get_byte(id_digest, 2)) stored
  constraint fk_citizen_index_epoch references keys.epoch (number);

create index ix_citizen_index_epoch on auth.citizen (index_epoch);

-- An account of before has nothing that it could be indexed from anew; its citizen's next login makes it again.
delete from auth.account;

alter table auth.account add column index_epoch integer
  generated always as (get_byte(digest, 1) * 256 + get_byte(digest, 2)) stored
  constraint fk_account_index_epoch references keys.epoch (number);

create index ix_account_index_epoch on auth.account (index_epoch);

grant select, update (digest, sealed) on auth.account to {role}_jobs;

grant update (epoch, wrapped) on keys.person_key to {role}_jobs;

grant update (id_digest) on auth.citizen to {role}_jobs;

grant select, insert, delete on keys.epoch to {role}_jobs;

grant select, insert on keys.destroyed_epoch to {role}_jobs;

grant insert on keys.erased to {role}_auth, {role}_citizen, {role}_jobs;

-- For `osmanthus keys restore`.
grant select on keys.erased to {role}_jobs;

grant delete on auth.citizen to {role}_jobs;

grant insert on auth.consent_source_end to {role}_jobs;
