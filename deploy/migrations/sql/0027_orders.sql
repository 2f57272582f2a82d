-- Orders, step by step. Only gate functions write here; incentives/orders/courses.py says what the course is.

create table incentives.order_state (
  name text not null,
  final boolean not null,
  keeps text not null,
  after_hours integer,
  event text,
  at_leaving text,
  constraint pk_order_state primary key (name),
  constraint ck_order_state_keeps check (keeps in ('all', 'budgets', 'nothing'))
);

create table incentives.order_move (
  state text not null,
  event text not null,
  by text[] not null,
  "into" text not null,
  constraint pk_order_move primary key (state, event)
);

insert into incentives.order_state (name, final, keeps, after_hours, event, at_leaving) values
  ('open', false, 'all', 0, 'expire', 'expire'),
  ('active', false, 'all', 720, 'presume', 'presume'),
  ('clock_stopped', false, 'all', 24, 'presume', 'presume'),
  ('returned', false, 'all', 72, 'forgive', 'forgive'),
  ('settling', false, 'all', 336, 'lapse', 'write_off'),
  ('overdue', false, 'all', 4320, 'write_off', 'write_off'),
  ('disputed', false, 'all', 720, 'uphold', 'uphold'),
  ('defaulted', false, 'all', 8760, 'close', 'close'),
  ('settled', false, 'budgets', 4320, 'close', 'close'),
  ('closed', true, 'budgets', null, null, null),
  ('cancelled', true, 'nothing', null, null, null),
  ('expired', true, 'nothing', null, null, null),
  ('standard_route', true, 'nothing', null, null, null);

insert into incentives.order_move (state, event, by, "into") values
  ('open', 'start', '{partner}', 'active'),
  ('active', 'extend', '{partner}', 'active'),
  ('active', 'return', '{partner}', 'returned'),
  ('clock_stopped', 'return', '{partner}', 'returned'),
  ('returned', 'settle', '{partner}', 'settling'),
  ('settling', 'reverse', '{partner}', 'settling'),
  ('overdue', 'reverse', '{partner}', 'overdue'),
  ('disputed', 'reverse', '{partner}', 'disputed'),
  ('defaulted', 'reverse', '{partner}', 'defaulted'),
  ('settled', 'reverse', '{partner}', 'settled'),
  ('open', 'cancel', '{partner}', 'cancelled'),
  ('active', 'cancel', '{partner}', 'cancelled'),
  ('clock_stopped', 'cancel', '{partner}', 'cancelled'),
  ('settling', 'sync', '{partner}', 'settled'),
  ('overdue', 'sync', '{partner}', 'settled'),
  ('defaulted', 'sync', '{partner}', 'settled'),
  ('active', 'report-fault', '{citizen}', 'clock_stopped'),
  ('settling', 'dispute', '{citizen}', 'disputed'),
  ('overdue', 'dispute', '{citizen}', 'disputed'),
  ('settled', 'dispute', '{citizen}', 'disputed'),
  ('defaulted', 'dispute', '{citizen}', 'disputed'),
  ('disputed', 'uphold', '{staff,clock}', 'settling'),
  ('disputed', 'reject', '{staff}', 'settling'),
  ('overdue', 'default', '{staff}', 'defaulted'),
  ('settling', 'write_off', '{staff,clock}', 'settled'),
  ('overdue', 'write_off', '{staff,clock}', 'settled'),
  ('open', 'fall_back', '{rule}', 'standard_route'),
  ('active', 'fall_back', '{rule}', 'standard_route'),
  ('settling', 'clear', '{rule}', 'settled'),
  ('overdue', 'clear', '{rule}', 'settled'),
  ('disputed', 'clear', '{rule}', 'settled'),
  ('defaulted', 'clear', '{rule}', 'settled'),
  ('open', 'expire', '{clock}', 'expired'),
  ('active', 'presume', '{clock}', 'returned'),
  ('clock_stopped', 'presume', '{clock}', 'returned'),
  ('returned', 'forgive', '{clock}', 'settled'),
  ('settling', 'lapse', '{clock}', 'overdue'),
  ('overdue', 'remind', '{clock}', 'overdue'),
  ('settled', 'close', '{clock}', 'closed'),
  ('defaulted', 'close', '{clock}', 'closed');

