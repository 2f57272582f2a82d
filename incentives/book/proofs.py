"""What is proved of a perk, for every amount, every number of points, every place and every day.

Pure. The language is small enough to be decided, so nothing is sampled. Its outcomes are a step in the points (one
threshold; held and paused count as below it), and for money one formula. On each side of the formula's two breakpoints
(`from_amount`, and the cap where `refuse` stops) both what is waived and what remains are monotone in the amount, since
`amount * percent // 100` never falls and rises by at most 1 a fen while percent is from 0 to 100. A monotone function has
its least value at an end, so looking at the ends decides every amount between them. Zones and programmes are finitely
many, so each is looked at. That the proof says what trying every amount says is tested.
"""

from collections.abc import Iterable, Iterator

import msgspec

from incentives.book.kinds import GAUGES, KINDS
from incentives.book.perks import Perk
from incentives.book.places import Place
from incentives.book.rates import HUNDRED, Rate, waives

LARGEST = 100_000_000


class Flaw(msgspec.Struct, frozen=True):
    """A proof that fails: `claim` (stranger, points), where, what comes out, and what to do about it."""

    claim: str
    place: str
    message: str
    advice: str


class Outcome(msgspec.Struct, frozen=True):
    """What somebody gets: the formula that applies (None: the full amount), and each measure."""

    rate: Rate | None
    measures: dict[str, int]


def flaws(perk: Perk) -> tuple[Flaw, ...]:
    """Give every place where a holder gets less than a stranger, or where more points bring less; none is a proof."""
    return tuple(dict.fromkeys([*_below_stranger(perk), *_falling(perk)]))


def outcome(perk: Perk, points: int, place: Place | None = None, *, held: bool = False) -> Outcome:
    """Give what somebody with these points (tenths) gets at a place, on a day on which the perk is open."""
    if held or points < perk.threshold:
        return stranger(perk)
    rate = (place.rate(perk.rate()) if place else perk.rate()) if KINDS[perk.kind].money else None
    measures = {one.name: one.granted for one in perk.measures}
    return Outcome(rate, measures | (place.measures if place else {}))


def stranger(perk: Perk) -> Outcome:
    """Give what somebody gets who takes no part: nothing is waived, and the strangers' measures."""
    return Outcome(None, {one.name: one.stranger for one in perk.measures})


def cells(perk: Perk) -> list[int]:
    """Give points (tenths) that stand for all: the outcome is the same from each of them up to the next."""
    return sorted({0, perk.threshold})


def worse(one: Outcome, other: Outcome) -> Iterator[tuple[str, str]]:
    """Give each way in which `other` gets less than `one` for some amount: what happens, and what to do."""
    yield from _dearer(one.rate, other.rate)
    for name, had in one.measures.items():
        gauge, has = GAUGES[name], other.measures.get(name, had)
        if has < had if gauge.more_is_better else has > had:
            yield f"`{name}` is {has} instead of {had}.", f"Give at least what everybody has ({had})."
    for name in sorted(other.measures.keys() - one.measures.keys()):
        yield f"`{name}` is stated without what a stranger has.", "State it beside the stranger's at the perk."


def _below_stranger(perk: Perk) -> Iterator[Flaw]:
    plain = stranger(perk)
    for place in (None, *perk.places):
        for points in cells(perk):
            for message, advice in worse(plain, outcome(perk, points, place)):
                yield Flaw("stranger", place.id if place else "", f"Worse than a stranger: {message}", advice)


def _falling(perk: Perk) -> Iterator[Flaw]:
    """Each step up the points, at each place."""
    for place in (None, *perk.places):
        steps = cells(perk)
        for low, high in zip(steps, steps[1:], strict=False):
            for message, advice in worse(outcome(perk, low, place), outcome(perk, high, place)):
                yield Flaw("points", place.id if place else "", f"More points bring less: {message}", advice)


def _dearer(one: Rate | None, other: Rate | None) -> Iterator[tuple[str, str]]:
    """Somebody under `other` who pays more than under `one`; `one` is the full amount, or the same formula."""
    if other is None:
        if one is not None:
            yield "nothing is waived any more.", "Keep what the lower points have."
        return
    if one == other:
        return
    for amount in _ends(other):
        waived = waives(other, amount)
        if waived < 0:
            yield f"of {amount} fen {amount - waived} remain to pay.", "Waive nothing less than nothing: correct it."
            return
        if waived > amount:
            advice = "Raise `from_amount` to where the amount covers what is waived, or lower `minus`."
            yield f"of {amount} fen {waived} are waived, more than there is.", advice
            return


def _ends(rate: Rate) -> Iterable[int]:
    """The ends of every stretch on which what is waived and what remains are monotone; raises for another formula.

    Below the cap the formula is compared by itself; from where it meets the cap on, the waived part stands still and
    what remains rises, so that the meeting point itself, its neighbours included, is an end.
    """
    if not 0 <= rate.percent <= HUNDRED:
        message = "a share outside 0 to 100 percent is not in the language"
        raise ValueError(message)
    breaks = {0, rate.from_amount - 1, rate.from_amount, rate.cap, rate.cap + 1, _meets(rate) - 1, _meets(rate), LARGEST}
    return sorted(amount for amount in breaks if 0 <= amount <= LARGEST)


def _meets(rate: Rate) -> int:
    """The first amount at which the formula reaches the cap; LARGEST when it never does."""
    if rate.percent == 0:
        return 0 if rate.minus >= rate.cap else LARGEST
    return max(0, -((rate.minus - rate.cap) * HUNDRED // rate.percent))
