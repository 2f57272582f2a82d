-- Consents with all that ISO/IEC TS 27560 asks for. Rows are written once: nobody may update or delete an event.

-- What was agreed to, as it was shown: null for the one use of a drawn code.
alter table auth.consent add column processing jsonb;

-- Every change of state. `consent_id` is null where there is none: a refusal. `about`: a source that was dropped, the
-- days before the end of a reminder. `receipt`: the record as of this event, signed, where the state changed.
create table auth.consent_event (
  id uuid not null,
  consent_id uuid,
  citizen_id uuid not null,
  purpose text not null,
  state text not null,
  about text not null default '',
  at timestamptz not null,
  actor text not null,
  channel text not null,
  acr smallint,
  auth_time timestamptz,
  evidence jsonb not null default '{}',
  receipt text,
  constraint pk_consent_event primary key (id),
  constraint fk_consent_event_consent_id foreign key (consent_id) references auth.consent (id),
  constraint ck_consent_event_state check (state in ('given', 'renewed', 'source_dropped', 'withdrawn', 'expired',
    'outdated', 'superseded', 'erased', 'reminded', 'refused', 'told')),
  constraint ck_consent_event_refused_alone check ((consent_id is null) = (state = 'refused'))
);

create index ix_consent_event_consent_id on auth.consent_event (consent_id);

create index ix_consent_event_citizen_id_purpose on auth.consent_event (citizen_id, purpose);

-- Reminded of the same day once, told once, erased once.
create unique index uq_consent_event_once on auth.consent_event (consent_id, state, about)
  where state in ('reminded', 'told', 'erased', 'source_dropped');

insert into auth.consent_event (id, consent_id, citizen_id, purpose, state, at, actor, channel)
select uuidv7(), e.consent_id, c.citizen_id, c.purpose, 'erased', e.erased_at, 'system', 'system'
from auth.consent_end e join auth.consent c on c.id = e.consent_id
where e.erased_at is not null;

alter table auth.consent_end drop column erased_at;

create index ix_consent_end_at on auth.consent_end (at);

grant select, insert on auth.consent_event to {role}_citizen, {role}_jobs;

grant select on auth.consent_event to {role}_auth;

grant select, insert on auth.consent_event to {role}_gate;

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- The standing consents with the caller that ended on a civil day that is over: the only way in which a partner is told.
-- In the order of the random subjects, so that it says neither when nor in which turn. Whoever is told of leaves an
-- event and an entry that the citizen reads, once. No row at all: the token is dead. A first row without a subject says
-- which day it is, so that an empty day differs from a dead token.
create function incentives.ended_shares(p_token bytea, p_day date, p_after uuid, p_most integer)
returns table (today date, subject uuid, perk text)
language sql volatile security definer
begin atomic
  with caller as materialized (
    select c.client_id, core.civil_now() as civil, (core.civil_now() at time zone 'Asia/Shanghai')::date as today
    from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = p_token and t.revoked_at is null and t.expires_at > now() and t.grant_id is null
      and 'eligibility:check' = any (string_to_array(t.scope, ' ')) and c.role = 'partner' and c.disabled_at is null
  ), ended as materialized (
    select s.id, s.citizen_id, s.subject, s.purpose
    from caller
    join auth.consent_end e on e.at >= p_day::timestamp at time zone 'Asia/Shanghai'
      and e.at < (p_day + 1)::timestamp at time zone 'Asia/Shanghai'
    join auth.consent s on s.id = e.consent_id and starts_with(s.purpose, 'share:' || caller.client_id || '/')
    where p_day < caller.today and not s.one_use and s.subject is not null
      and (p_after is null or s.subject > p_after)
    order by s.subject limit p_most
  ), told as (
    insert into auth.consent_event (id, consent_id, citizen_id, purpose, state, at, actor, channel)
    select uuidv7(), ended.id, ended.citizen_id, ended.purpose, 'told', caller.civil, 'system', 'partner'
    from caller cross join ended
    on conflict do nothing
    returning citizen_id, purpose
  ), entered as (
    insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail)
    select uuidv7(), caller.civil, 'partner', caller.client_id, 'statement.told', told.purpose, 'done', told.citizen_id,
      jsonb_build_object('day', p_day)
    from caller cross join told
  )
  select caller.today, null::uuid, null::text from caller
  union all
  select caller.today, ended.subject, split_part(ended.purpose, '/', 2) from caller cross join ended;
end;

alter function incentives.ended_shares(bytea, date, uuid, integer) owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.ended_shares(bytea, date, uuid, integer) from public;

grant execute on function incentives.ended_shares(bytea, date, uuid, integer) to {role}_partner;
