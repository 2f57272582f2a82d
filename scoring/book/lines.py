"""One source line, checked against the catalogue in memory and decided by the line alone.

Pure. Prohibited names are looked for first, in every key at every depth; no value of any line ever reaches a detail.
What comes out is either the record's plain scoring columns with what goes into the sealed column, or the contract's
code with the next step. Whether the person takes part is no business of this room: the answer may not depend on it.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import cast

import msgspec

from core import idnumber, months
from scoring.book.catalogue import Catalogue
from scoring.book.envelope import PARTS, TOP, Prohibited, SourceLine, envelope, parse, read_ref, unknown
from scoring.book.fieldcheck import Refused, compile_field, members, past_day, text
from scoring.book.kinds import MONTHLY, Interval, Kind
from scoring.book.schemes import Schemes


class Rejected(msgspec.Struct, frozen=True):
    """Why a line is not taken, in the contract's codes; `ref` and `kind` are empty when it has no readable one."""

    code: str
    detail: str
    ref: str | None = None
    kind: str = ""


class Accepted(msgspec.Struct, frozen=True):
    """A line's record: plain scoring columns, the identity it names, and what belongs into the sealed column.

    `occurred_on` is the first of the month where the kind is counted by `period`. A deduction whose `until_on` is not
    after its `from_on` never counts. `id_number` ends in a capital X. `dated_on` starts the source's time to report.
    """

    ref: str
    version: int
    kind: str
    provider: str
    occurred_on: date
    quantity: int
    level: int | None
    severity: str | None
    from_on: date | None
    until_on: date | None
    id_number: str | None
    subject: str | None
    sealed: dict[str, object]
    label: str
    dated_on: date


class LineReader:
    """The catalogue compiled into checks; build one per release and keep it."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Compile every kind's fields."""
        self._catalogue = catalogue
        self._label = lru_cache(maxsize=4096)(catalogue.label)  # most lines are about the same few months
        self._checks = {
            code: [(f.name, f.optional, compile_field(f)) for f in kind.fields]
            for code, kind in catalogue.kinds.items()
        }
        self._names = {code: frozenset(field.name for field in kind.fields) for code, kind in catalogue.kinds.items()}
        known = TOP.union(*PARTS.values(), *self._names.values())
        self._prohibited = Prohibited(catalogue.prohibited, known)
        self._schemes = Schemes(catalogue.schemes)

    def read(
        self, raw: bytes, *, permitted: frozenset[str], received_on: date, provider: str = ""
    ) -> Accepted | Rejected:
        """Decode and check one line of the body."""
        line = self.decode(raw)
        if isinstance(line, Rejected):
            return line
        return self.check(line, permitted=permitted, received_on=received_on, provider=provider)

    def decode(self, raw: bytes) -> SourceLine | Rejected:
        """Read one line of strict UTF-8 JSON into a `SourceLine`; a number out of range or too deep is malformed."""
        ref: str | None = None
        try:
            value = members("the line", parse(raw))
            ref = read_ref(value.get("ref"))
            self._prohibited.refuse(value)
            return envelope(value, ref)
        except Refused as refused:
            return Rejected(refused.code, refused.detail, ref)

    def check(
        self, line: SourceLine, *, permitted: frozenset[str], received_on: date, provider: str = ""
    ) -> Accepted | Rejected:
        """Decide one line: `permitted` are the kinds this source may send, `received_on` the civil day of receipt."""
        try:
            return self._accept(line, permitted, received_on, provider)
        except Refused as refused:
            return Rejected(refused.code, refused.detail, line.ref, line.kind if line.kind in self._checks else "")

    def _accept(self, line: SourceLine, permitted: frozenset[str], received_on: date, provider: str) -> Accepted:
        kind = self._kind(line.kind, permitted)
        unknown(line.fields, self._names[kind.code], "fields.")
        born = _born(line)
        if line.occurred_on > received_on:
            raise Refused("future_date", "`occurred_on` lies in the future. Send the record once the day has come.")
        effective, served, papers = _papers(kind, line, received_on)
        fields = self._fields(kind, line.fields, received_on)
        occurred = _occurred(kind, line.occurred_on, fields)
        if born is not None:
            self._grown_up(born, line.occurred_on, occurred, fields)
        start, end = _interval(kind.interval, line.occurred_on, effective, served, fields)
        quantity = cast("int", fields[kind.quantity]) if kind.quantity else 1
        level = self._level(kind, fields, provider)
        return Accepted(
            line.ref,
            line.version,
            kind.code,
            provider,
            occurred,
            quantity,
            level,
            kind.severity or None,
            start,
            end,
            idnumber.normal(line.id_number) if line.id_number is not None else None,
            line.subject,
            {**papers, "fields": line.fields},
            self._label(kind.code, occurred, quantity, level),
            effective or _dated(line.occurred_on, fields, received_on),
        )

    def _kind(self, code: str, permitted: frozenset[str]) -> Kind:
        kind = self._catalogue.kinds.get(code)
        if kind is None:
            raise Refused("unknown_kind", "`kind` is not in the catalogue. See /v1/rules/catalogue.")
        if not kind.enabled or code not in permitted:
            raise Refused("kind_not_permitted", f"`kind` {code} is not in force, or not agreed with this source.")
        return kind

    def _fields(self, kind: Kind, raw: dict[str, object], received_on: date) -> dict[str, object]:
        found: dict[str, object] = {}
        for name, optional, check in self._checks[kind.code]:
            if raw.get(name) is not None:
                found[name] = check(raw[name], received_on)
            elif not optional:
                raise Refused("malformed", f"`fields.{name}` is missing. Add it and resend.")
        for field in kind.fields:
            if field.not_after and cast("date", found[field.name]) > cast("date", found[field.not_after]):
                detail = f"`fields.{field.name}` is after `{field.not_after}`: not kept, not recorded. Leave it out."
                raise Refused("nothing_to_record", detail)
        return found

    def _grown_up(self, born: date, occurred: date, counted: date, fields: dict[str, object]) -> None:
        """Nothing dated before the 18th birthday is taken, nor a month that ended before it."""
        adult = self._catalogue.adult_on(born)
        if occurred < adult or ("period" in fields and months.shift(counted, 1) <= adult and counted.day == 1):
            raise Refused(
                "minor", "The record is dated before the person's 18th birthday. It is not taken; leave the line out."
            )

    def _level(self, kind: Kind, fields: dict[str, object], provider: str) -> int | None:
        if not kind.level_table:
            return None
        value = fields[kind.level_field]
        if kind.level_field == "grade":
            return self._schemes.row(fields["scheme"], fields["period"], value, provider)
        table = next(table for table in self._catalogue.tables if table.id == kind.level_table)
        row = next(row for row in table.rows if row.value == str(value))
        plus = cast("int", fields[table.plus]) if table.plus else 0
        if plus > row.highest:
            raise Refused(
                "malformed", f"`fields.{table.plus}` of this award goes to {row.highest}. Correct it and resend."
            )
        return row.level + plus


