-- How orders of all three forms are opened and moved: the functions of migrations 0027 and 0032 that differ by form.

-- An order as it is before anything is decided. What is charged for a ticket or a pass is at most what was agreed on.
create or replace function incentives.new_order(
  p_id uuid, p_object text, p_partner text, p_number text, d incentives.decision, rule record, p_deposit bigint,
  p_items jsonb, p_planned timestamptz, p_terminal text, p_agreed boolean, p_at timestamptz
) returns incentives.perk_order
language plpgsql
as $$
declare
  o incentives.perk_order;
  days integer;
begin
  o.id := p_id;
  o.object := p_object;
  o.partner_id := p_partner;
  o.out_order_no := p_number;
  o.perk_id := d.perk_id;
  o.release_id := d.release_id;
  o.citizen_id := d.citizen_id;
  o.decision_id := d.id;
  o.items := nullif(p_items -> 'items', 'null');
  o.visit_on := (p_items ->> 'visit_on')::date;
  o.admission := (select p.admission from incentives.perk p where p.perk_id = d.perk_id and p.release_id = d.release_id);
  o.visits := 0;
  o.terminal := p_terminal;
  o.planned_end := p_planned;
  o.opened_at := p_at;
  o.since := p_at;
  o.seq := 1;
  o.inverses := '[]';
  o.reversed := 0;
  o.forgiven := 0;
  o.paid := 0;
  o.reminders := 0;
  o.longest_days := coalesce(rule.longest_days, 0);
  o.start_by := p_at + case when p_agreed then make_interval(hours => coalesce(rule.start_hours, 0))
    else make_interval(mins => coalesce(rule.hold_minutes, 0)) end;
  o.risk := coalesce(p_deposit, (select sum((i ->> 'amount')::bigint) from jsonb_array_elements(o.items) i), 0);
  o.waived := case when p_deposit is null or rule.cap is null then 0 else least(p_deposit,
    incentives.waives(p_deposit, rule.cap, rule.over_cap, rule.percent, rule.minus, rule.from_amount)) end;
  o.payable := coalesce(p_deposit, 0) - o.waived;
  if not p_agreed then
    select l.id into o.share_id from auth.live_consent l
    where l.citizen_id = d.citizen_id and l.purpose = 'share:' || p_partner || '/' || d.perk_id;
  end if;
  if incentives.form_of(o) = 'plain' then
    return o;
  end if;
  o.risk := o.payable;
  o.number := decode(p_items ->> 'number', 'hex');
  if o.visit_on is not null then
    o.lines := incentives.ticket_lines(o.items, o.waived);
    return incentives.date_ticket(o);
  end if;
  days := (o.admission ->> 'days')::integer;
  o.start_by := incentives.end_of(incentives.day_at(p_at) + days - 1);
  o.planned_end := case when o.admission ->> 'begins' = 'purchase' then o.start_by end;
  o.start_by := o.start_by + interval '72 hours';
  return o;
end $$;

-- A ticket ends with its day; a gate without a line has three more days to say who came.
create function incentives.date_ticket(o incentives.perk_order) returns incentives.perk_order
language plpgsql
as $$
begin
  o.planned_end := incentives.end_of(o.visit_on);
  o.start_by := o.planned_end + interval '72 hours';
  return o;
end $$;

-- What a ticket or pass says beside the order.
create function incentives.show_admission(o incentives.perk_order) returns jsonb
language sql stable
return case when o.status <> 'standard_route' then case incentives.form_of(o)
  when 'ticket' then jsonb_build_object('form', 'ticket', 'visit_on', o.visit_on,
    'lines', case when o.charge is null then o.lines end)
  when 'pass' then jsonb_build_object('form', 'pass', 'valid_until', incentives.day_at(o.planned_end) - 1,
    'visits', o.visits, 'visits_left', (o.admission ->> 'visits')::integer - o.visits,
    'per_day', (o.admission ->> 'per_day')::integer, 'visit_price', (o.admission ->> 'visit_price')::bigint,
    'refund', case when o.status in ('open', 'active') then incentives.refund_of(o) end) end end;

