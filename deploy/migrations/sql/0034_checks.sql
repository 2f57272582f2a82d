-- One check: `incentives.decide` is the only text that says who may have a perk; a question alone, a list and an order
-- all call it. (PostgreSQL 18 keeps the plans of SQL functions, so a list of one costs what a statement of its own did.)

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- Proves the caller by a live token of a scope, decides each question as if it came alone and in its turn, writes every
-- decision and the one entry that its holder reads: one statement, whose look-ups of each question are the same whatever
-- comes out, by index, however many people there are (`limit 1` keeps them from being joined whole). A code that is
-- shown to several questions goes to the first. A conflict of one key writes nothing at all. No row: the token is dead.
-- {role}_gate alone may call it.
create function incentives.decide(
  p_token bytea,         -- SHA-256 of the access token's jti
  p_scope text,          -- what the token must be good for
  p_perks text[],        -- this and the following: one a question, in order
  p_codes bytea[],       -- SHA-256 of the presented code, or null
  p_subjects uuid[],     -- the presented pairwise subject, or null
  p_amounts bigint[],    -- fen, or null
  p_terminals text[],
  p_keys text[],         -- idempotency keys, no two alike, or null
  p_inputs jsonb[],      -- the members that a repeat must share
  p_decisions uuid[],    -- random: the partner sees it
  p_shown text[],        -- the same id as text, for the holder
  p_entries uuid[]
) returns table (
  place bigint, partner_id text, decision_id uuid, granted boolean, reason text, at timestamptz,
  valid_until timestamptz, release_id uuid, replayed boolean, first_input jsonb
)
-- The plan does not depend on what is in the arrays, and making it takes longer than running it.
language sql volatile set plan_cache_mode = force_generic_plan
begin atomic
  with asked as materialized (
    select * from unnest(
      p_perks, p_codes, p_subjects, p_amounts, p_terminals, p_keys, p_inputs, p_decisions, p_shown, p_entries
    ) with ordinality a (perk, code, subject, amount, terminal, key, input, decision, shown, entry, place)
  ), caller as materialized (
    select c.client_id, c.perks, date_trunc('second', now()) as at, civil,
      (civil at time zone 'Asia/Shanghai')::date as day
    from core.civil_now() civil, auth.token t join auth.client c on c.client_id = t.client_id
    left join auth.consent g on g.id = t.grant_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and p_scope = any (string_to_array(t.scope, ' '))
      and c.role = 'partner' and c.disabled_at is null
      and (t.grant_id is null or not exists (select from asked
        where asked.subject is distinct from g.subject or g.purpose <> 'share:' || c.client_id || '/' || asked.perk))
  ), known as materialized (
    select asked.*, caller.client_id, caller.at, caller.civil,
      asked.perk = any (caller.perks) and rule.threshold is not null as offered,
      rule.release_id, rule.threshold, rule.rests, rule.terminals, rule.cap, rule.over_cap,
      incentives.budget_spent(asked.perk, rule.release_id, caller.client_id, rule.zone, rule.waived, caller.day) as spent,
      incentives.order_cause(coalesce(code.citizen_id, share.citizen_id), asked.perk, rule.release_id, rule.kind,
        rule.cap, rule.waived, caller.day) as against,
      code.hash, code.fresh, code.fits, code.spent_by,
      coalesce(code.citizen_id, share.citizen_id) as citizen_id,
      coalesce(code.consented, share.consented, false) as consented,
      prior.id as prior_id, prior.granted as prior_granted, prior.reason as prior_reason, prior.at as prior_at,
      prior.valid_until as prior_until, prior.release_id as prior_release, prior.consent_id as prior_consent,
      prior.round as prior_round, prior.input as prior_input
    from caller cross join asked
    left join lateral (
      select d.* from incentives.decision d
      where asked.key is not null and d.partner_id = caller.client_id and d.key = asked.key
      order by d.round desc limit 1
    ) prior on true
    left join lateral (
      select r.*, incentives.waived_of(asked.amount, r.cap, r.over_cap, r.percent, r.minus, r.from_amount) as waived
      from incentives.perk_ruling(asked.perk, caller.client_id, asked.terminal, caller.day) r
    ) rule on true
    left join lateral (
      select k.hash, k.citizen_id, l.id is not null as consented, k.expires_at > now() as fresh,
        k.perk_id = asked.perk and coalesce(k.partner_id = caller.client_id, true) as fits, u.decision_id as spent_by
      from incentives.credit_code k
      left join incentives.credit_code_use u on u.hash = k.hash
      left join auth.live_consent l on l.id = k.consent_id and l.citizen_id = k.citizen_id and l.one_use
      where k.hash = asked.code limit 1
    ) code on true
    left join lateral (
      select s.citizen_id, l.id is not null as consented
      from auth.consent s left join auth.live_consent l on l.id = s.id
      where s.subject = asked.subject and s.purpose = 'share:' || caller.client_id || '/' || asked.perk limit 1
    ) share on true
  ), judged as materialized (
    select known.*, score.id as consent_id,
      case
        when not offered then 'perk_unknown'
        when rests then 'perk_closed'
        when terminal <> all (terminals) then 'terminal_unknown'
        when amount > cap and over_cap = 'refuse' then 'amount_over_cap'
        when spent then 'budget_spent'
        when code is null then null
        when not coalesce(fresh, false) then 'code_expired'
        when not fits then 'code_not_for_you'
        when spent_by is not null and spent_by is distinct from prior_id then 'code_used'
      end as reason,
      case
        when known.citizen_id is null then 'unknown_holder'
        when not consented and code is null then 'share_ended'
        when score.id is null then 'not_enrolled'
        when not score.live and score.ended = 'withdrawn' then 'withdrawn'
        when not score.live then 'consent_expired'
        when not consented then 'code_consent_ended'
        when score.points is null then 'not_computed'
        when score.held then 'held'
        when score.points < threshold then 'below'
        else against
      end as cause,
      case
        when prior_id is null then 'first'
        when prior_input <> input then 'conflict'
        when prior_until > known.at and (not prior_granted or score.live and score.id = prior_consent
          and (code is not null or consented)) then 'repeat'
        else 'first'
      end as turn
    from known
    left join lateral (
      select s.id, e.reason as ended, e.consent_id is null and s.expires_at > known.civil as live, t.points, t.held
      from auth.consent s
      left join auth.consent_end e on e.consent_id = s.id
      left join scoring.standing t on t.citizen_id = s.citizen_id and t.consent_id = s.id
      where s.citizen_id = known.citizen_id and s.purpose = 'score'
      order by e.consent_id is null and s.expires_at > known.civil desc, s.id desc limit 1
    ) score on true
  ), fresh as materialized (
    select * from judged where turn = 'first' and not exists (select from judged where turn = 'conflict')
  ), used as (
    insert into incentives.credit_code_use (hash, decision_id, at)
    select distinct on (hash) hash, decision, now() from fresh
    where hash is not null and reason is null and spent_by is null
    order by hash, place
    on conflict do nothing
    returning hash, decision_id
  ), verdict as materialized (
    select fresh.*,
      case when fresh.reason is null and fresh.hash is not null and fresh.spent_by is null and used.hash is null
        then 'code_used' else fresh.reason end as told
    from fresh left join used on used.hash = fresh.hash and used.decision_id = fresh.decision
  ), decided as (
    insert into incentives.decision
      (id, partner_id, perk_id, citizen_id, granted, at, valid_until, consent_id, release_id, reason, key, round, input)
    select decision, client_id, perk, citizen_id, told is null and cause is null, verdict.at,
      verdict.at + interval '5 minutes', consent_id, verdict.release_id, told, key, coalesce(prior_round + 1, 0),
      case when key is not null then input end
    from verdict
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select entry, civil, 'partner', client_id, 'eligibility.check', perk,
      case when told is null and cause is null then 'granted' else 'standard_route' end, citizen_id,
      jsonb_strip_nulls(jsonb_build_object('decision', shown, 'reason', told,
        'cause', case when told is null then cause end, 'threshold', threshold, 'terminal', terminal))
    from verdict
  )
  select j.place, j.client_id, coalesce(v.decision, j.prior_id),
    case when v.decision is null then j.prior_granted else v.told is null and v.cause is null end,
    case when v.decision is null then j.prior_reason else v.told end,
    coalesce(v.at, j.prior_at), coalesce(v.at + interval '5 minutes', j.prior_until),
    case when v.decision is null then j.prior_release else v.release_id end,
    j.turn = 'repeat', case when j.turn = 'conflict' then j.prior_input end
  from judged j left join verdict v on v.place = j.place
  order by j.place;