def _born(line: SourceLine) -> date | None:
    if line.id_number is None:
        return None
    born = idnumber.check(line.id_number)
    if born is None:
        raise Refused(
            "bad_id_number",
            "`id_number` fails GB 11643 (length, birth date, region or check digit). Correct it and resend.",
        )
    if idnumber.normal(line.id_number) in idnumber.normal(line.ref):  # a ref is kept unsealed (PIPL article 51)
        raise Refused("malformed", "`ref` holds the ID number. Use a number of your own that names nobody.")
    return born


def _papers(kind: Kind, line: SourceLine, received_on: date) -> tuple[date | None, date | None, dict[str, object]]:
    """Read the document and the notice where the kind needs them; otherwise they are not kept (PIPL art. 6)."""
    papers: dict[str, object] = {}
    effective = served = None
    if kind.document:
        effective = _paper(line.document, "document", received_on)
        papers["document"] = line.document
    if kind.notice:
        served = _paper(line.notice, "notice", received_on)
        papers["notice"] = line.notice
    return effective, served, papers


def _paper(part: dict[str, object] | None, name: str, received_on: date) -> date:
    """A negative needs an effective document and proof that the person was told (CIR art. 15)."""
    missing = next((key for key in PARTS[name] if part is None or part.get(key) is None), None)
    if part is None or missing:
        raise Refused("missing_" + name, f"`{name}.{missing}` is missing; this kind needs it. Add it and resend.")
    *texts, dated = PARTS[name]
    for key in texts:
        text(f"{name}.{key}", part[key], 100)
    return past_day(f"{name}.{dated}", part[dated], received_on)


def _occurred(kind: Kind, occurred: date, fields: dict[str, object]) -> date:
    if kind.code in MONTHLY and "period" in fields:
        return date.fromisoformat(f"{fields['period']}-01")
    return occurred


def _dated(occurred: date, fields: dict[str, object], received_on: date) -> date:
    """The day from which a report without a document may come: a month's record not before the month is over."""
    if "period" not in fields:
        return occurred
    month = date.fromisoformat(f"{fields['period']}-01")
    return min(received_on, max(occurred, months.shift(month, 1) - timedelta(days=1)))


def _interval(
    rule: Interval | None, act: date, effective: date | None, served: date | None, fields: dict[str, object]
) -> tuple[date | None, date | None]:
    """Give [from_on, until_on) of a deduction; (None, None) for a positive."""
    if rule is None or effective is None or served is None:
        return None, None
    start = cast("date", fields[rule.starts]) if rule.starts else max(effective, served)
    if rule.wait_field:
        start = max(start, cast("date", fields[rule.wait_field]) + timedelta(days=rule.wait_days))
    ends: list[date] = []
    if rule.stop_months:
        ends.append(months.shift(effective, rule.stop_months))
    if rule.hard_stop_months:
        ends.append(months.shift(act, rule.hard_stop_months))
    if rule.ends and rule.ends in fields:
        ends.append(cast("date", fields[rule.ends]))
    return start, min(ends, default=None)
