-- The gate functions of visitors. What a wallet shows is proved in the program, by keys that no table holds; here it is
-- decided once, beside budgets and closures, as every check is.

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- What rules recognition today: the map in force and the newest trust list, each only where the caller has another.
create function incentives.recognition_now(p_release uuid, p_seq bigint)
returns table (today date, release_id uuid, name text, body text, seq bigint, list text)
language sql stable security definer
begin atomic
  select day.today, map.id, map.name, case when map.id is distinct from p_release then map.body end,
    trusted.seq, case when trusted.seq is distinct from p_seq then trusted.body end
  from (select (core.civil_now() at time zone 'Asia/Shanghai')::date as today) day
  left join lateral (
    select r.id, r.name, r.body from core.release r
    where r.kind = 'recognition' and r.approved_at is not null and r.withdrawn_at is null and r.effective_on <= day.today
    order by r.effective_on desc, r.approved_at desc limit 1
  ) map on true
  left join lateral (select t.seq, t.body from incentives.trust_list t order by t.seq desc limit 1) trusted on true;
end;

-- Ask a wallet, for a partner behind a live token that has the perk. No row: the token is dead. `reason`: nothing is asked.
create function incentives.ask_presentation(
  p_token bytea, p_id uuid, p_nonce text, p_perk text, p_amount bigint, p_terminal text, p_life interval
) returns table (partner_id text, reason text, expires_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  who text := incentives.partner_of(p_token, 'eligibility:check');
  until timestamptz := date_trunc('second', now()) + p_life;
begin
  if who is null then
    return;
  end if;
  if not exists (select from auth.client c where c.client_id = who and p_perk = any (c.perks)) then
    return query select who, 'perk_unknown', null::timestamptz;
    return;
  end if;
  insert into incentives.presentation (id, partner_id, perk_id, amount, terminal, nonce, expires_at)
  values (p_id, who, p_perk, p_amount, p_terminal, p_nonce, until);
  return query select who, null::text, until;
end $$;

-- A question as the wallet sees it that was shown its id: nothing else proves it. None that is over.
create function incentives.presentation_asked(p_id uuid)
returns table (
  id uuid, partner_id text, partner text, perk_id text, nonce text, made_at timestamptz, expires_at timestamptz,
  answered boolean
)
language sql stable security definer
begin atomic
  select v.id, v.partner_id, c.name, v.perk_id, v.nonce, v.made_at, v.expires_at, v.decision_id is not null
  from incentives.presentation v join auth.client c on c.client_id = v.partner_id
  where v.id = p_id and v.expires_at > now() and c.disabled_at is null;
end;

-- A question of the partner behind a live token, by its id or its nonce, with what was decided. No row: the token is dead.
create function incentives.presentation_of_caller(p_token bytea, p_id uuid, p_nonce text)
returns table (
  partner_id text, id uuid, perk_id text, amount bigint, terminal text, expires_at timestamptz, over boolean,
  troubled boolean, decision_id uuid, granted boolean, reason text, at timestamptz, valid_until timestamptz,
  release_id uuid
)
language sql stable security definer
begin atomic
  select who.partner_id, v.id, v.perk_id, v.amount, v.terminal, v.expires_at, v.expires_at <= now(),
    v.troubled_at is not null, v.decision_id, d.granted, d.reason, d.at, d.valid_until, d.release_id
  from (select incentives.partner_of(p_token, 'eligibility:check') as partner_id) who
  left join incentives.presentation v on v.partner_id = who.partner_id and (v.id = p_id or v.nonce = p_nonce)
  left join incentives.decision d on d.id = v.decision_id
  where who.partner_id is not null;
end;

-- Nothing could be decided now, for want of a status: the partner reads so, and the wallet may come again.
create function incentives.trouble_presentation(p_id uuid) returns void
language sql volatile security definer
begin atomic
  update incentives.presentation set troubled_at = now() where id = p_id and decision_id is null;
end;

-- Decide a question, once: `p_cause` null when what was shown is worth the perk by the map. Every cause walks the same way
-- and writes the same rows; a copy that was shown before, anywhere here, is one of them. What is about nobody in person
-- is named, as in `decide`. No row: it was answered, or is over.
create function incentives.answer_presentation(
  p_id uuid, p_cause text, p_copy bytea, p_until timestamptz, p_decision uuid, p_object text, p_entry uuid
) returns table (
  partner_id text, decision_id uuid, granted boolean, reason text, at timestamptz, valid_until timestamptz,
  release_id uuid, cause text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v incentives.presentation;
  rule record;
  civil timestamptz := core.civil_now();
  today date := (civil at time zone 'Asia/Shanghai')::date;
  moment timestamptz := date_trunc('second', now());
  why text := p_cause;
  told text;
begin
  select * into v from incentives.presentation x where x.id = p_id and x.expires_at > now() for update;
  if v.id is null or v.decision_id is not null then
    return;
  end if;
  if p_copy is not null then
    insert into incentives.shown_copy (hash, until) values (p_copy, p_until) on conflict do nothing;
    if not found then
      why := coalesce(why, 'copy_used');
    end if;
  end if;
  select * into rule from incentives.perk_ruling(v.perk_id, v.partner_id, v.terminal, today);
  told := case
    when rule.threshold is null or not exists (select from auth.client c
      where c.client_id = v.partner_id and c.disabled_at is null and v.perk_id = any (c.perks)) then 'perk_unknown'
    when rule.rests then 'perk_closed'
    when v.terminal <> all (rule.terminals) then 'terminal_unknown'
    when v.amount > rule.cap and rule.over_cap = 'refuse' then 'amount_over_cap'
    when incentives.budget_spent(v.perk_id, rule.release_id, v.partner_id, rule.zone, incentives.waived_of(v.amount,
      rule.cap, rule.over_cap, rule.percent, rule.minus, rule.from_amount), today) then 'budget_spent'
  end;
  insert into incentives.decision (id, partner_id, perk_id, granted, at, valid_until, release_id, reason)
  values (p_decision, v.partner_id, v.perk_id, told is null and why is null, moment, moment + interval '5 minutes',
    rule.release_id, told);
  update incentives.presentation set decision_id = p_decision where id = v.id;
  insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, detail)
  values (p_entry, civil, 'partner', v.partner_id, 'presentation.check', v.perk_id,
    case when told is null and why is null then 'granted' else 'standard_route' end,
    jsonb_strip_nulls(jsonb_build_object('decision', p_object, 'reason', told,
      'cause', case when told is null then why end, 'terminal', v.terminal)));
  return query select v.partner_id, p_decision, told is null and why is null, told, moment,
    moment + interval '5 minutes', rule.release_id, case when told is null then why end;
end $$;

alter function incentives.recognition_now owner to {role}_gate;

alter function incentives.ask_presentation owner to {role}_gate;

alter function incentives.presentation_asked owner to {role}_gate;

alter function incentives.presentation_of_caller owner to {role}_gate;

alter function incentives.trouble_presentation owner to {role}_gate;

alter function incentives.answer_presentation owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.recognition_now, incentives.ask_presentation, incentives.presentation_asked,
  incentives.presentation_of_caller, incentives.trouble_presentation, incentives.answer_presentation from public;

grant execute on function incentives.recognition_now, incentives.ask_presentation, incentives.presentation_asked,
  incentives.presentation_of_caller, incentives.trouble_presentation, incentives.answer_presentation to {role}_partner;
