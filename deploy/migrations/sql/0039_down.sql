-- Orders go on without their channels: what was frozen there, its merchant frees by hand.

drop trigger mirrored on incentives.order_step;

grant {role}_gate to current_user;

drop function incentives.mirror_step, incentives.order_at_channel, incentives.pay_by_channel, incentives.hint_channel,
  incentives.guarantee_of_caller;

revoke {role}_gate from current_user;

drop table incentives.channel_call, incentives.channel_order, incentives.guarantor;
