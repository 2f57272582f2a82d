"""Why an order was not opened or moved: what the gate functions say in a word, as problems that say the next step.

None of it is about a person: whatever is personal ends an order in `standard_route` and is no refusal.
"""

from collections.abc import Mapping
from typing import Any

from core.errors import Conflict, FieldError, Invalid, NotFound, Problem
from core.idempotency import IdempotencyInFlight
from core.lifecycle import IllegalTransition
from incentives.orders.courses import FORMS, ORDER


class OrderExists(Conflict):
    """The number was used, by whatever came of it; `order` is how that one stands."""

    code = "order_exists"
    title = "This out_order_no was used before"


class DecisionUnknown(NotFound):
    """No such decision of this partner's."""

    code = "decision_unknown"
    title = "No such decision"


class DecisionForAnotherPerk(Conflict):
    """The decision was about another perk."""

    code = "decision_for_another_perk"
    title = "This decision is about another perk"


class DecisionUsed(Conflict):
    """A decision is good for one order."""

    code = "decision_used"
    title = "This decision has opened an order"


class DecisionExpired(Conflict):
    """A decision is good until its `valid_until`."""

    code = "decision_expired"
    title = "This decision is too old"


class AmountDiffers(Conflict):
    """What was paid elsewhere is not what is due; `due` is, in fen."""

    code = "amount_differs"
    title = "The amounts differ"


class OtherDay(Conflict):
    """A ticket is good on its day; `visit_on` is that."""

    code = "ticket_for_another_day"
    title = "The ticket is bound to another day"


class VisitRefused(Conflict):
    """A pass that is used up, for today or altogether, or whose time is over."""

    code = "pass_spent"
    title = "The pass does not admit now"


class VisitElsewhere(Conflict):
    """The id of the visit was used for another order."""

    code = "visit_elsewhere"
    title = "This visit_id was used before"


class PassUsed(Conflict):
    """A pass that was used is returned by its published rule, and not as if it had never been."""

    code = "pass_used"
    title = "The pass was used"


class Over(IllegalTransition):
    """The order is over: what it had reserved is free again."""

    def __init__(self, *, state: str, event: str) -> None:
        """Say that a new order begins with a fresh check."""
        super().__init__(state=state, event=event, allowed=())
        self.detail += " It is over; make a fresh check for a new order."
        self.args = (self.detail,)


_OF_A_DECISION: Mapping[str, tuple[type[Problem], str]] = {
    "decision_unknown": (DecisionUnknown, "Send the `decision_id` of a check of yours."),
    "decision_for_another_perk": (DecisionForAnotherPerk, "Check this holder for the perk of the order."),
    "decision_used": (DecisionUsed, "A decision is good for one order; check again for another one."),
    "decision_expired": (DecisionExpired, "A decision is good until its `valid_until`; check again."),
}
_OF_A_VISIT: Mapping[str, tuple[type[Problem], str]] = {
    "visit_elsewhere": (VisitElsewhere, "Give each visit an id of its own; a repeat of a visit names the same order."),
    "visits_spent": (VisitRefused, "All visits of this pass are used; sell a ticket."),
    "day_spent": (VisitRefused, "The visits of this day are used; another day is possible, or sell a ticket."),
    "pass_over": (VisitRefused, "The pass was over by then; sell a ticket."),
    "visit_before_sale": (VisitRefused, "The pass was not sold by then; correct the clock of the gate."),
    "pass_used": (PassUsed, "Settle it: visits are charged by the published price, the rest is given back."),
}
_OF_A_MEMBER: Mapping[str, tuple[str, str]] = {
    "not_later": ("/planned_end", "Send a time after now and after the present planned end."),
    "too_long": ("/planned_end", "An order of this perk cannot be that long."),
    "end_in_future": ("/ended_at", "The use ended now or before."),
    "end_before_start": ("/ended_at", "The use ended after it began."),
    "charge_over_risk": ("/items", "The sum may not exceed the deposit that the order was opened with."),
    "item_not_allowed": ("/items", "Name lines as `lines` of the perk in GET /v1/rules/perks lists them."),
    "terminal_not_listed": ("/terminal", "Name a terminal of the perk, or none."),
    "no_ticket": ("/visit_on", "Only a perk of kind `discount` sells tickets for a day."),
    "deposit_differs": ("/deposit", "The price of a ticket is the sum of its `items`; leave `deposit` out."),
    "visit_on_missing": ("/visit_on", "Send the new day; a ticket has no planned end of its own."),
    "planned_end_missing": ("/planned_end", "Send the new planned end; only a ticket has a day."),
    "items_missing": ("/items", "Send what is charged; an empty list settles at nothing."),
    "items_not_used": ("/items", "A ticket or pass is charged as it was sold; send no lines."),
    "cancel_instead": ("/items", "That is all of it: cancel the order."),
    "visit_in_future": ("/visited_at", "The visit was now or before."),
    "more_than_charged": ("/items", "Name lines of the settlement, from 1, and at most what is left of each."),
}

_AHEAD = "Send today or a day to come, as far ahead as `longest_days` of the perk allows."


def problem(refusal: str, shown: Mapping[str, Any] | None, *, event: str) -> Problem:
    """The problem behind a refusal; `shown` is how the order stands, if there is one."""
    if refusal == "in_flight":
        return IdempotencyInFlight("Wait for the first request to end, then repeat this one.")
    if (known := _OF_A_DECISION.get(refusal)) is not None:
        return known[0](known[1])
    if (visit := _OF_A_VISIT.get(refusal)) is not None:
        return visit[0](visit[1])
    if (member := _OF_A_MEMBER.get(refusal)) is not None:
        return Invalid(errors=[FieldError(member[0], refusal, member[1])])
    return NotFound() if shown is None else _of_an_order(refusal, shown, event)


def _of_an_order(refusal: str, shown: Mapping[str, Any], event: str) -> Problem:
    if refusal == "visit_on":
        return Invalid(errors=[FieldError("/visit_on", "out_of_range", _AHEAD)])
    if refusal == "planned_end":
        advice = f"Send a time after now, at most {shown['longest_days']} days ahead."
        return Invalid(errors=[FieldError("/planned_end", "out_of_range", advice)])
    if refusal == "order_exists":
        said = "Use a new number for a new order; repeat a request with its first Idempotency-Key."
        return OrderExists(said, order={name: shown[name] for name in ("order_id", "out_order_no", "status", "seq")})
    if refusal == "amount_differs":
        due = shown["settlement"]["due"]
        return AmountDiffers(f"{due} fen are due; ask the citizen or reverse lines if that is wrong.", due=due)
    if refusal == "other_day":
        day = shown["admission"]["visit_on"]
        return OtherDay(f"It admits on {day} alone; the day can be changed until then (`extend`).", visit_on=day)
    state = str(shown["status"])
    course = FORMS[shown["admission"]["form"]] if shown.get("admission") else ORDER
    allowed = course.allowed(state, by="partner")
    return IllegalTransition(state=state, event=event, allowed=allowed) if allowed else Over(state=state, event=event)
