-- Opening an order: one call that proves the caller, checks, reserves, writes, tells. No row: the token is dead.

-- An order by code or subject is itself a check: the same statement, for tokens of the scope of orders.
do $$ begin
  execute replace(replace(pg_get_functiondef('incentives.check_eligibility'::regproc), 'check_eligibility',
    'check_for_order'), '''eligibility:check''', '''orders:write''');
end $$;

-- The partner behind a live token of a scope.
create function incentives.partner_of(p_token bytea, p_scope text) returns text
language sql stable
begin atomic
  select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
  where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
    and p_scope = any (string_to_array(t.scope, ' ')) and t.grant_id is null
    and c.role = 'partner' and c.disabled_at is null;
end;

-- What is said to an Idempotency-Key: `in_flight`, the first answer, or a conflict with the first input; no row: new.
create function incentives.key_of(p_partner text, p_key text, p_input jsonb)
returns table (refusal text, shown jsonb, first_input jsonb)
language plpgsql
as $$
begin
  if not pg_try_advisory_xact_lock(hashtextextended(p_partner || ' ' || p_key, 27)) then
    return query select 'in_flight', null::jsonb, null::jsonb;
    return;
  end if;
  return query select case when s.input = p_input then 'replay' else 'conflict' end, s.shown, s.input
    from incentives.order_step s where s.partner_id = p_partner and s.key = p_key;
end $$;

