"""`/v1/me/score`: points, reasons in plain Chinese, and how they came about; the caller's own, while consented.

The caller's own reads leave no access entry. PIPL articles 24 and 45, SZX articles 29 and 39: every point has its
source, its rule and its reason.
"""

from datetime import date, datetime
from typing import Any

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import waiting
from api.citizen.door import behind
from api.citizen.me import page_size
from api.deps import House
from core import clock, ids
from scoring import rulebook, standing
from scoring.points import explain
from scoring.points.explain import ScoreView

_PAGE = 20


class Change(msgspec.Struct, frozen=True):
    """One change: `points` after it, what caused it, and the trace of then (`derivation` says how it was had)."""

    id: str
    at: datetime
    as_of: date
    points: float
    change: float | None
    cause: str
    derivation: str
    columns: dict[str, Any]


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
    shown = [_show(one, before) for one, before in zip(found, older, strict=True)][:limit]
    return History(shown, shown[-1].id if len(found) > limit else None)


def _show(one: standing.Change, before: standing.Change | None) -> Change:
    return Change(
        id=ids.show("sc", one.id),
        at=one.at,
        as_of=one.as_of,
        points=one.points / 10,
        change=None if before is None else (one.points - before.points) / 10,
        cause=one.cause,
        derivation="stored",
        columns=one.evaluation.columns(),
    )


handlers = [behind([score, history])]
