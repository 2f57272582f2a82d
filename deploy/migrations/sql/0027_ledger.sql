-- What orders hold and give back. {role}_gate owns these functions and alone may call them.

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- The day, month or year in which a budget counts.
create function incentives.period_of(p_every text, p_day date) returns text
language sql immutable
return case p_every
  when 'day' then to_char(p_day, 'YYYY-MM-DD') when 'month' then to_char(p_day, 'YYYY-MM')
  when 'year' then to_char(p_day, 'YYYY') else 'ever'
end;

create function incentives.holder_of(p_per text, p_partner text, p_zone text, p_citizen uuid) returns text
language sql immutable
return case p_per when 'perk' then '' when 'partner' then p_partner when 'district' then p_zone else p_citizen::text end;

-- Whether a budget that is about nobody in person has no room for one more order: true for everybody alike.
create function incentives.budget_spent(
  p_perk text, p_release uuid, p_partner text, p_zone text, p_waived bigint, p_day date
) returns boolean
language sql stable
begin atomic
  select exists (
    select from incentives.perk_budget b
    left join incentives.budget_use u on u.perk_id = b.perk_id and u.per = b.per
      and u.holder = incentives.holder_of(b.per, p_partner, p_zone, null)
      and u.period = incentives.period_of(b.every, p_day)
    where b.perk_id = p_perk and b.release_id = p_release and b.per <> 'citizen'
      and (coalesce(u.orders, 0) >= b.count or coalesce(u.waived, 0) + p_waived > b.amount));
end;

-- Undo what `p_keeps` no longer holds, newest first; returns what is left to undo. Rows are locked in the order in which
-- they are taken, so that nobody waits for one who waits for them.
create function incentives.give_back(p_perk text, p_citizen uuid, p_inverses jsonb, p_keeps text) returns jsonb
language plpgsql
as $$
declare
  one jsonb;
  kept jsonb := '[]';
begin
  if p_keeps = 'all' or p_inverses = '[]' then
    return p_inverses;
  end if;
  perform 1 from incentives.exposure where citizen_id = p_citizen and perk_id = p_perk for update;
  if p_keeps = 'nothing' then
    perform 1 from jsonb_array_elements(p_inverses) with ordinality i (it, place)
    join incentives.budget_use u on u.perk_id = p_perk and u.per = it ->> 'per' and u.holder = it ->> 'holder'
      and u.period = it ->> 'period'
    order by i.place for update of u;
  end if;
  for place in reverse jsonb_array_length(p_inverses) - 1 .. 0 loop
    one := p_inverses -> place;
    if one ->> 'of' = 'exposure' then
      update incentives.exposure set orders = orders - 1, waived = waived - (one ->> 'waived')::bigint
      where citizen_id = p_citizen and perk_id = p_perk;
    elsif p_keeps = 'nothing' then
      update incentives.budget_use set orders = orders - 1, waived = waived - (one ->> 'waived')::bigint
      where perk_id = p_perk and per = one ->> 'per' and holder = one ->> 'holder' and period = one ->> 'period';
    else
      kept := jsonb_build_array(one) || kept;
    end if;
  end loop;
  return kept;
end $$;

-- The most that a holder's running orders may have waived together: of what comes back or is paid later. What a
-- discount took off is gone with the sale, and stands under its budgets alone.
create function incentives.running_cap(p_kind text, p_cap bigint) returns bigint
language sql immutable
return case when p_kind in ('deposit_waiver', 'pay_later', 'parking') then p_cap end;

-- Take for one more order: the holder's exposure (at most three at once, and the cap), then every budget, the widest
-- and hottest last. What cannot be had gives everything back; `refused` says which it was.
create function incentives.take_for_order(
  p_perk text, p_release uuid, p_partner text, p_zone text, p_citizen uuid, p_cap bigint, p_waived bigint, p_day date,
  out inverses jsonb, out refused text
)
language plpgsql
as $$
declare
  b record;
