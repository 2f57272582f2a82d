-- Counted without a lock, as before.

grant {role}_gate to current_user;

create or replace function incentives.make_counter(
  p_token bytea, p_id uuid, p_perk text, p_name text, p_terminal text, p_deposit bigint, p_link bytea,
  p_link_minutes integer, p_days integer
) returns table (made boolean, link_until timestamptz, ends_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  who text := incentives.asker(p_token, p_perk);
begin
  if who is null then
    return;
  end if;
  if (select count(*) from incentives.counter c
      where c.partner_id = who and c.ended_at is null and c.ends_at > now()) >= 50 then
    return query select false, null::timestamptz, null::timestamptz;
    return;
  end if;
  return query insert into incentives.counter as c
    (id, partner_id, perk_id, name, terminal, deposit, made_at, link, link_until, ends_at)
  values (p_id, who, p_perk, p_name, p_terminal, p_deposit, now(), p_link,
    now() + make_interval(mins => p_link_minutes), now() + make_interval(days => p_days))
  returning true, c.link_until, c.ends_at;
end $$;

revoke {role}_gate from current_user;
