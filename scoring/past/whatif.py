"""What a citizen's records would be if something happened: more of them, one repaired or paid, one hidden or shown.

Pure. It only changes the list of records; rows, points and words come from the same modules as the real ones, and a
record that is supposed passes the same check as a line of a source. So what is promised here is what happens
(tests/scoring/past/test_whatif.py holds it on as many made-up lives as one asks for).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from core.errors import Conflict, FieldError, Invalid, NotFound
from scoring.book.catalogue import Catalogue
from scoring.book.lines import Accepted, LineReader, Rejected
from scoring.points.facts import RecordRow

MOST_ADDED = 200
_NOBODY = "0" * 64  # a line needs somebody; nothing looks for whom


class WouldNotBeTaken(Invalid):
    """A supposed record that no source could send, or that its citizen does not want taken."""

    code = "would_not_be_taken"
    title = "A record like this would not be taken"


class NotEndable(Conflict):
    """Only a deduction can be repaired or paid."""

    code = "not_endable"
    title = "This record cannot be ended"


class NotHideable(Conflict):
    """Only positives can be hidden."""

    code = "not_hideable"
    title = "This record cannot be hidden"


class Supposed(msgspec.Struct, frozen=True):
    """What is supposed to happen: records as sources would send them, and ids of records of the citizen's own.

    `add` members have `kind`, `occurred_on`, `fields` and, where the kind needs them, `document` and `notice`.
    """

    add: tuple[Mapping[str, Any], ...] = ()
    end: frozenset[str] = frozenset()
    hide: frozenset[str] = frozenset()
    show: frozenset[str] = frozenset()


class Rules(msgspec.Struct, frozen=True):
    """What a supposed record is checked by; `refused` kinds their citizen does not want taken."""

    catalogue: Catalogue
    reader: LineReader
    kinds: frozenset[str]
    refused: frozenset[str] = frozenset()


def after(held: Sequence[RecordRow], supposed: Supposed, *, rules: Rules, on: date) -> list[RecordRow]:
    """The records of `on` if all this had happened by then.

    Raises NotFound, NotEndable, NotHideable, WouldNotBeTaken.
    """
    _must_be_theirs(held, supposed.end | supposed.hide | supposed.show)
    changed = [_changed(row, supposed, rules.catalogue) for row in held]
    return changed + _added(supposed.add, rules, on)


def _must_be_theirs(held: Sequence[RecordRow], named: Collection[str]) -> None:
    if set(named) - {row.id for row in held}:
        raise NotFound("没有这样一条您的记录。")


def _changed(row: RecordRow, supposed: Supposed, catalogue: Catalogue) -> RecordRow:
    kind = catalogue.kinds.get(row.kind)
    positive = kind is None or kind.positive
    status = row.status
    if row.id in supposed.hide | supposed.show and not positive:
        raise NotHideable("扣分记录不能隐藏；如有异议请提出异议，已纠正的请申请信用修复。")
    if row.id in supposed.end:
        if positive:
            raise NotEndable("加分记录没有可以修复或缴清的；不想计分请用“隐藏”（hide）。")
        status = "repaired"
    if row.id in supposed.show and status == "hidden":
        status = "active"
    if row.id in supposed.hide and status == "active":
        status = "hidden"
    return row if status == row.status else msgspec.structs.replace(row, status=status)


def _added(lines: Sequence[Mapping[str, Any]], rules: Rules, on: date) -> list[RecordRow]:
    """The rows of supposed lines, each through the check of a real one; every fault with its JSON Pointer."""
    rows: list[RecordRow] = []
    wrong: list[FieldError] = []
    for place, line in enumerate(lines):
        found = _read(line, place, rules, on)
        if isinstance(found, Rejected):
            wrong.append(FieldError(f"/add/{place}", found.code, found.detail))
        elif found.kind in rules.refused:
            wrong.append(FieldError(f"/add/{place}", "refused_kind", "您不让这类记录被收取；先重新允许，才会计分。"))
        else:
            rows.append(_row(found))
    if wrong:
        raise WouldNotBeTaken("设想的记录里有报送不进来的；原因见 errors。", errors=wrong)
    return rows


def _read(line: Mapping[str, Any], place: int, rules: Rules, on: date) -> Accepted | Rejected:
    whole = {**line, "ref": f"add-{place}", "version": 1, "subject": _NOBODY}
    return rules.reader.read(msgspec.json.encode(whole), permitted=rules.kinds, received_on=on)


def _row(line: Accepted) -> RecordRow:
    """The stored columns of an accepted line, as the merge writes them."""
    return RecordRow(
        id=line.ref, kind=line.kind, provider=line.provider, occurred_on=line.occurred_on, quantity=line.quantity,
        level=line.level, severity=line.severity, from_on=line.from_on, until_on=line.until_on, status="active",
    )  # fmt: skip
