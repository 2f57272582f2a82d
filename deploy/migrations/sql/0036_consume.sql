-- A gate with a line consumes a code as a partner checks one: the same question, for tokens of scope citycard.

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

create function incentives.consume_code(
  p_token bytea, p_perk text, p_code bytea, p_subject uuid, p_amount bigint, p_terminal text, p_key text, p_input jsonb,
  p_decision uuid, p_shown text, p_entry uuid
) returns table (
  partner_id text, decision_id uuid, granted boolean, reason text, at timestamptz, valid_until timestamptz,
  release_id uuid, replayed boolean, first_input jsonb
)
language sql volatile security definer
begin atomic
  select d.partner_id, d.decision_id, d.granted, d.reason, d.at, d.valid_until, d.release_id, d.replayed, d.first_input
  from incentives.decide(p_token, 'citycard', array[p_perk], array[p_code], array[p_subject], array[p_amount],
    array[p_terminal], array[p_key], array[p_input], array[p_decision], array[p_shown], array[p_entry]) d;
end;

-- An operator's perks with the text of every release that said their terms, as a partner has them (perks_of_caller).
create function incentives.releases_of_operator(p_token bytea)
returns table (perk_id text, release_id uuid, name text, body text, newest boolean)
language sql stable security definer
begin atomic
  with dated as (
    select p.perk_id, p.release_id, p.threshold,
      row_number() over (partition by p.perk_id order by p.effective_on desc, p.approved_at desc) as place
    from auth.client c
    join incentives.perk p on p.perk_id = any (c.perks)
      and p.effective_on <= (core.civil_now() at time zone 'Asia/Shanghai')::date
    where c.client_id = incentives.operator_of(p_token, null)
  )
  select dated.perk_id, dated.release_id, r.name, r.body, dated.place = 1
  from dated join core.release r on r.id = dated.release_id
  where dated.threshold is not null
  order by dated.perk_id, dated.place;
end;

alter function incentives.consume_code owner to {role}_gate;

alter function incentives.releases_of_operator owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.consume_code, incentives.releases_of_operator from public;

grant execute on function incentives.consume_code, incentives.releases_of_operator to {role}_citycard;
