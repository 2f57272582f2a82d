"""Case files: a situation that an official can read, and the points and sentences that the rules must give for it.

Pure. A case goes the whole way of a real record: catalogue check, rows, evaluation, explanation. What a case does not
say about a line (account numbers, document numbers) is made up here and is the same for every case.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import cast

import msgspec

from core import idnumber, months
from core.policyfile import Document, Fault, Table
from scoring.book.catalogue import Catalogue
from scoring.book.envelope import SourceLine
from scoring.book.kinds import Field, Interval
from scoring.book.lines import Accepted, LineReader
from scoring.book.scorecard import Scorecard
from scoring.points import evaluate, explain
from scoring.points.evaluate import Evaluation
from scoring.points.facts import RecordRow, facts
from scoring.points.texts import sentences

STATUSES = ("active", "disputed", "hidden", "repaired", "revoked")
_ORGANISATION = "91350100M000100Y43"
_MOST = 20_000


class Rules(msgspec.Struct, frozen=True):
    """The compiled rule book that cases are held against."""

    card: Scorecard
    evaluator: evaluate.Evaluator
    catalogue: Catalogue
    reader: LineReader


def rules(card: Scorecard, catalogue: Catalogue) -> Rules:
    """Compile a scorecard and a catalogue once for many cases."""
    return Rules(card, evaluate.compile(card), catalogue, LineReader(catalogue))


class Papers(msgspec.Struct, frozen=True):
    """The days that a deduction's line names: act, effect of the document, service, and the field that delays it."""

    act: date
    effective_on: date
    served_on: date
    clock: date | None


class Refused(msgspec.Struct, frozen=True):
    """A line that was not taken: its kind, the code, its day where the case gives one, and what it says by field."""

    kind: str
    code: str
    on: date | None
    wrote: dict[str, str]


class Case(msgspec.Struct, frozen=True):
    """A case that was read and counted: its words, its records, the rules of its day, what came out.

    `papers` stand under the id of their record; `days_made_up` says that a line
    gave only a number of months; `points` (tenths) and `tier` are what the case expects, `differs` what came out
    otherwise.
    """

    title: str
    situation: str
    born: date
    rows: tuple[RecordRow, ...]
    refused: tuple[Refused, ...]
    papers: dict[str, Papers]
    days_made_up: bool
    book: Rules
    evaluation: Evaluation
    points: int = 0
    tier: str = ""
    differs: tuple[Fault, ...] = ()


def run(text: str, file: str, *books: Rules) -> list[Fault]:
    """Run one case by the scorecard that is valid on its day; gives what differs from the expectation, with lines.

    Raises `policyfile.Faulty` when the case cannot be read.
    """
    return list(read(text, file, *books).differs)


def read(text: str, file: str, *books: Rules) -> Case:
    """Read, count and compare one case, whatever it expects. Raises `policyfile.Faulty` when it cannot be read."""
    document = Document(text, file)
    expect = document.root.table("expect")
    case = _read(document, books)
    points, tier = _compare(expect, case.evaluation, case.book)
    expect.close()
    return msgspec.structs.replace(case, points=points, tier=tier, differs=tuple(document.faults))


def _read(document: Document, books: tuple[Rules, ...]) -> Case:
    root = document.root
    title, situation = root.text("title"), root.text("situation")
    as_of, born = root.day("as_of"), root.day("born")
    tables = root.tables("record")
    valid = [book for book in books if book.card.valid_from <= as_of]
    if not valid and not document.faults:
        root.fault("No scorecard is valid on this day.", "Choose a later day.", "as_of")
    document.close()
    book = max(valid, key=lambda book: book.card.valid_from)
    papers: dict[str, Papers] = {}
    rows = [row for index, table in enumerate(tables) for row in _rows(table, index, (as_of, born), book, papers)]
    refused = [_refused(table) for table in tables if table.has("rejected")]
    made_up = any(table.has("months") for table in tables)
    root.close()
    evaluation = book.evaluator(facts(rows), book.catalogue.adult_on(born), as_of)
    return Case(title, situation, born, tuple(rows), tuple(refused), papers, made_up, book, evaluation)


def _refused(table: Table) -> Refused:
    given = table.table("fields").value if table.has("fields") else {}
    day = table.day("on") if table.has("on") else None
    return Refused(table.text("kind"), table.text("rejected"), day, {key: str(value) for key, value in given.items()})


def _rows(table: Table, index: int, days: tuple[date, date], book: Rules, papers: dict[str, Papers]) -> list[RecordRow]:
    """Read one `[[record]]`: its lines through the catalogue's check, as stored records, and their `papers`."""
    status = table.choice("status", STATUSES, "active")
    rejected = table.text("rejected") if table.has("rejected") else ""
    lines = list(_lines(table, index, days, book))
    table.close()
    rows: list[RecordRow] = []
    for line in lines:
        found = book.reader.check(line, permitted=book.card.kinds(), received_on=days[0])
        code = "" if isinstance(found, Accepted) else found.code
        if code != rejected:
            table.fault(f"The line is {code or 'accepted'}.", f"Expected: {rejected or 'accepted'}.", "kind")
            break
        if isinstance(found, Accepted):
            rows.append(_row(found, status))
            if found.from_on:
                papers[found.ref] = _papers(line, book.catalogue.kinds[found.kind].interval)
    return rows


