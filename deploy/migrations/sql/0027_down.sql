-- Without orders.

drop function incentives.review_order;

drop function incentives.read_order;

drop function incentives.orders_to_review;

drop function incentives.office_of;

drop function incentives.forget_orders;

drop function incentives.keep_order;

drop function incentives.due_orders;

drop function incentives.forget_order;

drop function incentives.unlink_citizen;

drop function incentives.closing_orders;

drop function incentives.citizen_acts;

drop function incentives.orders_of_citizen;

drop function incentives.more_of;

drop function incentives.history_of;

drop function incentives.orders_of_caller;

drop function incentives.act_on_order;

drop function incentives.do_action;

drop function incentives.reverse_lines;

drop function incentives.refuse_action;

drop function incentives.lay_order;

drop function incentives.reason_of;

drop function incentives.new_order;

drop function incentives.unusable;

drop function incentives.open_order;

drop function incentives.key_of;

drop function incentives.partner_of;

drop function incentives.check_for_order;

drop function incentives.catch_up;

drop function incentives.clock_order;

drop function incentives.unlink_order;

drop function incentives.step_and_clear;

drop function incentives.record_step;

drop function incentives.step_order;

drop function incentives.next_of;

drop function incentives.show_order;

drop function incentives.order_due;

drop function incentives.personal_cause;

drop function incentives.order_cause;

drop function incentives.take_for_order;

drop function incentives.running_cap;

drop function incentives.give_back;

drop function incentives.budget_spent;

drop function incentives.holder_of;

drop function incentives.period_of;

drop table incentives.budget_use, incentives.exposure, incentives.order_step, incentives.perk_order, incentives.order_move,
  incentives.order_state;

drop index incentives.ix_credit_code_use_decision_id;
