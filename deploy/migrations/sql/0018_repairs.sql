-- Credit repair: applications, what happened to them, and the functions through which staff reach them.

create table scoring.repair (
  id uuid not null,
  citizen_id uuid not null,
  record_id uuid not null,
  record_version integer not null,
  kind text not null,
  route text,
  rules text not null,
  needed text[] not null,
  met text[] not null,
  missing text[] not null,
  state text not null,
  opened_at timestamptz not null,
  changed_at timestamptz not null,
  decide_by date not null,
  provisional boolean not null,
  sealed_words bytea not null,
  sealed_reasons bytea,
  constraint pk_repair primary key (id),
  constraint fk_repair_citizen_id foreign key (citizen_id) references scoring.link (citizen_id) on delete cascade,
  constraint fk_repair_record_id foreign key (record_id) references scoring.record (id) on delete cascade,
  constraint ck_repair_state check (state in ('applied', 'checked', 'extended', 'approved', 'refused', 'withdrawn'))
);

create index ix_repair_citizen_id on scoring.repair (citizen_id);

create unique index uq_repair_open on scoring.repair (record_id) where state in ('applied', 'checked', 'extended');

create table scoring.right_event (
  id uuid not null,
  citizen_id uuid not null,
  matter_id uuid not null,
  at timestamptz not null,
  event text not null,
  state text not null,
  by text not null,
  constraint pk_right_event primary key (id),
  constraint fk_right_event_citizen_id foreign key (citizen_id) references scoring.link (citizen_id) on delete cascade
);

create index ix_right_event_citizen_id on scoring.right_event (citizen_id);

create index ix_right_event_matter_id on scoring.right_event (matter_id);

grant select, insert, update (state, changed_at) on scoring.repair to {role}_citizen;

grant select, insert on scoring.right_event to {role}_citizen;

grant select, insert on scoring.right_event to {role}_scorer;

grant select, update (state, changed_at, decide_by, provisional, met, missing, sealed_reasons) on scoring.repair
  to {role}_gate;

grant insert on scoring.right_event to {role}_gate;

grant select (id, version, status, until_on) on scoring.record to {role}_gate;

grant usage on schema scoring to {role}_gate, {role}_staff;

alter table scoring.repair enable row level security, force row level security;

alter table scoring.right_event enable row level security, force row level security;

create policy citizen on scoring.repair to {role}_citizen
  using (citizen_id = (select auth.consenting_now())) with check (citizen_id = (select auth.consenting_now()));

create policy gate on scoring.repair to {role}_gate
  using (exists (select from auth.live_consent c where c.citizen_id = repair.citizen_id and c.purpose = 'score' offset 0));

create policy repairs on scoring.record for select to {role}_gate
  using (exists (select from scoring.repair p where p.record_id = record.id));

create policy citizen on scoring.right_event to {role}_citizen
  using (citizen_id = (select auth.consenting_now())) with check (citizen_id = (select auth.consenting_now()));

create policy scorer on scoring.right_event to {role}_scorer
  using (exists (select from scoring.link l where l.citizen_id = right_event.citizen_id offset 0))
  with check (by = 'source' and exists (select from scoring.link l where l.citizen_id = right_event.citizen_id offset 0));

create policy gate on scoring.right_event for insert to {role}_gate with check (by = 'staff');

grant {role}_gate, {role}_eraser to current_user;

grant create on schema scoring to {role}_gate, {role}_eraser;

-- Who waits for a decision: numbers, kinds, ways and days, and nothing that a person said. What came to its end without
-- us (repaired or revoked at its source, corrected, run out) waits no more.
create function scoring.waiting_repairs(p_token bytea, p_after uuid, p_limit integer)
returns table (
  id uuid, kind text, route text, state text, opened_at timestamptz, decide_by date, provisional boolean
)
language sql stable security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'staff:repairs' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null
  )
  select m.id, m.kind, m.route, m.state, m.opened_at, m.decide_by, m.provisional
  from caller join scoring.repair m on m.state in ('applied', 'checked', 'extended')
  join scoring.record r on r.id = m.record_id and r.version = m.record_version and r.status in ('active', 'disputed')
    and (r.until_on is null or r.until_on > (core.civil_now() at time zone 'Asia/Shanghai')::date)
  where p_after is null or m.id > p_after
  order by m.id limit p_limit;
end;

