-- What other cities recognise: offers to wallets, copies of credentials, and lists that say which copies count no more.

-- An offer that a citizen drew: by the digest of its code, good once and for minutes. `proof` is the keyed digest of the
-- words that go beside it. Once it is redeemed, `token` is the digest of the wallet's token, bound to the key `jkt`.
create table incentives.credential_offer (
  hash bytea not null,
  citizen_id uuid not null,
  consent_id uuid not null,
  proof bytea not null,
  tries smallint not null default 0,
  expires_at timestamptz not null,
  token bytea,
  jkt text,
  token_until timestamptz,
  copies smallint not null default 0,
  constraint pk_credential_offer primary key (hash),
  constraint uq_credential_offer_token unique (token)
);

create index ix_credential_offer_citizen_id on incentives.credential_offer (citizen_id);

-- A list of places; `claimed` counts copies ever put there. A closed one takes no more.
create table incentives.status_list (
  id uuid not null,
  claimed integer not null default 0,
  opened_at timestamptz not null default now(),
  closed_at timestamptz,
  constraint pk_status_list primary key (id)
);

-- One copy: the consent that it stands on and the highest point that it says is reached (0: none). Where they are null
-- nobody is behind it any more. `ended_at`: it counts no more, for good.
create table incentives.credential_copy (
  list_id uuid not null,
  place integer not null,
  consent_id uuid,
  reached smallint,
  until timestamptz not null,
  ended_at timestamptz,
  constraint pk_credential_copy primary key (list_id, place),
  constraint fk_credential_copy_list_id_status_list foreign key (list_id) references incentives.status_list (id),
  constraint ck_credential_copy_nobody check ((consent_id is null) = (reached is null)),
  constraint ck_credential_copy_ended check (consent_id is not null or ended_at is not null)
);

create index ix_credential_copy_consent_id on incentives.credential_copy (consent_id);

create index ix_credential_copy_until on incentives.credential_copy (until);

create index ix_credential_copy_list_id on incentives.credential_copy (list_id) where ended_at is not null;

grant usage on schema incentives to {role}_auth;

grant select on incentives.status_list to {role}_auth;

grant select on incentives.credential_copy to {role}_citizen;

grant select, insert on incentives.credential_offer to {role}_citizen;

grant select (expires_at), delete on incentives.credential_offer to {role}_jobs;

grant select (until), delete on incentives.credential_copy to {role}_jobs;

grant select (closed_at), delete on incentives.status_list to {role}_jobs;

grant select, insert, update, delete on incentives.credential_offer to {role}_gate;

grant select, insert, update on incentives.status_list, incentives.credential_copy to {role}_gate;

create policy gate on incentives.credential_offer to {role}_gate using (true) with check (true);

create policy citizen on incentives.credential_offer to {role}_citizen
  using (citizen_id = (select auth.citizen_now())) with check (citizen_id = (select auth.citizen_now()));

create policy jobs on incentives.credential_offer to {role}_jobs using (expires_at < now() - interval '1 hour');

create policy gate on incentives.status_list to {role}_gate using (true) with check (true);

create policy readers on incentives.status_list for select to {role}_auth, {role}_jobs using (true);

create policy jobs on incentives.status_list for delete to {role}_jobs using (closed_at is not null);

create policy gate on incentives.credential_copy to {role}_gate using (true) with check (true);

create policy citizen on incentives.credential_copy for select to {role}_citizen
  using (exists (select from auth.consent c where c.id = consent_id and c.citizen_id = (select auth.citizen_now())));

create policy jobs on incentives.credential_copy to {role}_jobs using (until < now());

create policy gate_for_wallets on core.audit_entry for insert to {role}_gate
  with check (actor_kind in ('citizen', 'system') and action in ('credential.issue', 'credential.lapse'));

alter table incentives.credential_offer enable row level security, force row level security;

alter table incentives.status_list enable row level security, force row level security;

