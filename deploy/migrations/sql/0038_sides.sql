-- The other sides of tickets and passes: citizen, leaving, lists, statements.

-- A citizen reports a fault or disputes a charge, once; never a relative who only looks. No row: no such order of theirs.
create or replace function incentives.citizen_acts(p_order uuid, p_event text, p_reason text)
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
    where m.state = o.status and m.event = p_event and 'citizen' = any (m.by) and incentives.form_of(o) = any (m.forms))
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
-- What is only reserved is simply let go; what was sold is not.
create or replace function incentives.closing_orders() returns table (shown jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o incentives.perk_order;
begin
  for o in
    select x.* from incentives.perk_order x join incentives.order_state s on s.name = x.status
    where x.citizen_id = auth.citizen_now() and s.keeps = 'all' and x.status <> 'defaulted'
      and (x.status <> 'open' or x.number is not null)
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

-- The caller's orders, newest first, or the one of a number.
create or replace function incentives.orders_of_caller(
  p_token bytea, p_number text, p_status text, p_before timestamptz, p_before_id uuid, p_most integer
) returns table (partner_id text, id uuid, opened_at timestamptz, shown jsonb)
language sql stable security definer
begin atomic
  with caller as materialized (select incentives.partner_of(p_token, 'orders:write') as who)
  select caller.who, o.id, o.opened_at, o.shown
  from caller left join lateral (
    select x.id, x.opened_at, incentives.show_order(x) as shown from incentives.perk_order x
    where x.partner_id = caller.who and (p_number is null or x.out_order_no = p_number)
      and (p_status is null or x.status = p_status)
      and (p_before is null or (x.opened_at, x.id) < (p_before, p_before_id))
    order by x.opened_at desc, x.id desc limit p_most
  ) o on true
  where caller.who is not null
  order by o.opened_at desc, o.id desc;
end;

-- What the caller's orders moved on a civil day: first the sums, one row a kind, then the lines after one, by the
-- partner's own number and the step's. A row without a kind says that the caller lives. What was taken back of a ticket
-- before its visit was never charged; what a gate saw was paid before.
create or replace function incentives.order_lines(p_token bytea, p_day date, p_no text, p_seq integer, p_most integer)
returns table (
  kind text, out_order_no text, object text, perk text, seq integer, at timestamptz, amount bigint, times bigint
)
language sql stable security definer
begin atomic
  with caller as materialized (
    select client_id from incentives.ordering_client(p_token) client_id where client_id is not null
  ), moved as materialized (
    select k.kind, o.out_order_no, o.object, o.perk_id, s.seq, s.at, s.amount
    from caller join incentives.order_step s on s.partner_id = caller.client_id
      and s.at >= p_day::timestamp at time zone 'Asia/Shanghai' and s.at < (p_day + 1)::timestamp at time zone 'Asia/Shanghai'
    join (values ('open', 'opened'), ('settle', 'settled'), ('run_out', 'settled'), ('reverse', 'reversed'),
      ('uphold', 'forgiven'), ('write_off', 'forgiven'), ('forgive', 'forgiven'), ('sync', 'paid'), ('clear', 'paid')) k
      (event, kind) on k.event = s.event
    join incentives.perk_order o on o.id = s.order_id
    where s.amount is not null and not (s.event = 'reverse' and s.status = 'open')
      and p_day < (core.civil_now() at time zone 'Asia/Shanghai')::date
  )
  select null::text, null::text, null::text, null::text, null::integer, null::timestamptz, null::bigint, null::bigint
  from caller
  union all
  (select m.kind, null, null, null, null, null, sum(m.amount)::bigint, count(*) from moved m group by m.kind order by m.kind)
  union all
  (select m.kind, m.out_order_no, m.object, m.perk_id, m.seq, m.at, m.amount, 1 from moved m
  where p_no is null or (m.out_order_no, m.seq) > (p_no, p_seq)
  order by m.out_order_no, m.seq limit p_most);
end;
