-- Checks that wait for a connection anyway, in one trip: each is decided as `check_once` (0034, 0045) decides it alone.

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- A row for each check whose proof holds, told as `check_once` tells it; of two with one proof the first. All proofs are
-- spent in their order, then everything is counted in its order, then codes are taken in theirs, so that two such trips
-- never wait for each other in a ring; a check with an idempotency key, which could, travels alone. Committed together.
create function incentives.check_each(
  p_epochs text[],       -- this and the following: one a check, as `check_once` has it
  p_proofs text[],
  p_life interval,
  p_values text[],       -- what is counted: no two of one check alike, each with its most and the place of its check
  p_most bigint[],
  p_places bigint[],
  p_window interval,
  p_tokens bytea[], p_perks text[], p_codes bytea[], p_subjects uuid[], p_amounts bigint[], p_terminals text[],
  p_decisions uuid[], p_shown text[], p_entries uuid[]
) returns table (
  place bigint, counts bigint[], partner_id text, decision_id uuid, granted boolean, reason text, at timestamptz,
  valid_until timestamptz, release_id uuid, replayed boolean, first_input jsonb
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  one record;
begin
  for one in
    with asked as materialized (
      select distinct on (a.proof) a.*
      from unnest(p_epochs, p_proofs, p_tokens, p_perks, p_codes, p_subjects, p_amounts, p_terminals, p_decisions,
        p_shown, p_entries) with ordinality
        a (epoch, proof, token, perk, code, subject, amount, terminal, decision, shown, entry, place)
      join core.short_epoch e on e.epoch = a.epoch
      order by a.proof, a.place
    ), spent as (
      insert into core.short_claim as held (key, until)
      select proof, clock_timestamp() + p_life from asked order by proof
      on conflict (key) do update set until = excluded.until where held.until <= clock_timestamp()
      returning key
    ), admitted as materialized (
      select asked.* from asked join spent on spent.key = asked.proof
    ), counting as materialized (
      select v.value, v.most, v.place, v.at, count(*) over (partition by v.value) as asks,
        row_number() over (partition by v.value order by v.place) as turn
      from unnest(p_values, p_most, p_places) with ordinality v (value, most, place, at)
      join admitted on admitted.place = v.place
    ), counted as (
      insert into core.short_count as held (key, count, until)
      select value, max(asks), clock_timestamp() + p_window from counting group by value order by value
      on conflict (key) do update set
        count = case when held.until <= clock_timestamp() then excluded.count else held.count + excluded.count end,
        until = case when held.until <= clock_timestamp() then excluded.until else held.until end
      returning key, count
    ), told as materialized (
      select c.place, array_agg(counted.count - c.asks + c.turn order by c.at) as counts,
        bool_or(counted.count - c.asks + c.turn > c.most) as overdrawn
      from counting c join counted on counted.key = c.value
      group by c.place
    )
    select admitted.*, told.counts, told.overdrawn from admitted join told on told.place = admitted.place
    order by admitted.code, admitted.place
  loop
    if one.overdrawn then
      return query select one.place, one.counts, null::text, null::uuid, null::boolean, null::text, null::timestamptz,
        null::timestamptz, null::uuid, null::boolean, null::jsonb;
    else
      return query select one.place, one.counts, d.partner_id, d.decision_id, d.granted, d.reason, d.at, d.valid_until,
        d.release_id, d.replayed, d.first_input
      from (values (1)) alone left join incentives.check_eligibility(one.token, one.perk, one.code, one.subject,
        one.amount, one.terminal, null, '{}', one.decision, one.shown, one.entry) d on true;
    end if;
  end loop;
end $$;

alter function incentives.check_each owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.check_each from public;

grant execute on function incentives.check_each to {role}_partner;
