-- Orders that a pay channel guarantees: which, what is known of them there, and every call with its own number.

-- Which perk of which partner is guaranteed by which channel: what the operator's file of accounts says, without keys.
create table incentives.guarantor (
  partner_id text not null,
  perk_id text not null,
  channel text not null,
  constraint pk_guarantor primary key (partner_id, perk_id),
  constraint ck_guarantor_channel check (channel in ('wechat', 'alipay'))
);

-- `number`: what the channel knows the order by. `held`, `fund`, `charged`, `paid`: as the last query found, in fen;
-- `recorded`: what of `paid` stands on the order. `theirs`: the channel's number of the freeze and of the charge.
-- `wakes` counts what happened on our side; `busy_until`: somebody looks now. Without `next_at` nothing is waited for.
create table incentives.channel_order (
  order_id uuid not null,
  partner_id text not null,
  perk_id text not null,
  channel text not null,
  number text not null,
  amount bigint not null,
  stage text not null default 'none',
  held bigint not null default 0,
  fund bigint not null default 0,
  charged bigint not null default 0,
  paid bigint not null default 0,
  elsewhere boolean not null default false,
  recorded bigint not null default 0,
  turn smallint not null default 0,
  theirs text not null default '',
  trade text not null default '',
  launch text,
  wakes integer not null default 0,
  tries smallint not null default 0,
  idle smallint not null default 0,
  looks integer not null default 0,
  busy_until timestamptz,
  next_at timestamptz,
  parked text,
  constraint pk_channel_order primary key (order_id),
  constraint uq_channel_order_number unique (number),
  constraint fk_channel_order_order_id_perk_order foreign key (order_id) references incentives.perk_order (id),
  constraint ck_channel_order_stage
    check (stage in ('none', 'to_confirm', 'held', 'charging', 'paid', 'released')),
  constraint ck_channel_order_money check (charged <= amount and paid <= charged and recorded <= paid)
);

create index ix_channel_order_next_at on incentives.channel_order (next_at) where next_at is not null;

-- One call: stored before it is sent, `known` when an answer or a query said what came of it.
create table incentives.channel_call (
  order_id uuid not null,
  request text not null,
  verb text not null,
  amount bigint not null,
  state text not null,
  times smallint not null,
  asked_at timestamptz not null,
  known_at timestamptz,
  outcome text,
  said text,
  digest bytea,
  constraint pk_channel_call primary key (order_id, request),
  constraint fk_channel_call_order_id_channel_order
    foreign key (order_id) references incentives.channel_order (order_id),
  constraint ck_channel_call_state check (state in ('asked', 'known', 'unknown'))
);

grant select on incentives.guarantor to {role}_gate;

grant select, insert, update (next_at, wakes, recorded) on incentives.channel_order to {role}_gate;

grant select, insert, update, delete on incentives.guarantor to {role}_jobs;

grant select, update (stage, held, fund, charged, paid, elsewhere, turn, theirs, trade, launch, tries, idle, looks,
  busy_until, next_at, parked) on incentives.channel_order to {role}_jobs;

grant select, insert, update (amount, state, times, known_at, outcome, said, digest), delete on incentives.channel_call to
  {role}_jobs;

create policy gate on incentives.guarantor for select to {role}_gate using (true);

create policy gate on incentives.channel_order to {role}_gate using (true) with check (true);

create policy jobs on incentives.guarantor to {role}_jobs using (true) with check (true);

create policy jobs on incentives.channel_order to {role}_jobs using (true) with check (true);

create policy jobs on incentives.channel_call to {role}_jobs using (true) with check (true);

alter table incentives.guarantor enable row level security, force row level security;

alter table incentives.channel_order enable row level security, force row level security;

alter table incentives.channel_call enable row level security, force row level security;

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- Every step of an order wakes its channel; an order that is wholly waived and has a guarantor gets one when it opens.
create function incentives.mirror_step() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if new.event = 'open' then
    insert into incentives.channel_order (order_id, partner_id, perk_id, channel, number, amount, next_at)
    select o.id, o.partner_id, o.perk_id, g.channel, o.object, o.waived, now()
    from incentives.perk_order o join incentives.guarantor g on g.partner_id = o.partner_id and g.perk_id = o.perk_id
    where o.id = new.order_id and o.waived > 0 and o.waived = o.risk and o.payable = 0;
  else
    update incentives.channel_order set wakes = wakes + 1, next_at = now() where order_id = new.order_id;
  end if;
  if found then
    insert into jobs.pgqueuer (priority, entrypoint, payload, dedupe_key, status)
    values (0, 'channel', convert_to(new.order_id::text, 'UTF8'), 'channel/' || new.order_id || '/s' || new.seq, 'queued');
  end if;
  return null;
