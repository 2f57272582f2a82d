-- Number plates as keyed digests: typed by a citizen, confirmed once at the exit, told to that car park as pairs.

-- `digest`: HMAC-SHA-256 of the plate under the partner's own key; `sealed`: the plate, for its owner's eyes.
create table incentives.plate (
  id uuid not null,
  citizen_id uuid not null,
  partner_id text not null,
  perk_id text not null,
  digest bytea not null,
  sealed bytea not null,
  typed_at timestamptz not null,
  confirmed_at timestamptz,
  constraint pk_plate primary key (id),
  constraint fk_plate_partner_id foreign key (partner_id) references auth.client (client_id),
  constraint uq_plate_citizen_id_partner_id_perk_id_digest unique (citizen_id, partner_id, perk_id, digest)
);

-- Whoever confirmed it last has it.
create unique index uq_plate_confirmed on incentives.plate (partner_id, perk_id, digest) where confirmed_at is not null;

-- What a partner was told, by the numbers of its own list: a pair begins at `told` and is over from `ended` on.
create table incentives.plate_pair (
  partner_id text not null,
  told bigint not null,
  ended bigint,
  ended_at timestamptz,
  plate_id uuid not null,
  consent_id uuid not null,
  perk_id text not null,
  digest bytea not null,
  subject uuid not null,
  constraint pk_plate_pair primary key (partner_id, told),
  constraint fk_plate_pair_partner_id foreign key (partner_id) references auth.client (client_id),
  constraint fk_plate_pair_consent_id foreign key (consent_id) references auth.consent (id)
);

create unique index uq_plate_pair_open on incentives.plate_pair (plate_id, consent_id) where ended is null;

create unique index uq_plate_pair_ended on incentives.plate_pair (partner_id, ended) where ended is not null;

-- The newest number of a partner's list, and the newest that was forgotten.
create table incentives.plate_list (
  partner_id text not null,
  newest bigint not null,
  forgotten bigint not null,
  constraint pk_plate_list primary key (partner_id),
  constraint fk_plate_list_partner_id foreign key (partner_id) references auth.client (client_id)
);

alter table incentives.plate enable row level security, force row level security;

alter table incentives.plate_pair enable row level security, force row level security;

alter table incentives.plate_list enable row level security, force row level security;

create policy gate on incentives.plate to {role}_gate using (true) with check (true);

create policy gate on incentives.plate_pair to {role}_gate using (true) with check (true);

create policy gate on incentives.plate_list to {role}_gate using (true) with check (true);

-- Typing confirms nothing, and nobody types for a car park that they do not let know.
create policy citizen on incentives.plate to {role}_citizen
  using (citizen_id = (select auth.citizen_now()))
  with check (citizen_id = (select auth.citizen_now()) and confirmed_at is null and exists (
    select from auth.live_consent l
    where l.citizen_id = plate.citizen_id and l.purpose = 'share:' || partner_id || '/' || perk_id));

create policy jobs on incentives.plate to {role}_jobs using (not exists (
  select from auth.live_consent l
  where l.citizen_id = plate.citizen_id and l.purpose = 'share:' || partner_id || '/' || perk_id));

grant select, insert, delete on incentives.plate to {role}_citizen;

grant select (citizen_id, partner_id, perk_id), delete on incentives.plate to {role}_jobs;

grant select, update (confirmed_at) on incentives.plate to {role}_gate;

grant select, insert, update (ended, ended_at), delete on incentives.plate_pair to {role}_gate;

grant select, insert, update (newest, forgotten) on incentives.plate_list to {role}_gate;

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- A partner without any perk lives as well as others: null asks whether the token does, and of no perk `any` says false.
create or replace function incentives.asker(p_token bytea, p_perk text) returns text
language sql stable
begin atomic
  select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
  where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now() and t.grant_id is null
    and t.actor is null and 'eligibility:check' = any (string_to_array(t.scope, ' '))
    and c.role = 'partner' and c.disabled_at is null and (p_perk is null or p_perk = any (c.perks));
