-- The city card's door: for operators of cards and of the gates that read them. As the partner's it has no table at all,
-- only functions that prove the caller by the row of a live token.

grant usage on schema incentives to {role}_citycard;

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- The operator behind a live token that may ask about a perk; about anything of theirs where none is named. Null: the
-- token is dead, or nobody's here. Whatever this door may call begins with it.
create function incentives.operator_of(p_token bytea, p_perk text) returns text
language sql stable
begin atomic
  select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
  where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now() and t.grant_id is null
    and t.actor is null and 'citycard' = any (string_to_array(t.scope, ' '))
    and c.role = 'citycard' and c.disabled_at is null and (p_perk is null or p_perk = any (c.perks));
end;

-- The operator's perks that are in force today, with the text of the release that says their terms; one row of nulls
-- where there is none. No row: a dead token.
create function incentives.perks_of_operator(p_token bytea)
returns table (perk_id text, release_id uuid, name text, body text)
language sql stable security definer
begin atomic
  with caller as materialized (
    select c.perks, (core.civil_now() at time zone 'Asia/Shanghai')::date as today
    from auth.client c where c.client_id = incentives.operator_of(p_token, null)
  ), line as (
    select distinct on (p.perk_id) p.perk_id, p.release_id, p.threshold
    from caller join incentives.perk p on p.perk_id = any (caller.perks) and p.effective_on <= caller.today
    order by p.perk_id, p.effective_on desc, p.approved_at desc
  )
  select line.perk_id, line.release_id, r.name, r.body
  from caller
  left join (line join core.release r on r.id = line.release_id) on line.threshold is not null
  order by line.perk_id;
end;

alter function incentives.operator_of owner to {role}_gate;

alter function incentives.perks_of_operator owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.operator_of, incentives.perks_of_operator from public;

grant execute on function incentives.perks_of_operator to {role}_citycard;
