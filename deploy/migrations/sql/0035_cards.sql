-- Cards as their operator issued them, and the lists by which gates without a line decide.

alter table auth.card add column lost_at timestamptz, add column replaced bytea;

-- A place (index) in every list of the operator, drawn at random for each number it presents, bound or not.
create table incentives.issued_card (
  operator_id text not null,
  digest bytea not null,
  place integer not null,
  retired_at timestamptz,
  constraint pk_issued_card primary key (operator_id, digest),
  constraint uq_issued_card_operator_id_place unique (operator_id, place),
  constraint fk_issued_card_operator_id foreign key (operator_id) references auth.client (client_id)
);

-- How many places an operator's lists have: a power of two, at least twice its cards.
create table incentives.card_space (
  operator_id text not null,
  size integer not null,
  constraint pk_card_space primary key (operator_id),
  constraint fk_card_space_operator_id foreign key (operator_id) references auth.client (client_id)
);

-- The newest list of a perk as it was signed last, packed; and which places each edition before it changed.
create table incentives.entitlement_list (
  operator_id text not null,
  perk_id text not null,
  seq integer not null,
  bits bytea not null,
  made_at timestamptz not null,
  constraint pk_entitlement_list primary key (operator_id, perk_id),
  constraint fk_entitlement_list_operator_id foreign key (operator_id) references auth.client (client_id)
);

create table incentives.entitlement_change (
  operator_id text not null,
  perk_id text not null,
  seq integer not null,
  changed bytea not null,
  constraint pk_entitlement_change primary key (operator_id, perk_id, seq),
  constraint fk_entitlement_change_operator_id foreign key (operator_id) references auth.client (client_id)
);

alter table incentives.issued_card enable row level security, force row level security;

alter table incentives.card_space enable row level security, force row level security;

alter table incentives.entitlement_list enable row level security, force row level security;

alter table incentives.entitlement_change enable row level security, force row level security;

create policy gate on incentives.issued_card to {role}_gate using (true) with check (true);

create policy gate on incentives.card_space to {role}_gate using (true) with check (true);

create policy gate on incentives.entitlement_list to {role}_gate using (true) with check (true);

create policy gate on incentives.entitlement_change to {role}_gate using (true) with check (true);

create policy gate on auth.card to {role}_gate using (true) with check (true);

grant select, insert, update (retired_at) on incentives.issued_card to {role}_gate;

grant select, insert, update (size) on incentives.card_space to {role}_gate;

grant select, insert, update (seq, bits, made_at) on incentives.entitlement_list to {role}_gate;

grant select, insert, delete on incentives.entitlement_change to {role}_gate;

grant select (id, digest, citizen_id, lost_at), update (digest, lost_at, replaced, tries) on auth.card to {role}_gate;

alter policy gate on core.audit_entry with check (actor_kind in ('partner', 'staff', 'citycard'));

-- A list is about whoever let this operator put them on it; nobody else reads that it was fetched.
alter policy citizen_everyone on core.audit_entry
  using (owner is null and action like 'everyone.%' and exists (
    select from auth.consent c left join auth.consent_end e on e.consent_id = c.id
    where c.purpose = case action when 'everyone.card_list' then 'share:' || actor || '/' || audit_entry.purpose
        else 'score' end
      and c.given_at <= audit_entry.at and least(e.at, c.expires_at) > audit_entry.at
  ));

grant {role}_gate to current_user;

grant create on schema incentives, auth to {role}_gate;

