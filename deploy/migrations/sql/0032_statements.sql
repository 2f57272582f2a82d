-- The day's order lines for the partner's statement, and the quarter's measures by perk.

create index ix_order_step_partner_id_at on incentives.order_step (partner_id, at);

grant {role}_gate to current_user;

grant create on schema incentives to {role}_gate;

-- What the caller's orders moved on a civil day: first the sums, one row a kind, then the lines after one, by the
-- partner's own number and the step's. A row without a kind says that the caller lives.
create function incentives.order_lines(p_token bytea, p_day date, p_no text, p_seq integer, p_most integer)
returns table (
  kind text, out_order_no text, object text, perk text, seq integer, at timestamptz, amount bigint, times bigint
)
language sql stable security definer
begin atomic
  with caller as materialized (
    select client_id from incentives.ordering_client(p_token) client_id where client_id is not null
  ), moved as materialized (
    select k.kind, o.out_order_no, o.object, o.perk_id, s.seq, s.at, s.amount
    from caller join incentives.order_step s on s.partner_id = caller.client_id
      and s.at >= p_day::timestamp at time zone 'Asia/Shanghai' and s.at < (p_day + 1)::timestamp at time zone 'Asia/Shanghai'
    join (values ('open', 'opened'), ('settle', 'settled'), ('reverse', 'reversed'), ('uphold', 'forgiven'),
      ('write_off', 'forgiven'), ('forgive', 'forgiven'), ('sync', 'paid')) k (event, kind) on k.event = s.event
    join incentives.perk_order o on o.id = s.order_id
    where s.amount is not null and p_day < (core.civil_now() at time zone 'Asia/Shanghai')::date
  )
  select null::text, null::text, null::text, null::text, null::integer, null::timestamptz, null::bigint, null::bigint
  from caller
  union all
  (select m.kind, null, null, null, null, null, sum(m.amount)::bigint, count(*) from moved m group by m.kind order by m.kind)
  union all
  (select m.kind, m.out_order_no, m.object, m.perk_id, m.seq, m.at, m.amount, 1 from moved m
  where p_no is null or (m.out_order_no, m.seq) > (p_no, p_seq)
  order by m.out_order_no, m.seq limit p_most);
end;

-- A quarter's measures by perk, in counts: how many orders were opened, settled and so on, about how many holders and
-- fen. `holders` are counted by pairs of partner and order where a holder was unlinked since.
create function incentives.measures(p_begin timestamptz, p_end timestamptz)
returns table (perk text, kind text, times bigint, holders bigint, amount bigint)
language sql stable security definer
begin atomic
  select o.perk_id, s.event, count(*), count(distinct coalesce(o.citizen_id, o.id)), coalesce(sum(s.amount), 0)::bigint
  from incentives.order_step s join incentives.perk_order o on o.id = s.order_id
  where s.at >= p_begin and s.at < p_end
    and s.event in ('open', 'settle', 'reverse', 'uphold', 'write_off', 'forgive', 'cancel', 'expire', 'default')
  group by o.perk_id, s.event;
end;

alter function incentives.order_lines(bytea, date, text, integer, integer) owner to {role}_gate;

alter function incentives.measures(timestamptz, timestamptz) owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.order_lines, incentives.measures from public;

grant execute on function incentives.order_lines to {role}_partner;

grant execute on function incentives.measures to {role}_jobs;

-- A quarter's report of incentive measures, as it was made.
create table incentives.measure_report (
  quarter text not null,
  made_at timestamptz not null,
  body bytea not null,
  constraint pk_measure_report primary key (quarter)
);

grant select on incentives.measure_report to {role}_citizen, {role}_staff;

grant select, insert on incentives.measure_report to {role}_jobs;

create policy everyone on incentives.measure_report for select using (true);

create policy jobs on incentives.measure_report for insert to {role}_jobs with check (true);

alter table incentives.measure_report enable row level security, force row level security;
