-- Refresh tokens, what a partner may ask in a citizen's name, and tokens that are good for one consent alone.

-- What a client may ask for in a citizen's name, whether it may look at other clients' tokens, and whom citizens reach.
alter table auth.client
  add column details_types text[] not null default '{}',
  add column purposes text[] not null default '{}',
  add column introspects boolean not null default false,
  add column contact text not null default '';

-- One row a family: the token that is good, the one before it, and what they stand for.
create table auth.refresh (
  family uuid not null,
  handle bytea not null,
  current bytea not null,
  previous bytea,
  turned_at timestamptz not null,
  client_id text not null,
  citizen_id uuid,
  grant_id uuid,
  jkt text,
  scope text not null,
  details jsonb,
  acr smallint not null,
  auth_time timestamptz not null,
  code_hash bytea not null,
  began_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  constraint pk_refresh primary key (family),
  constraint uq_refresh_handle unique (handle),
  constraint uq_refresh_code_hash unique (code_hash),
  constraint fk_refresh_client_id foreign key (client_id) references auth.client (client_id),
  constraint ck_refresh_citizen_or_grant check ((citizen_id is null) <> (grant_id is null))
);

create index ix_refresh_citizen_id on auth.refresh (citizen_id) where citizen_id is not null;

create index ix_refresh_expires_at on auth.refresh (expires_at);

alter table auth.token add column family uuid, add column grant_id uuid;

create index ix_token_family on auth.token (family) where family is not null;

alter table auth.code add column grant_id uuid, add column details jsonb;

grant select, insert, update on auth.refresh to {role}_auth;

grant select, delete on auth.refresh to {role}_jobs;

-- A citizen's yes to a partner is one transaction: the consent, and the code that stands for it.
grant insert on auth.code to {role}_citizen;

grant {role}_gate to current_user;

grant create on schema auth to {role}_gate;

-- Whether a partner's grant still stands as far as the partner has been told: until the civil day is over on which the
-- consent ended. The answer to an eligibility check changes at once; only that is joined with the consent itself.
create function auth.grant_stands(p_grant uuid) returns boolean
language sql stable security definer
begin atomic
  select c.expires_at > core.civil_now() and (e.at is null or core.civil_now() <
    (date_trunc('day', e.at at time zone 'Asia/Shanghai') + interval '1 day') at time zone 'Asia/Shanghai')
  from auth.consent c left join auth.consent_end e on e.consent_id = c.id
  where c.id = p_grant;
end;

alter function auth.grant_stands(uuid) owner to {role}_gate;

revoke create on schema auth from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function auth.grant_stands(uuid) from public;

grant execute on function auth.grant_stands(uuid) to {role}_auth;
