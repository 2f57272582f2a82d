-- Row security: which rows each door is shown and may write. A policy carries the name of the door it is for. None names
-- a citizen by a setting: `auth.citizen_now()` finds them by the hash of a live session or token. A record's subject is
-- random and sealed away from its citizen, so whoever names it (app.subject) has opened the citizen's own thread.

-- scoring.staging has none: COPY FROM, which fills it, does not work with row security. The source door may insert there
-- and read nothing; only the scorer and the jobs read it. Nor have the log's leaves and nodes, filled alike: salted
-- hashes, which everybody may be shown.

create policy everyone on core.civil_offset for select using (true);

create policy everyone on core.release for select using (true);

create policy staff on core.release to {role}_staff using (true) with check (true);

create policy citizen on core.audit_entry to {role}_citizen
  using (owner = (select auth.citizen_now()))
  with check (actor_kind = 'citizen' and owner = (select auth.citizen_now()));

create policy auth on core.audit_entry for insert to {role}_auth with check (true);

create policy scorer on core.audit_entry for insert to {role}_scorer with check (actor_kind = 'source');

create policy staff on core.audit_entry for insert to {role}_staff with check (actor_kind = 'staff');

create policy jobs on core.audit_entry to {role}_jobs using (true) with check (actor_kind = 'system');

create policy everyone on core.audit_head for select using (true);

create policy jobs on core.audit_head for insert to {role}_jobs with check (true);

create policy gate on core.audit_entry for insert to {role}_gate with check (actor_kind in ('partner', 'staff'));

create policy gate_reads on core.audit_entry for select to {role}_gate using (true);

create policy staff on core.assessment to {role}_staff using (true) with check (true);

create policy jobs on core.assessment for select to {role}_jobs using (true);

create policy staff on core.incident to {role}_staff using (true) with check (true);

create policy jobs on core.incident for select to {role}_jobs using (reported_at is null);

create policy citizen on core.erasure to {role}_citizen using (true) with check (true);

create policy jobs on core.erasure to {role}_jobs using (true);

create policy citizen on core.idempotency to {role}_citizen
  using (caller = (select auth.citizen_now())::text) with check (caller = (select auth.citizen_now())::text);

create policy scorer on core.idempotency to {role}_scorer
  using (exists (select from auth.client c where c.client_id = caller and c.role = 'source'))
  with check (exists (select from auth.client c where c.client_id = caller and c.role = 'source'));

create policy staff on core.idempotency to {role}_staff
  using (exists (select from auth.client c where c.client_id = caller and c.role = 'staff'))
  with check (exists (select from auth.client c where c.client_id = caller and c.role = 'staff'));

create policy jobs on core.idempotency to {role}_jobs using (created_at < now() - interval '7 days');

create policy auth on core.short_claim to {role}_auth using (true) with check (true);

create policy auth on core.short_count to {role}_auth using (true) with check (true);

create policy auth on core.short_value to {role}_auth using (true) with check (true);

create policy auth on core.short_epoch to {role}_auth using (true) with check (true);

create policy everyone on keys.epoch for select using (true);

create policy jobs on keys.epoch to {role}_jobs using (true) with check (true);

create policy jobs on keys.destroyed_epoch to {role}_jobs using (true) with check (true);

create policy auth on keys.erased for insert to {role}_auth with check (purpose = 'identity');

create policy citizen on keys.erased for insert to {role}_citizen with check (owner = (select auth.citizen_now()));

create policy jobs on keys.erased to {role}_jobs using (true) with check (true);

create policy auth on keys.person_key for select to {role}_auth using (purpose = 'identity');

create policy auth_makes on keys.person_key for insert to {role}_auth with check (purpose = 'identity');

create policy auth_drops on keys.person_key for delete to {role}_auth
  using (purpose = 'identity' and not exists (select from auth.citizen c where c.id = owner and c.id_digest is not null));

create policy citizen on keys.person_key to {role}_citizen
  using (owner = (select auth.citizen_now())) with check (owner = (select auth.citizen_now()));

