-- What each door may do. {role} is the prefix of the roles; a door owns nothing and is a member of nothing.

revoke all on schema public from public;

grant usage on schema keys to {role}_auth, {role}_citizen, {role}_scorer, {role}_jobs;

grant usage on schema core to {role}_auth, {role}_citizen, {role}_source, {role}_scorer, {role}_staff, {role}_jobs, {role}_partner;

grant usage on schema auth to {role}_auth, {role}_citizen, {role}_scorer, {role}_jobs, {role}_gate;

grant usage on schema scoring to {role}_citizen, {role}_source, {role}_scorer, {role}_jobs, {role}_gate;

grant usage on schema incentives to {role}_citizen, {role}_partner, {role}_staff, {role}_jobs, {role}_gate;

grant usage on schema core to {role}_gate;

create function core.civil_now() returns timestamptz language sql stable begin atomic
  select now() + coalesce((select moved from core.civil_offset), interval '0');
end;

revoke all on function core.civil_now() from public;

grant execute on function core.civil_now() to {role}_auth, {role}_citizen, {role}_source, {role}_scorer, {role}_staff, {role}_jobs, {role}_gate;

grant select on core.civil_offset to {role}_auth, {role}_citizen, {role}_source, {role}_scorer, {role}_staff, {role}_jobs, {role}_gate;

create view auth.live_consent with (security_invoker = true) as
  select c.id, c.citizen_id, c.purpose, c.one_use, c.sources, c.subject, c.given_at, c.expires_at
  from auth.consent c
  left join auth.consent_end e on e.consent_id = c.id
  where e.consent_id is null and c.expires_at > core.civil_now();

grant select on auth.consent, auth.consent_end, auth.consent_source_end, auth.live_consent to {role}_citizen, {role}_scorer, {role}_jobs, {role}_gate;

grant select on auth.client to {role}_auth, {role}_citizen, {role}_scorer, {role}_jobs, {role}_gate;

grant select, insert, update on auth.token to {role}_auth;

grant select on auth.token to {role}_gate;

grant delete on auth.token, auth.code, auth.code_use, auth.session to {role}_jobs;

grant select on auth.token, auth.code, auth.code_use, auth.session to {role}_jobs;

grant select, insert on auth.code, auth.code_use to {role}_auth;

grant select, insert, update on auth.citizen to {role}_auth;

grant select on auth.citizen to {role}_citizen, {role}_jobs;

grant select, insert, update on auth.session to {role}_auth;

grant select, insert on keys.person_key to {role}_auth;

grant select, insert, delete on keys.person_key to {role}_citizen, {role}_jobs;

grant select on keys.person_key to {role}_scorer;

grant insert on auth.consent, auth.consent_end, auth.consent_source_end to {role}_citizen;

grant insert on auth.consent_end to {role}_jobs;

grant update (erased_at) on auth.consent_end to {role}_citizen, {role}_jobs;

grant select, insert, update on auth.source_subject to {role}_citizen, {role}_jobs;

grant delete on auth.source_subject to {role}_jobs;

grant select on auth.source_subject to {role}_scorer;

grant usage on sequence auth.source_subject_seq to {role}_citizen, {role}_jobs;

grant select on core.release to {role}_auth, {role}_citizen, {role}_source, {role}_scorer, {role}_staff, {role}_jobs;

grant insert, update on core.release to {role}_staff;

grant insert on core.audit_entry to {role}_auth, {role}_citizen, {role}_scorer, {role}_staff, {role}_jobs, {role}_gate;

grant select on core.audit_entry to {role}_citizen;

grant select, insert, update on core.idempotency to {role}_citizen, {role}_scorer, {role}_staff;

grant delete, select on core.idempotency to {role}_jobs;

grant insert on scoring.staging to {role}_source;

grant select, delete on scoring.staging to {role}_scorer, {role}_jobs;

grant insert, select on scoring.batch to {role}_scorer;

grant select, insert, update, delete on scoring.record, scoring.standing, scoring.standing_change to {role}_scorer, {role}_citizen, {role}_jobs;

grant select, insert, update, delete on scoring.link, scoring.live to {role}_citizen, {role}_jobs;

grant select, update on scoring.link, scoring.live to {role}_scorer;

grant select, insert, delete on scoring.refusal to {role}_citizen, {role}_jobs;

grant select on scoring.refusal to {role}_scorer;

grant select on scoring.standing to {role}_gate;

grant select, insert, update, delete on incentives.perk to {role}_staff;

grant select on incentives.perk to {role}_citizen, {role}_gate, {role}_jobs;

grant select, insert on incentives.credit_code to {role}_citizen;

grant select, delete on incentives.credit_code, incentives.credit_code_use to {role}_jobs;

grant select on incentives.credit_code to {role}_gate;

grant select, insert on incentives.credit_code_use, incentives.decision to {role}_gate;

grant select, delete on incentives.decision to {role}_jobs;
