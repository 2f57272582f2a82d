-- What citizens say and ask, what staff answer, and what stays of those who left. Statements are separated by a blank line.

create table scoring.statement (
  record_id uuid not null,
  citizen_id uuid not null,
  at timestamptz not null,
  sealed bytea not null,
  constraint pk_statement primary key (record_id),
  constraint fk_statement_record_id foreign key (record_id) references scoring.record (id) on delete cascade
);

create index ix_statement_citizen_id on scoring.statement (citizen_id);

create table auth.matter (
  id uuid not null,
  citizen_id uuid not null,
  kind text not null,
  about text not null,
  state text not null,
  opened_at timestamptz not null,
  answer_by timestamptz not null,
  sent_at timestamptz,
  answered_at timestamptz,
  outcome text,
  sealed_words bytea not null,
  sealed_answer bytea,
  constraint pk_matter primary key (id),
  constraint fk_matter_citizen_id foreign key (citizen_id) references auth.citizen (id) on delete cascade,
  constraint ck_matter_kind check (kind in ('review', 'correction')),
  constraint ck_matter_state check (state in ('opened', 'sent', 'answered')),
  constraint ck_matter_answered_whole check ((state = 'answered') = (answered_at is not null))
);

create index ix_matter_citizen_id on auth.matter (citizen_id);

create index ix_matter_waiting on auth.matter (answer_by) where state <> 'answered';

create table core.erasure (
  id uuid not null,
  at timestamptz not null,
  certificate text not null,
  constraint pk_erasure primary key (id)
);

grant select, insert, update, delete on scoring.statement to {role}_citizen;

grant select, delete on scoring.statement to {role}_jobs;

grant select, insert on auth.matter to {role}_citizen;

grant select, insert on core.erasure to {role}_citizen;

grant select, delete on core.erasure to {role}_jobs;

-- A citizen's own decisions, for the export and for asking that a person look at one.
grant select (id, partner_id, perk_id, citizen_id, granted, at, valid_until, consent_id, reason) on incentives.decision
  to {role}_citizen;

grant usage on schema keys to {role}_gate;

grant select on keys.person_key to {role}_gate;

grant select, update on auth.matter to {role}_gate;

grant {role}_gate to current_user;

grant create on schema auth to {role}_gate;

-- Who waits for an answer: numbers, kinds and days, and nothing that a person said.
create function auth.waiting_matters(p_token bytea, p_kind text, p_after uuid, p_limit integer)
returns table (id uuid, kind text, about text, state text, opened_at timestamptz, answer_by timestamptz)
language sql stable security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'staff:reviews' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null
  )
  select m.id, m.kind, m.about, m.state, m.opened_at, m.answer_by
  from caller join auth.matter m on m.state <> 'answered' and m.kind = p_kind
  where p_after is null or m.id > p_after
  order by m.id limit p_limit;
end;

-- One matter with what opens it. The entry that its citizen reads is written by the statement that answers.
create function auth.read_matter(p_token bytea, p_id uuid, p_purpose text, p_detail jsonb)
returns table (
  id uuid, citizen_id uuid, kind text, about text, state text, opened_at timestamptz, answer_by timestamptz,
  sent_at timestamptz, answered_at timestamptz, outcome text, sealed_words bytea, sealed_answer bytea,
  epoch integer, wrapped bytea
)
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'staff:reviews' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null
  ), found as materialized (
    select m.*, k.epoch, k.wrapped
    from caller join auth.matter m on m.id = p_id
    join keys.person_key k on k.owner = m.citizen_id and k.purpose = 'cases'
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'staff', caller.client_id, found.kind || '.read', p_purpose, 'shown',
      found.citizen_id, p_detail || jsonb_build_object('about', found.about)
    from caller join found on true
  )
  select f.id, f.citizen_id, f.kind, f.about, f.state, f.opened_at, f.answer_by, f.sent_at, f.answered_at, f.outcome,
    f.sealed_words, f.sealed_answer, f.epoch, f.wrapped
  from found f;
end;

-- Send a correction on, or answer a matter; an answered one stays as it is.
create function auth.turn_matter(
  p_token bytea, p_id uuid, p_purpose text, p_detail jsonb, p_state text, p_outcome text, p_sealed_answer bytea
)
returns table (id uuid)
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now()
      and 'staff:reviews' = any (string_to_array(t.scope, ' ')) and c.role = 'staff' and c.disabled_at is null
  ), turned as (
    update auth.matter m
    set state = p_state, outcome = p_outcome, sealed_answer = p_sealed_answer,
      sent_at = case when p_state = 'sent' then core.civil_now() else m.sent_at end,
      answered_at = case when p_state = 'answered' then core.civil_now() end
    from caller
    where m.id = p_id
      and (p_state = 'answered' and m.state <> 'answered' or p_state = 'sent' and m.state = 'opened' and m.kind = 'correction')
    returning m.id, m.citizen_id, m.kind
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), core.civil_now(), 'staff', caller.client_id,
      turned.kind || case when p_state = 'sent' then '.send' else '.answer' end, p_purpose,
      coalesce(p_outcome, 'done'), turned.citizen_id, p_detail
    from caller join turned on true
  )
  select turned.id from turned;
end;

alter function auth.waiting_matters(bytea, text, uuid, integer) owner to {role}_gate;

alter function auth.read_matter(bytea, uuid, text, jsonb) owner to {role}_gate;

alter function auth.turn_matter(bytea, uuid, text, jsonb, text, text, bytea) owner to {role}_gate;

revoke create on schema auth from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function
  auth.waiting_matters(bytea, text, uuid, integer),
  auth.read_matter(bytea, uuid, text, jsonb),
  auth.turn_matter(bytea, uuid, text, jsonb, text, text, bytea) from public;

grant execute on function
  auth.waiting_matters(bytea, text, uuid, integer),
  auth.read_matter(bytea, uuid, text, jsonb),
  auth.turn_matter(bytea, uuid, text, jsonb, text, text, bytea) to {role}_staff;
