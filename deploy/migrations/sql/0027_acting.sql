-- What a partner does with an order of theirs, and how they find it. No row: the token is dead.

-- Why an action cannot be done with what was sent; null when it can. `given` members: planned_end, ended_at, items
-- [{name, amount}] or [{line, amount}], paid_amount.
create function incentives.refuse_action(o incentives.perk_order, p_action text, given jsonb) returns text
language plpgsql stable
as $$
declare
  civil timestamptz := core.civil_now();
  ended timestamptz := (given ->> 'ended_at')::timestamptz;
begin
  return case p_action
    when 'extend' then case
      when (given ->> 'planned_end')::timestamptz <= greatest(civil, o.planned_end) then 'not_later'
      when (given ->> 'planned_end')::timestamptz > o.started_at + make_interval(days => o.longest_days) then 'too_long'
    end
    when 'return' then case
      when ended > civil then 'end_in_future'
      when ended < o.started_at then 'end_before_start'
    end
    when 'settle' then case
      when (select coalesce(sum((i ->> 'amount')::numeric), 0) from jsonb_array_elements(given -> 'items') i) > o.risk
        then 'charge_over_risk'
    end
    when 'reverse' then case
      when exists (
        select from jsonb_array_elements(given -> 'items') i
        left join jsonb_array_elements(o.lines) with ordinality l (it, place) on l.place = (i ->> 'line')::bigint
        group by i ->> 'line', l.it
        having l.it is null or sum((i ->> 'amount')::numeric) > (l.it ->> 'amount')::numeric - (l.it ->> 'reversed')::numeric
      ) then 'more_than_charged'
      when (select sum((i ->> 'amount')::numeric) from jsonb_array_elements(given -> 'items') i)
        > o.charge - o.reversed - o.forgiven then 'more_than_charged'
    end
    when 'sync' then case
      when (given ->> 'paid_amount')::bigint <> incentives.order_due(o) then 'amount_differs'
    end
  end;
end $$;

-- Lines with what is taken back of them.
create function incentives.reverse_lines(p_lines jsonb, p_items jsonb) returns jsonb
language sql immutable
return (
  select jsonb_agg(l.it || jsonb_build_object('reversed', (l.it ->> 'reversed')::bigint + coalesce((
    select sum((i ->> 'amount')::bigint) from jsonb_array_elements(p_items) i where (i ->> 'line')::bigint = l.place), 0))
    order by l.place)
  from jsonb_array_elements(p_lines) with ordinality l (it, place)
);

-- The action itself, known to be possible.
create function incentives.do_action(
  o incentives.perk_order, p_action text, given jsonb, p_key text, p_input jsonb, p_entry uuid
) returns incentives.perk_order
language plpgsql
as $$
declare
  civil timestamptz := core.civil_now();
  moved bigint;
  cause text;
begin
  if p_action in ('start', 'extend') then
    cause := incentives.personal_cause(o.citizen_id, o.perk_id,
      (select p.threshold from incentives.perk p where p.perk_id = o.perk_id and p.release_id = o.release_id),
      o.share_id is not null, o.share_id);
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    values (p_entry, civil, 'partner', o.partner_id, 'order.' || p_action, o.perk_id,
      case when cause is null then 'granted' else 'standard_route' end, o.citizen_id,
      jsonb_strip_nulls(jsonb_build_object('order', o.object, 'cause', cause)));
    if cause is not null then
      moved := o.waived;
      o.payable := o.payable + o.waived;
      o.waived := 0;
      return incentives.step_order(o, 'fall_back', 'rule', civil, moved, p_key, p_input);
    end if;
  end if;
  case p_action
    when 'start' then
      o.started_at := civil;
      o.planned_end := coalesce(o.planned_end, civil + make_interval(days => o.longest_days));
    when 'extend' then
      o.planned_end := (given ->> 'planned_end')::timestamptz;
    when 'return' then
      o.returned_at := coalesce((given ->> 'ended_at')::timestamptz, civil);
      if o.status = 'clock_stopped' then
        o.returned_at := least(o.returned_at, o.since);
      end if;
      o.evidence := given -> 'evidence';
    when 'settle' then
      select coalesce(jsonb_agg(i.it || '{"reversed": 0}' order by i.place), '[]'), coalesce(sum((i.it ->> 'amount')::bigint), 0)
      into o.lines, moved
      from jsonb_array_elements(given -> 'items') with ordinality i (it, place);
      o.charge := moved;
    when 'reverse' then
      select sum((i ->> 'amount')::bigint) into moved from jsonb_array_elements(given -> 'items') i;
      o.lines := incentives.reverse_lines(o.lines, given -> 'items');
      o.reversed := o.reversed + moved;
    when 'sync' then
      moved := incentives.order_due(o);
      o.paid := o.paid + moved;
    when 'cancel' then
      moved := o.waived;
  end case;
  if p_action in ('settle', 'reverse') then
    return incentives.step_and_clear(o, p_action, 'partner', civil, moved, p_key, p_input);
  end if;
  return incentives.step_order(o, p_action, 'partner', civil, moved, p_key, p_input);
end $$;

create function incentives.act_on_order(
  p_token bytea, p_order uuid, p_action text, p_key text, p_input jsonb, p_given jsonb, p_entry uuid
) returns table (partner_id text, refusal text, shown jsonb, first_input jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who text := incentives.partner_of(p_token, 'orders:write');
  said record;
  o incentives.perk_order;
  refused text;
begin
  if who is null then
    return;
  end if;
  select * into said from incentives.key_of(who, p_key, p_input);
  if found then
    return query select who, said.refusal, said.shown, said.first_input;
    return;
  end if;
  select * into o from incentives.perk_order x where x.id = p_order and x.partner_id = who for update;
  if not found then
    return query select who, 'not_found', null::jsonb, null::jsonb;
    return;
  end if;
  o := incentives.catch_up(o);
  if not exists (select from incentives.order_move m
    where m.state = o.status and m.event = p_action and 'partner' = any (m.by))
  then
    refused := 'illegal_transition';
  else
    refused := incentives.refuse_action(o, p_action, p_given);
  end if;
  if refused is null then
    o := incentives.do_action(o, p_action, p_given, p_key, p_input, p_entry);
  end if;
  return query select who, refused, incentives.show_order(o), null::jsonb;
end $$;

-- The caller's orders, newest first, or the one of a number.
create function incentives.orders_of_caller(
  p_token bytea, p_number text, p_status text, p_before timestamptz, p_before_id uuid, p_most integer
) returns table (partner_id text, id uuid, opened_at timestamptz, shown jsonb)
language sql stable security definer
begin atomic
  with caller as materialized (select incentives.partner_of(p_token, 'orders:write') as who)
  select caller.who, o.id, o.opened_at, incentives.show_order(o.*)
  from caller left join lateral (
    select x.* from incentives.perk_order x
    where x.partner_id = caller.who and (p_number is null or x.out_order_no = p_number)
      and (p_status is null or x.status = p_status)
      and (p_before is null or (x.opened_at, x.id) < (p_before, p_before_id))
    order by x.opened_at desc, x.id desc limit p_most
  ) o on true
  where caller.who is not null
  order by o.opened_at desc, o.id desc;
end;
