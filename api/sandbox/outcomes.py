"""The test citizens of a sandbox: one for every outcome of a check and of an order, and why it comes out so. Pure.

A real citizen behind most of these could not draw a code, since a code is drawn for a granted perk alone; a merchant
still needs to see what its system does then. Every personal cause looks the same to a partner: that is the point.
"""

from typing import Literal

import msgspec

from core.errors import Invalid
from incentives.book.perks import Perk

Holder = Literal["code", "subject"]
_BOTH: tuple[Holder, ...] = ("code", "subject")
_CODE: tuple[Holder, ...] = ("code",)
_SUBJECT: tuple[Holder, ...] = ("subject",)


class Outcome(msgspec.Struct, frozen=True):
    """What comes out for a test citizen. `check`: the result; `order`: the status; `reason`: impersonal, or none.

    `holder`: how they can be presented. `send`: members of the request that bring this about.
    """

    citizen: str
    check: Literal["granted", "standard_route"]
    reason: str | None
    order: str
    holder: tuple[Holder, ...]
    why: str
    send: dict[str, int | str] = {}


_GRANTED: tuple[tuple[str, tuple[Holder, ...], str], ...] = (
    ("granted", _BOTH, "Takes part and has the points. Each code and subject stands for somebody new."),
    ("open_dispute", _BOTH, "Has a penalty and objects to it: it does not count while that is open."),
)
_PERSONAL: tuple[tuple[str, tuple[Holder, ...], str], ...] = (
    ("just_below", _BOTH, "Is one tenth of a point under the perk's threshold."),
    ("below", _BOTH, "Is five points under the perk's threshold."),
    ("held", _BOTH, "Stands in the list of judgment defaulters, and is answered as below every threshold."),
    ("not_enrolled", _BOTH, "Never took part."),
    ("withdrew", _BOTH, "Took part, and took the consent to points back."),
    ("consent_expired", _BOTH, "Took part until the consent to points ran out."),
    ("share_ended", _SUBJECT, "Takes part and has the points, and does not let you ask any more."),
    ("three_open_orders", _BOTH, "Has the points, and three orders of this perk that are still running."),
    ("defaulted", _BOTH, "Has the points, and still owes for an order of this perk, so this perk alone is paused."),
)
_OF_THE_CODE = (
    ("code_expired", "The code was shown more than a minute ago."),
    ("code_used", "The code was used once already."),
    ("code_not_for_you", "The code was drawn for another partner."),
)


def catalogue(perk: Perk) -> tuple[Outcome, ...]:
    """Give every test citizen of a perk."""
    return (
        *(Outcome(name, "granted", None, "open", holder, why) for name, holder, why in _GRANTED),
        *(Outcome(name, "standard_route", None, "standard_route", holder, why) for name, holder, why in _PERSONAL),
        *(Outcome(name, "standard_route", name, "standard_route", _CODE, why) for name, why in _OF_THE_CODE),
        *([_over_cap(perk)] if perk.cap else []),
    )


class Arranged(msgspec.Struct, frozen=True):
    """An outcome that is nobody's: the reason that is told, and how to bring it about."""

    reason: str
    how: str


def arranged(perk: Perk) -> tuple[Arranged, ...]:
    """Give what no citizen brings about: the perk, its budgets, the terminal."""
    known = [
        Arranged("perk_unknown", "Ask about a perk that is not one of yours."),
        *([Arranged("terminal_unknown", "Send a `terminal` that is not registered.")] if perk.terminals else []),
    ]
    if any(one.per == "partner" for one in perk.budgets):
        how = f'POST /v1/sandbox/budgets {{"perk": "{perk.id}", "spent": true}}, then ask about anybody.'
        known.append(Arranged("budget_spent", how))
    return tuple(known)


def _over_cap(perk: Perk) -> Outcome:
    """Give somebody granted whose deposit is more than the perk covers: refused, or waived in part."""
    send: dict[str, int | str] = {"amount": perk.cap + 1}
    if perk.over_cap == "refuse":
        why = "Has the points, but the deposit is above the perk's cap (send it as `deposit` to an order)."
        return Outcome("over_cap", "standard_route", "amount_over_cap", "standard_route", _BOTH, why, send)
    why = "Has the points; the perk waives its cap, and the rest is payable (send it as `deposit` to an order)."
    return Outcome("over_cap", "granted", None, "open", _BOTH, why, send)


class NoSuchCitizen(Invalid):
    """There is no such test citizen, or they cannot be presented so."""

    code = "unknown_citizen"
    title = "No such test citizen"


def find(perk: Perk, citizen: str, *, holder: Holder) -> Outcome:
    """Give the test citizen of a name who can be presented so. Raises NoSuchCitizen."""
    able = {one.citizen: one for one in catalogue(perk) if holder in one.holder}
    if citizen not in able:
        detail = f"By {holder} you can have: {', '.join(able)}."
        raise NoSuchCitizen(detail)
    return able[citizen]