def _papers(line: SourceLine, rule: Interval | None) -> Papers:
    """Give the days of a line that the catalogue has already taken as a deduction."""
    document, notice = line.document or {}, line.notice or {}
    field = (rule.starts or rule.wait_field) if rule else ""
    return Papers(
        line.occurred_on,
        date.fromisoformat(str(document["effective_on"])),
        date.fromisoformat(str(notice["served_on"])),
        date.fromisoformat(str(line.fields[field])) if field else None,
    )


def _row(line: Accepted, status: str) -> RecordRow:
    return RecordRow(
        line.ref, line.kind, line.provider, line.occurred_on, line.quantity, line.level, line.severity, line.from_on,
        line.until_on, status,
    )  # fmt: skip


def _lines(table: Table, index: int, days: tuple[date, date], book: Rules) -> Iterator[SourceLine]:
    """Expand `months`, `days` and `times` into lines; without them, one line on `on`."""
    as_of, born = days
    kind = table.choice("kind", sorted(book.catalogue.kinds))
    given = table.table("fields").value if table.has("fields") else {}
    number = idnumber.complete(f"990000{born:%Y%m%d}001")
    papers = {key: table.day(key).isoformat() for key in ("effective_on", "served_on") if table.has(key)}
    without = table.words("without", ())
    for serial, day in enumerate(_days(table, as_of)):
        fields = {field.name: _made_up(field, day) for field in book.catalogue.kinds[kind].fields if not field.optional}
        fields |= {key: value.isoformat() if isinstance(value, date) else value for key, value in given.items()}
        document: dict[str, object] = {
            "no": "示例",
            "authority": "示例",
            "effective_on": papers.get("effective_on", day.isoformat()),
        }
        notice: dict[str, object] = {"no": "示例", "served_on": papers.get("served_on", day.isoformat())}
        yield SourceLine(
            ref=f"r{index}-{serial}",
            version=1,
            kind=kind,
            id_number=number,
            subject=None,
            occurred_on=day,
            document=None if "document" in without else document,
            notice=None if "notice" in without else notice,
            fields=fields,
        )


def _days(table: Table, as_of: date) -> list[date]:
    """Give the day of every line: the last `months` months, `days` days in a row, or the same day `times` times."""
    if table.has("months"):
        last = table.day("last") if table.has("last") else as_of
        count = table.whole("months", 1, 600)
        return [months.shift(months.first(last), -back) for back in range(count)]
    day = table.day("on")
    if table.has("days"):
        return [day - timedelta(days=back) for back in range(table.whole("days", 1, 3_000))]
    return [day] * table.whole("times", 1, _MOST, 1)


def _made_up(field: Field, day: date) -> object:
    made: Mapping[str, object] = {
        "text": "示例",
        "true": True,
        "date": day.isoformat(),
        "month": day.isoformat()[:7],
        "whole": max(field.low, 1),
        "enum": next(iter(field.values), ""),
        "uscc": _ORGANISATION,
        "grade": 1,
    }
    return made[field.type]


def _compare(expect: Table, evaluation: Evaluation, book: Rules) -> tuple[int, str]:
    """Hold every expectation against what came out; gives the points and the tier expected."""
    points = expect.tenths("points", 0, 2_000)
    _same(expect, "points", points, evaluation.points)
    tier = expect.text("tier")
    if tier != evaluation.tier:
        expect.fault(f"The tier is {evaluation.tier}.", f"Expected: {tier}. Correct the case or the rules.", "tier")
    if expect.flag("held", default=False) != evaluation.held:
        expect.fault(f"held is {str(evaluation.held).lower()}.", "Correct the case or the rules.", "held")
    parts = expect.table("parts") if expect.has("parts") else None
    columns = evaluation.columns()
    for name in sorted(parts.value) if parts else []:
        column = next((key for key in (f"i_{name}", f"d_{name}", f"n_{name}") if key in columns), "")
        if not column or parts is None:
            expect.fault(f"There is no part {name}.", "Use the id of an indicator, dimension or deduction.", "parts")
            continue
        _same(parts, name, parts.tenths(name, 0, 2_000), cast("int", columns[column]))
    said = sentences(explain.explain(evaluation, book.card, book.evaluator))
    for wanted in expect.words("says", ()):
        if not any(wanted in sentence for sentence in said):
            expect.fault(f"Nothing says “{wanted}”.", "Correct the case or the texts of the scorecard.", "says")
    return points, tier


def _same(table: Table, key: str, wanted: int, found: int) -> None:
    if wanted != found:
        table.fault(f"{key} is {found / 10:g}.", f"Expected: {wanted / 10:g}. Correct the case or the rules.", key)