end;

alter function incentives.decide owner to {role}_gate;

-- One question of a partner. No row: the token is dead.
create or replace function incentives.check_eligibility(
  p_token bytea, p_perk text, p_code bytea, p_subject uuid, p_amount bigint, p_terminal text, p_key text, p_input jsonb,
  p_decision uuid, p_shown text, p_entry uuid
) returns table (
  partner_id text, decision_id uuid, granted boolean, reason text, at timestamptz, valid_until timestamptz,
  release_id uuid, replayed boolean, first_input jsonb
)
language sql volatile security definer
begin atomic
  select d.partner_id, d.decision_id, d.granted, d.reason, d.at, d.valid_until, d.release_id, d.replayed, d.first_input
  from incentives.decide(p_token, 'eligibility:check', array[p_perk], array[p_code], array[p_subject], array[p_amount],
    array[p_terminal], array[p_key], array[p_input], array[p_decision], array[p_shown], array[p_entry]) d;
end;

-- Many, in their order: one multi-row insert of decisions and of entries.
create or replace function incentives.check_eligibilities(
  p_token bytea, p_perks text[], p_codes bytea[], p_subjects uuid[], p_amounts bigint[], p_terminals text[],
  p_keys text[], p_inputs jsonb[], p_decisions uuid[], p_shown text[], p_entries uuid[]
) returns table (
  place bigint, partner_id text, decision_id uuid, granted boolean, reason text, at timestamptz,
  valid_until timestamptz, release_id uuid, replayed boolean, first_input jsonb
)
language sql volatile security definer
begin atomic
  select * from incentives.decide(p_token, 'eligibility:check', p_perks, p_codes, p_subjects, p_amounts, p_terminals,
    p_keys, p_inputs, p_decisions, p_shown, p_entries);
end;

-- The question that an order by code or subject asks, by a token that may place orders.
create or replace function incentives.check_for_order(
  p_token bytea, p_perk text, p_code bytea, p_subject uuid, p_amount bigint, p_terminal text, p_key text, p_input jsonb,
  p_decision uuid, p_shown text, p_entry uuid
) returns table (
  partner_id text, decision_id uuid, granted boolean, reason text, at timestamptz, valid_until timestamptz,
  release_id uuid, replayed boolean, first_input jsonb
)
language sql volatile
begin atomic
  select d.partner_id, d.decision_id, d.granted, d.reason, d.at, d.valid_until, d.release_id, d.replayed, d.first_input
  from incentives.decide(p_token, 'orders:write', array[p_perk], array[p_code], array[p_subject], array[p_amount],
    array[p_terminal], array[p_key], array[p_input], array[p_decision], array[p_shown], array[p_entry]) d;
end;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.decide from public;