end;

-- What a car park may know now: each confirmed plate whose holder's consent lives, under the subject of that consent.
create function incentives.plates_alive(p_partner text)
returns table (plate_id uuid, consent_id uuid, perk_id text, digest bytea, subject uuid)
language sql stable
begin atomic
  select b.id, l.id, b.perk_id, b.digest, l.subject
  from incentives.plate b
  join auth.live_consent l on l.citizen_id = b.citizen_id and l.purpose = 'share:' || b.partner_id || '/' || b.perk_id
  where b.partner_id = p_partner and b.confirmed_at is not null and l.subject is not null;
end;

-- Take a partner's turn, end what is not alive any more, and say where its list stands. In the order of the random
-- subjects, so that it says neither when nor in which turn.
create function incentives.end_plates(p_partner text) returns incentives.plate_list
language plpgsql
as $$
declare
  list incentives.plate_list;
begin
  insert into incentives.plate_list values (p_partner, 0, 0) on conflict do nothing;
  select * into list from incentives.plate_list l where l.partner_id = p_partner for update;
  with over as (
    select p.told, list.newest + row_number() over (order by p.subject, p.told) as number
    from incentives.plate_pair p
    where p.partner_id = p_partner and p.ended is null and not exists (
      select from incentives.plates_alive(p_partner) a where a.plate_id = p.plate_id and a.consent_id = p.consent_id)
  ), done as (
    update incentives.plate_pair p set ended = over.number, ended_at = now()
    from over where p.partner_id = p_partner and p.told = over.told
    returning p.ended
  )
  update incentives.plate_list l set newest = greatest(l.newest, (select max(ended) from done))
  where l.partner_id = p_partner
  returning l.* into list;
  return list;
end $$;

