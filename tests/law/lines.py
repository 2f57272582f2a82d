"""Source lines as the law's tests send them, judged by the shipped catalogue."""

import json
from datetime import date, timedelta
from typing import Any

from core import idnumber
from scoring.book.lines import Accepted, Rejected
from scoring.points.facts import Fact, RecordRow, facts
from tests.rulebook import book, card, evaluator, reader

TODAY = date(2026, 11, 22)
BORN = date(1990, 1, 1)
FIELDS: dict[str, dict[str, Any]] = {
    "N01": {"class": "fine", "clause": "1", "severity": "general", "procedure": "ordinary"},
    "N02": {"class": "ban", "clause": "1", "severity": "serious", "procedure": "ordinary"},
    "N03": {"case": "1", "listed_on": "2026-01-10"},
    "N04": {"fraud": "1", "clause": "1"},
    "N05": {"account": "1", "since": "2026-01-10"},
    "N06": {"commitment": "1", "finding": "1"},
    "P01": {"account": "1", "period": "2026-01", "on_time": True},
    "P13": {"title": "1", "level": "city"},
}


def number(born: date = BORN) -> str:
    """A made-up ID number."""
    return idnumber.complete(f"990000{born:%Y%m%d}001")


def line(kind: str = "N01", *, on: date = date(2026, 1, 10), effective: date | None = None, **more: Any) -> Any:
    """A line of a kind about an act of a day, decided and served on the same day unless told otherwise."""
    day = (effective or on).isoformat()
    given = {
        "ref": "r", "version": 1, "kind": kind, "id_number": number(), "occurred_on": on.isoformat(),
        "document": {"no": "1", "authority": "x", "effective_on": day}, "notice": {"no": "1", "served_on": day},
        "fields": FIELDS[kind],
    }  # fmt: skip
    return {key: value for key, value in (given | more).items() if value is not None}


def judge(given: Any, *, today: date = TODAY) -> Accepted | Rejected:
    """What the catalogue says of a line."""
    raw = json.dumps(given, ensure_ascii=False).encode()
    return reader().read(raw, permitted=book().enabled(), received_on=today)


def code(given: Any, *, today: date = TODAY) -> str:
    """The code of a refusal, empty when the line is taken."""
    found = judge(given, today=today)
    return found.code if isinstance(found, Rejected) else ""


def points(*given: Any, on: date = TODAY) -> int:
    """The tenths of an adult with these records on a day, each taken on its own day."""
    rows: list[RecordRow] = []
    for order, one in enumerate(given):
        found = judge(one, today=date(2200, 1, 1))
        assert isinstance(found, Accepted), found
        rows.append(
            RecordRow(
                str(order), found.kind, "", found.occurred_on, found.quantity, found.level, found.severity,
                found.from_on, found.until_on, "active",
            )
        )  # fmt: skip
    return evaluator()(facts(rows), book().adult_on(BORN), on).points


def costs(given: Any, on: date) -> int:
    """How many tenths a deduction takes on a day, the clean years that it touches put aside."""
    found = judge(given, today=date(2200, 1, 1))
    assert isinstance(found, Accepted), found
    row = Fact(
        found.kind, "", found.occurred_on, 1, None, found.severity, found.from_on, found.until_on, "active", ("r",)
    )
    return sum(one.points for one in evaluator()([row], book().adult_on(BORN), on).deductions)


def each(day: date) -> tuple[date, date, date]:
    """The day before, the day, the day after."""
    return day - timedelta(days=1), day, day + timedelta(days=1)


DEDUCTIONS = tuple(rule.kind for rule in card().deductions)
