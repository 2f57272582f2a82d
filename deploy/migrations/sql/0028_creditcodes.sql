-- The numbers that a credit code carries: of perks, and of whom it is for. Never given twice, never taken back.

create table incentives.perk_number (
  perk_id text not null,
  number integer generated always as identity,
  since timestamptz not null default now(),
  constraint pk_perk_number primary key (perk_id),
  constraint uq_perk_number_number unique (number),
  constraint ck_perk_number_fits check (number between 1 and 65535)
);

-- kind `partner`: one partner; `programme`: whoever offers the perk of that name.
create table incentives.audience_number (
  kind text not null,
  name text not null,
  number bigint generated always as identity,
  since timestamptz not null default now(),
  constraint pk_audience_number primary key (kind, name),
  constraint uq_audience_number_number unique (number),
  constraint ck_audience_number_fits check (number between 1 and 4294967295),
  constraint ck_audience_number_kind check (kind in ('partner', 'programme'))
);

create policy everyone on incentives.perk_number for select using (true);

create policy gate on incentives.perk_number for insert to {role}_gate with check (true);

create policy everyone on incentives.audience_number for select using (true);

create policy gate on incentives.audience_number for insert to {role}_gate with check (true);

grant select on incentives.perk_number, incentives.audience_number to {role}_citizen, {role}_gate;

grant insert (perk_id) on incentives.perk_number to {role}_gate;

grant insert (kind, name) on incentives.audience_number to {role}_gate;

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- Whoever lays a perk or a partner, by whatever way: it has its numbers with the same commit, so no code lacks them.
create function incentives.number_perk() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$ begin
  insert into incentives.perk_number (perk_id)
  select new.perk_id where not exists (select from incentives.perk_number n where n.perk_id = new.perk_id)
  on conflict do nothing;
  insert into incentives.audience_number (kind, name)
  select 'programme', new.perk_id
  where not exists (select from incentives.audience_number n where n.kind = 'programme' and n.name = new.perk_id)
  on conflict do nothing;
  return null;
end $$;

create function incentives.number_partner() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$ begin
  insert into incentives.audience_number (kind, name)
  select 'partner', new.client_id
  where not exists (select from incentives.audience_number n where n.kind = 'partner' and n.name = new.client_id)
  on conflict do nothing;
  return null;
end $$;

alter function incentives.number_perk() owner to {role}_gate;

alter function incentives.number_partner() owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.number_perk(), incentives.number_partner() from public;

create trigger numbered after insert on incentives.perk for each row execute function incentives.number_perk();

create trigger numbered after insert or update of role on auth.client for each row
  when (new.role = 'partner') execute function incentives.number_partner();

insert into incentives.perk_number (perk_id) select distinct perk_id from incentives.perk order by 1;

insert into incentives.audience_number (kind, name) select 'programme', perk_id from incentives.perk_number order by number;

insert into incentives.audience_number (kind, name)
select 'partner', client_id from auth.client where role = 'partner' order by created_at, client_id;

alter table incentives.perk_number enable row level security, force row level security;

alter table incentives.audience_number enable row level security, force row level security;
