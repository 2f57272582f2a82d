-- Forget that batches were withdrawn, and what records said before; what was taken back stays so.

drop function scoring.withdraw_unseen(text, uuid, timestamptz);

drop index scoring.ix_record_earlier;

alter table scoring.dispute drop column rules;

alter table scoring.record drop column earlier;

alter table scoring.batch drop column withdrawn_at;