create policy gate on keys.person_key for select to {role}_gate using (purpose = 'cases');

create policy scorer on keys.person_key for select to {role}_scorer
  using (purpose = 'records' and exists (select from scoring.link l where l.citizen_id = owner));

create policy jobs on keys.person_key to {role}_jobs using (true) with check (true);

-- Finding, making and naming citizens is this door's work; of those who have a name it deletes none, key or row.
create policy auth on auth.citizen for select to {role}_auth using (true);

create policy auth_makes on auth.citizen for insert to {role}_auth with check (true);

create policy auth_names on auth.citizen for update to {role}_auth using (true) with check (true);

create policy auth_drops on auth.citizen for delete to {role}_auth using (id_digest is null);

create policy citizen on auth.citizen for select to {role}_citizen using (id = (select auth.citizen_now()));

create policy jobs on auth.citizen to {role}_jobs using (true) with check (true);

create policy everyone on auth.client for select using (true);

create policy owner on auth.client to current_user using (true) with check (true);

-- An owner who is no superuser stands under row security as well: arming the doors, the doctor and the check of the log
-- need these.
create policy owner on keys.epoch to current_user using (true) with check (true);

create policy owner on core.audit_entry for select to current_user using (true);

create policy owner on core.audit_head for select to current_user using (true);

create policy owner on core.assessment for select to current_user using (true);

create policy staff_adds on auth.client for insert to {role}_staff with check (role in ('partner', 'source', 'citycard'));

create policy staff_changes on auth.client for update to {role}_staff
  using (role in ('partner', 'source', 'citycard')) with check (role in ('partner', 'source', 'citycard'));

create policy staff on auth.client_change to {role}_staff using (true) with check (true);

create policy auth on auth.code to {role}_auth using (true) with check (true);

create policy jobs on auth.code to {role}_jobs using (expires_at < now() - interval '1 day');

create policy citizen on auth.code for insert to {role}_citizen
  with check (citizen_id = (select auth.citizen_now()));

create policy auth on auth.refresh to {role}_auth using (true) with check (true);

create policy jobs on auth.refresh to {role}_jobs using (least(ended_at, expires_at) < now() - interval '30 days');

create policy auth on auth.code_use to {role}_auth using (true) with check (true);

create policy jobs on auth.code_use to {role}_jobs using (at < now() - interval '1 day');

create policy auth on auth.session to {role}_auth using (true) with check (true);

create policy jobs on auth.session to {role}_jobs using (expires_at < now() - interval '1 day');

create policy gate on auth.session for select to {role}_gate
  using (hash = decode(nullif(current_setting('app.proof', true), ''), 'hex'));

create policy auth on auth.token to {role}_auth using (true) with check (true);

create policy jobs on auth.token to {role}_jobs using (expires_at < now() - interval '1 day');

create policy gate on auth.token for select to {role}_gate using ((revoked_at is null or revoked_at > now()) and expires_at > now());

create policy auth on auth.account to {role}_auth using (true) with check (true);

create policy jobs on auth.account to {role}_jobs using (true) with check (true);

create policy auth on auth.phone to {role}_auth using (true) with check (true);

create policy citizen on auth.phone for select to {role}_citizen
  using (citizen_id = (select auth.citizen_now()));

create policy auth on auth.card to {role}_auth using (true) with check (true);

create policy auth on auth.spoken_code to {role}_auth using (true) with check (true);

create policy jobs on auth.spoken_code to {role}_jobs using (expires_at < now());

create policy auth on auth.assisted to {role}_auth using (true) with check (true);

create policy jobs on auth.assisted to {role}_jobs using (expires_at < now());

create policy auth on auth.death to {role}_auth using (true) with check (true);

create policy auth on auth.last_wish to {role}_auth using (true) with check (true);

create policy auth on auth.proxy to {role}_auth using (true) with check (true);

create policy gate on auth.proxy for select to {role}_gate
  using (id = nullif(current_setting('app.behalf', true), '')::uuid);