-- One application with what opens it. The entry that its citizen reads is written by the statement that answers.
create function scoring.read_repair(p_token bytea, p_id uuid, p_purpose text, p_detail jsonb)
returns table (
  id uuid, citizen_id uuid, record_id uuid, record_version integer, kind text, route text, rules text, needed text[],
  met text[], missing text[], state text, opened_at timestamptz, changed_at timestamptz, decide_by date,
  provisional boolean, sealed_words bytea, sealed_reasons bytea, settled boolean, epoch integer, wrapped bytea
)
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'staff:repairs' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null
  ), found as materialized (
    select m.*, k.epoch, k.wrapped, not (r.version = m.record_version and r.status in ('active', 'disputed')
      and (r.until_on is null or r.until_on > (core.civil_now() at time zone 'Asia/Shanghai')::date)) as settled
    from caller join scoring.repair m on m.id = p_id
    join scoring.record r on r.id = m.record_id
    join keys.person_key k on k.owner = m.citizen_id and k.purpose = 'cases'
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'staff', caller.client_id, 'repair.read', p_purpose, 'shown', found.citizen_id,
      p_detail
    from caller join found on true
  )
  select f.id, f.citizen_id, f.record_id, f.record_version, f.kind, f.route, f.rules, f.needed, f.met, f.missing, f.state,
    f.opened_at, f.changed_at, f.decide_by, f.provisional, f.sealed_words, f.sealed_reasons, f.settled, f.epoch, f.wrapped
  from found f;
end;

-- One step of an application, from the state in which it was read; the scorer's door takes it, so that the effect on the
-- record is there in the same transaction. Null leaves a column as it is.
create function scoring.turn_repair(
  p_token bytea, p_id uuid, p_purpose text, p_detail jsonb, p_event text, p_from text, p_to text, p_met text[],
  p_missing text[], p_sealed_reasons bytea, p_decide_by date, p_provisional boolean
)
returns table (citizen_id uuid, record_id uuid, record_version integer)
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'staff:repairs' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null
  ), turned as (
    update scoring.repair m
    set state = p_to, changed_at = core.civil_now(), met = coalesce(p_met, m.met),
      missing = coalesce(p_missing, m.missing), sealed_reasons = coalesce(p_sealed_reasons, m.sealed_reasons),
      decide_by = coalesce(p_decide_by, m.decide_by), provisional = coalesce(p_provisional, m.provisional)
    from caller
    where m.id = p_id and m.state = p_from and p_from in ('applied', 'checked', 'extended')
    returning m.id, m.citizen_id, m.record_id, m.record_version
  ), noted as (
    insert into scoring.right_event (id, citizen_id, matter_id, at, event, state, by)
    select uuidv7(), turned.citizen_id, turned.id, core.civil_now(), p_event, p_to, 'staff' from turned
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'staff', caller.client_id, 'repair.' || p_event, p_purpose, 'done',
      turned.citizen_id, p_detail
    from caller join turned on true
  )
  select turned.citizen_id, turned.record_id, turned.record_version from turned;
end;

-- As in 0015; a repaired deduction also stops on its day, so that the days before it stay true.
create or replace function scoring.end_records(p_source text, p_ref text, p_version int, p_status text, p_at timestamptz)
returns setof uuid
language sql volatile security definer
begin atomic
  update scoring.record r set status = p_status, status_at = p_at,
    until_on = case p_status
      when 'repaired' then least(r.until_on, greatest(r.from_on, (p_at at time zone 'Asia/Shanghai')::date))
      else r.until_on end
  from scoring.live v
  where v.record_subject = r.record_subject and r.source = p_source and r.ref = p_ref
    and (p_version is null or r.version <= p_version)
    and case p_status
      when 'revoked' then r.status <> 'revoked'
      when 'repaired' then r.status not in ('revoked', 'repaired') and r.kind like 'N%'
    end
  returning r.record_subject;
end;

alter function scoring.waiting_repairs(bytea, uuid, integer) owner to {role}_gate;

alter function scoring.read_repair(bytea, uuid, text, jsonb) owner to {role}_gate;

alter function scoring.turn_repair(bytea, uuid, text, jsonb, text, text, text, text[], text[], bytea, date, boolean)
  owner to {role}_gate;

revoke create on schema scoring from {role}_gate, {role}_eraser;

revoke {role}_gate, {role}_eraser from current_user;

revoke all on function scoring.waiting_repairs, scoring.read_repair, scoring.turn_repair from public;

grant execute on function scoring.waiting_repairs, scoring.read_repair to {role}_staff;

grant execute on function scoring.turn_repair to {role}_scorer;

-- From now on the status alone ends nothing: what was repaired earlier ends on its day, too, or it would count again.
-- The owner may be no superuser, whom the policies bind.
alter table scoring.record no force row level security;

update scoring.record
set until_on = least(until_on, greatest(from_on, (status_at at time zone 'Asia/Shanghai')::date))
where status = 'repaired';

alter table scoring.record force row level security;
