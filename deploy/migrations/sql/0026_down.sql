-- Perks as they were: a threshold, a cap, and whether they are closed.

drop function incentives.own_budgets, incentives.perk_ruling, incentives.waives;

drop table incentives.perk_place, incentives.perk_budget;

alter table incentives.perk
  drop column kind, drop column percent, drop column minus, drop column from_amount, drop column starts_on,
  drop column ends_on, drop column hold_minutes, drop column start_hours, drop column longest_days;
