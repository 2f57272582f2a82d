-- From lines of usage to accounts. {role}_gate owns these functions; the city-card door may call what takes a token.

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- What a ride came to, by its number in settle_rides; nought is well.
create function incentives.ride_outcome(p_said integer) returns text
language sql immutable
return (array['settled', 'unlisted', 'code_used', 'over_limit', 'budget_spent', 'perk_closed', 'terminal_unknown'])[p_said + 1];

-- Of an upload, the places of rides that were never counted, now counted.
create function incentives.count_rides(p_key uuid[], p_print bigint[], p_without integer[], p_day date) returns integer[]
language sql volatile
begin atomic
  with given as (
    select distinct on (g.key) g.key, g.print, g.place::integer as place
    from unnest(p_key, p_print) with ordinality g (key, print, place)
    where not exists (select from unnest(p_without) w (place) where w.place = g.place)
    order by g.key, g.place
  ), laid as (
    insert into incentives.ride (key, print, day) select key, print, p_day from given order by key
    on conflict do nothing
    returning key
  )
  select coalesce(array_agg(given.place), '{}') from laid join given using (key);
end;

-- Of rides by card, the places whose card a gate could rightly let through: its bit is set in the newest list of the perk,
-- or was changed after the ride, or so shortly before that the gate's list was still valid. Bits of nobody's cards count
-- like others, so that no sum tells which those are.
create function incentives.listed_rides(
  p_who text, p_places integer[], p_perk text[], p_at timestamptz[], p_index integer[]
) returns integer[]
language plpgsql stable
as $$
declare
  listed integer[] := '{}';
  one record;
begin
  for one in
    select l.perk_id, l.bits || ''::bytea as bits, octet_length(l.bits) * 8 as size  -- joined, so that it is unpacked once
    from incentives.entitlement_list l where l.operator_id = p_who and l.perk_id = any (p_perk)
  loop
    listed := listed || array(
      select f.place from unnest(p_places) f (place)
      where p_perk[f.place] = one.perk_id and p_index[f.place] < one.size and get_bit(one.bits, p_index[f.place]) = 1);
  end loop;
  return listed || array(
    select f.place from unnest(p_places) f (place)
    join (
      select c.perk_id, c.made_at,
        ('x' || encode(substr(c.changed, n * 4 + 1, 4), 'hex'))::bit(32)::integer as index
      from incentives.entitlement_change c, generate_series(0, octet_length(c.changed) / 4 - 1) n
      where c.operator_id = p_who and c.made_at > now() - interval '32 days'
    ) changed on changed.perk_id = p_perk[f.place] and changed.index = p_index[f.place]
      and changed.made_at > p_at[f.place] - interval '27 hours');  -- api.citycard.entitlements.LIFE, and a gate's clock
end $$;

-- What rules each of these rides, on the civil day of the ride and at its gate, and whose it is: of a card that was bound
-- then and whose holder's consent still lives; of a code, while its row is kept. `said`: by place.
create function incentives.weigh_rides(
  p_who text, p_places integer[], p_shown text[], p_perk text[], p_at timestamptz[], p_gate text[], p_fare bigint[],
  p_given bigint[], p_index integer[], p_code bytea[], p_listed integer[], out lines incentives.ride_line[], out said integer[]
)
language sql stable
begin atomic
  with given as materialized (
    select g.*, ((g.at + moved.by) at time zone 'Asia/Shanghai')::date as day
    from (select core.civil_now() - now() as by offset 0) moved, unnest(p_shown, p_perk, p_at, p_gate, p_fare, p_given, p_index, p_code)
      with ordinality g (shown, perk, at, gate, fare, given, index, code, place)
    where exists (select from unnest(p_places) f (place) where f.place = g.place)
  ), rule as materialized (
    select k.perk, k.gate, k.day, r.*
    from (select distinct perk, gate, day from given) k
    cross join lateral incentives.perk_ruling(k.perk, p_who, k.gate, k.day) r
  ), weighed as (
    select g.*, rule.release_id, rule.zone, coalesce(share.citizen_id, code.citizen_id) as citizen,
      least(g.given,
        incentives.waived_of(g.fare, rule.cap, rule.over_cap, rule.percent, rule.minus, rule.from_amount)) as waived,
      case
        when rule.threshold is null or rule.rests then 5
        when g.gate <> all (rule.terminals) then 6
        when g.code is null and listed.place is null then 1
        else 0
      end as verdict
    from given g
    left join rule on rule.perk = g.perk and rule.gate = g.gate and rule.day = g.day
    left join incentives.credit_code code on code.hash = g.code and code.perk_id = g.perk
    left join (select distinct l.place from unnest(p_listed) l (place)) listed on listed.place = g.place
    left join incentives.issued_card i on i.operator_id = p_who and i.place = g.index
    left join auth.card c on c.digest = i.digest and c.bound_at <= g.at
    left join auth.live_consent share
      on share.citizen_id = c.citizen_id and share.purpose = 'share:' || p_who || '/' || g.perk
  )
  select array_agg(row(w.place, w.perk, w.release_id, w.zone, w.day, w.at, w.citizen, w.index, w.code, w.fare, w.waived,
      w.shown)::incentives.ride_line order by w.place),
    array(select coalesce(v.verdict, 0) from generate_series(1, cardinality(p_perk)) n (place)
      left join weighed v on v.place = n.place order by n.place)
  from weighed w;
