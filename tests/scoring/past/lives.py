"""Made-up lives by the thousand, cheap: seeded source lines, what happens to them, and the store that keeps them.

The store is the merge in memory: lines go through the catalogue's check, the highest version of a ref stays, statuses
are set by the acts that set them in the database; what is read of it is what `scoring.rows` reads.
"""

import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from core.months import first, shift
from scoring.book.lines import Accepted, LineReader
from scoring.past.whatif import Supposed
from scoring.points.facts import RecordRow

TODAY = date(2026, 11, 22)
ADULT = date(2008, 5, 1)
_USCC = "91350100M000100Y43"
_MONTHLY = {
    "P01": {"account": "a", "on_time": True},
    "P02": {"account": "a", "on_time": True},
    "P07": {"scheme": "housing_fund"},
    "P17": {"role": "楼组长", "organisation": "社区"},
    "P21": {"contract": "c", "on_time": True},
    "P22": {"card": "k"},
}
_LEVELS = ("county", "city", "province", "nation")


class Store:
    """The records of one person, as the database would hold them."""

    def __init__(self, reader: LineReader, kinds: frozenset[str]) -> None:
        """Empty; lines are checked by `reader`."""
        self._reader, self._kinds = reader, kinds
        self.lines: dict[str, Accepted] = {}
        self.status: dict[str, str] = {}

    def send(self, line: Mapping[str, Any], *, on: date) -> bool:
        """A source sends a line; a higher version replaces, and is active again unless it was hidden."""
        raw = msgspec.json.encode({"version": 1, "subject": "a" * 64, **line})
        found = self._reader.read(raw, permitted=self._kinds, received_on=on, provider=line["ref"][:2])
        if not isinstance(found, Accepted):
            return False
        if found.ref not in self.lines or found.version > self.lines[found.ref].version:
            self.lines[found.ref] = found
            self.status[found.ref] = "hidden" if self.status.get(found.ref) == "hidden" else "active"
        return True

    def rows(self, *, every: bool = False) -> list[RecordRow]:
        """The rows that count, or every row with its status."""
        return [
            RecordRow(ref, one.kind, one.provider, one.occurred_on, one.quantity, one.level, one.severity, one.from_on,
                      one.until_on, self.status[ref])
            for ref, one in self.lines.items() if every or self.status[ref] == "active"
        ]  # fmt: skip


def line(chance: random.Random, ref: str, on: date) -> dict[str, Any]:
    """One line of a random kind, dated up to `on`."""
    kind = chance.choice((*_MONTHLY, "P01", "P04", "P06", "P08", "P09", "P12", "P13", "P14", "P15", "P16", "N"))
    day = on - timedelta(days=int(chance.triangular(0, 1500, 120)))
    if kind == "N":
        return _deduction(chance, ref, day, on)
    fields: dict[str, Any] = dict(_MONTHLY.get(kind, {}))
    if kind in {*_MONTHLY, "P16"}:
        fields["period"] = f"{day:%Y-%m}"
    fields |= {
        "P04": {"loan": ref, "due_on": str(day + timedelta(days=9)), "returned_on": str(day)},
        "P06": {"commitment": ref, "item": "x", "verified_on": str(day)},
        "P08": {"project": "x", "hours": chance.randint(1, 12), "organisation": _USCC},
        "P09": {"award": chance.choice(("star", "best", "special")), "level": chance.randint(1, 5)},
        "P12": {"receipt": ref, "organisation": "慈善会"},
        "P13": {"title": "t", "level": chance.choice(_LEVELS)},
        "P14": {"title": "t", "level": chance.choice(_LEVELS)},
        "P15": {"title": "t", "level": chance.choice(_LEVELS)},
        "P16": {"scheme": "demo-village", "grade": chance.randint(1, 6)},
    }.get(kind, {})
    made: dict[str, Any] = {"ref": ref, "kind": kind, "occurred_on": str(day), "fields": fields}
    if kind in {"P13", "P14", "P15"}:
        made["document"] = {"no": "1", "authority": "a", "effective_on": str(day)}
    return made