alter table incentives.credential_copy enable row level security, force row level security;

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- Redeem an offer for a token bound to a key: of racers one has it. What came of it, as a word: `given`; `wrong` words
-- beside the code, and that was noted; `replayed` with the right words, and what it gave before is dead; `ended`, the
-- consent; `dead`: never drawn, too late, or too many wrong words.
create function incentives.redeem_offer(
  p_code bytea, p_proof bytea, p_tries integer, p_jkt text, p_token bytea, p_until timestamptz
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o incentives.credential_offer;
begin
  select * into o from incentives.credential_offer x where x.hash = p_code for update;
  if o.hash is null or o.tries >= p_tries or (o.token is null and o.expires_at <= now()) then
    return 'dead';
  end if;
  if o.proof <> p_proof then
    update incentives.credential_offer x set tries = x.tries + 1 where x.hash = p_code;
    return 'wrong';
  end if;
  if o.token is not null then
    update incentives.credential_offer x set token_until = least(x.token_until, now()) where x.hash = p_code;
    return 'replayed';
  end if;
  if not exists (select from auth.live_consent l where l.id = o.consent_id and l.citizen_id = o.citizen_id) then
    return 'ended';
  end if;
  update incentives.credential_offer x set token = p_token, jkt = p_jkt, token_until = p_until where x.hash = p_code;
  return 'given';
end $$;

-- Claim a place for each copy, for a wallet's live token and key. Which points are reached is said by the standing of
-- now: none while points are held. Tries the places offered in their order, so that the order of claims is in none.
create function incentives.claim_copies(
  p_token bytea, p_jkt text, p_copies integer, p_most integer, p_points integer[], p_until timestamptz,
  p_list uuid, p_room integer, p_places integer[]
) returns table (verdict text, city text, places integer[], reached integer[])
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o incentives.credential_offer;
  v_purpose text;
  v_points integer;
  v_held boolean;
  v_place integer;
begin
  select * into o from incentives.credential_offer x
  where x.token = p_token and x.jkt = p_jkt and x.token_until > now() for update;
  if o.hash is null then
    return query select 'dead', null::text, null::integer[], null::integer[];
    return;
  end if;
  select l.purpose, t.points, t.held into v_purpose, v_points, v_held
  from auth.live_consent l
  join auth.live_consent s on s.citizen_id = l.citizen_id and s.purpose = 'score'
  join scoring.standing t on t.citizen_id = s.citizen_id and t.consent_id = s.id
  where l.id = o.consent_id and l.citizen_id = o.citizen_id;
  if v_purpose is null then
    return query select 'ended', null::text, null::integer[], null::integer[];
    return;
  end if;
  if o.copies + p_copies > p_most then
    return query select 'too_many', null::text, null::integer[], null::integer[];
    return;
  end if;
  reached := array(select one from unnest(p_points) one where not v_held and v_points >= one * 10 order by one);
  insert into incentives.status_list (id) values (p_list) on conflict do nothing;
  update incentives.status_list l set claimed = l.claimed + p_copies
  where l.id = p_list and l.closed_at is null and l.claimed + p_copies <= p_room;
  if not found then
    update incentives.status_list l set closed_at = now() where l.id = p_list and l.closed_at is null;
    return query select 'crowded', null::text, null::integer[], null::integer[];
    return;
  end if;
  places := array[]::integer[];
  foreach v_place in array p_places loop
    exit when cardinality(places) = p_copies;
    insert into incentives.credential_copy (list_id, place, consent_id, reached, until)
    values (p_list, v_place, o.consent_id, coalesce(reached[cardinality(reached)], 0), p_until)
    on conflict do nothing;
    if found then
      places := places || v_place;
    end if;
  end loop;
  if cardinality(places) < p_copies then
    raise exception 'too few places were offered' using errcode = 'data_exception';
  end if;
  update incentives.credential_offer x set copies = x.copies + p_copies where x.hash = o.hash;
  insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
  values (uuidv7(), core.civil_now(), 'citizen', 'self', 'credential.issue', v_purpose, 'done', o.citizen_id,
    jsonb_build_object('copies', p_copies, 'until', p_until));
  verdict := 'given';
  city := split_part(v_purpose, ':', 2);
  return next;
end $$;

-- The places of a list whose copies count no more, ascending. What stopped holding since anybody asked is ended here for
-- good, with one entry that its holder reads; nothing above has to tell of a withdrawal. Null: there is no such list.
create function incentives.ended_places(p_list uuid) returns integer[]
language sql volatile security definer
begin atomic
  with standing as materialized (
    select held.consent_id, s.citizen_id, s.purpose, t.points, coalesce(t.held, true) as held,
      exists (select from auth.live_consent l where l.citizen_id = s.citizen_id and l.purpose = s.purpose) as lives
    from (
      select distinct c.consent_id from incentives.credential_copy c
      where c.list_id = p_list and c.ended_at is null and c.until > now()
    ) held
    join auth.consent s on s.id = held.consent_id
    left join auth.live_consent score on score.citizen_id = s.citizen_id and score.purpose = 'score'
    left join scoring.standing t on t.citizen_id = s.citizen_id and t.consent_id = score.id
  ), ended as (
    update incentives.credential_copy c set ended_at = now()
    from standing
    where c.list_id = p_list and c.ended_at is null and c.consent_id = standing.consent_id
      and (not standing.lives or standing.points is null
        or (c.reached > 0 and (standing.held or standing.points < c.reached * 10)))
    returning c.place, c.consent_id
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'system', 'status', 'credential.lapse', standing.purpose, 'done',
      standing.citizen_id, jsonb_build_object('copies', count(*))
    from ended join standing on standing.consent_id = ended.consent_id
    group by standing.citizen_id, standing.purpose
  )
  select coalesce((
    select array_agg(place order by place) from (
      select c.place from incentives.credential_copy c where c.list_id = p_list and c.ended_at is not null
      union select place from ended
    ) every
  ), '{}') from incentives.status_list l where l.id = p_list;
end;

-- Nobody is behind these copies any more, and they count no more: when a consent is withdrawn, erased or left behind.
create function incentives.forget_copies(p_citizen uuid, p_purpose text) returns void
language sql volatile security definer
begin atomic
  delete from incentives.credential_offer o
  where o.citizen_id = p_citizen and o.consent_id in (
      select c.id from auth.consent c where c.citizen_id = p_citizen and c.purpose = p_purpose)
    and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs');
  update incentives.credential_copy c
  set consent_id = null, reached = null, ended_at = coalesce(c.ended_at, now())
  where c.consent_id in (
      select s.id from auth.consent s where s.citizen_id = p_citizen and s.purpose = p_purpose)
    and (p_citizen = (select auth.citizen_now()) or session_user = '{role}_jobs');
end;

alter function incentives.redeem_offer owner to {role}_gate;

alter function incentives.claim_copies owner to {role}_gate;

alter function incentives.ended_places owner to {role}_gate;

alter function incentives.forget_copies owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.redeem_offer, incentives.claim_copies, incentives.ended_places,
  incentives.forget_copies from public;

grant execute on function incentives.redeem_offer, incentives.claim_copies, incentives.ended_places to {role}_auth;

grant execute on function incentives.forget_copies to {role}_citizen, {role}_jobs;
