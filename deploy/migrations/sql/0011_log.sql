-- The sealed log: entries get a salt and their transaction's number; leaves, complete subtrees and heads beside them.

alter table core.audit_entry
  add column salt bytea not null default uuid_send(gen_random_uuid()),
  add column xid bigint not null default pg_current_xact_id()::text::bigint;

create index ix_audit_entry_xid on core.audit_entry (xid);

-- Nobody chooses an entry's salt or its place in time: doors may name the other columns only.
revoke insert on core.audit_entry
  from {role}_auth, {role}_citizen, {role}_scorer, {role}_staff, {role}_jobs, {role}_gate;

grant insert (id, at, actor_kind, actor, action, purpose, outcome, owner, detail) on core.audit_entry
  to {role}_auth, {role}_citizen, {role}_scorer, {role}_staff, {role}_jobs, {role}_gate;

create function core.keep_entry() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and old.at < core.civil_now() - interval '10 years' then
    return old;
  end if;
  raise exception 'entries of the log are kept as they are for ten years' using errcode = '42501';
end $$;

revoke all on function core.keep_entry() from public;

create trigger keep_entry before update or delete on core.audit_entry
  for each row execute function core.keep_entry();

create table core.audit_leaf (
  seq bigint not null,
  entry_id uuid not null,
  hash bytea not null,
  constraint pk_audit_leaf primary key (seq),
  constraint uq_audit_leaf_entry_id unique (entry_id)
);

-- Roots of complete subtrees of 2^level leaves, level 8, 16, 24 ...: a proof reads some hundred rows, however long the log.
create table core.audit_node (
  level smallint not null,
  index bigint not null,
  hash bytea not null,
  constraint pk_audit_node primary key (level, index)
);

-- Every entry of a transaction below below_xid was sealed when the head was signed.
create table core.audit_head (
  size bigint not null,
  root bytea not null,
  note text not null,
  at timestamptz not null,
  below_xid bigint not null,
  constraint pk_audit_head primary key (size)
);

grant select, insert on core.audit_leaf, core.audit_node, core.audit_head to {role}_jobs;

grant select, delete on core.audit_entry to {role}_jobs;

grant select on core.audit_leaf, core.audit_node, core.audit_head to {role}_citizen, {role}_staff;