end $$;

-- How an order stands, for its channel: nothing about its holder. `rest`: what of its charge is left.
create function incentives.order_at_channel(p_order uuid)
returns table (
  out_order_no text, status text, rest bigint, paid bigint, start_by timestamptz, planned_end timestamptz,
  returned_at timestamptz
)
language sql stable security definer
begin atomic
  select o.out_order_no, o.status, coalesce(o.charge, 0) - o.reversed - o.forgiven, o.paid, o.start_by, o.planned_end,
    o.returned_at
  from incentives.perk_order o join incentives.channel_order c on c.order_id = o.id
  where o.id = p_order;
end;

-- Note on the order what its channel took, once. False: it is not asked for now (a dispute), or not any more.
create function incentives.pay_by_channel(p_order uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  o incentives.perk_order;
  c incentives.channel_order;
begin
  select * into o from incentives.perk_order x where x.id = p_order for update;
  select * into c from incentives.channel_order x where x.order_id = p_order for update;
  if c.order_id is null or c.recorded > 0 or c.paid = 0 then
    return false;
  end if;
  o := incentives.catch_up(o);
  if o.status not in ('settling', 'overdue', 'defaulted') or incentives.order_due(o) > c.paid then
    return false;
  end if;
  o.paid := o.paid + c.paid;
  update incentives.channel_order set recorded = c.paid where order_id = p_order;
  o := incentives.step_order(o, 'sync', 'partner', core.civil_now(), c.paid, null, null);
  return true;
end $$;

-- A callback said that something happened to an order of these partners': look now.
create function incentives.hint_channel(p_channel text, p_number text, p_partners text[]) returns boolean
language sql volatile security definer
begin atomic
  with woken as (
    update incentives.channel_order set wakes = wakes + 1, next_at = now()
    where number = p_number and channel = p_channel and partner_id = any (p_partners) returning order_id, wakes
  ), put as (
    insert into jobs.pgqueuer (priority, entrypoint, payload, dedupe_key, status)
    select 0, 'channel', convert_to(order_id::text, 'UTF8'), 'channel/' || order_id || '/w' || wakes, 'queued' from woken
  )
  select exists (select from woken);
end;

-- How an order of the caller's is guaranteed. No row: the token is dead; without a channel: by nobody, or no such order.
create function incentives.guarantee_of_caller(p_token bytea, p_order uuid)
returns table (
  partner_id text, status text, channel text, amount bigint, stage text, charged bigint, paid bigint, recorded bigint,
  launch text, parked boolean
)
language sql stable security definer
begin atomic
  with caller as materialized (select incentives.partner_of(p_token, 'orders:write') as who)
  select caller.who, o.status, c.channel, c.amount, c.stage, c.charged, c.paid, c.recorded, c.launch,
    c.parked is not null
  from caller
  left join incentives.perk_order o on o.id = p_order and o.partner_id = caller.who
  left join incentives.channel_order c on c.order_id = o.id
  where caller.who is not null;
end;

alter function incentives.mirror_step owner to {role}_gate;

alter function incentives.order_at_channel owner to {role}_gate;

alter function incentives.pay_by_channel owner to {role}_gate;

alter function incentives.hint_channel owner to {role}_gate;

alter function incentives.guarantee_of_caller owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke all on function incentives.mirror_step, incentives.order_at_channel, incentives.pay_by_channel,
  incentives.hint_channel, incentives.guarantee_of_caller from public;

create trigger mirrored after insert on incentives.order_step for each row execute function incentives.mirror_step();

grant execute on function incentives.order_at_channel, incentives.pay_by_channel, incentives.hint_channel to {role}_jobs;

grant execute on function incentives.guarantee_of_caller to {role}_partner;

revoke {role}_gate from current_user;
