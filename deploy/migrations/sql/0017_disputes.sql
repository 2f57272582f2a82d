-- Disputes, what they suspend, and what a court or authority is looking at.

create table scoring.suspension (
  record_id uuid not null,
  from_on date not null,
  until_on date,
  version integer not null,
  constraint pk_suspension primary key (record_id, from_on),
  constraint ck_suspension_forwards check (until_on >= from_on),
  constraint fk_suspension_record_id foreign key (record_id) references scoring.record (id) on delete cascade
);

create unique index ix_suspension_open on scoring.suspension (record_id) where until_on is null;

create table scoring.dispute (
  id uuid not null,
  citizen_id uuid not null,
  record_id uuid,
  version integer not null,
  source text not null,
  ref text not null,
  kind text not null,
  reason text not null,
  state text not null,
  suspends boolean not null,
  opened_at timestamptz not null,
  clock_from date not null,
  clock_days smallint not null,
  due_on date not null,
  provisional boolean not null,
  seen_at timestamptz,
  closed_at timestamptz,
  sealed_words bytea not null,
  sealed_answer bytea,
  constraint pk_dispute primary key (id),
  constraint fk_dispute_citizen_id foreign key (citizen_id) references scoring.link (citizen_id) on delete cascade,
  constraint fk_dispute_record_id foreign key (record_id) references scoring.record (id) on delete set null
);

create index ix_dispute_citizen_id on scoring.dispute (citizen_id);

create index ix_dispute_record_id on scoring.dispute (record_id);

create unique index ix_dispute_open on scoring.dispute (record_id) where closed_at is null;

create index ix_dispute_due on scoring.dispute (due_on, id) where closed_at is null;

create table scoring.dispute_event (
  dispute_id uuid not null,
  seq smallint not null,
  at timestamptz not null,
  event text not null,
  by text not null,
  state text not null,
  due_on date,
  constraint pk_dispute_event primary key (dispute_id, seq),
  constraint fk_dispute_event_dispute_id foreign key (dispute_id) references scoring.dispute (id) on delete cascade
);

create table scoring.pending (
  record_id uuid not null,
  matter text not null,
  since date not null,
  told_by text not null,
  sealed bytea not null,
  constraint pk_pending primary key (record_id),
  constraint ck_pending_matter check (matter in ('lawsuit', 'reconsideration')),
  constraint fk_pending_record_id foreign key (record_id) references scoring.record (id) on delete cascade
);

grant select, insert, update (until_on, version) on scoring.suspension to {role}_citizen, {role}_scorer, {role}_jobs;

grant select, insert, update (version, state, suspends, clock_from, clock_days, due_on, provisional, closed_at)
  on scoring.dispute to {role}_citizen;

grant select, update (version, state, suspends, clock_from, clock_days, due_on, provisional, closed_at, sealed_answer)
  on scoring.dispute to {role}_scorer;

grant select, update (state, clock_from, clock_days, due_on, provisional, closed_at) on scoring.dispute to {role}_jobs;

grant select, insert on scoring.dispute_event to {role}_citizen, {role}_scorer, {role}_jobs;

grant select on scoring.pending to {role}_citizen, {role}_jobs;

grant select, insert, delete on scoring.pending to {role}_scorer;

-- What cannot be resolved is noted beside the record (CIR article 25), by whoever closes the dispute.
grant insert (record_id, citizen_id, at, sealed), select (record_id) on scoring.statement to {role}_scorer;

create policy citizen on scoring.suspension to {role}_citizen
  using (exists (select from scoring.record r where r.id = record_id))
  with check (exists (select from scoring.record r where r.id = record_id));

create policy writers on scoring.suspension to {role}_scorer, {role}_jobs using (true) with check (true);

create policy citizen on scoring.dispute to {role}_citizen
  using (citizen_id = (select auth.consenting_now())) with check (citizen_id = (select auth.consenting_now()));

create policy writers on scoring.dispute to {role}_scorer, {role}_jobs
  using (exists (select from scoring.link l where l.citizen_id = dispute.citizen_id offset 0));

