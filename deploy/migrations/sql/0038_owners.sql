-- Whose the functions are, and who may call which.

alter function incentives.form_of owner to {role}_gate;

alter function incentives.end_of owner to {role}_gate;

alter function incentives.day_at owner to {role}_gate;

alter function incentives.refund_of owner to {role}_gate;

alter function incentives.share_of owner to {role}_gate;

alter function incentives.ticket_lines owner to {role}_gate;

alter function incentives.give_part owner to {role}_gate;

alter function incentives.unfit owner to {role}_gate;

alter function incentives.date_ticket owner to {role}_gate;

alter function incentives.show_admission owner to {role}_gate;

alter function incentives.keep_admission owner to {role}_gate;

alter function incentives.close_admission owner to {role}_gate;

alter function incentives.unlisted owner to {role}_gate;

alter function incentives.refuse_reversal owner to {role}_gate;

alter function incentives.refuse_admission owner to {role}_gate;

alter function incentives.count_visit owner to {role}_gate;

alter function incentives.take_back owner to {role}_gate;

alter function incentives.do_admission owner to {role}_gate;

alter function incentives.admit owner to {role}_gate;

alter function incentives.admission_of owner to {role}_gate;

revoke create on schema incentives from {role}_gate;

revoke {role}_gate from current_user;

revoke all on function incentives.form_of, incentives.end_of, incentives.day_at, incentives.refund_of,
  incentives.share_of, incentives.ticket_lines, incentives.give_part, incentives.unfit, incentives.date_ticket,
  incentives.show_admission, incentives.keep_admission, incentives.close_admission, incentives.unlisted,
  incentives.refuse_reversal, incentives.refuse_admission, incentives.count_visit, incentives.take_back,
  incentives.do_admission, incentives.admit, incentives.admission_of from public;

grant execute on function incentives.admit to {role}_partner;

grant execute on function incentives.admission_of to {role}_citizen;
