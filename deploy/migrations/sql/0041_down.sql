-- Credentials that were issued have no status any more, so no city that asks for one takes them.

grant {role}_gate to current_user;

drop function incentives.redeem_offer, incentives.claim_copies, incentives.ended_places, incentives.forget_copies;

revoke {role}_gate from current_user;

drop policy gate_for_wallets on core.audit_entry;

drop table incentives.credential_copy, incentives.status_list, incentives.credential_offer;

revoke usage on schema incentives from {role}_auth;
