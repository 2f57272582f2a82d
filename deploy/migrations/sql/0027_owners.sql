-- Whose the functions are, and who may call which.

alter function incentives.period_of owner to {role}_gate;

alter function incentives.holder_of owner to {role}_gate;

alter function incentives.budget_spent owner to {role}_gate;

alter function incentives.running_cap owner to {role}_gate;

alter function incentives.order_cause owner to {role}_gate;

alter function incentives.give_back owner to {role}_gate;

alter function incentives.take_for_order owner to {role}_gate;

alter function incentives.personal_cause owner to {role}_gate;

alter function incentives.order_due owner to {role}_gate;

alter function incentives.show_order owner to {role}_gate;

alter function incentives.next_of owner to {role}_gate;

alter function incentives.step_order owner to {role}_gate;

alter function incentives.record_step owner to {role}_gate;

alter function incentives.step_and_clear owner to {role}_gate;

alter function incentives.unlink_order owner to {role}_gate;

alter function incentives.clock_order owner to {role}_gate;

alter function incentives.catch_up owner to {role}_gate;

alter function incentives.check_for_order owner to {role}_gate;

alter function incentives.partner_of owner to {role}_gate;

alter function incentives.key_of owner to {role}_gate;

alter function incentives.open_order owner to {role}_gate;

alter function incentives.unusable owner to {role}_gate;

alter function incentives.new_order owner to {role}_gate;

alter function incentives.reason_of owner to {role}_gate;

alter function incentives.lay_order owner to {role}_gate;

alter function incentives.refuse_action owner to {role}_gate;

alter function incentives.reverse_lines owner to {role}_gate;

alter function incentives.do_action owner to {role}_gate;

alter function incentives.act_on_order owner to {role}_gate;

alter function incentives.orders_of_caller owner to {role}_gate;

alter function incentives.history_of owner to {role}_gate;

alter function incentives.more_of owner to {role}_gate;

alter function incentives.orders_of_citizen owner to {role}_gate;

alter function incentives.citizen_acts owner to {role}_gate;

alter function incentives.closing_orders owner to {role}_gate;

alter function incentives.unlink_citizen owner to {role}_gate;

alter function incentives.forget_order owner to {role}_gate;

alter function incentives.due_orders owner to {role}_gate;

alter function incentives.keep_order owner to {role}_gate;

alter function incentives.forget_orders owner to {role}_gate;

alter function incentives.office_of owner to {role}_gate;

alter function incentives.orders_to_review owner to {role}_gate;

alter function incentives.read_order owner to {role}_gate;

alter function incentives.review_order owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.period_of, incentives.holder_of, incentives.budget_spent, incentives.running_cap, incentives.order_cause, incentives.give_back,
  incentives.take_for_order, incentives.personal_cause, incentives.order_due, incentives.show_order,
  incentives.next_of, incentives.step_order, incentives.record_step, incentives.step_and_clear,
  incentives.unlink_order, incentives.clock_order, incentives.catch_up, incentives.check_for_order, incentives.partner_of, incentives.key_of,
  incentives.open_order, incentives.unusable, incentives.new_order, incentives.reason_of, incentives.lay_order,
  incentives.refuse_action, incentives.reverse_lines, incentives.do_action, incentives.act_on_order,
  incentives.orders_of_caller, incentives.history_of, incentives.more_of, incentives.orders_of_citizen,
  incentives.citizen_acts, incentives.closing_orders, incentives.unlink_citizen, incentives.forget_order,
  incentives.due_orders, incentives.keep_order, incentives.forget_orders, incentives.office_of,
  incentives.orders_to_review, incentives.read_order, incentives.review_order from public;

grant execute on function incentives.open_order, incentives.act_on_order, incentives.orders_of_caller to
  {role}_partner;

grant execute on function incentives.orders_of_citizen, incentives.citizen_acts, incentives.closing_orders,
  incentives.unlink_citizen to {role}_citizen;

grant execute on function incentives.due_orders, incentives.keep_order, incentives.forget_orders to {role}_jobs;

grant execute on function incentives.orders_to_review, incentives.read_order, incentives.review_order to {role}_staff;
