"""What is proved of a perk, for every amount, every number of points, every place and every day.

Pure. The language is small enough to be decided, so nothing is sampled. Outcomes are a step in the points (one
threshold; held and paused count as below it), and for money one formula. On each stretch between the formula's breaks
(0, `from_amount`, the cap, and what is beyond) both what is waived, min(cap, f), and what remains, max(a - cap, a - f),
never fall as the amount a grows: f = a * percent // 100 + minus never falls and rises by at most 1 a fen while percent
is from 0 to 100. What never falls is least at the beginning of a stretch, so looking at the ends decides every amount
between them. Zones and programmes are finitely many, so each is looked at, with its days. That the proof says what
trying every amount says is tested.
"""

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from incentives.book.kinds import GAUGES, KINDS
from incentives.book.perks import Perk
from incentives.book.places import Place
from incentives.book.rates import HUNDRED, Rate, waives

LARGEST = 100_000_000  # fen; the largest amount that a request may state


class Flaw(msgspec.Struct, frozen=True):
    """A proof that fails: at which place (empty: everywhere), by which key, what comes out, and what to do about it."""

    place: str
    key: str
    message: str
    advice: str


class Outcome(msgspec.Struct, frozen=True):
    """What somebody gets: the formula that applies (None: nothing is waived), and each measure."""

    rate: Rate | None
    measures: dict[str, int]


Lack = tuple[str, str, str]  # the key, what happens, and what to do


def flaws(perk: Perk) -> tuple[Flaw, ...]:
    """Give every way in which a holder gets less than a stranger, or more points bring less; none is the proof."""
    found: list[Flaw] = []
    for place in (None, *perk.places):
        where, steps = place.id if place else "", cells(perk)
        for key, message, advice in worse(stranger(perk), outcome(perk, steps[-1], place)):
            found.append(Flaw(where, key, f"A holder is worse off than a stranger: {message}", advice))
        for low, high in pairwise(steps):
            for key, message, advice in worse(outcome(perk, low, place), outcome(perk, high, place)):
                found.append(Flaw(where, key, f"More points bring less: {message}", advice))
    return tuple(found)


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


def worse(one: Outcome, other: Outcome) -> Iterator[Lack]:
    """Give each way in which `other` gets less than `one` for some amount."""
    if one.rate is not None and other.rate != one.rate:
        yield "threshold", "nothing is waived any more.", "Keep what the lower points have."
    elif one.rate is None and other.rate is not None:
        yield from _wrong(other.rate)
    for name, had in one.measures.items():
        gauge, has = GAUGES[name], other.measures.get(name, had)
        if has < had if gauge.more_is_better else has > had:
            advice = f"Give {'at least' if gauge.more_is_better else 'at most'} what everybody has ({had})."
            yield name, f"`{name}` is {has} instead of {had}.", advice
    for name in sorted(other.measures.keys() - one.measures.keys()):
        yield name, f"`{name}` is stated without what a stranger has.", "State it beside the stranger's at the perk."


def ends(rate: Rate) -> list[int]:
    """Give the ends of every stretch of amounts on which what is waived and what remains never fall."""
    breaks = {0, rate.from_amount - 1, rate.from_amount, rate.cap, rate.cap + 1, LARGEST}
    return sorted(amount for amount in breaks if 0 <= amount <= LARGEST)


def _wrong(rate: Rate) -> Iterator[Lack]:
    """The first amount of which less than nothing, or more than all of it, is waived."""
    if not 0 <= rate.percent <= HUNDRED:
        yield "percent", f"{rate.percent} percent is no share of an amount.", "Write a share from 0 to 100."
        return
    for amount in ends(rate):
        waived = waives(rate, amount)
        if waived < 0:
            yield "minus", f"of {amount} fen {amount - waived} remain to pay.", "Waive nothing less than nothing."
            return
        if waived > amount:
            advice = "Raise `from_amount` to where the amount covers what is waived, or lower `minus`."
            yield "minus", f"of {amount} fen {waived} are waived, more than there is.", advice
            return
