-- Who stands at the citizen's door. {role}_gate owns these functions: no login, owner of no table, and row security binds
-- it. A setting is context and never proof; what proves is that a live row with this hash exists.

grant {role}_gate to current_user;

grant create on schema auth to {role}_gate;

grant select on auth.session, auth.proxy to {role}_gate;

-- The citizen behind the session or token whose hash this transaction named, or the one whom they may look at by the
-- proxy that it named; null for nobody. now() is when it began: what ends in the course of it, perhaps by itself, holds
-- until its own end.
create function auth.citizen_now() returns uuid
language sql stable security definer
begin atomic
  with me as (
    select s.citizen_id from auth.session s
    where s.hash = decode(nullif(current_setting('app.proof', true), ''), 'hex')
      and (s.ended_at is null or s.ended_at > now()) and s.expires_at > now()
    union all
    select t.citizen_id from auth.token t join auth.client c on c.client_id = t.client_id
    where t.jti_hash = decode(nullif(current_setting('app.proof', true), ''), 'hex')
      and (t.revoked_at is null or t.revoked_at > now()) and t.expires_at > now() and c.disabled_at is null
      and 'me' = any (string_to_array(t.scope, ' '))
    limit 1
  )
  select case when nullif(current_setting('app.behalf', true), '') is null then me.citizen_id else (
    select x.citizen_id from auth.proxy x
    where x.id = nullif(current_setting('app.behalf', true), '')::uuid and x.proxy_id = me.citizen_id
      and x.ended_at is null and x.expires_at > (select core.civil_now())
  ) end from me;
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
