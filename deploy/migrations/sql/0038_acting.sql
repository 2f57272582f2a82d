-- What a partner does with an order, by its form; what its citizen sees; how a gate finds the order of a ticket.

-- Why an action cannot be done with what was sent; null when it can. `given` members: planned_end, visit_on, ended_at,
-- visited_at, visit_id, items [{name, amount}] or [{line, amount}], paid_amount.
create or replace function incentives.refuse_action(o incentives.perk_order, p_action text, given jsonb) returns text
language plpgsql stable
as $$
declare
  civil timestamptz := core.civil_now();
  ended timestamptz := (given ->> 'ended_at')::timestamptz;
  form text := incentives.form_of(o);
begin
  if not exists (select from incentives.order_move m
    where m.state = o.status and m.event = p_action and form = any (m.forms))
  then
    return 'illegal_transition';
  elsif form <> 'plain' and p_action in ('extend', 'settle', 'visit', 'cancel', 'reverse') then
    return incentives.refuse_admission(o, p_action, given);
  end if;
  return case p_action
    when 'extend' then case
      when given ->> 'planned_end' is null then 'planned_end_missing'
      when (given ->> 'planned_end')::timestamptz <= greatest(civil, o.planned_end) then 'not_later'
      when (given ->> 'planned_end')::timestamptz > o.started_at + make_interval(days => o.longest_days) then 'too_long'
    end
    when 'return' then case
      when ended > civil then 'end_in_future'
      when ended < o.started_at then 'end_before_start'
      when incentives.unlisted(o, null, given -> 'evidence' ->> 'terminal') then 'terminal_not_listed'
    end
    when 'settle' then case
      when given -> 'items' is null then 'items_missing'
      when incentives.unlisted(o, given -> 'items', null) then 'item_not_allowed'
      when (select coalesce(sum((i ->> 'amount')::numeric), 0) from jsonb_array_elements(given -> 'items') i) > o.risk
        then 'charge_over_risk'
    end
    when 'reverse' then incentives.refuse_reversal(o, given)
    when 'sync' then case
      when (given ->> 'paid_amount')::bigint <> incentives.order_due(o) then 'amount_differs'
    end
  end;
end $$;

-- Whether the perk of an order lists what its lines may be called, and this is not among it.
create function incentives.unlisted(o incentives.perk_order, p_items jsonb, p_terminal text) returns boolean
language sql stable
begin atomic
  select exists (
    select from incentives.perk p
    where p.perk_id = o.perk_id and p.release_id = o.release_id and p.lines is not null
      and (exists (select from jsonb_array_elements(p_items) i where i ->> 'name' <> all (p.lines))
        or p_terminal <> all (coalesce(p.terminals, '{}'))));
end;

create function incentives.refuse_reversal(o incentives.perk_order, given jsonb) returns text
language sql stable
return case
  when exists (
    select from jsonb_array_elements(given -> 'items') i
    left join jsonb_array_elements(o.lines) with ordinality l (it, place) on l.place = (i ->> 'line')::bigint
    group by i ->> 'line', l.it
    having l.it is null or sum((i ->> 'amount')::numeric) > (l.it ->> 'amount')::numeric - (l.it ->> 'reversed')::numeric
  ) then 'more_than_charged'
  when (select sum((i ->> 'amount')::numeric) from jsonb_array_elements(given -> 'items') i)
    > o.charge - o.reversed - o.forgiven then 'more_than_charged'
end;

-- The same of a ticket or pass. A visit that was counted before is not refused, and not counted again.
create function incentives.refuse_admission(o incentives.perk_order, p_action text, given jsonb) returns text
language plpgsql stable
as $$
declare
  civil timestamptz := core.civil_now();
  came timestamptz := coalesce((given ->> 'visited_at')::timestamptz, civil);
  asked date := (given ->> 'visit_on')::date;
  said incentives.visit;
begin
  case p_action
    when 'extend' then return case
      when asked is null then 'visit_on_missing'
      when asked < incentives.day_at(civil) or asked > incentives.day_at(o.opened_at) + o.longest_days then 'visit_on'
    end;
    when 'cancel' then return case when o.visits > 0 then 'pass_used' end;
    when 'reverse' then return coalesce(incentives.refuse_reversal(o, given), case
      when o.charge is null and o.payable <= (
        select sum((i ->> 'amount')::numeric) from jsonb_array_elements(given -> 'items') i) then 'cancel_instead' end);
    else null;
  end case;
  if given -> 'items' is not null then
    return 'items_not_used';
  elsif came > civil then
    return 'visit_in_future';
  elsif o.visit_on is not null then
    return case when incentives.day_at(came) <> o.visit_on then 'other_day' end;
  elsif p_action = 'settle' then
    return null;
  end if;
  select * into said from incentives.visit v where v.partner_id = o.partner_id and v.visit_id = given ->> 'visit_id';
  return case
    when said.order_id = o.id then null
    when said.order_id is not null then 'visit_elsewhere'
    when came < o.opened_at then 'visit_before_sale'
    when came >= o.planned_end then 'pass_over'
    when o.visits >= (o.admission ->> 'visits')::integer then 'visits_spent'
    when (o.admission ->> 'per_day')::integer <= (
      select count(*) from incentives.visit v where v.order_id = o.id and v.day = incentives.day_at(came)) then 'day_spent'
  end;
end $$;