end;

-- One use of each code: the first ride that comes has it, unless it was taken with a line; by this operator, that is the
-- same use. Returns the places of those that came too late, each with this operator's own ride that was first.
create function incentives.use_ride_codes(p_who text, p_lines incentives.ride_line[], p_said integer[])
returns table (place integer, other text)
language plpgsql
as $$
declare
  won integer[];
  mine integer[];
begin
  with asked as (
    select distinct on (l.code) l.* from unnest(p_lines) l
    where l.code is not null and p_said[l.place] = 0 order by l.code, l.at, l.place
  ), laid as (
    insert into incentives.ride_code (hash, partner_id, ride, at)
    select a.code, p_who, a.shown, a.at from asked a order by a.code
    on conflict do nothing
    returning hash
  )
  select array_agg(a.place) into won from laid join asked a on a.code = laid.hash;
  with spent as (
    insert into incentives.credit_code_use (hash, decision_id, at)
    select l.code, gen_random_uuid(), now() from unnest(p_lines) l where l.place = any (won) order by l.code
    on conflict do nothing
    returning hash
  )
  select array_agg(l.place) into mine
  from unnest(p_lines) l
  left join spent on spent.hash = l.code
  left join incentives.credit_code_use u on u.hash = l.code
  left join incentives.decision d on d.id = u.decision_id
  where l.place = any (won) and (spent.hash is not null or d.partner_id = p_who and d.perk_id = l.perk and d.granted);
  return query
    select l.place, c.ride
    from unnest(p_lines) l
    left join incentives.ride_code c on c.hash = l.code and c.partner_id = p_who and c.ride <> l.shown
    where l.code is not null and p_said[l.place] = 0 and (mine is null or l.place <> all (mine));
end $$;

-- Take every budget of one perk and day for what is well so far, or say which ride finds it spent. Rows are locked in the
-- order of orders, and nothing is taken before all of them are. A citizen's limit is counted by the card's index at this
-- operator, so that no sum tells an operator anything of rides elsewhere; beside it, what the citizen used is counted for
-- their own eyes and for checks with a line.
create function incentives.limit_rides(
  p_who text, p_perk text, p_release uuid, p_day date, p_lines incentives.ride_line[], p_said integer[]
) returns integer[]
language plpgsql set enable_nestloop = off  -- thousands of holders meet here, and the planner expects ten
as $$
declare
  said integer[] := p_said;
  taking boolean;
  b record;
  late record;
