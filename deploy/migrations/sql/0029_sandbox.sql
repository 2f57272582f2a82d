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

alter function sandbox.advance(bytea, interval, uuid) owner to {role}_gate;

revoke create on schema sandbox from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function sandbox.advance(bytea, interval, uuid) from public;

grant execute on function sandbox.advance(bytea, interval, uuid) to {role}_partner;
