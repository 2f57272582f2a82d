-- An order in one trip, as a check is (0034): its proof is spent and its holder counted in the call that opens it.

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- Spend a proof of possession (RFC 9449) that was read and is not yet spent, and count what was presented. The rows and
-- the rules are those of core.short.postgres, so a proof is taken once, whichever of the two takes it. Committed with the
-- work: what is undone spent nothing, and did nothing. Returns the counts in the order of the values; null: the proof was
-- used before, or the store forgot since its nonce was made. {role}_gate alone may call it.
create function incentives.spend(
  p_epoch text,        -- of the store that knew the proof's nonce
  p_proof text,        -- what a proof is remembered by, and for how long
  p_life interval,
  p_values text[],     -- what is counted in a window, no two alike
  p_window interval
) returns bigint[]
language plpgsql
as $$
declare
  counted bigint[] := '{}';
begin
  insert into core.short_claim as held (key, until)
  select p_proof, clock_timestamp() + p_life from core.short_epoch e where e.epoch = p_epoch
  on conflict (key) do update set until = excluded.until where held.until <= clock_timestamp();
  if not found then
    return null;
  end if;
  if p_values = '{}' then
    return counted;
  end if;
  -- In the order of the keys, so that nobody waits for one who waits for them.
  with told as (
    insert into core.short_count as held (key, count, until)
    select v, 1, clock_timestamp() + p_window from unnest(p_values) v order by v
    on conflict (key) do update set
      count = case when held.until <= clock_timestamp() then 1 else held.count + 1 end,
      until = case when held.until <= clock_timestamp() then excluded.until else held.until end
    returning key, count
  )
  select array_agg(told.count order by asked.place) into counted
  from unnest(p_values) with ordinality asked (key, place) join told on told.key = asked.key;
  return counted;
end $$;

-- Whether anything was counted above its most.
create function incentives.overdrawn(p_counts bigint[], p_most bigint[]) returns boolean
language sql immutable
return exists (select from unnest(p_counts, p_most) c (count, most) where c.count > c.most);

-- `check_eligibility` for a request whose proof is not yet spent. No row: the proof does not hold (`spend`). `counts`
-- alone: asked more often than may be (`p_most`), and then nothing is decided; else the token is dead.
create or replace function incentives.check_once(
  p_epoch text, p_proof text, p_life interval, p_values text[], p_most bigint[], p_window interval,
  p_token bytea, p_perk text, p_code bytea, p_subject uuid, p_amount bigint, p_terminal text, p_key text, p_input jsonb,
  p_decision uuid, p_shown text, p_entry uuid
) returns table (
  counts bigint[], partner_id text, decision_id uuid, granted boolean, reason text, at timestamptz,
  valid_until timestamptz, release_id uuid, replayed boolean, first_input jsonb
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  counted bigint[] := incentives.spend(p_epoch, p_proof, p_life, p_values, p_window);
begin
  if counted is null then
    return;
  end if;
  if incentives.overdrawn(counted, p_most) then
    return query select counted, null::text, null::uuid, null::boolean, null::text, null::timestamptz,
      null::timestamptz, null::uuid, null::boolean, null::jsonb;
    return;
  end if;
  return query select counted, d.partner_id, d.decision_id, d.granted, d.reason, d.at, d.valid_until, d.release_id,
    d.replayed, d.first_input
  from (values (1)) one left join incentives.check_eligibility(p_token, p_perk, p_code, p_subject, p_amount, p_terminal,
    p_key, p_input, p_decision, p_shown, p_entry) d on true;
end $$;

-- `open_order` for a request whose proof is not yet spent; what comes back is told as `check_once` tells it.
create function incentives.open_once(
  p_epoch text, p_proof text, p_life interval, p_values text[], p_most bigint[], p_window interval,
  p_token bytea, p_key text, p_input jsonb, p_order uuid, p_object text, p_number text, p_perk text, p_decision uuid,
  p_code bytea, p_subject uuid, p_deposit bigint, p_items jsonb, p_planned timestamptz, p_terminal text,
  p_check uuid, p_check_shown text, p_entry uuid
) returns table (counts bigint[], partner_id text, refusal text, shown jsonb, first_input jsonb)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  counted bigint[] := incentives.spend(p_epoch, p_proof, p_life, p_values, p_window);
begin
  if counted is null then
    return;
  end if;
  if incentives.overdrawn(counted, p_most) then
    return query select counted, null::text, null::text, null::jsonb, null::jsonb;
    return;
  end if;
  return query select counted, o.partner_id, o.refusal, o.shown, o.first_input
  from (values (1)) one left join incentives.open_order(p_token, p_key, p_input, p_order, p_object, p_number, p_perk,
    p_decision, p_code, p_subject, p_deposit, p_items, p_planned, p_terminal, p_check, p_check_shown, p_entry) o on true;
end $$;

alter function incentives.spend owner to {role}_gate;

alter function incentives.overdrawn owner to {role}_gate;

alter function incentives.open_once owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.spend, incentives.overdrawn, incentives.open_once from public;

grant execute on function incentives.open_once to {role}_partner;
