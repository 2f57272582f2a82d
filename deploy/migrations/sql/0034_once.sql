-- A check in one trip: its proof is spent and what was presented is counted in the call that decides.

grant select, insert, update on core.short_claim, core.short_count to {role}_gate;

grant select on core.short_epoch to {role}_gate;

create policy gate on core.short_claim to {role}_gate
  using (starts_with(key, 'dpop:')) with check (starts_with(key, 'dpop:'));

create policy gate on core.short_count to {role}_gate
  using (starts_with(key, 'check|')) with check (starts_with(key, 'check|'));

create policy gate on core.short_epoch for select to {role}_gate using (true);

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- `check_eligibility` for a request whose proof of possession (RFC 9449) was read and is not yet spent. The rows and the
-- rules are those of core.short.postgres, so a proof is taken once, whichever of the two takes it. Committed with the
-- decision: what is undone spent nothing, and did nothing. No row: the proof was used before, or the store forgot since
-- its nonce was made. `counts` alone: asked more often than may be, and then nothing is decided; else the token is dead.
create function incentives.check_once(
  p_epoch text,        -- of the store that knew the proof's nonce
  p_proof text,        -- what a proof is remembered by, and for how long
  p_life interval,
  p_values text[],     -- what is counted, no two alike, and how often each may be asked in a window
  p_most bigint[],
  p_window interval,
  p_token bytea, p_perk text, p_code bytea, p_subject uuid, p_amount bigint, p_terminal text, p_key text, p_input jsonb,
  p_decision uuid, p_shown text, p_entry uuid
) returns table (
  counts bigint[], partner_id text, decision_id uuid, granted boolean, reason text, at timestamptz,
  valid_until timestamptz, release_id uuid, replayed boolean, first_input jsonb
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  counted bigint[];
begin
  insert into core.short_claim as held (key, until)
  select p_proof, clock_timestamp() + p_life from core.short_epoch e where e.epoch = p_epoch
  on conflict (key) do update set until = excluded.until where held.until <= clock_timestamp();
  if not found then
    return;
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
  if exists (select from unnest(counted, p_most) c (count, most) where c.count > c.most) then
    return query select counted, null::text, null::uuid, null::boolean, null::text, null::timestamptz,
      null::timestamptz, null::uuid, null::boolean, null::jsonb;
    return;
  end if;
  return query select counted, d.partner_id, d.decision_id, d.granted, d.reason, d.at, d.valid_until, d.release_id,
    d.replayed, d.first_input
  from (values (1)) one left join incentives.check_eligibility(p_token, p_perk, p_code, p_subject, p_amount, p_terminal,
    p_key, p_input, p_decision, p_shown, p_entry) d on true;
end $$;

alter function incentives.check_once owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.check_once from public;

grant execute on function incentives.check_once to {role}_partner;
