-- The gate's check, by the line that rules this partner's terminal today: a programme or zone may have another cap, and a
-- perk outside its validity rests. All else is as it was; whoever changes it, changes it here or after.

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- One question of a partner about one holder and one perk: proves the caller, decides, writes the decision and the one
-- entry that the holder reads, in one statement whose joins are the same whatever comes out. No row: the token is dead.
create or replace function incentives.check_eligibility(
  p_token bytea,      -- SHA-256 of the access token's jti
  p_perk text,
  p_code bytea,       -- SHA-256 of the presented code, or null
  p_subject uuid,     -- the presented pairwise subject, or null
  p_amount bigint,    -- fen, or null
  p_terminal text,
  p_key text,         -- Idempotency-Key, or null
  p_input jsonb,      -- the members that a repeat must share
  p_decision uuid,    -- random: the partner sees it
  p_shown text,       -- the same id as text, for the holder
  p_entry uuid
) returns table (
  partner_id text, decision_id uuid, granted boolean, reason text, at timestamptz, valid_until timestamptz,
  release_id uuid, replayed boolean, first_input jsonb
)
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id, p_perk = any (c.perks) as has_perk, date_trunc('second', now()) as at, core.civil_now() as civil
    from auth.token t join auth.client c on c.client_id = t.client_id
    left join auth.consent g on g.id = t.grant_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'eligibility:check' = any (string_to_array(t.scope, ' '))
      and c.role = 'partner' and c.disabled_at is null
      and (t.grant_id is null or g.subject = p_subject and g.purpose = 'share:' || c.client_id || '/' || p_perk)
  ), prior as materialized (
    select d.* from caller join incentives.decision d on d.partner_id = caller.client_id and d.key = p_key
    order by d.round desc limit 1
  ), rule as materialized (
    select r.* from caller, lateral incentives.perk_ruling(
      p_perk, caller.client_id, p_terminal, (caller.civil at time zone 'Asia/Shanghai')::date) r
  ), code as materialized (
    select k.hash, k.citizen_id, l.id is not null as consented, k.expires_at > now() as fresh,
      k.perk_id = p_perk and coalesce(k.partner_id = caller.client_id, true) as fits,
      u.decision_id is not null and u.decision_id is distinct from (select prior.id from prior) as used,
      u.decision_id is not null as spent
    from caller join incentives.credit_code k on k.hash = p_code
    left join incentives.credit_code_use u on u.hash = k.hash
    left join auth.live_consent l on l.id = k.consent_id and l.citizen_id = k.citizen_id and l.one_use
  ), share as materialized (
    select s.citizen_id, l.id is not null as consented
    from caller join auth.consent s on s.subject = p_subject and s.purpose = 'share:' || caller.client_id || '/' || p_perk
    left join auth.live_consent l on l.id = s.id
  ), holder as materialized (
    select coalesce(code.citizen_id, share.citizen_id) as citizen_id,
      coalesce(code.consented, share.consented, false) as consented
    from caller left join code on true left join share on true
  ), score as materialized (
    select s.id, e.reason as ended,
      e.consent_id is null and s.expires_at > caller.civil as live, t.points, t.held
    from caller join holder on true
    join auth.consent s on s.citizen_id = holder.citizen_id and s.purpose = 'score'
    left join auth.consent_end e on e.consent_id = s.id
    left join scoring.standing t on t.citizen_id = s.citizen_id and t.consent_id = s.id
    order by e.consent_id is null and s.expires_at > caller.civil desc, s.id desc limit 1
  ), judged as materialized (
    select
      case
        when not caller.has_perk or rule.threshold is null then 'perk_unknown'
        when rule.rests then 'perk_closed'
        when p_terminal <> all (rule.terminals) then 'terminal_unknown'
        when p_amount > rule.cap and rule.over_cap = 'refuse' then 'amount_over_cap'
        when p_code is null then null
        when not coalesce(code.fresh, false) then 'code_expired'
        when not code.fits then 'code_not_for_you'
        when code.used then 'code_used'
      end as reason,
      case
        when holder.citizen_id is null then 'unknown_holder'
        when not holder.consented and p_code is null then 'share_ended'
        when score.id is null then 'not_enrolled'
        when not score.live and score.ended = 'withdrawn' then 'withdrawn'
        when not score.live then 'consent_expired'
        when not holder.consented then 'code_consent_ended'
        when score.points is null then 'not_computed'
        when score.held then 'held'
        when score.points < rule.threshold then 'below'
      end as cause,
      case
        when prior.id is null then 'first'
        when prior.input <> p_input then 'conflict'
        when prior.valid_until > caller.at and (not prior.granted or score.live and score.id = prior.consent_id
          and (p_code is not null or holder.consented)) then 'repeat'
        else 'first'
      end as turn
    from caller left join rule on true left join code on true left join holder on true left join score on true
    left join prior on true
  ), used as (
    insert into incentives.credit_code_use (hash, decision_id, at)
    select code.hash, p_decision, now() from judged join code on true
    where judged.turn = 'first' and judged.reason is null and not code.spent
    on conflict do nothing
    returning hash
  ), verdict as materialized (
    select judged.turn, judged.cause,
      case when judged.reason is null and p_code is not null and not code.spent and used.hash is null then 'code_used'
        else judged.reason end as reason
    from judged left join code on true left join used on true
  ), decided as (
    insert into incentives.decision
      (id, partner_id, perk_id, citizen_id, granted, at, valid_until, consent_id, release_id, reason, key, round, input)
    select p_decision, caller.client_id, p_perk, holder.citizen_id, v.reason is null and v.cause is null, caller.at,
      caller.at + interval '5 minutes', score.id, rule.release_id, v.reason, p_key, coalesce(prior.round + 1, 0),
      case when p_key is not null then p_input end
    from caller join verdict v on v.turn = 'first' left join holder on true left join score on true
    left join rule on true left join prior on true
    returning *
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select p_entry, caller.civil, 'partner', caller.client_id, 'eligibility.check', p_perk,
      case when d.granted then 'granted' else 'standard_route' end, d.citizen_id,
      jsonb_strip_nulls(jsonb_build_object('decision', p_shown, 'reason', d.reason,
        'cause', case when d.reason is null then v.cause end, 'threshold', rule.threshold, 'terminal', p_terminal))
    from caller join decided d on true join verdict v on true left join rule on true
  )
  select caller.client_id, coalesce(d.id, prior.id), coalesce(d.granted, prior.granted),
    case when d.id is null then prior.reason else d.reason end, coalesce(d.at, prior.at),
    coalesce(d.valid_until, prior.valid_until), case when d.id is null then prior.release_id else d.release_id end,
    v.turn = 'repeat', case when v.turn = 'conflict' then prior.input end
  from caller join verdict v on true
  left join decided d on true
  left join prior on true;
end;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;
