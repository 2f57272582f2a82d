-- Visitors: what was asked of their wallets, which copies were shown, and which lists of trust were taken in.

-- The signed list as it came; the newest counts. Who changes this table gains nothing: a list is read anew, by keys that
-- stand outside the database, wherever it is used.
create table incentives.trust_list (
  seq bigint not null,
  body text not null,
  taken_at timestamptz not null default now(),
  constraint pk_trust_list primary key (seq)
);

-- One question to a wallet. `id` is random: whoever knows it is the wallet to which it was shown, or its partner.
-- `troubled_at`: the last time that no status was to be had, so that nothing was decided.
create table incentives.presentation (
  id uuid not null,
  partner_id text not null,
  perk_id text not null,
  amount bigint,
  terminal text,
  nonce text not null,
  made_at timestamptz not null default now(),
  expires_at timestamptz not null,
  troubled_at timestamptz,
  decision_id uuid,
  constraint pk_presentation primary key (id),
  constraint uq_presentation_nonce unique (nonce)
);

create index ix_presentation_expires_at on incentives.presentation (expires_at);

-- A copy of a credential that was shown here: HMAC of its place in its issuer's status list, until the copy is over.
create table incentives.shown_copy (
  hash bytea not null,
  until timestamptz not null,
  constraint pk_shown_copy primary key (hash)
);

create index ix_shown_copy_until on incentives.shown_copy (until);

grant select on incentives.trust_list to {role}_gate;

grant select, insert, update (troubled_at, decision_id) on incentives.presentation to {role}_gate;

grant select, insert on incentives.shown_copy to {role}_gate;

grant select, insert on incentives.trust_list to {role}_jobs;

grant select (expires_at), delete on incentives.presentation to {role}_jobs;

grant select (until), delete on incentives.shown_copy to {role}_jobs;

create policy gate on incentives.trust_list for select to {role}_gate using (true);

create policy gate on incentives.presentation to {role}_gate using (true) with check (true);

create policy gate on incentives.shown_copy to {role}_gate using (true) with check (true);

create policy jobs on incentives.trust_list to {role}_jobs using (true) with check (true);

create policy jobs on incentives.presentation to {role}_jobs using (true);

create policy jobs on incentives.shown_copy to {role}_jobs using (true);

alter table incentives.trust_list enable row level security, force row level security;

alter table incentives.presentation enable row level security, force row level security;

alter table incentives.shown_copy enable row level security, force row level security;
