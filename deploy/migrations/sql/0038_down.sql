-- Orders of one form again. What ran as a ticket or pass goes on as what it was before: a waiver with a clock.

alter table incentives.order_move no force row level security;

delete from incentives.order_move where not 'plain' = any (forms);

alter table incentives.order_move force row level security;

alter table incentives.order_move drop column forms;

drop table incentives.visit;

alter table incentives.perk_order drop column visit_on, drop column admission, drop column number, drop column visits;

alter table incentives.perk drop column lines, drop column admission;
