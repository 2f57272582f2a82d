-- Rights that no handler uses any more, taken back. tests/access/closure.toml lists what is left, column by column.

-- Logins are listed and ended on the auth door; a citizen's telephone number and account go with the citizen's row.
revoke select (provider, citizen_id, linked_at), delete on auth.account from {role}_citizen;

revoke select (id, citizen_id, acr, device, auth_time, began_at, used_at, expires_at, ended_at), update (ended_at)
  on auth.session from {role}_citizen;

revoke delete on auth.phone from {role}_citizen;

-- Records come in by the scorer's door alone.
revoke insert on scoring.record from {role}_citizen;

-- It copies into staging, and the definitions in the row tell it nothing else.
revoke select on core.release, core.civil_offset from {role}_source;

revoke execute on function core.civil_now() from {role}_source;

revoke usage on schema core from {role}_source, {role}_partner;

-- Bringing a backup back is the owner's work, above the doors.
revoke delete on auth.citizen from {role}_jobs;

revoke insert on keys.person_key, auth.consent_source_end, scoring.link, scoring.live, scoring.record from {role}_jobs;

revoke delete on scoring.link, scoring.live from {role}_jobs;

-- Sweeps know rows by their day alone.
revoke select on auth.refresh, auth.proxy, auth.spoken_code, auth.assisted from {role}_jobs;

revoke delete on auth.proxy from {role}_jobs;

grant select (ended_at, expires_at) on auth.refresh to {role}_jobs;

grant select (expires_at) on auth.spoken_code, auth.assisted to {role}_jobs;

revoke select on auth.consent_source_end from {role}_gate;
