-- What orders know and a check did not ask: budgets that are spent, and what of the holder's own orders stands against one
-- more.

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- What would be waived of an amount; nothing of none, and of a perk that waives no money.
create function incentives.waived_of(p_amount bigint, p_cap bigint, p_over_cap text, p_percent integer, p_minus bigint,
  p_from_amount bigint) returns bigint
language sql immutable
return case
  when p_amount is null or p_cap is null then 0
  else least(p_amount, incentives.waives(p_amount, p_cap, p_over_cap, p_percent, p_minus, p_from_amount))
end;

-- What `order_cause` says of each perk that rules today, to the citizen at the door, before they go to any counter.
create function incentives.orders_against() returns table (perk_id text, cause text)
language sql stable security definer
begin atomic
  with me as materialized (
    select auth.citizen_now() as citizen_id, (core.civil_now() at time zone 'Asia/Shanghai')::date as today
  ), line as (
    select distinct on (p.perk_id) p.* from me join incentives.perk p on p.effective_on <= me.today
    order by p.perk_id, p.effective_on desc, p.approved_at desc
  )
  select * from (
    select line.perk_id, incentives.order_cause(
      me.citizen_id, line.perk_id, line.release_id, line.kind, line.cap, 0, me.today) as cause
    from me join line on me.citizen_id is not null
  ) found where found.cause is not null;
end;

alter function incentives.waived_of owner to {role}_gate;

alter function incentives.orders_against owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.waived_of, incentives.orders_against from public;

grant execute on function incentives.orders_against to {role}_citizen;
