-- How an order moves. Callers hold its row; every step has a number, a row and an event.

-- What of a settled order is still to be paid.
create function incentives.order_due(o incentives.perk_order) returns bigint
language sql immutable
return greatest(coalesce(o.charge, 0) - o.reversed - o.forgiven - o.paid, 0);

create function incentives.show_order(o incentives.perk_order) returns jsonb
language sql stable
return jsonb_build_object('order_id', o.object, 'out_order_no', o.out_order_no, 'perk', o.perk_id, 'status', o.status,
  'reason', o.reason, 'waived_amount', o.waived, 'payable_deposit', o.payable, 'seq', o.seq, 'opened_at', o.opened_at,
  'planned_end', o.planned_end, 'started_at', o.started_at, 'returned_at', o.returned_at,
  'next', o.clock_event, 'next_at', o.clock_at,
  'settlement', case when o.charge is not null then jsonb_build_object('items', o.lines, 'charge', o.charge,
    'reversed', o.reversed, 'forgiven', o.forgiven, 'paid', o.paid, 'due', incentives.order_due(o),
    'refund_due', greatest(o.paid - (o.charge - o.reversed - o.forgiven), 0)) end);

-- What happens next by itself, and when: by its state, or by the day on which its citizen may leave.
create function incentives.next_of(o incentives.perk_order, out at timestamptz, out event text)
language plpgsql stable
as $$
declare
  s incentives.order_state;
begin
  select * into s from incentives.order_state where name = o.status;
  if s.after_hours is null then
    return;
  end if;
  event := s.event;
  at := case o.status when 'open' then o.start_by when 'active' then o.planned_end else o.since end
    + make_interval(hours => s.after_hours);
  if o.status = 'overdue' and o.reminders < 3 then
    event := 'remind';
    at := o.since + make_interval(hours => (array[24, 72, 168])[o.reminders + 1]);
  end if;
  if o.close_by <= at then
    event := s.at_leaving;
    at := o.close_by;
  end if;
end $$;

-- One step, already known to be possible; what the event itself changed is in `o`. `p_since`: when it took effect.
create function incentives.step_order(
  o incentives.perk_order, p_event text, p_by text, p_since timestamptz, p_amount bigint, p_key text, p_input jsonb
) returns incentives.perk_order
language plpgsql
as $$
declare
  went text;
  keeping text;
begin
  select m."into", s.keeps into strict went, keeping
  from incentives.order_move m join incentives.order_state s on s.name = m."into"
  where m.state = o.status and m.event = p_event and p_by = any (m.by);
  if went <> o.status then
    o.since := p_since;
  end if;
  o.status := went;
  o.seq := o.seq + 1;
  o.inverses := incentives.give_back(o.perk_id, o.citizen_id, o.inverses, keeping);
  select n.at, n.event into o.clock_at, o.clock_event from incentives.next_of(o) n;
  update incentives.perk_order set citizen_id = o.citizen_id, share_id = o.share_id, status = o.status, seq = o.seq,
    waived = o.waived, payable = o.payable, items = o.items, terminal = o.terminal, inverses = o.inverses,
    since = o.since, planned_end = o.planned_end, started_at = o.started_at, returned_at = o.returned_at,
    evidence = o.evidence, charge = o.charge, lines = o.lines, reversed = o.reversed, forgiven = o.forgiven,
    paid = o.paid, disputed_for = o.disputed_for, answer = o.answer, reminders = o.reminders, close_by = o.close_by,
    clock_at = o.clock_at, clock_event = o.clock_event
  where id = o.id;
  perform incentives.record_step(o, p_event, p_by, p_amount, p_key, p_input);
  return o;
end $$;

create function incentives.record_step(
  o incentives.perk_order, p_event text, p_by text, p_amount bigint, p_key text, p_input jsonb
) returns void
language plpgsql
as $$
begin
  insert into incentives.order_step (order_id, seq, partner_id, event, by, status, at, amount, key, input, shown)
  values (o.id, o.seq, o.partner_id, p_event, p_by, o.status, core.civil_now(), p_amount, p_key, p_input,
    case when p_key is not null then incentives.show_order(o) end);
  perform incentives.emit(o.partner_id, 'order.' || o.status, o.object, o.seq, jsonb_build_object(
    'order_id', o.object, 'out_order_no', o.out_order_no, 'perk', o.perk_id, 'status', o.status, 'seq', o.seq));
end $$;

-- One step; if nothing is due after it any more, a second one settles the order and answers the key. A dispute goes on
-- while anything was charged.
create function incentives.step_and_clear(
  o incentives.perk_order, p_event text, p_by text, p_since timestamptz, p_amount bigint, p_key text, p_input jsonb
) returns incentives.perk_order
language plpgsql
as $$
declare
  clears boolean := case case p_event when 'reverse' then o.status else 'settling' end
    when 'settled' then false
    when 'disputed' then o.charge = o.reversed + o.forgiven
    else incentives.order_due(o) = 0
  end;
begin
  if not clears then
    return incentives.step_order(o, p_event, p_by, p_since, p_amount, p_key, p_input);
  end if;
  o := incentives.step_order(o, p_event, p_by, p_since, p_amount, null, null);
  return incentives.step_order(o, 'clear', 'rule', p_since, null, p_key, p_input);
end $$;

-- Cut the link to its citizen; what stays are the partner's accounts.
create function incentives.unlink_order(o incentives.perk_order) returns incentives.perk_order
language plpgsql
as $$
begin
  update incentives.order_step set shown = shown - 'settlement', input = null where order_id = o.id and key is not null;
  o.citizen_id := null;
  o.share_id := null;
  o.items := null;
  o.lines := null;
  o.terminal := null;
  o.evidence := null;
  o.disputed_for := null;
  o.answer := null;
  o.inverses := (select coalesce(jsonb_agg(i.it order by i.place), '[]')
    from jsonb_array_elements(o.inverses) with ordinality i (it, place)
    where i.it ->> 'of' = 'budget' and i.it ->> 'per' <> 'citizen');
  o.close_by := null;
  return o;
end $$;

-- The step that is due now.
create function incentives.clock_order(o incentives.perk_order) returns incentives.perk_order
language plpgsql
as $$
declare
  due timestamptz := o.clock_at;
  did text := o.clock_event;
  moved bigint;
begin
  case did
    when 'presume' then
      o.returned_at := least(case o.status when 'active' then o.planned_end else o.since end, due);
    when 'forgive' then
      o.charge := 0;
      o.lines := '[]';
      moved := 0;
    when 'remind' then
      o.reminders := o.reminders + 1;
    when 'uphold' then
      moved := o.charge - o.reversed - o.forgiven;
      o.forgiven := o.forgiven + moved;
    when 'write_off' then
      moved := incentives.order_due(o);
      o.forgiven := o.forgiven + moved;
    when 'close' then
      o.inverses := incentives.give_back(o.perk_id, o.citizen_id, o.inverses, 'budgets');
      o := incentives.unlink_order(o);
    else null;
  end case;
  if did = 'uphold' then
    return incentives.step_and_clear(o, did, 'clock', due, moved, null, null);
  end if;
  return incentives.step_order(o, did, 'clock', due, moved, null, null);
end $$;

-- Everything that is due by now, so that nobody gains by asking before the rounds come by.
create function incentives.catch_up(o incentives.perk_order) returns incentives.perk_order
language plpgsql
as $$
begin
  while o.clock_at <= core.civil_now() loop
    o := incentives.clock_order(o);
  end loop;
  return o;
end $$;
