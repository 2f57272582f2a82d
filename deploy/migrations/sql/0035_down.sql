-- Operators lose their door; cards stay bound.

grant {role}_gate to current_user;

drop function auth.issuers_of, incentives.entitlement_changes, incentives.keep_entitlements, incentives.entitlements,
  incentives.let_through, incentives.retire_card, incentives.issue_cards, incentives.perks_of_operator,
  incentives.operator_of;

revoke {role}_gate from current_user;

alter policy citizen_everyone on core.audit_entry
  using (owner is null and action like 'everyone.%' and exists (
    select from auth.consent c left join auth.consent_end e on e.consent_id = c.id
    where c.purpose = 'score' and c.given_at <= audit_entry.at and least(e.at, c.expires_at) > audit_entry.at
  ));

alter policy gate on core.audit_entry with check (actor_kind in ('partner', 'staff'));

drop policy gate on auth.card;

revoke select (id, digest, citizen_id, lost_at), update (digest, lost_at, replaced, tries) on auth.card from {role}_gate;

drop table incentives.entitlement_change, incentives.entitlement_list, incentives.card_space, incentives.issued_card;

alter table auth.card drop column replaced, drop column lost_at;

revoke usage on schema incentives from {role}_citycard;
