-- What the published terms of a perk are for the gate: kind, formula, validity, clocks, budgets, zones and programmes.
-- All of it belongs to the perk, the place and the day; none of it to a person.

alter table incentives.perk
  add column kind text not null default 'deposit_waiver',
  add column percent integer not null default 100,
  add column minus bigint not null default 0,
  add column from_amount bigint not null default 0,
  add column starts_on date,
  add column ends_on date,
  add column hold_minutes integer not null default 15,
  add column start_hours integer not null default 24,
  add column longest_days integer not null default 30;

-- At most so many orders (count) and so much waived (amount, fen): per what, in every what. `district` is the zone of the
-- terminal, `citizen` one holder.
create table incentives.perk_budget (
  perk_id text not null,
  release_id uuid not null,
  per text not null,
  every text not null,
  count integer,
  amount bigint,
  constraint pk_perk_budget primary key (perk_id, release_id, per, every),
  constraint fk_perk_budget_perk_id foreign key (perk_id, release_id)
    references incentives.perk (perk_id, release_id) on delete cascade,
  constraint ck_perk_budget_per check (per in ('perk', 'partner', 'district', 'citizen')),
  constraint ck_perk_budget_every check (every in ('day', 'month', 'year', 'ever')),
  constraint ck_perk_budget_limit check (count is not null or amount is not null)
);

-- A zone (terminals, partners) or a programme (days as well); null: all of them, or as the perk says.
create table incentives.perk_place (
  perk_id text not null,
  release_id uuid not null,
  id text not null,
  zone boolean not null,
  partners text[],
  terminals text[],
  from_on date,
  until_on date,
  cap bigint,
  percent integer,
  minus bigint,
  from_amount bigint,
  constraint pk_perk_place primary key (perk_id, release_id, id),
  constraint fk_perk_place_perk_id foreign key (perk_id, release_id)
    references incentives.perk (perk_id, release_id) on delete cascade
);

grant select, insert on incentives.perk_budget, incentives.perk_place to {role}_staff;

grant select on incentives.perk_budget to {role}_citizen, {role}_gate, {role}_jobs;

grant select on incentives.perk_place to {role}_gate, {role}_jobs;

alter table incentives.perk_budget enable row level security;

alter table incentives.perk_budget force row level security;

alter table incentives.perk_place enable row level security;

alter table incentives.perk_place force row level security;

create policy everyone on incentives.perk_budget for select using (true);

create policy staff on incentives.perk_budget for insert to {role}_staff with check (true);

create policy readers on incentives.perk_place for select to {role}_staff, {role}_gate, {role}_jobs using (true);

create policy staff on incentives.perk_place for insert to {role}_staff with check (true);

-- What is waived of an amount (fen): the twin of incentives.book.rates.waives.
create function incentives.waives(p_amount bigint, p_cap bigint, p_over_cap text, p_percent integer, p_minus bigint,
  p_from_amount bigint) returns bigint
language sql immutable
return case
  when p_amount < p_from_amount or (p_amount > p_cap and p_over_cap = 'refuse') then 0
  else least(p_cap, p_amount * p_percent / 100 + p_minus)
end;

-- The line that rules a request: of the day, with what the programme, else the zone of this partner's terminal says
-- otherwise. `rests`: closed, or outside its validity. `zone`: where a `district` budget counts. The twin of
-- incentives.book.places.choose. No row: no release ever held the perk.
create function incentives.perk_ruling(p_perk text, p_partner text, p_terminal text, p_day date)
returns table (
  perk_id text, release_id uuid, threshold integer, kind text, cap bigint, over_cap text, percent integer, minus bigint,
  from_amount bigint, rests boolean, terminals text[], zone text, programme text, hold_minutes integer, start_hours integer,
  longest_days integer
)
language sql stable
begin atomic
  with line as (
    select p.* from incentives.perk p
    where p.perk_id = p_perk and p.effective_on <= p_day
    order by p.effective_on desc, p.approved_at desc limit 1
  ), place as (
    select o.* from line join incentives.perk_place o on o.perk_id = line.perk_id and o.release_id = line.release_id
    where coalesce(p_partner = any (o.partners), o.partners is null)
      and coalesce(p_terminal = any (o.terminals), o.terminals is null)
      and coalesce(o.from_on <= p_day, true) and coalesce(o.until_on >= p_day, true)
  ), rule as (select * from place order by zone, id limit 1)
  select line.perk_id, line.release_id, line.threshold, line.kind, coalesce(rule.cap, line.cap), line.over_cap,
    coalesce(rule.percent, line.percent), coalesce(rule.minus, line.minus), coalesce(rule.from_amount, line.from_amount),
    line.closed or coalesce(line.starts_on > p_day, false) or coalesce(line.ends_on < p_day, false), line.terminals,
    (select min(place.id) from place where place.zone), (select min(place.id) from place where not place.zone),
    line.hold_minutes, line.start_hours, line.longest_days
  from line left join rule on true;
end;

revoke all on function incentives.waives(bigint, bigint, text, integer, bigint, bigint),
  incentives.perk_ruling(text, text, text, date) from public;

grant execute on function incentives.waives(bigint, bigint, text, integer, bigint, bigint),
  incentives.perk_ruling(text, text, text, date) to {role}_gate;

-- What the citizen at the door has used of each budget of their own, of the lines that rule today. What orders use is
-- kept from the next migration on; until then nobody has used anything, and nobody asks.
create function incentives.own_budgets()
returns table (perk_id text, every text, count integer, amount bigint, orders bigint, waived bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  me uuid := auth.citizen_now();
  today date := (core.civil_now() at time zone 'Asia/Shanghai')::date;
begin
  if me is null then
    return;
  end if;
  return query
    select b.perk_id, b.every, b.count, b.amount, coalesce(u.orders, 0), coalesce(u.waived, 0)
    from (
      select distinct on (p.perk_id) p.perk_id, p.release_id from incentives.perk p where p.effective_on <= today
      order by p.perk_id, p.effective_on desc, p.approved_at desc
    ) line
    join incentives.perk_budget b on b.perk_id = line.perk_id and b.release_id = line.release_id and b.per = 'citizen'
    left join incentives.budget_use u on u.perk_id = b.perk_id and u.per = b.per and u.holder = me::text
      and u.period = incentives.period_of(b.every, today)
    order by b.perk_id, array_position(array['day', 'month', 'year', 'ever'], b.every);
end $$;

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

alter function incentives.own_budgets() owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.own_budgets() from public;

grant execute on function incentives.own_budgets() to {role}_citizen;
