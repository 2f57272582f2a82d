"""The first page and the history: points, every tenth of them explained, and how they came to move.

The evaluation and its words are those of `scoring`; here they get a picture and an order: what counts first, what may
still count behind a fold. What else is not computed is not shown. The page of a stranger says what this is.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import perks as perks_api
from api.citizen import score as score_api
from api.citizen.me import mask_name
from api.deps import House, HttpRequest
from api.pages import charts, consents, frame, names, rule_changes, wanting, words
from api.pages.charts import Say
from api.pages.door import anyone, behind
from auth import citizens
from auth.consent import asking, ledger
from core import clock
from scoring import rulebook
from scoring.book.scorecard import Scorecard
from scoring.points.explain import IndicatorView, ScoreView

_WAYS = 3
_MOVES = 20


class Part(msgspec.Struct, frozen=True):
    """A dimension: what gave points, and what has not yet."""

    name: str
    points: float
    cap: float
    gave: list[IndicatorView]
    may: list[IndicatorView]


class Move(msgspec.Struct, frozen=True):
    """A change in words; `parts` are the lines of the scorecard that moved, each with by how much."""

    at: Any
    points: float
    change: float | None
    why: str
    parts: list[tuple[str, float]]


def parts(view: ScoreView) -> list[Part]:
    """The dimensions of a score as the page shows them."""
    return [
        Part(
            one.name,
            one.points,
            one.cap,
            [each for each in one.indicators if each.points > 0],
            [each for each in one.indicators if each.points <= 0],
        )
        for one in view.dimensions
    ]


def tiers(card: Scorecard) -> list[tuple[str, float]]:
    """The tiers above the lowest, each with the points that it begins at."""
    return [(tier.name, tier.start / 10) for tier in card.tiers[1:]]


def drawings(view: ScoreView, card: Scorecard, say: Say) -> dict[str, Markup]:
    """The scale and the radar of a score."""
    return {
        "scale": charts.scale(view.points, view.range.min, view.range.max, tiers(card), say=say),
        "radar": charts.radar([(one.name, one.points, one.cap) for one in view.dimensions], say=say),
    }


@get("/")
async def home(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen | None],
) -> Response[str]:
    """Points for who takes part; the notice and the form for who may; for a stranger what this is."""
    if caller is None:
        settings = house.settings
        return frame.page(request, "welcome.html", city=settings.city, contact=settings.contact)
    if await ledger.live(session, citizen_id=caller.id, purpose="score") is None:
        until = await asking.ask_again_on(session, citizen_id=caller.id, purpose="score")
        if until is not None:  # within 90 days of a no
            return frame.member(request, "quiet.html", house, caller, until=until)
        return await consents.invite(request, session, house, caller, renewing=False)
    return await _score(request, session, house, caller)


async def _score(request: HttpRequest, session: AsyncSession, house: House, caller: guards.Citizen) -> Response[str]:
    """Perks first, then the points and where each of them comes from."""
    profile = await citizens.profile(session, house.ring, caller.id)
    view: ScoreView = await score_api.score.fn(session, house, caller)
    book = await rulebook.current(session, on=clock.today())
    past: score_api.History = await score_api.history.fn(session, house, caller, limit=_MOVES)
    told = moves(past.changes, book.scorecard, await names.sources(session))
    named = await names.english(request, session)
    say = frame.teller(request, named)
    perks: perks_api.Perks = await perks_api.see.fn(session, house, caller)
    return frame.member(
        request,
        "score.html",
        house,
        caller,
        name=mask_name(profile.name),
        named=named,
        perks=sorted((one for one in perks.perks if one.granted), key=lambda one: -one.threshold),
        view=view,
        parts=parts(view),
        tiers=tiers(book.scorecard),
        last=next(iter(told), None),
        curve=curve(past.changes, say) if len(past.changes) > 1 else None,
        ways=view.next_tier.ways[:_WAYS] if view.next_tier else (),
        wanting=await wanting.of(session, caller),
        coming=await rule_changes.coming(session, caller),
        **drawings(view, book.scorecard, say),
    )


def curve(changes: list[score_api.Change], say: Say) -> Markup:
    """The line of changes that come newest first; at least one."""
    values: list[tuple[date, float]] = [(one.as_of, one.points) for one in reversed(changes)]
    return charts.line(values, say=say)


@get("/history")
async def history(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """How the points moved, as a line and in words."""
    found: score_api.History = await score_api.history.fn(session, house, caller, cursor=cursor)
    book = await rulebook.current(session, on=clock.today())
    lines = moves(found.changes, book.scorecard, await names.sources(session))
    named = await names.english(request, session)
    chart = curve(found.changes, frame.teller(request, named)) if found.changes else None
    return frame.member(
        request, "history.html", house, caller, changes=lines, chart=chart, next_cursor=found.next_cursor, named=named
    )


def moves(changes: list[score_api.Change], card: Scorecard, sources: Mapping[str, str]) -> list[Move]:
    """Changes in words, newest first; the last one has nothing before it on its page."""
    lines = _lines(card)
    older: list[dict[str, Any]] = [one.columns for one in changes[1:]]
    told: list[Move] = []
    for one, before in zip(changes, [*older, None], strict=True):
        why, source = words.move(one.cause)
        by = f"（{sources.get(source, source)}）" if source else ""
        told.append(Move(one.at, one.points, one.change, why + by, _moved(lines, before, one.columns)))
    return told


def _lines(card: Scorecard) -> dict[str, tuple[str, int]]:
    """Column of an evaluation -> (name in the scorecard, +1 for what is gained and -1 for what is lost)."""
    gained = {f"i_{one.id}": (one.name, 1) for one in card.indicators()}
    return gained | {f"n_{one.id}": (one.name, -1) for one in card.deductions}


def _moved(
    lines: Mapping[str, tuple[str, int]], before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> list[tuple[str, float]]:
    if before is None:
        return []
    moved = [(name, sign * (after.get(column, 0) - before.get(column, 0))) for column, (name, sign) in lines.items()]
    return [(name, tenths / 10) for name, tenths in moved if tenths]


handlers = [behind([home], guard=anyone), behind([history])]
