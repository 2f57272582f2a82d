-- Who stands at the citizen's door. {role}_gate owns these functions: no login, owner of no table, and row security binds
-- it. A setting is context and never proof; what proves is that a live row with this hash exists.

grant {role}_gate to current_user;

grant create on schema auth to {role}_gate;

grant select on auth.session to {role}_gate;

-- The citizen behind the session or token whose hash this transaction named; null for nobody.
create function auth.citizen_now() returns uuid
language sql stable security definer
begin atomic
  select s.citizen_id from auth.session s
  where s.hash = decode(nullif(current_setting('app.proof', true), ''), 'hex')
    and s.ended_at is null and s.expires_at > now()
  union all
  select t.citizen_id from auth.token t join auth.client c on c.client_id = t.client_id
  where t.jti_hash = decode(nullif(current_setting('app.proof', true), ''), 'hex')
    and t.revoked_at is null and t.expires_at > now() and c.disabled_at is null
    and 'me' = any (string_to_array(t.scope, ' '))
  limit 1;
end;

-- The same, while a `score` consent of theirs lives: what was built on it is there for nobody else, and not afterwards.
create function auth.consenting_now() returns uuid
language sql stable security definer
begin atomic
  select l.citizen_id from auth.live_consent l
  where l.citizen_id = (select auth.citizen_now()) and l.purpose = 'score'
  limit 1;
end;

alter function auth.citizen_now() owner to {role}_gate;

alter function auth.consenting_now() owner to {role}_gate;

revoke all on function auth.citizen_now(), auth.consenting_now() from public;

grant execute on function auth.citizen_now(), auth.consenting_now() to {role}_citizen;

revoke create on schema auth from {role}_gate;

revoke {role}_gate from current_user;
