-- What 0015 took from the doors, given back. Who leaves is left to 0013, which makes its function anew.

alter function auth.leave(bytea) owner to current_user;

drop function scoring.drop_moved, scoring.drop_taken, scoring.end_records, scoring.erase_of, scoring.erase_kind, scoring.thread_to_erase,
  auth.name_sources, auth.leave_sources, auth.consenting_now, auth.citizen_now;

drop owned by {role}_eraser;

revoke select on auth.session, auth.proxy from {role}_gate;

revoke usage on sequence auth.source_subject_seq from {role}_gate;

revoke select, insert, update on auth.source_subject from {role}_gate;

grant select, insert, update on auth.source_subject to {role}_citizen, {role}_jobs;

grant usage on sequence auth.source_subject_seq to {role}_citizen, {role}_jobs;

grant select on auth.session, auth.token, auth.code, auth.code_use, auth.source_subject, core.idempotency,
  incentives.credit_code, incentives.credit_code_use, incentives.decision to {role}_jobs;

grant update, delete on scoring.standing_change to {role}_citizen, {role}_scorer;

grant update on scoring.standing_change to {role}_jobs;

grant select, insert, delete on scoring.refusal to {role}_jobs;

grant delete on scoring.link, scoring.live, scoring.standing to {role}_citizen;

grant update on scoring.live to {role}_scorer;

grant delete on scoring.standing to {role}_scorer, {role}_jobs;

grant select, insert, update, delete on core.short_claim, core.short_count, core.short_value, core.short_epoch
  to {role}_citizen, {role}_source, {role}_scorer, {role}_staff, {role}_jobs;

grant select on auth.consent_source_end to {role}_gate;

grant select on auth.refresh to {role}_jobs;

grant select, delete on auth.spoken_code, auth.assisted, auth.proxy to {role}_jobs;

grant delete on auth.citizen to {role}_jobs;

grant insert on keys.person_key, auth.consent_source_end, scoring.link, scoring.live, scoring.record to {role}_jobs;

grant delete on scoring.link, scoring.live to {role}_jobs;

grant usage on schema core to {role}_source, {role}_partner;

grant execute on function core.civil_now() to {role}_source;

grant select on core.release, core.civil_offset to {role}_source;

grant insert on scoring.record to {role}_citizen;

grant delete on auth.phone to {role}_citizen;

grant select (provider, citizen_id, linked_at), delete on auth.account to {role}_citizen;

grant select (id, citizen_id, acr, device, auth_time, began_at, used_at, expires_at, ended_at), update (ended_at)
  on auth.session to {role}_citizen;