begin
  inverses := '[]';
  insert into incentives.exposure as e (citizen_id, perk_id, orders, waived) values (p_citizen, p_perk, 1, p_waived)
  on conflict (citizen_id, perk_id) do update set orders = e.orders + 1, waived = e.waived + p_waived
  where e.orders < 3 and (p_cap is null or e.waived + p_waived <= p_cap);
  if not found then
    refused := 'exposure';
    return;
  end if;
  inverses := jsonb_build_array(jsonb_build_object('of', 'exposure', 'waived', p_waived));
  for b in
    select per, count, amount, incentives.holder_of(per, p_partner, p_zone, p_citizen) as holder,
      incentives.period_of(every, p_day) as period
    from incentives.perk_budget
    where perk_id = p_perk and release_id = p_release and (per <> 'district' or p_zone is not null)
    order by array_position(array['citizen', 'district', 'partner', 'perk'], per),
      array_position(array['day', 'month', 'year', 'ever'], every)
  loop
    insert into incentives.budget_use as u (perk_id, per, holder, period, orders, waived)
    select p_perk, b.per, b.holder, b.period, 1, p_waived where b.amount is null or p_waived <= b.amount
    on conflict (perk_id, per, holder, period) do update set orders = u.orders + 1, waived = u.waived + p_waived
    where (b.count is null or u.orders < b.count) and (b.amount is null or u.waived + p_waived <= b.amount);
    if not found then
      refused := b.per;
      inverses := incentives.give_back(p_perk, p_citizen, inverses, 'nothing');
      return;
    end if;
    inverses := inverses || jsonb_build_object('of', 'budget', 'per', b.per, 'holder', b.holder, 'period', b.period,
      'waived', p_waived);
  end loop;
end $$;

-- Why this holder may not have this perk now, for their own eyes; null when they may.
create function incentives.personal_cause(p_citizen uuid, p_perk text, p_threshold integer, p_by_share boolean, p_share uuid)
returns text
language sql stable
begin atomic
  with score as (
    select e.reason as ended, e.consent_id is null and s.expires_at > core.civil_now() as live, t.points, t.held
    from auth.consent s
    left join auth.consent_end e on e.consent_id = s.id
    left join scoring.standing t on t.citizen_id = s.citizen_id and t.consent_id = s.id
    where s.citizen_id = p_citizen and s.purpose = 'score'
    order by e.consent_id is null and s.expires_at > core.civil_now() desc, s.id desc limit 1
  )
  select case
    when p_citizen is null then 'unknown_holder'
    when p_by_share and not exists (select from auth.live_consent l where l.id = p_share) then 'share_ended'
    when score.live is null then 'not_enrolled'
    when not score.live and score.ended = 'withdrawn' then 'withdrawn'
    when not score.live then 'consent_expired'
    when score.points is null then 'not_computed'
    when score.held then 'held'
    when score.points < p_threshold then 'below'
    when exists (select from incentives.perk_order o
      where o.citizen_id = p_citizen and o.perk_id = p_perk and o.status = 'defaulted') then 'paused'
  end
  from (values (1)) one left join score on true;
end;

-- Why this holder's own orders leave no room for one more, for their own eyes; null when they do.
create function incentives.order_cause(
  p_citizen uuid, p_perk text, p_release uuid, p_kind text, p_cap bigint, p_waived bigint, p_day date
) returns text
language sql stable
begin atomic
  select case
    when exists (select from incentives.perk_order o
      where o.citizen_id = p_citizen and o.perk_id = p_perk and o.status = 'defaulted') then 'paused'
    when e.orders >= 3 or e.waived + p_waived > incentives.running_cap(p_kind, p_cap) then 'exposure'
    when exists (
      select from incentives.perk_budget b
      left join incentives.budget_use u on u.perk_id = b.perk_id and u.per = b.per and u.holder = p_citizen::text
        and u.period = incentives.period_of(b.every, p_day)
      where b.perk_id = p_perk and b.release_id = p_release and b.per = 'citizen' and p_citizen is not null
        and (coalesce(u.orders, 0) >= b.count or coalesce(u.waived, 0) + p_waived > b.amount)) then 'citizen'
  end
  from (values (1)) one
  left join incentives.exposure e on e.citizen_id = p_citizen and e.perk_id = p_perk;
end;
