"""`/v1/me/score`: points, reasons in plain Chinese, and how they came about; the caller's own, while consented.

The caller's own reads leave no access entry. PIPL articles 24 and 45, SZX articles 29 and 39: every point has its
source, its rule and its reason.
"""

from datetime import date, datetime
from typing import Any

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import waiting
from api.citizen.door import behind
from api.citizen.me import page_size
from api.deps import House
from core import clock, ids
from core.errors import NotFound
from scoring import rulebook, standing
from scoring.past import cards, causes, days
from scoring.past.causes import Because
from scoring.points import explain
from scoring.points.explain import ScoreView
from scoring.rulebook import RuleBook

_PAGE = 20


class Reason(msgspec.Struct, frozen=True):
    """One reason of a change: the `part` that moved (an id of the scorecard, or `tier`, `rules`, `cap`), and in words.

    `came` and `went` are the records that began or ceased to count; a record may be gone since.
    """

    part: str
    change: float
    text: str
    came: list[str]
    went: list[str]


class Change(msgspec.Struct, frozen=True):
    """One change: `points` after it, what caused it, and the trace of then (`derivation` says how it was had).

    `because` tells each part that moved, in plain Chinese.
    """

    id: str
    at: datetime
    as_of: date
    points: float
    change: float | None
    cause: str
    because: list[Reason]
    derivation: str
    columns: dict[str, Any]


class PastScore(ScoreView, frozen=True):
    """The points of a day gone by. `derivation`: "rederived" from the records still held, or the trace "stored" then.

    A stored one is of the last change up to that day (`as_of`). `next_tier` is null: advice is given for today.
    """

    derivation: str


class History(msgspec.Struct, frozen=True):
    """A page of changes, newest first."""

    changes: list[Change]
    next_cursor: str | None


@get("/v1/me/score", summary="Points, explained", tags=["citizen"])
async def score(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> ScoreView:
    """The caller's points of today, every tenth of them explained. 404 `not_enrolled` without a live consent.

    Where a consent waits for its renewal, `renew_before` is the day on which everything is erased.
    """
    today = clock.today()
    book = await rulebook.current(session, on=today)
    try:
        evaluation, _ = await standing.of(session, house.ring, citizen_id=caller.id, as_of=today, book=book)
    except standing.NotEnrolled as away:
        raise await waiting.not_enrolled(session, citizen_id=caller.id) from away
    return explain.explain(evaluation, book.scorecard)


@get("/v1/me/score/history", summary="What changed the points, and why", tags=["citizen"])
async def history(
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    limit: FromQuery[int] = _PAGE,
    cursor: FromQuery[str | None] = None,
) -> History:
    """The caller's changes of points, newest first, each with its cause and the trace stored then."""
    before = ids.read("sc", cursor) if cursor else None
    found = await standing.history(session, house.ring, citizen_id=caller.id, limit=page_size(limit) + 1, before=before)
    older = [*found[1:], None]
    book = await rulebook.current(session, on=clock.today())
    pairs = list(zip(found, older, strict=True))[:limit]
    shown = [_show(one, before, await _because(session, one, before, book)) for one, before in pairs]
    return History(shown, shown[-1].id if len(found) > limit else None)


@get("/v1/me/score/at/{day:str}", summary="Points of a day gone by", tags=["citizen"])
async def at(
    day: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> PastScore:
    """The caller's points as they stood on a day, by the scorecard and the records of then.

    404 `not_enrolled_then` before joining, 404 `day_not_kept` beyond 24 months, 422 `day_to_come` after today.
    """
    try:
        found = await days.at(session, house.ring, citizen_id=caller.id, on=_day(day))
    except standing.NotEnrolled as away:
        raise await waiting.not_enrolled(session, citizen_id=caller.id) from away
    view = explain.explain(found.evaluation, found.card.scorecard, found.card.evaluator)
    whole: dict[str, Any] = {name: getattr(view, name) for name in ScoreView.__struct_fields__ if name != "next_tier"}
    return PastScore(**whole, next_tier=None, derivation=found.derivation)


def _day(text: str) -> date:
    """The day of an address; anything else names nothing."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound("日期请写成 2026-01-31 这样。") from None


async def _because(
    session: AsyncSession, one: standing.Change, before: standing.Change | None, book: RuleBook
) -> tuple[Because, ...]:
    card = await cards.of(session, digest=one.evaluation.digest)
    earlier = None if before is None else before.evaluation
    return causes.of(earlier, one.evaluation, cause=one.cause, card=card.scorecard, catalogue=book.catalogue)


def _show(one: standing.Change, before: standing.Change | None, because: tuple[Because, ...]) -> Change:
    return Change(
        id=ids.show("sc", one.id),
        at=one.at,
        as_of=one.as_of,
        points=one.points / 10,
        change=None if before is None else (one.points - before.points) / 10,
        cause=one.cause,
        because=[Reason(w.part, w.change / 10, w.text, list(w.came), list(w.went)) for w in because],
        derivation="stored",
        columns=one.evaluation.columns(),
    )


handlers = [behind([score, history, at])]
