-- Two uploads at once, of rides over midnight, each waited for a month's budget that the other had: whatever a piece
-- may take is now locked once, in one order for all, before anything is taken.

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- Lock every budget that these rides may take from, making those that are new: by perk, then in the order of orders, then
-- by holder and period, whatever days and releases the rides are of.
create function incentives.lock_budgets(p_who text, p_lines incentives.ride_line[], p_said integer[]) returns void
language plpgsql set enable_nestloop = off
as $$
begin
  insert into incentives.budget_use as u (perk_id, per, holder, period, orders, waived)
  select k.perk, k.per, k.holder, k.period, 0, 0
  from (
    select distinct l.perk, q.per, q.every, h.holder, incentives.period_of(q.every, l.day) as period
    from unnest(p_lines) l
    join incentives.perk_budget q on q.perk_id = l.perk and q.release_id = l.release
    cross join lateral (
      select case q.per when 'citizen' then p_who || '#' || l.index when 'partner' then p_who
        when 'district' then l.zone else '' end as holder
      union all
      select l.citizen::text where q.per = 'citizen'
    ) h
    where p_said[l.place] = 0 and h.holder is not null
  ) k
  order by k.perk, array_position(array['citizen', 'district', 'partner', 'perk'], k.per),
    array_position(array['day', 'month', 'year', 'ever'], k.every), k.holder, k.period
  on conflict (perk_id, per, holder, period) do update set orders = u.orders;
end $$;

-- Take every budget of one perk and day for what is well so far, or say which ride finds it spent. The rows are locked
-- already. A citizen's limit is counted by the card's index at this operator, so that no sum tells an operator anything
-- of rides elsewhere; beside it, what the citizen used is counted for their own eyes and for checks with a line.
create or replace function incentives.limit_rides(
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
      if taking then
        insert into incentives.budget_use as u (perk_id, per, holder, period, orders, waived)
        select p_perk, b.per, h.holder, b.period, count(*), sum(l.waived)
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
        continue;
      end if;
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

alter function incentives.lock_budgets owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.lock_budgets from public;