-- Count a visit, once; the first one begins a pass that begins so.
create function incentives.count_visit(
  o incentives.perk_order, given jsonb, p_key text, p_input jsonb
) returns incentives.perk_order
language plpgsql
as $$
declare
  civil timestamptz := core.civil_now();
  came timestamptz := coalesce((given ->> 'visited_at')::timestamptz, civil);
begin
  insert into incentives.visit (partner_id, visit_id, order_id, day)
  values (o.partner_id, given ->> 'visit_id', o.id, incentives.day_at(came)) on conflict do nothing;
  if not found then
    return o;
  end if;
  o.visits := o.visits + 1;
  o.started_at := coalesce(o.started_at, came);
  o.planned_end := coalesce(o.planned_end,
    incentives.end_of(incentives.day_at(came) + (o.admission ->> 'days')::integer - 1));
  perform incentives.keep_admission(o);
  return incentives.step_order(o, 'visit', 'partner', civil, null, p_key, p_input);
end $$;

-- Take back of lines, with what of their discount goes with it, before the visit or after it.
create function incentives.take_back(
  o incentives.perk_order, p_items jsonb, p_key text, p_input jsonb
) returns incentives.perk_order
language plpgsql
as $$
declare
  before jsonb := o.lines;
  moved bigint := (select sum((i ->> 'amount')::bigint) from jsonb_array_elements(p_items) i);
  back bigint;
begin
  o.lines := incentives.reverse_lines(o.lines, p_items);
  select coalesce(sum(incentives.share_of(l.it, (l.it ->> 'reversed')::bigint)
    - incentives.share_of(l.it, (b.it ->> 'reversed')::bigint)), 0)
  into back
  from jsonb_array_elements(o.lines) with ordinality l (it, place)
  join jsonb_array_elements(before) with ordinality b (it, place) using (place);
  o.waived := o.waived - back;
  o.inverses := incentives.give_part(o.perk_id, o.citizen_id, o.inverses, back);
  if o.charge is null then
    o.payable := o.payable - moved;
    o.risk := o.payable;
    perform incentives.keep_admission(o);
    return incentives.step_order(o, 'reverse', 'partner', core.civil_now(), moved, p_key, p_input);
  end if;
  o.reversed := o.reversed + moved;
  return incentives.step_and_clear(o, 'reverse', 'partner', core.civil_now(), moved, p_key, p_input);
end $$;

-- An action on a ticket or pass, known to be possible. The perk was granted when it was sold and is not asked for again.
create function incentives.do_admission(
  o incentives.perk_order, p_action text, given jsonb, p_key text, p_input jsonb
) returns incentives.perk_order
language plpgsql
as $$
declare
  civil timestamptz := core.civil_now();
begin
  case p_action
    when 'visit' then
      return incentives.count_visit(o, given, p_key, p_input);
    when 'reverse' then
      return incentives.take_back(o, given -> 'items', p_key, p_input);
    when 'extend' then
      o.visit_on := (given ->> 'visit_on')::date;
      o := incentives.date_ticket(o);
      perform incentives.keep_admission(o);
      return incentives.step_order(o, 'extend', 'partner', civil, null, p_key, p_input);
    when 'settle' then
      o.started_at := coalesce(o.started_at, (given ->> 'visited_at')::timestamptz, civil);
      return incentives.close_admission(o, 'settle', 'partner', civil,
        o.payable - case when o.visit_on is null then incentives.refund_of(o) else 0 end, p_key, p_input);
    else
      return incentives.step_order(o, p_action, 'partner', civil, o.waived, p_key, p_input);
  end case;
end $$;

-- The action itself, known to be possible.
create or replace function incentives.do_action(
  o incentives.perk_order, p_action text, given jsonb, p_key text, p_input jsonb, p_entry uuid
) returns incentives.perk_order
language plpgsql
as $$
declare
  civil timestamptz := core.civil_now();
  moved bigint;
  cause text;
begin
  if incentives.form_of(o) <> 'plain' then
    return incentives.do_admission(o, p_action, given, p_key, p_input);
  end if;
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

-- Whoever shows a ticket goes in: a ticket is settled, a pass counts the visit. No row: the token is dead.
create function incentives.admit(
  p_token bytea, p_number bytea, p_visit text, p_at timestamptz, p_input jsonb, p_entry uuid
) returns table (partner_id text, refusal text, shown jsonb, first_input jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who text := incentives.partner_of(p_token, 'orders:write');
  o incentives.perk_order;
begin
  select * into o from incentives.perk_order x where x.number = p_number and x.partner_id = who;
  return query select * from incentives.act_on_order(p_token, o.id,
    case incentives.form_of(o) when 'ticket' then 'settle' else 'visit' end, 'visit ' || p_visit, p_input,
    jsonb_strip_nulls(jsonb_build_object('visit_id', p_visit, 'visited_at', p_at)), p_entry);
end $$;

-- What the text of a ticket or pass is written of, for the citizen at the door; no row: no such order of theirs.
create function incentives.admission_of(p_order uuid)
returns table (shown jsonb, number bytea, visit_on date, last_day date, per_day integer, perk integer, audience bigint)
language sql stable security definer
begin atomic
  select incentives.show_order(o.*), o.number, o.visit_on, incentives.day_at(o.planned_end) - 1,
    coalesce((o.admission ->> 'per_day')::integer, 1), p.number, a.number
  from incentives.perk_order o
  join incentives.perk_number p on p.perk_id = o.perk_id
  join incentives.audience_number a on a.kind = 'partner' and a.name = o.partner_id
  where o.citizen_id = (select auth.citizen_now()) and o.id = p_order;
end;