create or replace function incentives.show_order(o incentives.perk_order) returns jsonb
language sql stable
return jsonb_build_object('order_id', o.object, 'out_order_no', o.out_order_no, 'perk', o.perk_id, 'status', o.status,
  'reason', o.reason, 'waived_amount', o.waived, 'payable_deposit', o.payable, 'seq', o.seq, 'opened_at', o.opened_at,
  'planned_end', o.planned_end, 'started_at', o.started_at, 'returned_at', o.returned_at,
  'next', o.clock_event, 'next_at', o.clock_at, 'admission', incentives.show_admission(o),
  'settlement', case when o.charge is not null then jsonb_build_object('items', o.lines, 'charge', o.charge,
    'reversed', o.reversed, 'forgiven', o.forgiven, 'paid', o.paid, 'due', incentives.order_due(o),
    'refund_due', greatest(o.paid - (o.charge - o.reversed - o.forgiven), 0)) end);

-- What happens next by itself, and when: by its state, or by the day on which its citizen may leave.
create or replace function incentives.next_of(o incentives.perk_order, out at timestamptz, out event text)
language plpgsql stable
as $$
declare
  s incentives.order_state;
  runs boolean := o.status = 'active' and o.admission is not null;
begin
  select * into s from incentives.order_state where name = o.status;
  if s.after_hours is null then
    return;
  end if;
  event := case when runs then 'run_out' else s.event end;
  at := case o.status when 'open' then o.start_by when 'active' then o.planned_end else o.since end
    + make_interval(hours => case when runs then 72 else s.after_hours end);
  if o.status = 'overdue' and o.reminders < 3 then
    event := 'remind';
    at := o.since + make_interval(hours => (array[24, 72, 168])[o.reminders + 1]);
  end if;
  if o.close_by <= at then
    event := case when runs then 'run_out' else s.at_leaving end;
    at := o.close_by;
  end if;
end $$;

-- Write what steps do not: the day of a ticket, the visits of a pass, until when, and what may be charged.
create function incentives.keep_admission(o incentives.perk_order) returns void
language sql
begin atomic
  update incentives.perk_order x
  set visit_on = o.visit_on, visits = o.visits, start_by = o.start_by, risk = o.risk where x.id = o.id;
end;

-- A ticket or pass is over: what it cost was paid before anybody went in, so it is charged and paid in one.
create function incentives.close_admission(
  o incentives.perk_order, p_event text, p_by text, p_since timestamptz, p_charge bigint, p_key text, p_input jsonb
) returns incentives.perk_order
language plpgsql
as $$
declare
  paid bigint := o.payable;
begin
  o.charge := p_charge;
  o.lines := case when o.visit_on is not null then (
      select jsonb_agg(l.it || jsonb_build_object('amount', (l.it ->> 'amount')::bigint - (l.it ->> 'reversed')::bigint,
        'waived', (l.it ->> 'waived')::bigint - incentives.share_of(l.it, (l.it ->> 'reversed')::bigint), 'reversed', 0)
        order by l.place)
      from jsonb_array_elements(o.lines) with ordinality l (it, place))
    when p_charge = 0 then '[]'
    else jsonb_build_array(jsonb_build_object(
      'name', coalesce(o.items -> 0 ->> 'name', '年票'), 'amount', p_charge, 'reversed', 0)) end;
  o := incentives.step_order(o, p_event, p_by, p_since, p_charge, null, null);
  o.paid := paid;
  return incentives.step_order(o, 'clear', 'rule', p_since, paid, p_key, p_input);
end $$;

-- Cut the link to its citizen; what stays are the partner's accounts.
create or replace function incentives.unlink_order(o incentives.perk_order) returns incentives.perk_order
language plpgsql
as $$
begin
  update incentives.order_step set shown = shown - 'settlement' - 'admission', input = null
  where order_id = o.id and key is not null;
  delete from incentives.visit where order_id = o.id;
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

-- The step that is due now. A pass whose time is up was paid for that time; one that its citizen leaves behind, by visits.
create or replace function incentives.clock_order(o incentives.perk_order) returns incentives.perk_order
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
    when 'run_out' then
      moved := o.payable - case when due < o.planned_end then incentives.refund_of(o) else 0 end;
      return incentives.close_admission(o, did, 'clock', due, moved, null, null);
    else null;
  end case;
  if did = 'uphold' then
    return incentives.step_and_clear(o, did, 'clock', due, moved, null, null);
  end if;
  return incentives.step_order(o, did, 'clock', due, moved, null, null);
end $$;