create policy citizen on auth.matter to {role}_citizen
  using (citizen_id = (select auth.citizen_now())) with check (citizen_id = (select auth.citizen_now()));

create policy gate on auth.matter to {role}_gate using (true) with check (true);

create policy citizen on auth.consent to {role}_citizen
  using (citizen_id = (select auth.citizen_now())) with check (citizen_id = (select auth.citizen_now()));

create policy scorer on auth.consent for select to {role}_scorer
  using (purpose = 'score' or purpose like 'sensitive:%');

create policy jobs on auth.consent for select to {role}_jobs using (true);

create policy gate on auth.consent for select to {role}_gate using (true);

create policy eraser on auth.consent for select to {role}_eraser using (purpose = 'score');

create policy citizen on auth.consent_end to {role}_citizen
  using (exists (select from auth.consent c where c.id = consent_id))
  with check (exists (select from auth.consent c where c.id = consent_id));

create policy citizen on auth.consent_event to {role}_citizen
  using (citizen_id = (select auth.citizen_now())) with check (citizen_id = (select auth.citizen_now()));

create policy gate on auth.consent_event to {role}_gate using (true) with check (true);

create policy auth on auth.consent_event for select to {role}_auth using (true);

create policy jobs on auth.consent_event to {role}_jobs using (true) with check (true);

create policy readers on auth.consent_end for select to {role}_scorer, {role}_gate, {role}_eraser using (true);

create policy jobs on auth.consent_end to {role}_jobs using (true) with check (true);

create policy citizen on auth.consent_source_end to {role}_citizen
  using (exists (select from auth.consent c where c.id = consent_id))
  with check (exists (select from auth.consent c where c.id = consent_id));

create policy readers on auth.consent_source_end for select to {role}_scorer using (true);

create policy jobs on auth.consent_source_end to {role}_jobs using (true) with check (true);

create policy scorer on auth.source_subject for select to {role}_scorer
  using (left_at is not null or exists (select from auth.live_consent l where l.id = consent_id));

create policy citizen on auth.source_subject for select to {role}_citizen
  using (citizen_id = (select auth.citizen_now()));

create policy gate on auth.source_subject to {role}_gate using (true) with check (true);

create policy jobs on auth.source_subject to {role}_jobs using (left_at < now() - interval '30 days');

create policy citizen on scoring.link to {role}_citizen
  using (citizen_id = (select auth.consenting_now())) with check (citizen_id = (select auth.consenting_now()));

create policy readers on scoring.link to {role}_scorer, {role}_jobs
  using (exists (select from auth.live_consent c where c.id = consent_id))
  with check (exists (select from auth.live_consent c where c.id = consent_id));

create policy eraser_finds on scoring.link for select to {role}_eraser using (true);

create policy eraser_holds on scoring.link for update to {role}_eraser using (true) with check (false);

create policy eraser on scoring.link for delete to {role}_eraser
  using (not exists (select from auth.live_consent c where c.citizen_id = link.citizen_id and c.purpose = 'score'));

create policy citizen on scoring.live to {role}_citizen
  using (record_subject = nullif(current_setting('app.subject', true), '')::uuid
    and (select auth.consenting_now()) is not null)
  with check (record_subject = nullif(current_setting('app.subject', true), '')::uuid
    and (select auth.consenting_now()) is not null);

create policy scorer on scoring.live for select to {role}_scorer using (until > (select core.civil_now()));

create policy jobs on scoring.live to {role}_jobs using (true) with check (true);

create policy eraser on scoring.live to {role}_eraser using (true);

create policy citizen on scoring.record to {role}_citizen
  using (record_subject = nullif(current_setting('app.subject', true), '')::uuid
    and (select auth.consenting_now()) is not null)
  with check (record_subject = nullif(current_setting('app.subject', true), '')::uuid
    and (select auth.consenting_now()) is not null);