create policy gate on scoring.dispute to {role}_gate using (true) with check (true);

create policy writers on scoring.dispute_event to {role}_citizen, {role}_scorer, {role}_jobs
  using (exists (select from scoring.dispute d where d.id = dispute_id))
  with check (exists (select from scoring.dispute d where d.id = dispute_id));

create policy readers on scoring.pending for select to {role}_citizen, {role}_jobs
  using (exists (select from scoring.record r where r.id = record_id));

create policy scorer on scoring.pending to {role}_scorer
  using (exists (select from scoring.record r where r.id = record_id))
  with check (exists (select from scoring.record r where r.id = record_id));

create policy scorer on scoring.statement for insert to {role}_scorer
  with check (exists (select from scoring.link l where l.citizen_id = statement.citizen_id offset 0));

create policy scorer_looks on scoring.statement for select to {role}_scorer
  using (exists (select from scoring.link l where l.citizen_id = statement.citizen_id offset 0));

create policy gate_for_sources on core.audit_entry for insert to {role}_gate with check (actor_kind = 'source');

alter table scoring.suspension enable row level security, force row level security;

alter table scoring.dispute enable row level security, force row level security;

alter table scoring.dispute_event enable row level security, force row level security;

alter table scoring.pending enable row level security, force row level security;

grant select, update (seen_at) on scoring.dispute to {role}_gate;

grant {role}_gate to current_user;

grant create on schema scoring to {role}_gate;

-- What opens one dispute, for a clerk; the entry that its citizen reads is written by the statement that answers.
create function scoring.open_dispute(p_token bytea, p_id uuid, p_act text, p_purpose text, p_detail jsonb)
returns table (citizen_id uuid, epoch integer, wrapped bytea)
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'staff:disputes' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null
  ), found as materialized (
    select d.citizen_id, k.epoch, k.wrapped
    from caller join scoring.dispute d on d.id = p_id
    join keys.person_key k on k.owner = d.citizen_id and k.purpose = 'cases'
    where exists (select from auth.live_consent l where l.citizen_id = d.citizen_id and l.purpose = 'score')
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'staff', caller.client_id, 'dispute.' || p_act, p_purpose,
      case when p_act = 'read' then 'shown' else 'done' end, found.citizen_id, p_detail
    from caller join found on true
  )
  select f.citizen_id, f.epoch, f.wrapped from found f;
end;

-- What opens the disputes that wait for a source, for that source alone; their citizens read when it first saw them.
create function scoring.told_disputes(p_token bytea, p_only uuid)
returns table (id uuid, citizen_id uuid, epoch integer, wrapped bytea)
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'records:write' = any (string_to_array(t.scope, ' ')) and c.role = 'source' and c.disabled_at is null
  ), found as materialized (
    select d.id, d.citizen_id, d.seen_at, k.epoch, k.wrapped
    from caller join scoring.dispute d on d.source = caller.client_id and d.closed_at is null and d.state <> 'opened'
    join keys.person_key k on k.owner = d.citizen_id and k.purpose = 'cases'
    where (p_only is null or d.id = p_only)
      and exists (select from auth.live_consent l where l.citizen_id = d.citizen_id and l.purpose = 'score')
  ), seen as (
    update scoring.dispute d set seen_at = core.civil_now() from found where d.id = found.id and found.seen_at is null
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner)
    select uuidv7(), core.civil_now(), 'source', caller.client_id, 'dispute.read', 'dispute', 'shown', found.citizen_id
    from caller join found on found.seen_at is null
  )
  select f.id, f.citizen_id, f.epoch, f.wrapped from found f;
end;

alter function scoring.open_dispute(bytea, uuid, text, text, jsonb) owner to {role}_gate;

alter function scoring.told_disputes(bytea, uuid) owner to {role}_gate;

revoke create on schema scoring from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function scoring.open_dispute, scoring.told_disputes from public;

grant execute on function scoring.open_dispute, scoring.told_disputes to {role}_scorer;
