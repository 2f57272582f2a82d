-- Persons at browsers. A clerk is a staff number of an office, with the account of the city's identity provider by which
-- they log in; a seat is one browser that acts for a client, and behind it stands a live token that nobody was told.

create table auth.clerk (
  id uuid not null,
  client_id text not null,
  number text not null,
  scopes text[] not null,
  link bytea,
  link_until timestamptz,
  account bytea,
  made_at timestamptz not null,
  joined_at timestamptz,
  ended_at timestamptz,
  constraint pk_clerk primary key (id),
  constraint fk_clerk_client_id foreign key (client_id) references auth.client (client_id),
  constraint uq_clerk_link unique (link),
  constraint uq_clerk_account unique (account)
);

create unique index ix_clerk_client_id_number on auth.clerk (client_id, number) where ended_at is null;

create table auth.seat (
  id uuid not null,
  client_id text not null,
  clerk_id uuid,
  name text not null,
  scopes text[] not null,
  link bytea,
  link_until timestamptz,
  session bytea,
  token bytea,
  proved_at timestamptz,
  made_at timestamptz not null,
  used_at timestamptz,
  ends_at timestamptz not null,
  ended_at timestamptz,
  constraint pk_seat primary key (id),
  constraint fk_seat_client_id foreign key (client_id) references auth.client (client_id),
  constraint fk_seat_clerk_id foreign key (clerk_id) references auth.clerk (id),
  constraint uq_seat_link unique (link),
  constraint uq_seat_session unique (session)
);

create index ix_seat_client_id on auth.seat (client_id);

create index ix_seat_clerk_id on auth.seat (clerk_id);

grant select, insert, update on auth.clerk, auth.seat to {role}_auth;

grant select (ends_at), delete on auth.seat to {role}_jobs;

create policy auth on auth.clerk to {role}_auth using (true) with check (true);

create policy auth on auth.seat to {role}_auth using (true) with check (true);

create policy jobs on auth.seat to {role}_jobs using (ends_at < now() - interval '30 days');

alter table auth.clerk enable row level security, force row level security;

alter table auth.seat enable row level security, force row level security;

-- Checks are written in the order of time: a few blocks' bounds find a day of them, and cost a check nothing.
create index ix_decision_at on incentives.decision using brin (at) with (autosummarize = on);

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- What the caller asked within a day, newest first, as it was answered: one row of nulls where there is nothing. No row:
-- a dead token. A personal cause is not among the columns.
create function incentives.checks_of_caller(p_token bytea, p_since timestamptz, p_most integer)
returns table (id uuid, at timestamptz, perk_id text, granted boolean, reason text)
language sql stable security definer
begin atomic
  with caller as materialized (select incentives.asker(p_token, null) as who)
  select d.id, d.at, d.perk_id, d.granted, d.reason
  from caller left join incentives.decision d
    on d.partner_id = caller.who and d.at > greatest(p_since, now() - interval '1 day')
  where caller.who is not null
  order by d.at desc, d.id
  limit least(p_most, 500);
end;

alter function incentives.checks_of_caller owner to {role}_gate;

revoke all on function incentives.checks_of_caller from public;

grant execute on function incentives.checks_of_caller to {role}_partner;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;
