-- How far the daily pass has come, for the jobs alone.
create table scoring.nightly (
  day date not null,
  scorecard text not null,
  catalogue text not null,
  after uuid not null,
  people bigint not null,
  changed bigint not null,
  began_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint pk_nightly primary key (day)
);

grant select, insert, update, delete on scoring.nightly to {role}_jobs;

create policy jobs on scoring.nightly to {role}_jobs using (true) with check (true);

alter table scoring.nightly enable row level security, force row level security;
