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
