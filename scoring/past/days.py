"""A citizen's points as they stood on a day gone by.

The last change stored up to the end of that day says what was counted. Where the records held today still give that
change, to the record, the day itself is counted anew from them ("rederived"): by the scorecard of that day, with the
intervals in which deductions counted and the statuses of then. Where they no longer do (erased, corrected, hidden and
shown again), the change's own trace is the answer ("stored"). So an answer never shows what was not known on the day.
Days before joining, days to come, and days older than traces are kept have none.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import ledger
from auth.consent.rows import Consent
from core import clock
from core.errors import Invalid, NotFound
from core.keys import Keyring
from core.months import shift
from scoring import holders, rulebook, traces
from scoring.holders import Holder
from scoring.past import cards, known
from scoring.past.cards import Card
from scoring.past.known import Known
from scoring.points.evaluate import Evaluation
from scoring.points.facts import facts
from scoring.retention import TRACE_MONTHS
from scoring.rulebook import RuleBook
from scoring.standing import NotEnrolled
from scoring.tables import standing_change


class DayToCome(Invalid):
    """Points of a later day are not known."""

    code = "day_to_come"
    title = "The day has not come"


class NotEnrolledThen(NotFound):
    """On that day the citizen took no part."""

    code = "not_enrolled_then"
    title = "Not enrolled on that day"


class DayNotKept(NotFound):
    """Nothing is kept of so long ago."""

    code = "day_not_kept"
    title = "The day is no longer kept"


class Day(msgspec.Struct, frozen=True):
    """The points of a day: the evaluation, the scorecard that made it, and how it was had.

    `derivation` is "rederived" or "stored"; a stored one is of the day of its last change (`evaluation.as_of`).
    """

    evaluation: Evaluation
    card: Card
    derivation: str


class _Change(msgspec.Struct, frozen=True):
    """A stored change: when, and its trace."""

    at: datetime
    trace: Evaluation


async def at(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, on: date) -> Day:
    """A citizen's points of a day up to today. Raises NotEnrolled, NotEnrolledThen, DayToCome, DayNotKept."""
    today = clock.today()
    if on > today:
        detail = f"{on}还没有到；想知道以后会怎样，请用“试算”（POST /v1/me/score/simulate）。"
        raise DayToCome(detail)
    holder = await holders.one(session, ring, citizen_id=citizen_id)
    if holder is None:
        raise NotEnrolled
    _must_be_kept(on, joined=_joined(await ledger.of(session, citizen_id=citizen_id)), today=today)
    book = await rulebook.current(session, on=today)
    held = await known.of(session, holder, book=book)
    last = await _last(session, holder, end_of(on)) if on < today else None
    if last is not None and not await _still_gives(session, holder, held, last):
        return Day(last.trace, await cards.of(session, digest=last.trace.digest), "stored")
    then = book if on == today else await rulebook.current(session, on=on)
    evaluation = _evaluate(holder, held, end_of(on), on, then)
    return Day(evaluation, Card(then.scorecard, then.evaluator), "rederived")


def end_of(day: date) -> datetime:
    """The instant at which a day of the city is over."""
    return datetime.combine(day + timedelta(days=1), time(), clock.CITY_ZONE)


def _must_be_kept(on: date, *, joined: date | None, today: date) -> None:
    if joined is None or on < joined:
        raise NotEnrolledThen(f"{on}您还没有加入，那天没有分数。" + (f"您从{joined}开始参加。" if joined else ""))
    if on < shift(today, -TRACE_MONTHS):
        detail = f"计分过程只保存{TRACE_MONTHS}个月，{on}的已经按期删除。"
        raise DayNotKept(detail)


def _joined(consents: Sequence[Consent]) -> date | None:
    """The day from which the live `score` consent goes back without everything having been erased in between."""
    since: date | None = None
    for one in consents:  # the newest first
        if one.purpose == "score":
            if one.erased_at is not None or one.state == "withdrawn":
                break
            since = clock.day_of(one.given_at)
    return since


async def _last(session: AsyncSession, holder: Holder, moment: datetime) -> _Change | None:
    """The last change before a moment; None when nothing has moved since traces are kept."""
    mine = (standing_change.c.citizen_id == holder.citizen_id) & (standing_change.c.at < moment)
    query = select(standing_change).where(mine).order_by(standing_change.c.at.desc(), standing_change.c.id.desc())
    row: Any = (await session.execute(query.limit(1))).one_or_none()
    if row is None:
        return None
    (trace,) = await traces.open_all(session, holder.key, [(row.id, row.sealed)])
    return _Change(row.at, trace)


async def _still_gives(session: AsyncSession, holder: Holder, held: Sequence[Known], last: _Change) -> bool:
    """Whether the records of then, as they are held now, still give a stored change: every part and every record."""
    then = await rulebook.current(session, on=last.trace.as_of)
    again = _evaluate(holder, held, last.at, last.trace.as_of, then)
    same = (again.digest, again.columns()) == (last.trace.digest, last.trace.columns())
    return same and _records(last.trace) <= _records(again)


def _records(evaluation: Evaluation) -> set[str]:
    return {record for fact in evaluation.facts() for record in fact.records}


def _evaluate(holder: Holder, held: Sequence[Known], moment: datetime, on: date, book: RuleBook) -> Evaluation:
    return book.evaluator(facts(known.at(held, moment)), holder.adult_on, on)
