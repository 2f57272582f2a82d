-- Tickets bound to a day and passes with visits: orders of two more forms. Lists of what a line may be called.

-- `lines`: the only names that lines of orders may have; null: any. `admission`: how a pass is used, as the file says it.
alter table incentives.perk add column lines text[], add column admission jsonb;

-- Lines of a hospital could name a diagnosis: what was published without a list has the one of the code.
update incentives.perk set lines = '{挂号费,诊查费,检查费,化验费,治疗费,手术费,药费,材料费,床位费,护理费,其他费用}'
where perk_id like 'health.%';

-- `visit_on` makes an order a ticket, `admission` (the perk's, as it was sold) a pass. `number` is what its text at a
-- gate says; `visits` how often a pass was used.
alter table incentives.perk_order add column visit_on date, add column admission jsonb, add column number bytea,
  add column visits integer not null default 0;

create unique index ix_perk_order_number on incentives.perk_order (number) where number is not null;

-- Which forms of orders a move is for.
alter table incentives.order_move add column forms text[] not null default '{plain}';

-- Its owner, who may be anybody, writes it here.
alter table incentives.order_move no force row level security;

update incentives.order_move set forms = '{plain,ticket,pass}'
where (state, event) in (('open', 'cancel'), ('open', 'expire'), ('open', 'fall_back'), ('settling', 'clear'),
  ('settled', 'reverse'), ('settled', 'dispute'), ('settled', 'close'), ('disputed', 'reverse'), ('disputed', 'uphold'),
  ('disputed', 'reject'), ('disputed', 'clear'));

update incentives.order_move set forms = '{plain,pass}' where (state, event) = ('active', 'cancel');

insert into incentives.order_move (state, event, by, "into", forms) values
  ('open', 'extend', '{partner}', 'open', '{ticket}'),
  ('open', 'reverse', '{partner}', 'open', '{ticket}'),
  ('open', 'settle', '{partner}', 'settling', '{ticket}'),
  ('open', 'visit', '{partner}', 'active', '{pass}'),
  ('active', 'visit', '{partner}', 'active', '{pass}'),
  ('active', 'settle', '{partner}', 'settling', '{pass}'),
  ('active', 'run_out', '{clock}', 'settling', '{pass}');

alter table incentives.order_move force row level security;

-- Visits by a pass: each is counted once, whoever says it how often. Where somebody went in is not kept.
create table incentives.visit (
  partner_id text not null,
  visit_id text not null,
  order_id uuid not null,
  day date not null,
  constraint pk_visit primary key (partner_id, visit_id)
);

create index ix_visit_order_id_day on incentives.visit (order_id, day);

grant select, insert, delete on incentives.visit to {role}_gate;

alter table incentives.visit enable row level security, force row level security;

create policy gate on incentives.visit to {role}_gate using (true) with check (true);

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

create function incentives.form_of(o incentives.perk_order) returns text
language sql immutable
return case when o.visit_on is not null then 'ticket' when o.admission is not null then 'pass' else 'plain' end;

-- The first instant after a civil day.
create function incentives.end_of(p_day date) returns timestamptz
language sql immutable
return (p_day + 1)::timestamp at time zone 'Asia/Shanghai';

create function incentives.day_at(p_at timestamptz) returns date
language sql immutable
return (p_at at time zone 'Asia/Shanghai')::date;

-- What of the price of a pass is given back after so many visits: each costs what the perk says, never more than was
-- paid.
create function incentives.refund_of(o incentives.perk_order) returns bigint
language sql immutable
return greatest(o.payable - o.visits * coalesce((o.admission ->> 'visit_price')::bigint, 0), 0);

-- What of a line's discount is given back with so much of its price.
create function incentives.share_of(p_line jsonb, p_reversed bigint) returns bigint
language sql immutable
return coalesce((p_line ->> 'waived')::bigint * p_reversed / nullif((p_line ->> 'amount')::bigint, 0), 0);

-- Lines of a ticket: the discount is divided by their prices, to the last fen.
create function incentives.ticket_lines(p_items jsonb, p_waived bigint) returns jsonb
language sql immutable
return (
  select jsonb_agg(jsonb_build_object('name', s.name, 'amount', s.amount - s.share, 'waived', s.share, 'reversed', 0)
    order by s.place)
  from (
    select i.it ->> 'name' as name, i.place, a.amount,
      p_waived * a.upto / nullif(a.total, 0) - p_waived * (a.upto - a.amount) / nullif(a.total, 0) as share
    from jsonb_array_elements(p_items) with ordinality i (it, place)
    cross join lateral (
      select (i.it ->> 'amount')::bigint as amount, sum((e ->> 'amount')::bigint)::bigint as total,
        (sum((e ->> 'amount')::bigint) filter (where n <= i.place))::bigint as upto
      from jsonb_array_elements(p_items) with ordinality x (e, n)
    ) a
  ) s
);

-- Give a part of what an order waived back to whatever it was taken from, in the order in which rows are locked.
create function incentives.give_part(p_perk text, p_citizen uuid, p_inverses jsonb, p_back bigint) returns jsonb
language plpgsql
as $$
declare
  one jsonb;
  kept jsonb := '[]';
begin
  for one in select i.it from jsonb_array_elements(p_inverses) with ordinality i (it, place) order by i.place loop
    if one ->> 'of' = 'exposure' then
      update incentives.exposure set waived = waived - p_back where citizen_id = p_citizen and perk_id = p_perk;
    else
      update incentives.budget_use set waived = waived - p_back
      where perk_id = p_perk and per = one ->> 'per' and holder = one ->> 'holder' and period = one ->> 'period';
    end if;
    kept := kept || jsonb_build_array(one || jsonb_build_object('waived', (one ->> 'waived')::bigint - p_back));
  end loop;
  return kept;
end $$;

-- Why nobody could order this: about the request and the perk, before anything is checked. `p_ordered` members: items,
-- visit_on, number. A code names what is wrong; null: nothing.
create function incentives.unfit(rule record, p_ordered jsonb, p_deposit bigint, p_terminal text, p_day date)
returns text
language plpgsql stable
as $$
declare
  p incentives.perk;
  visit date := (p_ordered ->> 'visit_on')::date;
begin
  select * into p from incentives.perk x where x.perk_id = rule.perk_id and x.release_id = rule.release_id;
  return case
    when exists (select from jsonb_array_elements(p_ordered -> 'items') i where i ->> 'name' <> all (p.lines))
      then 'item_not_allowed'
    when p.lines is not null and p_terminal <> all (coalesce(p.terminals, '{}')) then 'terminal_not_listed'
    when visit is null then null
    when p.kind <> 'discount' then 'no_ticket'
    when visit < p_day or visit > p_day + rule.longest_days then 'visit_on'
    when p_deposit is distinct from (
      select sum((i ->> 'amount')::bigint) from jsonb_array_elements(p_ordered -> 'items') i) then 'deposit_differs'
  end;
end $$;