def _deduction(chance: random.Random, ref: str, act: date, on: date) -> dict[str, Any]:
    kind = chance.choice(("N01", "N01", "N02", "N03", "N04", "N05", "N06"))
    effective = min(on, act + timedelta(days=chance.randint(0, 200)))
    served = min(on, effective + timedelta(days=chance.randint(0, 20)))
    penalty = {"class": "c", "clause": "1", "procedure": "ordinary"}
    fields: dict[str, Any] = {
        "N01": {**penalty, "severity": "general"},
        "N02": {**penalty, "severity": "serious"},
        "N03": {"case": "1", "listed_on": str(effective)},
        "N04": {"fraud": "f", "clause": "1"},
        "N05": {"account": "a", "since": str(act)},
        "N06": {"commitment": "c", "finding": "f"},
    }[kind]
    return {
        "ref": ref, "kind": kind, "occurred_on": str(act), "fields": fields,
        "document": {"no": "1", "authority": "a", "effective_on": str(effective)},
        "notice": {"no": "1", "served_on": str(served)},
    }  # fmt: skip


def live(chance: random.Random, store: Store) -> None:
    """Some records until today: up to 30, some hidden, some repaired."""
    for number in range(int(chance.triangular(0, 30, 6))):
        store.send(line(chance, f"s{chance.randint(0, 2)}-{number}", TODAY), on=TODAY)
    for ref, one in store.lines.items():
        if chance.random() < 0.1:
            store.status[ref] = "hidden" if one.from_on is None else "repaired"


def suppose(chance: random.Random, store: Store, on: date) -> tuple[Supposed, list[dict[str, Any]]]:
    """Something that could happen by a day: what to ask, and the lines that a source would send."""
    add = [line(chance, f"new-{number}", on) for number in range(chance.randint(0, 4))]
    deductions = [ref for ref, one in store.lines.items() if one.from_on is not None]
    positives = [ref for ref in store.lines if ref not in deductions]
    hidden = {ref for ref in positives if chance.random() < 0.1}
    shown = {ref for ref in positives if chance.random() < 0.1} - hidden
    asked = tuple({name: part for name, part in one.items() if name != "ref"} for one in add)
    ended = frozenset(ref for ref in deductions if chance.random() < 0.4)
    return Supposed(asked, ended, frozenset(hidden), frozenset(shown)), add


def happen(chance: random.Random, store: Store, supposed: Supposed, add: list[dict[str, Any]], on: date) -> None:
    """The same happens, in any order, by the acts that bring it about."""
    acts: list[tuple[str, Any]] = [("send", one) for one in add]
    acts += [("end", ref) for ref in supposed.end]
    acts += [("hide", ref) for ref in supposed.hide]
    acts += [("show", ref) for ref in supposed.show]
    chance.shuffle(acts)
    for act, what in acts:
        if act == "send":
            assert store.send(what, on=on)
        elif act == "end" and store.lines[what].kind in {"N03", "N05"} and chance.random() < 0.5:
            _closed(store, what, on)
        elif act == "end":
            store.status[what] = "repaired"
        elif act == "hide" and store.status[what] == "active":
            store.status[what] = "hidden"
        elif act == "show" and store.status[what] == "hidden":
            store.status[what] = "active"


def _closed(store: Store, ref: str, on: date) -> None:
    """Arrears are paid, or a listing removed: a higher version with the day, as its source would send it."""
    old = store.lines[ref]
    ends = {"N03": "removed_on", "N05": "cleared_on"}[old.kind]
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(old.sealed))
    sent = {"ref": ref, "kind": old.kind, "occurred_on": str(old.occurred_on), "version": old.version + 1}
    store.send({**sent, **body, "fields": {**body["fields"], ends: str(on)}}, on=on)


def day(chance: random.Random) -> date:
    """Today, or a day of the next three years; often the first of a month, where windows turn."""
    later = TODAY + timedelta(days=chance.choice((0, 0, 1, 30, 365, chance.randint(0, 1100))))
    turned = first(shift(later, 1))
    return turned if chance.random() < 0.2 else later
