-- The other sides of an order: its citizen, the clocks, the office. Nobody but these functions reads the tables.

create function incentives.history_of(p_order uuid) returns jsonb
language sql stable
return (
  select jsonb_agg(jsonb_build_object('seq', s.seq, 'event', s.event, 'by', s.by, 'status', s.status, 'at', s.at,
    'amount', s.amount) order by s.seq)
  from incentives.order_step s where s.order_id = p_order
);

-- What only the citizen and the office see of an order.
create function incentives.more_of(o incentives.perk_order) returns jsonb
language sql stable
return jsonb_build_object('partner', o.partner_id, 'items', o.items, 'terminal', o.terminal, 'evidence', o.evidence,
  'disputed_for', o.disputed_for, 'answer', o.answer, 'history', incentives.history_of(o.id));

-- The orders of the citizen who stands at the door, or one of them.
create function incentives.orders_of_citizen(p_order uuid, p_most integer)
returns table (shown jsonb, more jsonb)
language sql stable security definer
begin atomic
  select incentives.show_order(o.*), incentives.more_of(o.*)
  from incentives.perk_order o
  where o.citizen_id = (select auth.citizen_now()) and (p_order is null or o.id = p_order)
  order by o.opened_at desc, o.id desc limit p_most;
end;

-- A citizen reports a fault or disputes a charge, once; never a relative who only looks. No row: no such order of theirs.
create function incentives.citizen_acts(p_order uuid, p_event text, p_reason text)
returns table (refusal text, shown jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o incentives.perk_order;
begin
  select * into o from incentives.perk_order x
  where x.id = p_order and x.citizen_id = auth.citizen_now()
    and nullif(current_setting('app.behalf', true), '') is null
  for update;
  if not found then
    return;
  end if;
  o := incentives.catch_up(o);
  if o.citizen_id is null or not exists (select from incentives.order_move m
    where m.state = o.status and m.event = p_event and 'citizen' = any (m.by))
  then
    return query select 'illegal_transition', incentives.show_order(o);
    return;
  end if;
  if p_event = 'dispute' and o.disputed_for is not null then
    return query select 'already_disputed', incentives.show_order(o);
    return;
  end if;
  o.disputed_for := coalesce(p_reason, o.disputed_for);
  o := incentives.step_order(o, p_event, 'citizen', core.civil_now(), null, null, null);
  return query select null::text, incentives.show_order(o);
end $$;

-- Orders that still hold something of the citizen who stands at the door and wants to leave: they close within 30 days.
create function incentives.closing_orders() returns table (shown jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o incentives.perk_order;
begin
  for o in
    select x.* from incentives.perk_order x join incentives.order_state s on s.name = x.status
    where x.citizen_id = auth.citizen_now() and s.keeps = 'all' and x.status not in ('open', 'defaulted')
    order by x.id for update of x
  loop
    o.close_by := coalesce(o.close_by, core.civil_now() + interval '30 days');
    select n.at, n.event into o.clock_at, o.clock_event from incentives.next_of(o) n;
    update incentives.perk_order set close_by = o.close_by, clock_at = o.clock_at, clock_event = o.clock_event
    where id = o.id;
    o := incentives.catch_up(o);
    if o.clock_at is not null and o.status <> 'settled' then
      return query select incentives.show_order(o);
    end if;
  end loop;
end $$;

-- Cut every link to the citizen who leaves now. What still runs (of somebody who died) goes on for the partner alone.
create function incentives.unlink_citizen() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who uuid := auth.citizen_now();
  o incentives.perk_order;
begin
  for o in select x.* from incentives.perk_order x where x.citizen_id = who order by x.id for update loop
    if o.status in ('open', 'defaulted', 'settled') then
      o.close_by := core.civil_now();
      o.clock_at := o.close_by;
      o.clock_event := case o.status when 'open' then 'expire' else 'close' end;
      o := incentives.catch_up(o);
    end if;
    perform incentives.forget_order(o);
  end loop;
  delete from incentives.exposure where citizen_id = who;
  delete from incentives.budget_use where per = 'citizen' and holder = who::text;
end $$;

-- Cut the link of an order that is over.
create function incentives.forget_order(o incentives.perk_order) returns void
language plpgsql
as $$
begin
  o := incentives.unlink_order(o);
  update incentives.perk_order set citizen_id = null, share_id = null, items = null, lines = null, terminal = null,
    evidence = null, disputed_for = null, answer = null, inverses = o.inverses, close_by = null
  where id = o.id;
end $$;

-- Orders whose clock has come, the longest due first.
create function incentives.due_orders(p_most integer) returns setof uuid
language sql stable security definer
begin atomic
  select o.id from incentives.perk_order o where o.clock_at <= core.civil_now() order by o.clock_at limit p_most;
end;

-- Do what is due for one order; nothing if somebody else holds it.
create function incentives.keep_order(p_order uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o incentives.perk_order;
begin
  select * into o from incentives.perk_order x where x.id = p_order and x.clock_at <= core.civil_now()
  for update skip locked;
  if not found then
    return false;
  end if;
  o := incentives.catch_up(o);
  return true;
end $$;

-- What nobody needs any more: links of orders long over, exposures of nothing, budgets of days gone by.
create function incentives.forget_orders(p_most integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o incentives.perk_order;
begin
  for o in
    select x.* from incentives.perk_order x join incentives.order_state s on s.name = x.status
    where x.citizen_id is not null and s.final and x.since < core.civil_now() - interval '180 days'
    order by x.since limit p_most for update of x skip locked
  loop
    perform incentives.forget_order(o);
  end loop;
  delete from incentives.exposure where orders = 0 and waived = 0;
  delete from incentives.budget_use
  where period <> 'ever' and period < to_char(core.civil_now() - interval '400 days', 'YYYY-MM-DD');
end $$;

-- A staff system behind a live token of scope staff:orders.
create function incentives.office_of(p_token bytea) returns text
language sql stable
begin atomic
  select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
  where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
    and 'staff:orders' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null;
end;

-- What waits for a person: disputes, and what has been overdue for 30 days. No names, no lines.
create function incentives.orders_to_review(p_token bytea, p_most integer)
returns table (object text, partner_id text, perk_id text, status text, since timestamptz, due bigint, reason text)
language sql stable security definer
begin atomic
  select o.object, o.partner_id, o.perk_id, o.status, o.since, incentives.order_due(o.*), o.disputed_for
  from incentives.perk_order o
  where incentives.office_of(p_token) is not null
    and (o.status = 'disputed' or o.status = 'overdue' and o.since <= core.civil_now() - interval '30 days')
  order by o.since, o.id limit p_most;
end;

-- A clerk opens an order; its citizen reads who and why.
create function incentives.read_order(p_token bytea, p_order uuid, p_purpose text, p_detail jsonb)
returns table (shown jsonb, more jsonb)
language sql volatile security definer
begin atomic
  with found as materialized (
    select o.*, incentives.office_of(p_token) as office
    from incentives.perk_order o
    where o.id = p_order and o.citizen_id is not null and incentives.office_of(p_token) is not null
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'staff', found.office, 'order.read', p_purpose, 'shown', found.citizen_id, p_detail
    from found
  )
  select incentives.show_order(o.*), incentives.more_of(o.*)
  from found join incentives.perk_order o on o.id = found.id;
end;

-- A clerk decides: a dispute (`p_charge`: what remains of the charge), or what is overdue, never as a default before day
-- 30. No row: no such order.
create function incentives.review_order(
  p_token bytea, p_order uuid, p_event text, p_purpose text, p_detail jsonb, p_answer text, p_charge bigint
) returns table (refusal text, shown jsonb, more jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  office text := incentives.office_of(p_token);
  civil timestamptz := core.civil_now();
  o incentives.perk_order;
  owner uuid;
  refused text;
  moved bigint;
begin
  select * into o from incentives.perk_order x
  where x.id = p_order and x.citizen_id is not null and office is not null for update;
  if not found then
    return;
  end if;
  owner := o.citizen_id;
  o := incentives.catch_up(o);
  if not exists (select from incentives.order_move m
    where m.state = o.status and m.event = p_event and 'staff' = any (m.by))
  then
    refused := 'illegal_transition';
  elsif p_event in ('default', 'write_off') and o.status = 'overdue' and o.since > civil - interval '30 days' then
    refused := 'too_early';
  elsif p_event = 'uphold' and p_charge > o.charge - o.reversed - o.forgiven then
    refused := 'more_than_charged';
  end if;
  if refused is not null then
    return query select refused, incentives.show_order(o), null::jsonb;
    return;
  end if;
  o.answer := p_answer;
  if p_event = 'uphold' then
    moved := o.charge - o.reversed - o.forgiven - coalesce(p_charge, 0);
  elsif p_event = 'write_off' then
    moved := incentives.order_due(o);
  end if;
  o.forgiven := o.forgiven + coalesce(moved, 0);
  if p_event in ('uphold', 'reject') then
    o := incentives.step_and_clear(o, p_event, 'staff', civil, moved, null, null);
  else
    o := incentives.step_order(o, p_event, 'staff', civil, moved, null, null);
  end if;
  insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
  values (uuidv7(), civil, 'staff', office, 'order.' || p_event, p_purpose, 'done', owner, p_detail);
  return query select null::text, incentives.show_order(o), incentives.more_of(o);
end $$;