-- A holder is named by a decision of this partner, or by a code or subject, which is then checked here.
create function incentives.open_order(
  p_token bytea, p_key text, p_input jsonb, p_order uuid, p_object text, p_number text, p_perk text, p_decision uuid,
  p_code bytea, p_subject uuid, p_deposit bigint, p_items jsonb, p_planned timestamptz, p_terminal text,
  p_check uuid, p_check_shown text, p_entry uuid
) returns table (partner_id text, refusal text, shown jsonb, first_input jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who text := incentives.partner_of(p_token, 'orders:write');
  civil timestamptz := core.civil_now();
  today date := (civil at time zone 'Asia/Shanghai')::date;
  said record;
  d incentives.decision;
  rule record;
  o incentives.perk_order;
  taken record;
  refused text;
  cause text;
  agreed boolean;
begin
  if who is null then
    return;
  end if;
  select * into said from incentives.key_of(who, p_key, p_input);
  if found then
    return query select who, said.refusal, said.shown, said.first_input;
    return;
  end if;
  select * into o from incentives.perk_order x where x.partner_id = who and x.out_order_no = p_number;
  if found then
    return query select who, 'order_exists', incentives.show_order(o), null::jsonb;
    return;
  end if;
  select * into rule from incentives.perk_ruling(p_perk, who, p_terminal, today);
  if p_planned <= civil or p_planned > civil + make_interval(days => rule.longest_days) then
    return query select who, 'planned_end', jsonb_build_object('longest_days', rule.longest_days), null::jsonb;
    return;
  end if;
  if p_decision is null then
    perform from incentives.check_for_order(p_token, p_perk, p_code, p_subject, p_deposit, p_terminal, null, '{}',
      p_check, p_check_shown, uuidv7());
    if not found then
      return;
    end if;
  end if;
  select * into d from incentives.decision x where x.id = coalesce(p_decision, p_check) and x.partner_id = who;
  refused := incentives.unusable(d, p_perk);
  if refused is not null then
    return query select who, refused, null::jsonb, null::jsonb;
    return;
  end if;
  agreed := p_code is not null
    or p_decision is not null and exists (select from incentives.credit_code_use u where u.decision_id = p_decision);
  o := incentives.new_order(p_order, p_object, who, p_number, d, rule, p_deposit, p_items, p_planned, p_terminal,
    agreed, civil);
  o.reason := incentives.reason_of(o, d, rule, p_token, coalesce(p_deposit, 0), today);
  cause := coalesce(incentives.personal_cause(d.citizen_id, p_perk, rule.threshold, not agreed, o.share_id),
    incentives.order_cause(d.citizen_id, p_perk, d.release_id, rule.kind, rule.cap, o.waived, today),
    case when not d.granted and d.reason is null then 'checked' end);
  if o.reason is null and cause is null then
    select * into taken from incentives.take_for_order(p_perk, d.release_id, who, rule.zone, d.citizen_id,
      incentives.running_cap(rule.kind, rule.cap), o.waived, today);
    o.inverses := taken.inverses;
    if taken.refused in ('exposure', 'citizen') then
      cause := taken.refused;
    elsif taken.refused is not null then
      o.reason := 'budget_spent';
    end if;
  end if;
  o := incentives.lay_order(o, o.reason is null and cause is null, p_key, p_input);
  insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
  values (p_entry, civil, 'partner', who, 'order.open', p_perk,
    case o.status when 'open' then 'granted' else 'standard_route' end, o.citizen_id,
    jsonb_strip_nulls(jsonb_build_object('order', p_object, 'reason', o.reason,
      'cause', case when o.reason is null then cause end, 'terminal', p_terminal)));
  return query select who, null::text, incentives.show_order(o), null::jsonb;
end $$;

-- Why a decision opens nothing: not this partner's or unknown, about another perk, too old, or used.
create function incentives.unusable(d incentives.decision, p_perk text) returns text
language sql stable
return case
  when d.id is null then 'decision_unknown'
  when d.perk_id <> p_perk then 'decision_for_another_perk'
  when exists (select from incentives.perk_order o where o.decision_id = d.id) then 'decision_used'
  when d.valid_until <= now() then 'decision_expired'
end;

-- An order as it is before anything is decided.
create function incentives.new_order(
  p_id uuid, p_object text, p_partner text, p_number text, d incentives.decision, rule record, p_deposit bigint,
  p_items jsonb, p_planned timestamptz, p_terminal text, p_agreed boolean, p_at timestamptz
) returns incentives.perk_order
language plpgsql
as $$
declare
  o incentives.perk_order;
begin
  o.id := p_id;
  o.object := p_object;
  o.partner_id := p_partner;
  o.out_order_no := p_number;
  o.perk_id := d.perk_id;
  o.release_id := d.release_id;
  o.citizen_id := d.citizen_id;
  o.decision_id := d.id;
  o.items := p_items;
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
  o.risk := coalesce(p_deposit, (select sum((i ->> 'amount')::bigint) from jsonb_array_elements(p_items) i), 0);
  o.waived := case when p_deposit is null or rule.cap is null then 0 else least(p_deposit,
    incentives.waives(p_deposit, rule.cap, rule.over_cap, rule.percent, rule.minus, rule.from_amount)) end;
  o.payable := coalesce(p_deposit, 0) - o.waived;
  if not p_agreed then
    select l.id into o.share_id from auth.live_consent l
    where l.citizen_id = d.citizen_id and l.purpose = 'share:' || p_partner || '/' || d.perk_id;
  end if;
  return o;
end $$;

-- Why nobody could have this order now; about the perk, the request or a budget, never about the holder.
create function incentives.reason_of(
  o incentives.perk_order, d incentives.decision, rule record, p_token bytea, p_amount bigint, p_day date
) returns text
language plpgsql
as $$
begin
  return case
    when d.reason is not null then d.reason
    when rule.threshold is null or not exists (select from auth.token t join auth.client c on c.client_id = t.client_id
      where t.jti_hash = p_token and o.perk_id = any (c.perks)) then 'perk_unknown'
    when rule.rests then 'perk_closed'
    when o.terminal <> all (rule.terminals) then 'terminal_unknown'
    when rule.over_cap = 'refuse' and p_amount > rule.cap then 'amount_over_cap'
    when incentives.budget_spent(o.perk_id, d.release_id, o.partner_id, rule.zone, o.waived, p_day) then 'budget_spent'
  end;
end $$;

-- Write a new order, granted or on the standard route, where nothing is waived and nothing waits.
create function incentives.lay_order(o incentives.perk_order, p_granted boolean, p_key text, p_input jsonb)
returns incentives.perk_order
language plpgsql
as $$
begin
  o.status := case when p_granted then 'open' else 'standard_route' end;
  if not p_granted then
    o.payable := o.payable + o.waived;
    o.waived := 0;
    o.inverses := '[]';
  end if;
  select n.at, n.event into o.clock_at, o.clock_event from incentives.next_of(o) n;
  insert into incentives.perk_order select o.*;
  perform incentives.record_step(o, case when p_granted then 'open' else 'fall_back' end,
    case when p_granted then 'partner' else 'rule' end, o.waived, p_key, p_input);
  return o;
end $$;
