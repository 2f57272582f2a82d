-- Counters of shops that have no system: a page on a telephone, opened once by a link, bound to one perk and terminal.

-- `token` is the hash of a token's id that nobody was ever told: behind it stands an ordinary live token of the client,
-- so that every gate function proves a counter as it proves any other caller, and ends with the client.
create table incentives.counter (
  id uuid not null,
  partner_id text not null,
  perk_id text not null,
  name text not null,
  terminal text,
  deposit bigint,
  made_at timestamptz not null,
  link bytea not null,
  link_until timestamptz not null,
  session bytea,
  token bytea,
  opened_at timestamptz,
  ends_at timestamptz not null,
  ended_at timestamptz,
  constraint pk_counter primary key (id),
  constraint fk_counter_partner_id foreign key (partner_id) references auth.client (client_id),
  constraint uq_counter_link unique (link),
  constraint uq_counter_session unique (session)
);

create index ix_counter_partner_id on incentives.counter (partner_id);

grant select, insert, update (session, token, opened_at, ended_at) on incentives.counter to {role}_gate;

grant insert, update (revoked_at) on auth.token to {role}_gate;

grant select (ends_at), delete on incentives.counter to {role}_jobs;

create policy gate on incentives.counter to {role}_gate using (true) with check (true);

create policy jobs on incentives.counter to {role}_jobs using (ends_at < now() - interval '30 days');

alter table incentives.counter enable row level security, force row level security;

-- Tokens of counters alone, which are no citizen's and no grant's; a token of anybody else the gate can only read.
create policy gate_counter on auth.token for insert to {role}_gate
  with check (actor = 'counter' and citizen_id is null and grant_id is null and family is null);

-- An ended one is still the gate's to see, or ending it would break the policy of what may be seen.
create policy gate_counter_reads on auth.token for select to {role}_gate using (actor = 'counter');

create policy gate_counter_ends on auth.token for update to {role}_gate
  using (actor = 'counter');

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- The partner behind a live token that may ask about a perk; any of theirs where none is named.
create function incentives.asker(p_token bytea, p_perk text) returns text
language sql stable
begin atomic
  select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
  where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now() and t.grant_id is null
    and t.actor is null and 'eligibility:check' = any (string_to_array(t.scope, ' '))
    and c.role = 'partner' and c.disabled_at is null and coalesce(p_perk = any (c.perks), true);
end;

-- Make a counter. No row: the token is dead or may not; `made` false: the partner has fifty that live.
create function incentives.make_counter(
  p_token bytea, p_id uuid, p_perk text, p_name text, p_terminal text, p_deposit bigint, p_link bytea,
  p_link_minutes integer, p_days integer
) returns table (made boolean, link_until timestamptz, ends_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who text := incentives.asker(p_token, p_perk);
begin
  if who is null then
    return;
  end if;
  if (select count(*) from incentives.counter c
      where c.partner_id = who and c.ended_at is null and c.ends_at > now()) >= 50 then
    return query select false, null::timestamptz, null::timestamptz;
    return;
  end if;
  return query insert into incentives.counter as c
    (id, partner_id, perk_id, name, terminal, deposit, made_at, link, link_until, ends_at)
  values (p_id, who, p_perk, p_name, p_terminal, p_deposit, now(), p_link,
    now() + make_interval(mins => p_link_minutes), now() + make_interval(days => p_days))
  returning true, c.link_until, c.ends_at;
end $$;

-- The caller's counters that have not ended, newest first; one row of nulls where there is none. No row: a dead token.
create function incentives.counters_of_caller(p_token bytea)
returns table (
  id uuid, perk_id text, name text, terminal text, deposit bigint, link_until timestamptz, opened_at timestamptz,
  ends_at timestamptz
)
language sql stable security definer
begin atomic
  with caller as materialized (select incentives.asker(p_token, null) as who)
  select c.id, c.perk_id, c.name, c.terminal, c.deposit, c.link_until, c.opened_at, c.ends_at
  from caller left join incentives.counter c
    on c.partner_id = caller.who and c.ended_at is null and c.ends_at > now()
  where caller.who is not null
  order by c.made_at desc, c.id;
end;

-- End a counter: one of the caller's, or the one of a session that hands itself back. True: it lived until now.
create function incentives.end_counter(p_token bytea, p_id uuid, p_session bytea) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who text := incentives.asker(p_token, null);
  ended incentives.counter;
begin
  update incentives.counter c set ended_at = now()
  where (c.id = p_id and c.partner_id = who or c.session = p_session) and c.ended_at is null and c.ends_at > now()
  returning c.* into ended;
  update auth.token t set revoked_at = now() where t.jti_hash = ended.token and t.actor = 'counter';
  return ended.id is not null;
end $$;

-- Open a counter by its link, once: from now on the session's cookie is its key, and the token its voice.
create function incentives.open_counter(p_link bytea, p_session bytea, p_jti bytea) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  opened incentives.counter;
begin
  update incentives.counter c set session = p_session, token = p_jti, opened_at = now()
  from auth.client p
  where c.link = p_link and c.session is null and c.link_until > now() and c.ended_at is null and c.ends_at > now()
    and p.client_id = c.partner_id and p.disabled_at is null
  returning c.* into opened;
  if opened.id is null then
    return null;
  end if;
  insert into auth.token (jti_hash, client_id, scope, actor, expires_at)
  select p_jti, p.client_id, (
      select string_agg(s, ' ' order by s) from unnest(p.scopes) s where s in ('eligibility:check', 'orders:write')),
    'counter', opened.ends_at
  from auth.client p where p.client_id = opened.partner_id;
  return opened.ends_at;
end $$;

-- The counter of a session, and whose it is.
create function incentives.counter_of(p_session bytea)
returns table (
  id uuid, partner_id text, partner text, perk_id text, name text, terminal text, deposit bigint, token bytea,
  orders boolean, ends_at timestamptz
)
language sql stable security definer
begin atomic
  select c.id, c.partner_id, p.name, c.perk_id, c.name, c.terminal, c.deposit, c.token,
    'orders:write' = any (p.scopes), c.ends_at
  from incentives.counter c join auth.client p on p.client_id = c.partner_id
  where c.session = p_session and c.ended_at is null and c.ends_at > now() and p.disabled_at is null;
end;

-- What a counter granted on the city's day so far: how often, by the release that says what each was worth.
create function incentives.counter_day(p_session bytea) returns table (release_id uuid, granted bigint)
language sql stable security definer
begin atomic
  select d.release_id, count(*)
  from incentives.counter c join incentives.decision d
    on d.partner_id = c.partner_id and d.granted and starts_with(d.key, 'counter ' || c.id || ' ')
      and d.at >= date_trunc('day', core.civil_now() at time zone 'Asia/Shanghai') at time zone 'Asia/Shanghai'
  where c.session = p_session and c.ended_at is null
  group by d.release_id;
end;

alter function incentives.asker owner to {role}_gate;

alter function incentives.make_counter owner to {role}_gate;

alter function incentives.counters_of_caller owner to {role}_gate;

alter function incentives.end_counter owner to {role}_gate;

alter function incentives.open_counter owner to {role}_gate;

alter function incentives.counter_of owner to {role}_gate;

alter function incentives.counter_day owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.asker, incentives.make_counter, incentives.counters_of_caller,
  incentives.end_counter, incentives.open_counter, incentives.counter_of, incentives.counter_day from public;

grant execute on function incentives.make_counter, incentives.counters_of_caller, incentives.end_counter,
  incentives.open_counter, incentives.counter_of, incentives.counter_day to {role}_partner;
