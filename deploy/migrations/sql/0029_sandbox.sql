-- What only a sandbox has: made with an empty database, or never (core.sandbox).

create schema sandbox;

grant usage on schema sandbox to {role}_partner;

grant insert (one, moved), update (moved) on core.civil_offset to {role}_gate;

create policy sandbox_begins on core.civil_offset for insert to {role}_gate with check (moved > interval '0');

create policy sandbox_moves on core.civil_offset for update to {role}_gate using (true) with check (moved > interval '0');

grant {role}_gate to current_user;

grant create on schema sandbox to {role}_gate;

-- Moves the civil clock forwards for everybody, by whole seconds; no row: the token is dead. Protocol time stands.
create function sandbox.advance(p_token bytea, p_by interval, p_entry uuid)
returns table (civil timestamptz, moved interval)
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and c.role = 'partner' and c.disabled_at is null
  ), moving as (
    insert into core.civil_offset as o (one, moved) select true, p_by from caller where p_by > interval '0'
    on conflict (one) do update set moved = o.moved + excluded.moved
    returning o.moved
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, detail)
    select p_entry, core.civil_now(), 'partner', caller.client_id, 'sandbox.clock', 'sandbox', 'done',
      jsonb_build_object('seconds', extract(epoch from p_by)::bigint)
    from caller join moving on true
  )
  select now() + moving.moved, moving.moved from moving;
end;

-- Whose order this is, so that the sandbox can act as its citizen; null for an order of another partner's.
create function sandbox.citizen_of(p_token bytea, p_order uuid) returns uuid
language sql stable security definer
begin atomic
  select o.citizen_id from incentives.perk_order o
  where o.id = p_order and o.partner_id = incentives.partner_of(p_token, 'eligibility:check');
end;

-- A test citizen who has three orders of a perk running, at nobody's counter. False: the token is dead.
create function sandbox.occupy(p_token bytea, p_citizen uuid, p_perk text) returns boolean
language sql volatile security definer
begin atomic
  insert into incentives.exposure (citizen_id, perk_id, orders, waived)
  select p_citizen, p_perk, 3, 0 where incentives.partner_of(p_token, 'eligibility:check') is not null
  returning true;
end;

-- A test citizen who owes for an order of a perk, at nobody's counter. False: the token is dead.
create function sandbox.owe(p_token bytea, p_citizen uuid, p_perk text, p_order uuid) returns boolean
language sql volatile security definer
begin atomic
  insert into incentives.perk_order (id, object, partner_id, out_order_no, perk_id, citizen_id, decision_id, status, seq,
    waived, payable, risk, inverses, opened_at, since, start_by, longest_days, charge, reversed, forgiven, paid, reminders)
  select p_order, 'sandbox:' || p_order, 'sandbox', replace(p_order::text, '-', ''), p_perk, p_citizen,
    gen_random_uuid(), 'defaulted', 9, 0, 100, 100, '[]', t.at, t.at, t.at, 1, 100, 0, 0, 0, 3
  from (select core.civil_now() - interval '60 days' as at) t
  where incentives.partner_of(p_token, 'eligibility:check') is not null
  returning true;
end;

-- Spend the caller's own budgets of a perk for the day, month or year, or give back what was spent so; how many there
-- are. What orders take and give back meanwhile stays exact.
create function sandbox.spend(p_token bytea, p_perk text, p_spent boolean) returns bigint
language sql volatile security definer
begin atomic
  with caller as materialized (
    select incentives.partner_of(p_token, 'eligibility:check') as id,
      (core.civil_now() at time zone 'Asia/Shanghai')::date as today
  ), mine as materialized (
    select incentives.period_of(b.every, caller.today) as period, caller.id as holder
    from caller cross join lateral incentives.perk_ruling(p_perk, caller.id, null, caller.today) r
    join incentives.perk_budget b on b.perk_id = p_perk and b.release_id = r.release_id and b.per = 'partner'
    where caller.id is not null
  ), used as (
    insert into incentives.budget_use as u (perk_id, per, holder, period, orders, waived)
    select p_perk, 'partner', mine.holder, mine.period, case when p_spent then 1000000000 else 0 end,
      case when p_spent then 1000000000000000 else 0 end from mine
    on conflict (perk_id, per, holder, period) do update set
      orders = u.orders % 1000000000 + excluded.orders, waived = u.waived % 1000000000000000 + excluded.waived
  )
  select count(*) from mine;
end;

-- The caller's webhooks, with the generation of their secrets, for its self-check.
create function sandbox.webhooks_of(p_token bytea)
returns table (id uuid, url text, serial smallint, old_until timestamptz)
language sql stable security definer
begin atomic
  select w.id, w.url, w.serial, w.old_until from incentives.webhook w
  where w.partner_id = incentives.partner_of(p_token, 'eligibility:check') and w.disabled_at is null
  order by w.created_at, w.id;
end;

alter function sandbox.advance(bytea, interval, uuid) owner to {role}_gate;

alter function sandbox.citizen_of(bytea, uuid) owner to {role}_gate;

alter function sandbox.occupy(bytea, uuid, text) owner to {role}_gate;

alter function sandbox.owe(bytea, uuid, text, uuid) owner to {role}_gate;

alter function sandbox.spend(bytea, text, boolean) owner to {role}_gate;

alter function sandbox.webhooks_of(bytea) owner to {role}_gate;

revoke all on all functions in schema sandbox from public;

grant execute on all functions in schema sandbox to {role}_partner;

revoke create on schema sandbox from {role}_gate;

revoke {role}_gate from current_user;