-- The places of these numbers in the operator's lists, in their order; a number that is new gets one that is free, drawn
-- at random. Half of all places stay nobody's. Whether a number is bound to anybody is not looked at. No row: a dead token.
create function incentives.issue_cards(p_token bytea, p_digests bytea[]) returns table (place integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  who text := incentives.operator_of(p_token, null);
  space integer;
  waiting bytea[];
begin
  if who is null then
    return;
  end if;
  insert into incentives.card_space values (who, 131072) on conflict do nothing;
  select size into space from incentives.card_space where operator_id = who for update;
  waiting := array(select distinct d from unnest(p_digests) d where not exists (
    select from incentives.issued_card c where c.operator_id = who and c.digest = d));
  if cardinality(waiting) > 0 then
    while space < 2 * (cardinality(waiting) + (
        select count(*) from incentives.issued_card c where c.operator_id = who)) loop
      space := space * 2;
    end loop;
    update incentives.card_space set size = space where operator_id = who and size <> space;
  end if;
  while cardinality(waiting) > 0 loop
    insert into incentives.issued_card (operator_id, digest, place)
    select distinct on (drawn.place) who, drawn.digest, drawn.place
    from (
      select d as digest, ('x' || left(gen_random_uuid()::text, 8))::bit(32)::integer & (space - 1) as place
      from unnest(waiting) d
    ) drawn
    where not exists (
      select from incentives.issued_card c where c.operator_id = who and c.place = drawn.place);
    waiting := array(select d from unnest(waiting) d where not exists (
      select from incentives.issued_card c where c.operator_id = who and c.digest = d));
  end loop;
  return query select c.place
    from unnest(p_digests) with ordinality asked (digest, at)
    join incentives.issued_card c on c.operator_id = who and c.digest = asked.digest
    order by asked.at;
end $$;

-- A number is lost, or another took its place (p_new, and it sealed): 0 in every list from now on, and opens no counter.
-- What was bound to the old number is bound to the new one, unless somebody has that already; the PIN stays. A number that
-- another operator has in its stock as well is lost on this one's lists alone: nobody takes a holder over from another.
-- One row, the new number's place or null, whether the number was known or bound or not. No row: a dead token.
create function incentives.retire_card(p_token bytea, p_old bytea, p_new bytea, p_sealed bytea, p_entry uuid)
returns table (place integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  who text := incentives.operator_of(p_token, null);
  given integer;
  holder uuid;
  alone boolean;
  one bytea;
begin
  if who is null then
    return;
  end if;
  if p_new is not null then
    given := (select i.place from incentives.issue_cards(p_token, array[p_new]) i);
  end if;
  -- Whoever binds one of the two waits, in one order for all (auth.counter.cards).
  for one in select d from unnest(array[p_old, p_new]) d where d is not null order by d loop
    perform pg_advisory_xact_lock(('x' || encode(substr(one, 1, 8), 'hex'))::bit(64)::bigint);
  end loop;
  update incentives.issued_card set retired_at = now()
  where operator_id = who and digest = p_old and retired_at is null;
  alone := found and not exists (
    select from incentives.issued_card other where other.digest in (p_old, p_new) and other.operator_id <> who);
  if alone and p_new is null then
    update auth.card set lost_at = coalesce(lost_at, now()) where digest = p_old returning citizen_id into holder;
  elsif alone then
    update auth.card c set digest = p_new, replaced = p_sealed, lost_at = null, tries = 0
    where c.digest = p_old and not exists (select from auth.card other where other.digest = p_new)
    returning c.citizen_id into holder;
  end if;
  if holder is not null then
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    values (p_entry, core.civil_now(), 'citycard', who, case when p_new is null then 'card.lost' else 'card.replace' end,
      'citycard', 'done', holder, '{}');
  end if;
  return query select given;
end $$;

-- What a list of a perk is made of: how many places, which are cards', and which of these a gate lets through, by the
-- same rule as a check (a live consent to share with this operator, standing under a live consent, threshold, not held,
-- nothing unpaid of this perk), but for budgets. And the edition before it. Holds the list's turn until the transaction
-- ends. No row: a dead token, or no perk of theirs.
create function incentives.entitlements(p_token bytea, p_perk text)
returns table (operator_id text, size integer, owned integer[], granted integer[], seq integer, bits bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  who text := incentives.operator_of(p_token, p_perk);
  today date := (core.civil_now() at time zone 'Asia/Shanghai')::date;
  reach integer;
begin
  if who is null then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtextextended(who || ' ' || p_perk, 35));
  reach := (select r.threshold from incentives.perk_ruling(p_perk, who, null, today) r where not r.rests);
  return query select who, coalesce((select s.size from incentives.card_space s where s.operator_id = who), 131072),
    array(select i.place from incentives.issued_card i where i.operator_id = who),
    incentives.let_through(who, p_perk, reach), l.seq, l.bits
  from (values (1)) one
  left join incentives.entitlement_list l on l.operator_id = who and l.perk_id = p_perk;
end $$;

-- The places of those whom a gate lets through. The plan is made for these very values: a consent may be everybody's. The
-- live consents are asked for as auth.live_consent does, but for the clock, which is read once and not once a row.
create function incentives.let_through(p_operator text, p_perk text, p_threshold integer) returns integer[]
language plpgsql stable set plan_cache_mode = force_custom_plan set enable_nestloop = off
as $$
declare
  civil timestamptz := core.civil_now();
begin
  return array(
    select i.place
    from incentives.issued_card i
    join auth.card c on c.digest = i.digest and c.lost_at is null
    join scoring.standing t on t.citizen_id = c.citizen_id and not t.held and t.points >= p_threshold
    join auth.consent score on score.id = t.consent_id and score.citizen_id = t.citizen_id and score.purpose = 'score'
      and score.expires_at > civil
    where i.operator_id = p_operator and i.retired_at is null
      and not exists (select from auth.consent_end e where e.consent_id = score.id)
      and c.citizen_id in (
        select s.citizen_id from auth.consent s
        where s.purpose = 'share:' || p_operator || '/' || p_perk and s.expires_at > civil
          and not exists (select from auth.consent_end e where e.consent_id = s.id))
      and c.citizen_id not in (
        select o.citizen_id from incentives.perk_order o
        where o.perk_id = p_perk and o.status = 'defaulted' and o.citizen_id is not null)
  );
end $$;

-- Keep the edition that is about to be signed, and leave the one entry of whoever may be on it. `p_changed` null: it is
-- the last one again. Editions older than `p_kept` are forgotten, and all of them where p_changed is empty bytes of a
-- list of another size. Its `made_at` is the city's; true, or no row for a dead token.
create function incentives.keep_entitlements(
  p_token bytea, p_perk text, p_seq integer, p_bits bytea, p_changed bytea, p_kept integer, p_entry uuid
) returns table (kept boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  who text := incentives.operator_of(p_token, p_perk);
begin
  if who is null then
    return;
  end if;
  if p_changed is not null then
    insert into incentives.entitlement_list values (who, p_perk, p_seq, p_bits, now())
    on conflict (operator_id, perk_id) do update set seq = p_seq, bits = p_bits, made_at = now();
    delete from incentives.entitlement_change c where c.operator_id = who and c.perk_id = p_perk
      and (c.seq <= p_seq - p_kept or p_changed = '');
    insert into incentives.entitlement_change select who, p_perk, p_seq, p_changed where p_changed <> '';
  end if;
  insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
  values (p_entry, core.civil_now(), 'citycard', who, 'everyone.card_list', p_perk, 'done', null,
    jsonb_build_object('seq', p_seq));
  return query select true;
end $$;

-- What each edition after one changed; one row of nulls where nothing did. No row: a dead token.
create function incentives.entitlement_changes(p_token bytea, p_perk text, p_since integer)
returns table (seq integer, changed bytea)
language sql stable security definer
begin atomic
  select c.seq, c.changed
  from (select incentives.operator_of(p_token, p_perk) as who) caller
  left join incentives.entitlement_change c
    on c.operator_id = caller.who and c.perk_id = p_perk and c.seq > p_since
  where caller.who is not null
  order by c.seq;
end;

-- Which operators know a citizen's cards, for the citizen: by the card's own id.
create function auth.issuers_of(p_citizen uuid) returns table (card_id uuid, operator text, retired boolean)
language sql stable security definer
begin atomic
  select c.id, o.name, i.retired_at is not null
  from auth.card c
  join incentives.issued_card i on i.digest = c.digest
  join auth.client o on o.client_id = i.operator_id and o.disabled_at is null
  where c.citizen_id = p_citizen
  order by c.id, o.name;
end;

alter function incentives.issue_cards owner to {role}_gate;

alter function incentives.retire_card owner to {role}_gate;

alter function incentives.entitlements owner to {role}_gate;

alter function incentives.let_through owner to {role}_gate;

alter function incentives.keep_entitlements owner to {role}_gate;

alter function incentives.entitlement_changes owner to {role}_gate;

alter function auth.issuers_of owner to {role}_gate;

revoke create on schema incentives, auth from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.issue_cards, incentives.retire_card, incentives.entitlements, incentives.let_through,
  incentives.keep_entitlements, incentives.entitlement_changes, auth.issuers_of from public;

grant execute on function incentives.issue_cards, incentives.retire_card, incentives.entitlements,
  incentives.keep_entitlements, incentives.entitlement_changes to {role}_citycard;

grant execute on function auth.issuers_of to {role}_auth;

create index ix_issued_card_digest on incentives.issued_card (digest);
