-- Sources: where a record stood in its file, what each batch was, the numbers of each day, histories asked for.

alter table scoring.batch
  add column via text not null default 'push', add column form text not null default 'ndjson',
  add column name text not null default '';

alter table scoring.record add column line integer, add column dated_on date;

alter table scoring.staging add column dated_on date;

-- Where a source answers what it is asked: `history`, `verify:<kind>`; two persons register an address.
alter table auth.client add column addresses jsonb not null default '{}';

alter table auth.client_change drop constraint ck_client_change_kind;

alter table auth.client_change
  add constraint ck_client_change_kind check (kind in ('register', 'keys', 'enable', 'address'));

grant select (addresses), update (addresses) on auth.client to {role}_staff;

create table scoring.batch_rejection (
  batch_id uuid not null,
  kind text not null,
  code text not null,
  lines integer not null,
  first_line integer not null,
  constraint pk_batch_rejection primary key (batch_id, kind, code),
  constraint fk_batch_rejection_batch_id_batch foreign key (batch_id) references scoring.batch (id) on delete cascade
);

grant select, insert on scoring.batch_rejection to {role}_scorer;

create policy scorer on scoring.batch_rejection to {role}_scorer using (true) with check (true);

alter table scoring.batch_rejection enable row level security, force row level security;

create table scoring.feed_count (
  source text not null,
  day date not null,
  kind text not null,
  measure text not null,
  value text not null,
  lines bigint not null,
  constraint pk_feed_count primary key (source, day, kind, measure, value)
);

grant select, insert, update (lines) on scoring.feed_count to {role}_scorer;

grant select (day), delete on scoring.feed_count to {role}_jobs;

create policy scorer on scoring.feed_count to {role}_scorer using (true) with check (true);

create policy jobs on scoring.feed_count to {role}_jobs using (true);

alter table scoring.feed_count enable row level security, force row level security;

create index ix_source_subject_source_changed_at on auth.source_subject (source, changed_at);

grant select on scoring.batch, scoring.batch_rejection, scoring.feed_count to {role}_staff;

create policy staff on scoring.batch for select to {role}_staff using (true);

create policy staff on scoring.batch_rejection for select to {role}_staff using (true);

create policy staff on scoring.feed_count for select to {role}_staff using (true);

create table scoring.history_pull (
  citizen_id uuid not null,
  source text not null,
  state text not null,
  attempts smallint not null,
  next_at timestamptz not null,
  changed_at timestamptz not null,
  batch_id uuid,
  constraint pk_history_pull primary key (citizen_id, source),
  constraint fk_history_pull_citizen_id_link foreign key (citizen_id) references scoring.link (citizen_id) on delete cascade,
  constraint ck_history_pull_state check (state in ('waiting', 'received', 'nothing', 'failed'))
);

grant select, insert, update (state, attempts, next_at, changed_at, batch_id), delete on scoring.history_pull to {role}_scorer;

grant select, delete on scoring.history_pull to {role}_citizen;

create policy scorer on scoring.history_pull to {role}_scorer
  using (exists (select from scoring.link l where l.citizen_id = history_pull.citizen_id offset 0))
  with check (exists (select from scoring.link l where l.citizen_id = history_pull.citizen_id offset 0));

create policy citizen on scoring.history_pull to {role}_citizen
  using (citizen_id = (select auth.consenting_now()));

alter table scoring.history_pull enable row level security, force row level security;
