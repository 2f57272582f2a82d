-- What the office reads of the log: through functions that prove its token, since entries name whose data it was.

grant {role}_gate to current_user;

grant create on schema auth to {role}_gate;

grant select on core.audit_entry to {role}_gate;

-- Whose data was read in a time, by a client or by anybody, for acts of these names; what was denied was not read.
create function auth.persons_read(
  p_token bytea, p_from timestamptz, p_until timestamptz, p_client text, p_actions text[]
)
returns table (owner uuid, action text, entries bigint)
language sql stable security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'staff:incidents' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null
  )
  select e.owner, e.action, count(*)
  from caller join core.audit_entry e on e.at >= p_from and e.at < p_until
  where e.owner is not null and e.action = any (p_actions) and e.outcome <> 'denied'
    and (p_client is null or e.actor = p_client)
  group by e.owner, e.action;
end;

-- How many acts there were of each sort in a time, and how many persons they were about. No ids.
create function auth.count_entries(p_token bytea, p_from timestamptz, p_until timestamptz)
returns table (actor_kind text, action text, purpose text, outcome text, about_persons boolean, entries bigint,
  persons bigint)
language sql stable security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'staff:audits' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null
  ), counted as (
    select e.actor_kind, case when e.owner is null then e.action end as action, case when e.owner is not null then e.purpose
      end as purpose, e.outcome, e.owner is not null as about_persons, e.owner
    from caller join core.audit_entry e on e.at >= p_from and e.at < p_until
  )
  select c.actor_kind, c.action, c.purpose, c.outcome, c.about_persons, count(*), count(distinct c.owner)
  from counted c group by c.actor_kind, c.action, c.purpose, c.outcome, c.about_persons;
end;

-- Entries without whose data it was; a citizen's own acts name nobody, and nobody is looked for by a citizen's id. Each person whom a hit is about gets an entry, by the statement that answers.
create function auth.search_entries(
  p_token bytea, p_from timestamptz, p_until timestamptz, p_actor text, p_action text, p_limit integer,
  p_purpose text, p_detail jsonb
)
returns table (id uuid, at timestamptz, actor_kind text, actor text, action text, purpose text, outcome text,
  clerk text, about_person boolean)
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'staff:audits' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null
  ), hit as materialized (
    select e.* from caller join core.audit_entry e on e.at >= p_from and e.at < p_until
    where (p_actor is null or e.actor = p_actor and e.actor_kind not in ('citizen', 'proxy'))
      and (p_action is null or e.action = p_action)
    order by e.at desc, e.id desc limit p_limit
  ), told as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'staff', caller.client_id, 'audit.search', p_purpose, 'shown', h.owner,
      p_detail || jsonb_build_object('entries', h.entries)
    from caller join (select owner, count(*) as entries from hit where owner is not null group by owner) h on true
  )
  select h.id, h.at, h.actor_kind, case when h.actor_kind not in ('citizen', 'proxy') then h.actor end, h.action,
    h.purpose, h.outcome, h.detail ->> 'clerk', h.owner is not null
  from hit h order by h.at desc, h.id desc;
end;

-- A staff system without the scope was refused; whoever's matter it was after reads of it.
create function auth.note_refused(p_client text, p_matter uuid, p_detail jsonb) returns void
language sql volatile security definer
begin atomic
  insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
  select uuidv7(), core.civil_now(), 'staff', c.client_id, 'staff.refused', 'none', 'denied',
    (select m.citizen_id from auth.matter m where m.id = p_matter), p_detail
  from auth.client c where c.client_id = p_client and c.role = 'staff';
end;

alter function auth.persons_read(bytea, timestamptz, timestamptz, text, text[]) owner to {role}_gate;

alter function auth.count_entries(bytea, timestamptz, timestamptz) owner to {role}_gate;

alter function auth.search_entries(bytea, timestamptz, timestamptz, text, text, integer, text, jsonb)
  owner to {role}_gate;

alter function auth.note_refused(text, uuid, jsonb) owner to {role}_gate;

revoke create on schema auth from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function auth.persons_read, auth.count_entries, auth.search_entries, auth.note_refused from public;

grant execute on function auth.persons_read, auth.count_entries, auth.search_entries to {role}_staff;

grant execute on function auth.note_refused to {role}_auth;
