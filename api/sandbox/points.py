"""Records that give a made-up person of 23 or more so many points under the shipped scorecard. Pure.

Somebody without a record has 110: base 100, ten for clean years. A month with a bill kept is 0.5 (20 of them here), an
hour of service 0.2 (50), a month with a loan returned 0.3 (13); honours come on top; a general penalty takes five and a
clean year. Does not promise the points under a scorecard that somebody else published: whoever uses this looks.
"""

from datetime import date, timedelta

import msgspec

from api.sandbox import lines
from api.sandbox.lines import Line, months_back

BASE, CLEAN, _PENALISED = 1000, 1100, 1030
_BILL, _HOUR, _LOAN = 5, 2, 3
_MONTHS, _HOURS, _LOANS = 20, 50, 13
_HONOURS = {0: (), 40: (("P14", "county"),), 80: (("P14", "province"),), 100: (("P14", "nation"),),
            160: (("P13", "county"), ("P14", "nation")), 220: (("P13", "nation"), ("P14", "nation"))}  # fmt: skip
_A_DAY = 8
Sent = dict[str, list[Line]]


class Mix(msgspec.Struct, frozen=True):
    """How many of what; `honours` are kinds and levels."""

    bills: int = 0
    hours: int = 0
    loans: int = 0
    honours: tuple[tuple[str, str], ...] = ()
    penalised: bool = False


def mix(tenths: int) -> Mix | None:
    """Give what makes exactly so many points (tenths), the fewest records first; None when nothing here does."""
    for penalised in (False, True):
        for above, honours in _HONOURS.items():
            need = tenths - (_PENALISED if penalised else CLEAN) - above
            if need >= 0 and (found := _filled(need)) is not None:
                return msgspec.structs.replace(found, honours=honours, penalised=penalised)
    return None


def _filled(need: int) -> Mix | None:
    for loans in range(_LOANS + 1):
        for bills in range(min(_MONTHS, need // _BILL), -1, -1):
            rest = need - _LOAN * loans - _BILL * bills
            if 0 <= rest <= _HOURS * _HOUR and rest % _HOUR == 0:
                return Mix(bills, rest // _HOUR, loans)
    return None


def records(wanted: Mix, today: date, tag: str) -> Sent:
    """Give the lines of a mix, by the source that sends them; `tag` makes their refs this person's alone."""
    sent: Sent = {
        "utilities": lines.bills("P01", f"SB-{tag}", today, wanted.bills),
        "volunteer": _service(wanted.hours, today, tag),
        "library": [lines.loan(f"JY-{tag}-{month:%Y%m}", month) for month in months_back(today, wanted.loans)],
        "civic": [lines.honour(kind, f"RY-{tag}-{kind}", _ago(today), level) for kind, level in wanted.honours],
        "enforcement": penalised(today, tag) if wanted.penalised else [],
    }
    return {source: some for source, some in sent.items() if some}


def penalised(today: date, tag: str) -> list[Line]:
    """Give a general penalty that took effect in the last quarter."""
    return [lines.penalty(tag, _ago(today))]


def held(today: date, tag: str) -> list[Line]:
    """Give an open entry in the list of judgment defaulters."""
    return [lines.listing(tag, _ago(today))]


def _service(hours: int, today: date, tag: str) -> list[Line]:
    """Give days of service in the last months, none longer than counts."""
    days = [min(_A_DAY, hours - done) for done in range(0, hours, _A_DAY)]
    return [
        lines.service(f"ZY-{tag}-{n}", month.replace(day=9), spent)
        for n, (month, spent) in enumerate(zip(months_back(today, len(days)), days, strict=True))
    ]


def _ago(today: date) -> date:
    return today - timedelta(days=60)
