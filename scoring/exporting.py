"""Everything that this room holds about one citizen, for their own archive (PIPL article 45).

A record comes with its plain columns as well as with what its source sent, so that anybody can count the points again
from the archive alone. Left out is the random subject under which records lie: it says nothing about the person and
would be a thread for whoever finds the archive.
"""

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids
from core.keys import Keyring
from scoring import holders, rulebook, staging, standing, statements, suspensions
from scoring.feedtables import history_pull
from scoring.holders import Holder
from scoring.points import explain
from scoring.points.scoreview import ScoreView
from scoring.rulebook import RuleBook
from scoring.standing import Change
from scoring.tables import live, record, refusal

_PAGE = 200


class Span(msgspec.Struct, frozen=True):
    """Days on which a deduction did not count, being disputed or under review: until the day before `until_on`."""

    from_on: date
    until_on: date | None


class HeldVersion(msgspec.Struct, frozen=True):
    """What a record said before its source corrected it; kept for 30 days, should the correction be withdrawn."""

    version: int
    received_at: datetime
    occurred_on: date
    fields: dict[str, Any]
    document: dict[str, Any] | None
    notice: dict[str, Any] | None


class HeldRecord(msgspec.Struct, frozen=True):
    """One record with every column that counts; `source` is the source's client id, `statement` the citizen's words."""

    id: str
    kind: str
    name: str
    label: str
    source: str
    ref: str
    version: int
    provider: str
    status: str
    status_at: datetime
    occurred_on: date
    quantity: int
    level: int | None
    severity: str | None
    from_on: date | None
    until_on: date | None
    received_at: datetime
    line: int | None
    dated_on: date | None
    fields: dict[str, Any]
    document: dict[str, Any] | None
    notice: dict[str, Any] | None
    statement: str | None
    suspended: list[Span]
    repair: dict[str, Any] | None = None
    earlier: list[HeldVersion] = []


class HeldAsking(msgspec.Struct, frozen=True):
    """A source that was asked for what it held when the citizen joined, and what came of it."""

    source: str
    state: str
    changed_at: datetime


class HeldChange(msgspec.Struct, frozen=True):
    """One change of the points: the cause, and every part in tenths as it was then."""

    at: datetime
    as_of: date
    points_tenths: int
    cause: str
    scorecard: str
    parts: dict[str, int | str | bool]


class HeldRefusal(msgspec.Struct, frozen=True):
    """A kind that the citizen does not want taken."""

    kind: str
    at: datetime


class Enrolment(msgspec.Struct, frozen=True):
    """What stands on the `score` consent.

    `parts` are the points of `as_of` by indicator, dimension and deduction, in tenths; `score` says the same in words.
    `rules` are digests (SHA-256) of the rule book's texts: the scorecard of `score` first, then those of older changes.
    """

    as_of: date
    adult_on: date
    computed_at: datetime
    score: ScoreView
    parts: dict[str, int | str | bool]
    records: list[HeldRecord]
    history: list[HeldChange]
    refused: list[HeldRefusal]
    asked: list[HeldAsking]
    rules: list[str]


async def of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> Enrolment | None:
    """All that is held of a citizen who takes part, points evaluated today; None for everybody else."""
    today = clock.today()
    book = await rulebook.current(session, on=today)
    try:
        evaluation, stored = await standing.of(session, ring, citizen_id=citizen_id, as_of=today, book=book)
    except standing.NotEnrolled:
        return None
    holder = await holders.one(session, ring, citizen_id=citizen_id)
    if holder is None:
        return None
    history = await _history(session, ring, citizen_id)
    refused = await session.execute(select(refusal).where(refusal.c.citizen_id == citizen_id).order_by(refusal.c.kind))
    asked = await session.execute(
        select(*(history_pull.c[name] for name in HeldAsking.__struct_fields__))
        .where(history_pull.c.citizen_id == citizen_id)
        .order_by(history_pull.c.source)
    )
    return Enrolment(
        as_of=today,
        adult_on=holder.adult_on,
        computed_at=stored.computed_at,
        score=explain.explain(evaluation, book.scorecard, book.evaluator),
        parts=evaluation.columns(),
        records=await _records(session, holder, book),
        history=history,
        refused=[HeldRefusal(row.kind, row.at) for row in refused],
        asked=[HeldAsking(*row) for row in asked],
        rules=list(dict.fromkeys([evaluation.digest, *(one.scorecard for one in history)])),
    )


async def _history(session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID) -> list[HeldChange]:
    """Every change, newest first."""
    found: list[HeldChange] = []
    before: uuid.UUID | None = None
    while page := await standing.history(session, ring, citizen_id=citizen_id, limit=_PAGE, before=before):
        found += [_change(one) for one in page]
        before = page[-1].id
    return found


def _change(one: Change) -> HeldChange:
    return HeldChange(one.at, one.as_of, one.points, one.cause, one.evaluation.digest, one.evaluation.columns())


async def _records(session: AsyncSession, holder: Holder, book: RuleBook) -> list[HeldRecord]:
    """Every record under the holder's subject, the latest day first, also those that do not count."""
    query = (
        select(record)
        .join(live, live.c.record_subject == record.c.record_subject)
        .where(record.c.record_subject == holder.record_subject, live.c.until > clock.civil())
        .order_by(record.c.occurred_on.desc(), record.c.id.desc())
    )
    rows = (await session.execute(query)).all()
    said = await statements.beside(session, holder, [row.id for row in rows])
    gone = await suspensions.spans(session, [row.id for row in rows])
    spans = {record_id: [Span(*one) for one in some] for record_id, some in gone.items()}
    return list(_each(holder, book, rows, said, spans))


def _each(
    holder: Holder, book: RuleBook, rows: Iterable[Any], said: dict[uuid.UUID, str], spans: dict[uuid.UUID, list[Span]]
) -> Iterable[HeldRecord]:
    for row in rows:
        papers = staging.papers(holder, row.id, row.sealed) if row.sealed else staging.Papers({})
        kind = book.catalogue.kinds.get(row.kind)
        label = "" if kind is None else book.catalogue.label(row.kind, row.occurred_on, row.quantity, row.level)
        plain = {name: getattr(row, name) for name in HeldRecord.__struct_fields__ if hasattr(row, name)}
        plain |= {"id": ids.show("rc", row.id), "name": row.kind if kind is None else kind.name, "label": label}
        plain |= {"fields": papers.fields, "document": papers.document, "notice": papers.notice}
        plain |= {"repair": papers.repair, "earlier": [_version(holder, row.id, one) for one in row.earlier or ()]}
        yield HeldRecord(**plain, statement=said.get(row.id), suspended=spans.get(row.id, []))


def _version(holder: Holder, identity: uuid.UUID, held: dict[str, Any]) -> HeldVersion:
    """An earlier version, from the row that it was."""
    said = bytes.fromhex(held["sealed"].removeprefix("\\x"))
    papers = staging.papers(holder, identity, said) if said else staging.Papers({})
    received_at, occurred_on = datetime.fromisoformat(held["received_at"]), date.fromisoformat(held["occurred_on"])
    return HeldVersion(held["version"], received_at, occurred_on, papers.fields, papers.document, papers.notice)