-- What a partner's list says after a number: pairs that live, and pairs that it was told of and that ended since. The
-- first row says where the list stands. Each holder reads that it was told. No row: the token is dead.
create function incentives.plates_of_caller(p_token bytea, p_since bigint, p_most integer)
returns table (newest bigint, forgotten bigint, number bigint, over boolean, perk text, digest bytea, subject uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  who text := incentives.asker(p_token, null);
  list incentives.plate_list;
  waiting integer;
begin
  if who is null then
    return;
  end if;
  list := incentives.end_plates(who);
  if p_since > 0 and p_since < list.forgotten then
    return query select list.newest, list.forgotten, null::bigint, null::boolean, null::text, null::bytea, null::uuid;
    return;
  end if;
  waiting := (
    select count(*) from incentives.plate_pair p
    where p.partner_id = who and (p.told > p_since and p.ended is null or p.told <= p_since and p.ended > p_since));
  with laid as (
    insert into incentives.plate_pair (partner_id, told, plate_id, consent_id, perk_id, digest, subject)
    select who, list.newest + row_number() over (order by a.subject), a.plate_id, a.consent_id, a.perk_id, a.digest, a.subject
    from incentives.plates_alive(who) a
    where not exists (
      select from incentives.plate_pair p
      where p.plate_id = a.plate_id and p.consent_id = a.consent_id and p.ended is null)
    order by a.subject limit greatest(0, p_most - waiting)
    returning told
  )
  update incentives.plate_list l set newest = greatest(l.newest, (select max(told) from laid))
  where l.partner_id = who
  returning l.* into list;
  return query select list.newest, list.forgotten, null::bigint, null::boolean, null::text, null::bytea, null::uuid;
  return query
    with page as materialized (
      select coalesce(p.ended, p.told) as number, p.ended is not null as over, p.perk_id, p.digest, p.subject, p.consent_id
      from incentives.plate_pair p
      where p.partner_id = who
        and (p.told > p_since and p.ended is null or p.told <= p_since and p.ended > p_since)
      order by 1 limit p_most
    ), entered as (
      insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
      select uuidv7(), core.civil_now(), 'partner', who, 'plate.told', page.perk_id, 'done', c.citizen_id,
        jsonb_build_object('over', page.over)
      from page join auth.consent c on c.id = page.consent_id
    )
    select list.newest, list.forgotten, page.number, page.over, page.perk_id, page.digest, page.subject
    from page order by page.number;
end $$;

-- A car of this digest left while its driver showed a code: if that very citizen typed the plate for this car park and
-- perk, it is theirs from now on, and nobody's else any more. One row whatever there was. No row: the token is dead.
create function incentives.confirm_plate(p_token bytea, p_decision uuid, p_digest bytea) returns table (heard boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  who text := incentives.asker(p_token, null);
  bound incentives.plate;
begin
  if who is null then
    return;
  end if;
  insert into incentives.plate_list values (who, 0, 0) on conflict do nothing;
  perform from incentives.plate_list l where l.partner_id = who for update;
  select b.* into bound
  from incentives.decision d
  join incentives.credit_code_use u on u.decision_id = d.id
  join incentives.plate b on b.citizen_id = d.citizen_id and b.partner_id = who and b.perk_id = d.perk_id
  join auth.live_consent l on l.citizen_id = b.citizen_id and l.purpose = 'share:' || who || '/' || b.perk_id
  where d.id = p_decision and d.partner_id = who and d.valid_until > now() and b.digest = p_digest;
  if bound.id is not null and bound.confirmed_at is null then
    with moved as (
      update incentives.plate b set confirmed_at = null
      where b.partner_id = who and b.digest = p_digest and b.citizen_id <> bound.citizen_id and b.confirmed_at is not null
      returning b.citizen_id, b.perk_id
    )
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'partner', who, 'plate.moved', moved.perk_id, 'done', moved.citizen_id, '{}'
    from moved;
    update incentives.plate b set confirmed_at = core.civil_now() where b.id = bound.id;
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    values (uuidv7(), core.civil_now(), 'partner', who, 'plate.confirm', bound.perk_id, 'done', bound.citizen_id, '{}');
  end if;
  return query select true;
end $$;

-- For the jobs: end what nobody fetched, and forget what ended long ago; whoever did not fetch since begins anew.
create function incentives.forget_plates() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  one record;
begin
  for one in select l.partner_id from incentives.plate_list l order by l.partner_id loop
    perform incentives.end_plates(one.partner_id);
    with gone as (
      delete from incentives.plate_pair p
      where p.partner_id = one.partner_id and p.ended_at < now() - interval '45 days'
      returning p.ended
    )
    update incentives.plate_list l set forgotten = greatest(l.forgotten, (select max(ended) from gone))
    where l.partner_id = one.partner_id;
  end loop;
end $$;

-- Which pay channel guarantees which order of the citizen at this door, by the order's number.
create function incentives.guarantors_of_citizen() returns table (number text, channel text)
language sql stable security definer
begin atomic
  select c.number, c.channel
  from incentives.perk_order o join incentives.channel_order c on c.order_id = o.id
  where o.citizen_id = (select auth.citizen_now());
end;

alter function incentives.plates_alive owner to {role}_gate;

alter function incentives.end_plates owner to {role}_gate;

alter function incentives.plates_of_caller owner to {role}_gate;

alter function incentives.confirm_plate owner to {role}_gate;

alter function incentives.forget_plates owner to {role}_gate;

alter function incentives.guarantors_of_citizen owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.plates_alive, incentives.end_plates, incentives.plates_of_caller,
  incentives.confirm_plate, incentives.forget_plates, incentives.guarantors_of_citizen from public;

grant execute on function incentives.guarantors_of_citizen to {role}_citizen;

grant execute on function incentives.plates_of_caller, incentives.confirm_plate to {role}_partner;

grant execute on function incentives.forget_plates to {role}_jobs;
