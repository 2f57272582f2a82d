"""The cheapest mix of efforts for so many tenths: a small knapsack, exact and in integers.

Pure. Shared by the check that nobody is asked for too much (`reach`) and by the advice to one citizen (`ways`). It
knows caps and costs and no days: whether a mix holds on the day it is done, the evaluator is asked.
"""

from collections.abc import Iterable

import msgspec

from scoring.book.rules import Indicator


class Mix(msgspec.Struct, frozen=True):
    """What a mix costs, in hours-equivalent and then in months, and how many units of which indicator it is made of."""

    hours: int = 0
    months: int = 0
    units: tuple[tuple[str, int], ...] = ()


Least = dict[int, Mix]  # tenths gained -> the cheapest mix that gains them
NOTHING = Mix()


def efforts(rule: Indicator, units: int, room: int) -> Least:
    """Give tenths -> mix for up to so many units of one indicator that has `room` tenths left under its cap."""
    effort = rule.effort
    least: Least = {0: NOTHING}
    for count in range(1, units + 1 if effort else 1):
        gained = min(room, count * rule.points)
        if effort and gained not in least:
            months = count if effort.pace == "month" else 0
            least[gained] = Mix(count * effort.hours, months, ((rule.id, count),))
    return least


def join(parts: Iterable[Least], cap: int) -> Least:
    """Give the cheapest mixes over all parts together, `cap` tenths at most."""
    least: Least = {0: NOTHING}
    for part in parts:
        before, least = least, {}
        for gained, one in before.items():
            for more, other in part.items():
                total = min(cap, gained + more)
                hours, months = one.hours + other.hours, max(one.months, other.months)
                found = least.get(total)
                if found is None or (hours, months) < (found.hours, found.months):  # a Mix is made for the better alone
                    least[total] = Mix(hours, months, one.units + other.units)
    return least


def cheapest(least: Least, needed: int) -> Mix | None:
    """Give the cheapest mix that gains at least so many tenths, None when none does."""
    enough = [mix for gained, mix in least.items() if gained >= needed]
    return min(enough, key=lambda mix: (mix.hours, mix.months), default=None)
