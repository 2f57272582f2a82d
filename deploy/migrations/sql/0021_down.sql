drop function scoring.inhabited();

drop index core.ix_audit_entry_everyone;

drop policy citizen_everyone on core.audit_entry;

drop table scoring.rehearsal;

revoke usage on schema scoring from {role}_staff;

drop policy staff_withdraws on incentives.perk;

drop policy staff on incentives.perk;

create policy staff on incentives.perk to {role}_staff using (true) with check (true);

revoke delete on incentives.perk from {role}_staff;

revoke update (approved_by, approved_at, rehearsal, withdrawn_by, withdrawn_at) on core.release from {role}_staff;

grant update on core.release to {role}_staff;

drop index core.ix_release_once;

delete from core.release r where withdrawn_at is not null or exists (
  select from core.release o where (o.kind, o.name, o.digest) = (r.kind, r.name, r.digest) and o.id < r.id
);

alter table core.release
  drop column rehearsal,
  drop column withdrawn_by,
  drop column withdrawn_at,
  add constraint uq_release_kind_name_digest unique (kind, name, digest);