-- `object`: its id as partners read it. Amounts in fen. `start_by` ends the hold; `clock_at`, `clock_event`: what
-- happens next by itself; `close_by`: its citizen wants to leave. `inverses`: how to take back what it still holds.
create table incentives.perk_order (
  id uuid not null,
  object text not null,
  partner_id text not null,
  out_order_no text not null,
  perk_id text not null,
  release_id uuid,
  citizen_id uuid,
  share_id uuid,
  decision_id uuid not null,
  status text not null,
  seq integer not null,
  reason text,
  waived bigint not null,
  payable bigint not null,
  risk bigint not null,
  items jsonb,
  terminal text,
  inverses jsonb not null,
  opened_at timestamptz not null,
  since timestamptz not null,
  start_by timestamptz not null,
  planned_end timestamptz,
  longest_days integer not null,
  started_at timestamptz,
  returned_at timestamptz,
  evidence jsonb,
  charge bigint,
  lines jsonb,
  reversed bigint not null,
  forgiven bigint not null,
  paid bigint not null,
  disputed_for text,
  answer text,
  reminders smallint not null,
  close_by timestamptz,
  clock_at timestamptz,
  clock_event text,
  constraint pk_perk_order primary key (id),
  constraint uq_perk_order_partner_id_out_order_no unique (partner_id, out_order_no),
  constraint uq_perk_order_decision_id unique (decision_id),
  constraint ck_perk_order_amounts check (waived >= 0 and payable >= 0 and risk >= 0 and charge between 0 and risk),
  constraint ck_perk_order_taken_back check (reversed >= 0 and forgiven >= 0 and paid >= 0
    and reversed + forgiven <= coalesce(charge, 0))
) with (fillfactor = 70);

create index ix_perk_order_partner_id_opened_at_id on incentives.perk_order (partner_id, opened_at, id);

create index ix_perk_order_citizen_id_perk_id on incentives.perk_order (citizen_id, perk_id)
  where citizen_id is not null;

create index ix_perk_order_clock_at on incentives.perk_order (clock_at) where clock_at is not null;

create table incentives.order_step (
  order_id uuid not null,
  seq integer not null,
  partner_id text not null,
  event text not null,
  by text not null,
  status text not null,
  at timestamptz not null,
  amount bigint,
  key text,
  input jsonb,
  shown jsonb,
  constraint pk_order_step primary key (order_id, seq),
  constraint uq_order_step_partner_id_key unique (partner_id, key)
);

create table incentives.exposure (
  citizen_id uuid not null,
  perk_id text not null,
  orders integer not null,
  waived bigint not null,
  constraint pk_exposure primary key (citizen_id, perk_id),
  constraint ck_exposure_held check (orders between 0 and 3 and waived >= 0)
) with (fillfactor = 50);

create table incentives.budget_use (
  perk_id text not null,
  per text not null,
  holder text not null,
  period text not null,
  orders bigint not null,
  waived bigint not null,
  constraint pk_budget_use primary key (perk_id, per, holder, period),
  constraint ck_budget_use_used check (orders >= 0 and waived >= 0)
) with (fillfactor = 20);

-- Whether a check was by a code: such an order was agreed to by showing it.
create index ix_credit_code_use_decision_id on incentives.credit_code_use (decision_id);

grant select on incentives.order_state, incentives.order_move to {role}_gate;

grant select, insert, update on incentives.perk_order, incentives.order_step to {role}_gate;

grant select, insert, update, delete on incentives.exposure, incentives.budget_use to {role}_gate;

alter table incentives.order_state enable row level security, force row level security;

alter table incentives.order_move enable row level security, force row level security;

alter table incentives.perk_order enable row level security, force row level security;

alter table incentives.order_step enable row level security, force row level security;

alter table incentives.exposure enable row level security, force row level security;

alter table incentives.budget_use enable row level security, force row level security;

create policy gate on incentives.order_state for select to {role}_gate using (true);

create policy gate on incentives.order_move for select to {role}_gate using (true);

create policy gate on incentives.perk_order to {role}_gate using (true) with check (true);

create policy gate on incentives.order_step to {role}_gate using (true) with check (true);

create policy gate on incentives.exposure to {role}_gate using (true) with check (true);

create policy gate on incentives.budget_use to {role}_gate using (true) with check (true);
