"""When a channel is looked at again. Pure.

What is under way is looked at soon and then ever more seldom, since a callback or a step of ours wakes it sooner. A
channel that gives no sure answer is asked again with the same number; what stays unknown is parked: a person is told,
and it is tried again every six hours.
"""

from collections.abc import Mapping
from datetime import timedelta

from incentives.channels.course import Stage

PARKED_AFTER = 8
_FIRST, _FIRST_RETRY = timedelta(seconds=15), timedelta(seconds=2)
_LONGEST: Mapping[Stage, timedelta] = {
    "none": timedelta(hours=1),
    "to_confirm": timedelta(minutes=5),
    "held": timedelta(hours=6),
    "charging": timedelta(hours=1),
}
_LONGEST_RETRY, _PARKED = timedelta(minutes=10), timedelta(hours=6)
_DOUBLINGS = 20


def again(stage: Stage, idle: int) -> timedelta:
    """After how long to look again when nothing changed `idle` times in a row."""
    return min(_FIRST * 2 ** min(idle, _DOUBLINGS), _LONGEST.get(stage, _PARKED))


def retry(tries: int) -> timedelta:
    """After how long to ask again when `tries` answers in a row were none (1 is the first)."""
    return _PARKED if tries >= PARKED_AFTER else min(_FIRST_RETRY * 2**tries, _LONGEST_RETRY)
