"""How an order is held at a pay channel: what our side wants, what is known of theirs, and the one next step. Pure.

Nothing here remembers what was asked: a step follows from what a query found and from how our order stands, so that a
crash, a lost answer, a repeat or a callback out of turn leads to the same place. Promises, for any course of both
sides: one freeze an order, never charged above it, never real money frozen, and no freeze or charge left that our order
does not want. `WORDS` says what the channels call each stage; docs/from-wechat-and-alipay.md says the same.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

Channel = Literal["wechat", "alipay"]
# What is known of their order. `to_confirm`: there, and its payer has not agreed; `released`: over, and holds nothing.
Stage = Literal["none", "to_confirm", "held", "charging", "paid", "released"]
Verb = Literal["create", "cancel", "complete", "modify", "sync"]
Aim = Literal["hold", "charge", "elsewhere", "drop"]

WORDS: Mapping[Stage, Mapping[Channel, tuple[str, ...]]] = {
    "none": {"wechat": (), "alipay": ()},
    "to_confirm": {"wechat": ("CREATED",), "alipay": ("INIT",)},
    "held": {"wechat": ("DOING", "USER_CONFIRM"), "alipay": ("AUTHORIZED",)},
    "charging": {"wechat": ("DOING", "MCH_COMPLETE", "USER_PAYING"), "alipay": ("AUTHORIZED", "WAIT_BUYER_PAY")},
    "paid": {"wechat": ("DONE",), "alipay": ("FINISH", "TRADE_SUCCESS")},
    "released": {"wechat": ("REVOKED", "EXPIRED", "DONE"), "alipay": ("CLOSED", "TRADE_CLOSED")},
}
# Where an order of ours at rest is at its channel, when its payer agreed there.
STAGES: Mapping[str, tuple[Stage, ...]] = {
    "open": ("to_confirm", "held"),
    "active": ("held",),
    "clock_stopped": ("held",),
    "returned": ("held",),
    "settling": ("charging",),
    "overdue": ("charging",),
    "disputed": ("charging", "paid"),
    "defaulted": ("charging",),
    "settled": ("paid", "released"),
    "closed": ("paid", "released"),
    "cancelled": ("released",),
    "expired": ("released",),
    "standard_route": ("released",),
}
_HOLDS = {"open", "active", "clock_stopped", "returned"}
_CHARGES = {"settling", "overdue", "disputed", "defaulted", "settled"}


class Known(msgspec.Struct, frozen=True):
    """What a query found, in fen: `held` was guaranteed, `fund` of it is real money, `charged` asked, `paid` taken.

    `elsewhere`: the channel closed the charge because we said that it was paid elsewhere.
    """

    stage: Stage = "none"
    held: int = 0
    fund: int = 0
    charged: int = 0
    paid: int = 0
    elsewhere: bool = False


class Ours(msgspec.Struct, frozen=True):
    """How our order stands, in fen: `left` of its charge after what was taken back or forgiven; what was `paid`.

    `recorded`: how much of `paid` the channel took.
    """

    status: str
    left: int = 0
    paid: int = 0
    recorded: int = 0


class Want(msgspec.Struct, frozen=True):
    """What the channel is to do for our order: hold, charge `amount`, close as paid elsewhere, or drop everything."""

    aim: Aim
    amount: int = 0


class Step(msgspec.Struct, frozen=True):
    """One call; `amount` in fen where it has one."""

    verb: Verb
    amount: int = 0


class TooMuch(Exception):
    """Our side wants more than the channel guarantees: a fault of ours that a person must see."""


def wanted(ours: Ours) -> Want:
    """What our order, as it stands, wants of its channel."""
    if ours.status in _HOLDS:
        return Want("hold")
    if ours.status in _CHARGES or ours.status == "closed":
        if ours.paid > ours.recorded:
            return Want("elsewhere")
        return Want("charge", ours.recorded if ours.status == "closed" else ours.left)
    return Want("drop")


def following(known: Known, want: Want) -> Step | None:
    """The next call, if there is one to make now. Raises TooMuch."""
    match known.stage:
        case "none":
            return Step("create") if want.aim == "hold" else None
        case "to_confirm":
            return None if want.aim == "hold" else Step("cancel")
        case "held":
            return _of_a_freeze(known, want)
        case "charging":
            return _of_a_charge(known, want)
        case "paid" | "released":
            return None


def at_rest(known: Known, want: Want) -> bool:
    """Whether nothing more is to be looked for: their order is over, or was never made and is not wanted."""
    return known.stage in {"paid", "released"} or (known.stage == "none" and want.aim != "hold")


def _of_a_freeze(known: Known, want: Want) -> Step | None:
    """What is free again: real money, which nobody was to lay down; what is paid or paid elsewhere; what is dropped."""
    if known.fund:
        return Step("cancel")
    if known.paid or want.aim == "elsewhere":
        return Step("complete", 0)
    if want.aim == "charge":
        if want.amount > known.held:
            raise TooMuch
        return Step("complete", want.amount)
    return Step("cancel") if want.aim == "drop" else None


def _of_a_charge(known: Known, want: Want) -> Step | None:
    """A charge only ever goes down; one of an order that is no more goes down to nothing."""
    if want.aim == "elsewhere":
        return Step("sync")
    target = want.amount if want.aim == "charge" else 0
    return Step("modify", target) if target < known.charged else None
