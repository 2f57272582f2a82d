grant {role}_gate to current_user;

drop function incentives.checks_of_caller;

revoke {role}_gate from current_user;

drop index incentives.ix_decision_at;

alter table auth.token no force row level security;

alter table auth.seat no force row level security;

delete from auth.token t using auth.seat s where t.jti_hash = s.token;

alter table auth.token force row level security;

drop table auth.seat;

drop table auth.clerk;
