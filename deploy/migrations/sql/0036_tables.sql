-- Rides with a discount: counted once, settled by day, shown to their citizens as sums of a day.

create table incentives.ride (
  key uuid not null,
  print bigint not null,
  day date not null,
  constraint pk_ride primary key (key)
);

create index ix_ride_day on incentives.ride using brin (day);

create table incentives.ride_code (
  hash bytea not null,
  partner_id text not null,
  ride text not null,
  at timestamptz not null,
  constraint pk_ride_code primary key (hash)
);

create index ix_ride_code_at on incentives.ride_code (at);

create table incentives.ride_total (
  partner_id text not null,
  settled_on date not null,
  perk_id text not null,
  day date not null,
  outcome text not null,
  rides bigint not null,
  fare bigint not null,
  discount bigint not null,
  constraint pk_ride_total primary key (partner_id, settled_on, perk_id, day, outcome)
) with (fillfactor = 50);

create table incentives.ride_double (
  partner_id text not null,
  ride text not null,
  settled_on date not null,
  perk_id text not null,
  day date not null,
  other text,
  constraint pk_ride_double primary key (partner_id, ride)
);

create index ix_ride_double_partner_id_settled_on on incentives.ride_double (partner_id, settled_on);

create table incentives.ride_day (
  citizen_id uuid not null,
  day date not null,
  partner_id text not null,
  perk_id text not null,
  rides integer not null,
  discount bigint not null,
  doubled integer not null,
  constraint pk_ride_day primary key (citizen_id, day, partner_id, perk_id)
) with (fillfactor = 70);

create index ix_ride_day_day on incentives.ride_day using brin (day);

grant select, insert, update, delete on incentives.ride, incentives.ride_code, incentives.ride_day to {role}_gate;

grant select, insert, update on incentives.ride_total, incentives.ride_double to {role}_gate;

grant select, delete on incentives.ride_day to {role}_citizen;

create policy gate on incentives.ride to {role}_gate using (true) with check (true);

create policy gate on incentives.ride_code to {role}_gate using (true) with check (true);

create policy gate on incentives.ride_total to {role}_gate using (true) with check (true);

create policy gate on incentives.ride_double to {role}_gate using (true) with check (true);

create policy gate on incentives.ride_day to {role}_gate using (true) with check (true);

create policy citizen on incentives.ride_day to {role}_citizen using (citizen_id = (select auth.citizen_now()));

alter table incentives.ride enable row level security, force row level security;

alter table incentives.ride_code enable row level security, force row level security;

alter table incentives.ride_total enable row level security, force row level security;

alter table incentives.ride_double enable row level security, force row level security;

alter table incentives.ride_day enable row level security, force row level security;

-- When an edition of a list was made: how long a gate could rightly have the one before it.
alter table incentives.entitlement_change add column made_at timestamptz not null default now();

grant select (bound_at) on auth.card to {role}_gate;

-- A ride that is looked at: its place in the upload, the day and what rules it, whose it is, and what comes off.
create type incentives.ride_line as (
  place integer, perk text, release uuid, zone text, day date, at timestamptz, citizen uuid, index integer, code bytea,
  fare bigint, waived bigint, shown text
);