begin
  foreach taking in array array[false, true] loop
    for b in
      select q.per, q.count, q.amount, incentives.period_of(q.every, p_day) as period from incentives.perk_budget q
      where q.perk_id = p_perk and q.release_id = p_release
      order by array_position(array['citizen', 'district', 'partner', 'perk'], q.per),
        array_position(array['day', 'month', 'year', 'ever'], q.every)
    loop
      insert into incentives.budget_use as u (perk_id, per, holder, period, orders, waived)
      select p_perk, b.per, h.holder, b.period,
        case when taking then count(*) else 0 end, case when taking then sum(l.waived) else 0 end
      from unnest(p_lines) l
      cross join lateral (
        select case b.per when 'citizen' then p_who || '#' || l.index when 'partner' then p_who
          when 'district' then l.zone else '' end as holder
        union all
        select l.citizen::text where b.per = 'citizen'
      ) h
      where l.perk = p_perk and l.release = p_release and l.day = p_day and said[l.place] = 0 and h.holder is not null
      group by h.holder order by h.holder
      on conflict (perk_id, per, holder, period)
      do update set orders = u.orders + excluded.orders, waived = u.waived + excluded.waived;
      continue when taking;
      for late in
        select x.place from (
          select l.place, count(*) over w + u.orders as orders, sum(l.waived) over w + u.waived as waived
          from unnest(p_lines) l
          join incentives.budget_use u on u.perk_id = p_perk and u.per = b.per and u.period = b.period
            and u.holder = case b.per when 'citizen' then p_who || '#' || l.index when 'partner' then p_who
              when 'district' then l.zone else '' end
          where l.perk = p_perk and l.release = p_release and l.day = p_day and said[l.place] = 0
          window w as (partition by u.holder order by l.at, l.place)
        ) x
        where x.orders > b.count or x.waived > b.amount
      loop
        said[late.place] := case b.per when 'citizen' then 3 else 4 end;
      end loop;
    end loop;
  end loop;
  return said;
end $$;

-- Write what came out: the operator's accounts, and each citizen's day.
create function incentives.write_rides(p_who text, p_day date, p_lines incentives.ride_line[], p_said integer[]) returns void
language sql volatile
begin atomic
  insert into incentives.ride_total as t (partner_id, settled_on, perk_id, day, outcome, rides, fare, discount)
  select p_who, p_day, l.perk, l.day, incentives.ride_outcome(p_said[l.place]), count(*), sum(l.fare), sum(l.waived)
  from unnest(p_lines) l group by 3, 4, 5 order by 3, 4, 5
  on conflict (partner_id, settled_on, perk_id, day, outcome) do update
  set rides = t.rides + excluded.rides, fare = t.fare + excluded.fare, discount = t.discount + excluded.discount;
  insert into incentives.ride_day as t (citizen_id, day, partner_id, perk_id, rides, discount, doubled)
  select l.citizen, l.day, p_who, l.perk, count(*), sum(l.waived), count(*) filter (where p_said[l.place] = 2)
  from unnest(p_lines) l where l.citizen is not null and p_said[l.place] in (0, 2, 3, 4)
  group by 1, 2, 4 order by 1, 2, 4
  on conflict (citizen_id, day, partner_id, perk_id) do update
  set rides = t.rides + excluded.rides, discount = t.discount + excluded.discount, doubled = t.doubled + excluded.doubled;
end;

