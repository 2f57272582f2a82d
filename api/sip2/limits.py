"""What class a reader has in the library's system, and when that may change: up at once, down at a loan's end. Pure.

A rung is what a set of perks earns: a category of the library's system. A rung that has all of the present one and more
is taken at once. Anything else is a step down from something, and waits until no more is on loan than the rung below
allows: a waived deposit covers the loans that began under it, so that one waits until nothing is on loan. When it is
not known how many are on loan, nothing is lowered. A default, a date and a withdrawal all lower in this one way.
"""

from collections.abc import Sequence

import msgspec

from core.lifecycle import Event, Machine, State

LIMIT = Machine(
    name="library-limit",
    title="读者类别",
    states=(
        State("ordinary", "普通读者"),
        State("raised", "凭信用提高"),
        State("waiting", "等还书后恢复"),
        State("forgotten", "已解除关联", final=True),
    ),
    events=(
        Event("raise", "提高类别", ("rule",)),
        Event("end", "便利结束", ("citizen", "clock", "rule")),
        Event("lower", "恢复原类别", ("rule",)),
        Event("forget", "删除关联", ("partner",)),
    ),
    moves=(
        ("ordinary", "raise", "raised"),
        ("raised", "raise", "raised"),
        ("waiting", "raise", "raised"),
        ("raised", "end", "waiting"),
        ("waiting", "lower", "ordinary"),
        ("ordinary", "forget", "forgotten"),
    ),
)


class Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class: the perks that earn it, its category in the library's system, its limit, whether a deposit is waived."""

    name: str
    perks: tuple[str, ...]
    category: str
    items: int | None = None
    deposit: bool = False

    def covers(self, other: "Rung | None") -> bool:
        """Whether whoever has this has all of the other."""
        return other is None or (
            set(self.perks) >= set(other.perks) and (self.deposit or not other.deposit) and _more(self, other)
        )


def _more(one: Rung, other: Rung) -> bool:
    return other.items is None or (one.items or 0) >= other.items


class Standing(msgspec.Struct, frozen=True):
    """Where a reader stands. `rung` is a name; `own` the category that the library gave, with its limit if known."""

    state: str
    rung: str | None
    own: str
    own_items: int | None = None


def best(rungs: Sequence[Rung], granted: frozenset[str]) -> Rung | None:
    """The first rung, in the library's order, all of whose perks are granted."""
    return next((one for one in rungs if granted.issuperset(one.perks)), None)


def floor(present: Rung, to: Rung | None, own_items: int | None) -> int:
    """How many may be on loan when a reader steps from one rung to another, nought when that is not known."""
    if present.deposit and not (to and to.deposit):
        return 0
    if to is not None and to.items is not None:
        return to.items
    return own_items or 0


def turn(standing: Standing, *, present: Rung | None, wanted: Rung | None, on_loan: int | None) -> Standing:
    """Where the reader stands next. `present` is the standing's rung, `wanted` what is granted now."""
    if wanted is not None and wanted.covers(present):
        return _raised(standing, wanted)
    if present is None:
        return standing
    if standing.state == "raised":
        standing = _moved(standing, "end")
    if on_loan is None or on_loan > floor(present, wanted, standing.own_items):
        return standing
    lowered = msgspec.structs.replace(_moved(standing, "lower"), rung=None)
    return lowered if wanted is None else _raised(lowered, wanted)


def _raised(standing: Standing, wanted: Rung) -> Standing:
    if (standing.state, standing.rung) == ("raised", wanted.name):
        return standing
    return msgspec.structs.replace(_moved(standing, "raise"), rung=wanted.name)


def _moved(standing: Standing, event: str) -> Standing:
    return msgspec.structs.replace(standing, state=LIMIT.after(standing.state, event))


def category(standing: Standing, rungs: Sequence[Rung]) -> str:
    """The category of the library's system that goes with a standing."""
    return next((one.category for one in rungs if one.name == standing.rung), standing.own)
