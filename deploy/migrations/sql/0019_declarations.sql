-- What citizens declare and commit to; a bureau reads and answers by the scorer's door, as everywhere.

create table scoring.declaration (
  id uuid not null,
  citizen_id uuid not null,
  source text not null,
  kind text not null,
  rules text not null,
  state text not null,
  opened_at timestamptz not null,
  changed_at timestamptz not null,
  seen_at timestamptz,
  answer_by date not null,
  lapse_on date not null,
  provisional boolean not null,
  again_of uuid,
  ref text,
  sealed_words bytea not null,
  sealed_reasons bytea,
  constraint pk_declaration primary key (id),
  constraint fk_declaration_citizen_id foreign key (citizen_id) references scoring.link (citizen_id) on delete cascade,
  constraint ck_declaration_state check (state in ('declared', 'verified', 'refused', 'withdrawn'))
);

create index ix_declaration_citizen_id on scoring.declaration (citizen_id);

create index ix_declaration_source on scoring.declaration (source);

create table scoring.commitment (
  id uuid not null,
  citizen_id uuid not null,
  source text not null,
  item text not null,
  item_version integer not null,
  rules text not null,
  made_at timestamptz not null,
  due_on date not null,
  withdrawn_at timestamptz,
  seen_at timestamptz,
  sealed bytea not null,
  constraint pk_commitment primary key (id),
  constraint fk_commitment_citizen_id foreign key (citizen_id) references scoring.link (citizen_id) on delete cascade
);

create index ix_commitment_citizen_id on scoring.commitment (citizen_id);

create index ix_commitment_source on scoring.commitment (source);

grant select, insert, update (state, changed_at) on scoring.declaration to {role}_citizen;

grant select, insert, update (withdrawn_at) on scoring.commitment to {role}_citizen;

grant select, update (state, changed_at, seen_at, ref, sealed_reasons) on scoring.declaration to {role}_scorer;

grant select, update (seen_at) on scoring.commitment to {role}_scorer;

alter table scoring.declaration enable row level security, force row level security;

alter table scoring.commitment enable row level security, force row level security;

create policy citizen on scoring.declaration to {role}_citizen
  using (citizen_id = (select auth.consenting_now())) with check (citizen_id = (select auth.consenting_now()));

create policy citizen on scoring.commitment to {role}_citizen
  using (citizen_id = (select auth.consenting_now())) with check (citizen_id = (select auth.consenting_now()));

create policy scorer on scoring.declaration to {role}_scorer
  using (exists (select from scoring.link l where l.citizen_id = declaration.citizen_id offset 0));

create policy scorer on scoring.commitment to {role}_scorer
  using (exists (select from scoring.link l where l.citizen_id = commitment.citizen_id offset 0));
