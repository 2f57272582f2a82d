-- Which days are worked. Everybody counts by them; staff load a year's notice, the jobs what a library has published.

create table core.workday (
  day date not null,
  is_workday boolean not null,
  source text not null,
  version smallint not null,
  constraint pk_workday primary key (day)
);

grant select on core.workday to {role}_citizen, {role}_scorer, {role}_staff, {role}_jobs;

grant insert, update (is_workday, source, version) on core.workday to {role}_staff;

grant insert on core.workday to {role}_jobs;

create policy everyone on core.workday for select using (true);

create policy staff_inserts on core.workday for insert to {role}_staff with check (true);

create policy staff_updates on core.workday for update to {role}_staff using (true) with check (true);

create policy jobs on core.workday for insert to {role}_jobs with check (true);