create policy scorer on scoring.record to {role}_scorer
  using (exists (select from scoring.live v where v.record_subject = record.record_subject
    and v.until > (select core.civil_now()) offset 0))
  with check (exists (select from scoring.live v where v.record_subject = record.record_subject
    and v.until > (select core.civil_now()) offset 0));

create policy jobs on scoring.record to {role}_jobs
  using (status = 'revoked' or exists (select from scoring.live v where v.record_subject = record.record_subject
    and v.until > (select core.civil_now()) offset 0));

create policy eraser on scoring.record to {role}_eraser using (true) with check (status in ('revoked', 'repaired'));

create policy citizen on scoring.standing to {role}_citizen
  using (citizen_id = (select auth.consenting_now())) with check (citizen_id = (select auth.consenting_now()));

create policy readers on scoring.standing to {role}_scorer, {role}_jobs
  using (exists (select from auth.live_consent c where c.id = consent_id offset 0))
  with check (exists (select from auth.live_consent c where c.id = consent_id offset 0));

create policy gate on scoring.standing for select to {role}_gate
  using (exists (select from auth.live_consent c where c.id = consent_id offset 0));

create policy eraser on scoring.standing to {role}_eraser
  using (not exists (select from auth.live_consent c where c.citizen_id = standing.citizen_id and c.purpose = 'score'));

create policy citizen on scoring.standing_change to {role}_citizen
  using (citizen_id = (select auth.consenting_now())) with check (citizen_id = (select auth.consenting_now()));

create policy readers on scoring.standing_change to {role}_scorer, {role}_jobs
  using (exists (select from scoring.link l where l.citizen_id = standing_change.citizen_id offset 0))
  with check (exists (select from scoring.link l where l.citizen_id = standing_change.citizen_id offset 0));

create policy eraser on scoring.standing_change to {role}_eraser
  using (not exists (select from auth.live_consent c where c.citizen_id = standing_change.citizen_id
    and c.purpose = 'score'));

create policy citizen on scoring.statement to {role}_citizen
  using (citizen_id = (select auth.consenting_now())) with check (citizen_id = (select auth.consenting_now()));

create policy jobs on scoring.statement to {role}_jobs
  using (exists (select from scoring.link l where l.citizen_id = statement.citizen_id offset 0));

create policy citizen on scoring.refusal to {role}_citizen
  using (citizen_id = (select auth.citizen_now())) with check (citizen_id = (select auth.consenting_now()));

create policy scorer on scoring.refusal for select to {role}_scorer
  using (exists (select from scoring.link l where l.citizen_id = refusal.citizen_id offset 0));

create policy eraser on scoring.refusal to {role}_eraser
  using (not exists (select from auth.live_consent c where c.citizen_id = refusal.citizen_id and c.purpose = 'score'));

create policy scorer on scoring.batch to {role}_scorer using (true) with check (true);

create policy everyone on scoring.trace_words for select using (true);

create policy writers on scoring.trace_words for insert to {role}_citizen, {role}_scorer, {role}_jobs with check (true);

create policy everyone on incentives.perk for select using (true);

create policy staff on incentives.perk to {role}_staff using (true) with check (true);

create policy citizen on incentives.credit_code to {role}_citizen
  using (citizen_id = (select auth.citizen_now())) with check (citizen_id = (select auth.citizen_now()));

create policy gate on incentives.credit_code for select to {role}_gate using (true);

create policy jobs on incentives.credit_code to {role}_jobs using (expires_at < now() - interval '1 day');

create policy citizen on incentives.credit_code_use for select to {role}_citizen
  using (exists (select from incentives.credit_code k where k.hash = credit_code_use.hash));

create policy gate on incentives.credit_code_use to {role}_gate using (true) with check (true);

create policy jobs on incentives.credit_code_use to {role}_jobs using (at < now() - interval '1 day');

create policy gate on incentives.decision to {role}_gate using (true) with check (true);

create policy citizen on incentives.decision for select to {role}_citizen
  using (citizen_id = (select auth.citizen_now()));

create policy jobs on incentives.decision to {role}_jobs using (at < now() - interval '30 days');
