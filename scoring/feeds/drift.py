"""Whether what a source sends has changed its nature: pure judgements over counts. Pure.

Robust on purpose: medians instead of means, shares instead of sums, and nothing is said below a least number, so that a
holiday, a late batch or one odd line raises no alarm. An alarm says that somebody should look, never that a datum is
wrong; nothing is refused or re-counted because of one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import median

import msgspec

from scoring.book.kinds import Quality

_MAD = 1.4826  # makes the median deviation comparable with a standard deviation
_WHOLE = 100

Shares = Mapping[str, int]


class Alert(msgspec.Struct, frozen=True, order=True):
    """What is strange: `silent volume mix level quantity late rejected`, of which kind ("" for all), how far beyond.

    `seen` and `limit` are deviations for `volume`, days for `silent`, per cent for the rest.
    """

    what: str
    kind: str
    seen: int
    limit: int


class Week(msgspec.Struct, frozen=True):
    """A source's counts of seven days: lines by kind, refused lines; by kind how late, how high, how many."""

    accepted: Counter[str]
    rejected: int
    took: dict[str, Counter[str]]
    level: dict[str, Counter[str]]
    quantity: dict[str, Counter[str]]


def deviation(last: int, earlier: Sequence[int]) -> float:
    """How many robust deviations a number lies off the earlier ones; at least a Poisson's width counts as one."""
    if not earlier:
        return 0.0
    middle = median(earlier)
    spread = max(_MAD * median(abs(one - middle) for one in earlier), sqrt(middle), 1.0)
    return (last - middle) / spread


def shifted(last: Shares, earlier: Shares) -> int:
    """How far two distributions lie apart: the total variation distance in per cent, 0 to 100."""
    here, there = sum(last.values()), sum(earlier.values())
    if not here or not there:
        return 0
    names = last.keys() | earlier.keys()
    apart = sum(abs(last.get(name, 0) * there - earlier.get(name, 0) * here) for name in names)
    return round(_WHOLE * apart / (2 * here * there))


def judge(last: Week, earlier: Sequence[Week], rules: Quality) -> list[Alert]:
    """What is strange about the last week, against those before it (oldest first; those without a line count)."""
    found = [*_volume(last, earlier, rules), *_rejected(last, rules), *_late(last, rules)]
    found += _shift("mix", "", last.accepted, _joined([one.accepted for one in earlier]), rules)
    for what in ("level", "quantity"):
        mine: dict[str, Counter[str]] = getattr(last, what)
        for kind, counts in mine.items():
            before = _joined([getattr(one, what).get(kind, Counter()) for one in earlier])
            found += _shift(what, kind, counts, before, rules)
    return sorted(found)


def _volume(last: Week, earlier: Sequence[Week], rules: Quality) -> list[Alert]:
    totals = [one.accepted.total() for one in earlier]
    usual = median(totals) if totals else 0
    if usual and not last.accepted.total():
        return [Alert("silent", "", 7, 7)]
    if len(totals) < rules.weeks or max(usual, last.accepted.total()) < rules.least:
        return []
    off = deviation(last.accepted.total(), totals)
    return [Alert("volume", "", round(off), rules.deviations)] if abs(off) > rules.deviations else []


def _rejected(last: Week, rules: Quality) -> list[Alert]:
    return _share("rejected", "", last.rejected, last.rejected + last.accepted.total(), rules.rejected_percent, rules)


def _late(last: Week, rules: Quality) -> list[Alert]:
    found: list[Alert] = []
    for kind, counts in last.took.items():
        late = sum(lines for days, lines in counts.items() if int(days) > rules.late_days)
        found += _share("late", kind, late, counts.total(), rules.late_percent, rules)
    return found


def _share(what: str, kind: str, part: int, whole: int, limit: int, rules: Quality) -> list[Alert]:
    if whole < rules.least or part * _WHOLE <= limit * whole:
        return []
    return [Alert(what, kind, round(_WHOLE * part / whole), limit)]


def _shift(what: str, kind: str, last: Counter[str], earlier: Counter[str], rules: Quality) -> list[Alert]:
    if last.total() < rules.least or earlier.total() < rules.least:
        return []
    apart = shifted(last, earlier)
    return [Alert(what, kind, apart, rules.shift_percent)] if apart > rules.shift_percent else []


def _joined(counts: Sequence[Counter[str]]) -> Counter[str]:
    return sum(counts, Counter[str]())