-- Settle a piece of an upload, each ride once for ever. A row without a place says that the caller lives; the others name
-- lines that cannot be taken: a code for somebody else, or a ride told before in other words.
create function incentives.settle_rides(
  p_token bytea, p_key uuid[], p_print bigint[], p_shown text[], p_perk text[], p_at timestamptz[], p_gate text[],
  p_fare bigint[], p_given bigint[], p_index integer[], p_code bytea[], p_perk_number integer[], p_audience bigint[]
) returns table (place integer, refusal text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who text := incentives.operator_of(p_token, null);
  today date := (core.civil_now() at time zone 'Asia/Shanghai')::date;
  strange integer[];
  fresh integer[];
  found record;
  late record;
  one record;
begin
  if who is null then
    return;
  end if;
  strange := array(
    select g.place from unnest(p_perk, p_perk_number, p_audience) with ordinality g (perk, number, audience, place)
    where g.number is not null and not exists (
      select from incentives.perk_number n join incentives.audience_number a on a.number = g.audience
      where n.perk_id = g.perk and n.number = g.number
        and (a.kind, a.name) in (('partner', who), ('programme', g.perk))));
  return query select null::integer, null::text union all select s.place, 'code_not_for_you' from unnest(strange) s (place);
  fresh := incentives.count_rides(p_key, p_print, strange, today);
  if cardinality(fresh) + cardinality(strange) < cardinality(p_key) then
    return query
      select g.place::integer, 'ride_differs' from unnest(p_key, p_print) with ordinality g (key, print, place)
      join incentives.ride r on r.key = g.key
      where r.print <> g.print and g.place <> all (strange);
  end if;
  if cardinality(fresh) = 0 then
    return;
  end if;
  select * into found from incentives.weigh_rides(who, fresh, p_shown, p_perk, p_at, p_gate, p_fare, p_given, p_index,
    p_code, incentives.listed_rides(who, fresh, p_perk, p_at, p_index));
  for late in select * from incentives.use_ride_codes(who, found.lines, found.said) loop
    found.said[late.place] := 2;
    insert into incentives.ride_double (partner_id, ride, settled_on, perk_id, day, other)
    select who, l.shown, today, l.perk, l.day, late.other from unnest(found.lines) l where l.place = late.place
    on conflict do nothing;
  end loop;
  for one in
    select distinct l.perk, l.release, l.day from unnest(found.lines) l where found.said[l.place] = 0
    order by l.perk, l.release, l.day
  loop
    found.said := incentives.limit_rides(who, one.perk, one.release, one.day, found.lines, found.said);
  end loop;
  perform incentives.write_rides(who, today, found.lines, found.said);
end $$;

-- An operator's finished day: sums, then doubles (`ride` not null). A row without a perk says that the caller lives.
create function incentives.rides_of_day(p_token bytea, p_day date, p_after text, p_most integer)
returns table (perk text, day date, outcome text, rides bigint, fare bigint, discount bigint, ride text, other text)
language sql stable security definer
begin atomic
  with caller as materialized (
    select who from incentives.operator_of(p_token, null) who where who is not null
  )
  select null::text, null::date, null::text, null::bigint, null::bigint, null::bigint, null::text, null::text from caller
  union all
  (select t.perk_id, t.day, t.outcome, t.rides, t.fare, t.discount, null, null
  from caller join incentives.ride_total t on t.partner_id = caller.who and t.settled_on = p_day
  where p_day < (core.civil_now() at time zone 'Asia/Shanghai')::date
  order by t.perk_id, t.day, t.outcome)
  union all
  (select d.perk_id, d.day, null, null, null, null, d.ride, d.other
  from caller join incentives.ride_double d on d.partner_id = caller.who and d.settled_on = p_day
  where p_day < (core.civil_now() at time zone 'Asia/Shanghai')::date and (p_after is null or d.ride > p_after)
  order by d.ride limit p_most);
end;

-- What nobody needs any more: keys of rides that are refused for their age by now, and days long gone.
create function incentives.forget_rides(p_most integer) returns void
language sql volatile security definer
begin atomic
  delete from incentives.ride where ctid = any (array(
    select r.ctid from incentives.ride r where r.day < (core.civil_now() at time zone 'Asia/Shanghai')::date - 40
    limit p_most));
  delete from incentives.ride_code where at < now() - interval '40 days';
  delete from incentives.ride_day where day < (core.civil_now() at time zone 'Asia/Shanghai')::date - 180;
end;

alter function incentives.ride_outcome owner to {role}_gate;

alter function incentives.count_rides owner to {role}_gate;

alter function incentives.listed_rides owner to {role}_gate;

alter function incentives.weigh_rides owner to {role}_gate;

alter function incentives.use_ride_codes owner to {role}_gate;

alter function incentives.limit_rides owner to {role}_gate;

alter function incentives.write_rides owner to {role}_gate;

alter function incentives.settle_rides owner to {role}_gate;

alter function incentives.rides_of_day owner to {role}_gate;

alter function incentives.forget_rides owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.ride_outcome, incentives.count_rides, incentives.listed_rides,
  incentives.weigh_rides, incentives.use_ride_codes, incentives.limit_rides,
  incentives.write_rides, incentives.settle_rides, incentives.rides_of_day, incentives.forget_rides from public;

grant execute on function incentives.settle_rides, incentives.rides_of_day to {role}_citycard;

grant execute on function incentives.forget_rides to {role}_jobs;

-- A citizen may draw a code for an operator alone, as for a partner: operators have numbers, too.
drop trigger numbered on auth.client;

create trigger numbered after insert or update of role on auth.client for each row
  when (new.role in ('partner', 'citycard')) execute function incentives.number_partner();

-- Those who are there already: by the same trigger, for the rows are the gate's.
update auth.client set role = role where role = 'citycard';
