"""What a citizen came to see, on the clerk's screen: points with their reasons, perks, records, and who looked.

Each is the citizen's own call; the records carry the form of a dispute, and questions go to a person of the office.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, workpages
from api.citizen import disputes, me, records, reviews
from api.citizen import perks as perks_api
from api.citizen import score as score_api
from api.citizen.disputes import Object
from api.citizen.reviews import AskReview
from api.deps import HttpRequest
from api.desk.counter import opposite
from api.pages import accesses as lines
from api.pages import disputes as objecting
from api.pages import names, perkwords, score
from api.pages.records import groups
from api.pages.rights import ABOUT
from api.seated import Seated
from core import clock
from scoring import rulebook
from scoring.book.scorecard import Scorecard

_MOST = 50


@get("/desk/counter/{session_id:str}/points")
async def points(
    request: HttpRequest,
    session_id: FromPath[str],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """Today's points, why, what is within reach, and the perks with how to use each."""
    house = deps.house(request)
    async with opposite.at(request, caller, session_id) as (session, one):
        view = await score_api.score.fn(session, house, one.citizen)
        perks = (await perks_api.see.fn(session, house, one.citizen)).perks
        ways = view.next_tier.ways[:3] if view.next_tier else ()
        return opposite.page(
            request, "points.html", caller, one, view=view, parts=score.parts(view), ways=ways, words=perkwords,
            perks=sorted(perks, key=lambda each: (not each.granted, each.threshold)),
            named=await names.english(request, session),
        )  # fmt: skip


@get("/desk/counter/{session_id:str}/records")
async def held(
    request: HttpRequest,
    session_id: FromPath[str],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """What is held, deductions first, each with its dispute or the form of one."""
    house = deps.house(request)
    async with opposite.at(request, caller, session_id) as (session, one):
        found = await records.held.fn(session, house, one.citizen, limit=_MOST)
        card = (await rulebook.current(session, on=clock.today())).scorecard
        return opposite.page(
            request, "records.html", caller, one, groups=groups(found.records, _counted(card)),
            more=found.next_cursor is not None, objection=await objecting.objections(session, house, one.citizen),
            named=await names.english(request, session),
        )  # fmt: skip


@post("/desk/counter/{session_id:str}/disputes", status_code=200)
async def dispute(request: HttpRequest, session_id: FromPath[str], caller: NamedDependency[Seated]) -> Response[Any]:
    """Object to a record, in the citizen's words."""
    said = await workpages.sent(request, Object)
    async with opposite.at(request, caller, session_id) as (session, one):
        await disputes.ask.fn(said, session, deps.house(request), one.citizen)
    return Redirect(f"/desk/counter/{session_id}/questions", status_code=303)


@get("/desk/counter/{session_id:str}/questions")
async def questions(
    request: HttpRequest,
    session_id: FromPath[str],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """Reviews and disputes with their days and answers, and the form to have a person look."""
    house = deps.house(request)
    async with opposite.at(request, caller, session_id) as (session, one):
        asked = (await reviews.reviews.fn(session, house, one.citizen)).items
        objected = await objecting.objections(session, house, one.citizen)
        return opposite.page(
            request, "questions.html", caller, one, asked=asked, about=ABOUT, objection=objected,
            disputes=[*objected.asked.values(), *objected.gone], longest=reviews.LONGEST,
        )  # fmt: skip


@post("/desk/counter/{session_id:str}/questions", status_code=200)
async def ask(request: HttpRequest, session_id: FromPath[str], caller: NamedDependency[Seated]) -> Response[Any]:
    """Have a person of the office look at the points, in the citizen's words."""
    said = await workpages.sent(request, AskReview, about="score")
    async with opposite.at(request, caller, session_id) as (session, one):
        await reviews.ask_review.fn(said, session, deps.house(request), one.citizen)
    return Redirect(f"/desk/counter/{session_id}/questions", status_code=303)


@get("/desk/counter/{session_id:str}/accesses")
async def seen(
    request: HttpRequest,
    session_id: FromPath[str],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """Who looked, newest first: this session, too."""
    async with opposite.at(request, caller, session_id) as (session, one):
        found = await me.accesses.fn(session, one.citizen, limit=_MOST, cursor=None)
        told, named = await _told(session, found.accesses), await names.english(request, session)
        return opposite.page(request, "accesses.html", caller, one, lines=told, named=named)


async def _told(session: AsyncSession, found: list[me.Access]) -> list[lines.Line]:
    perks = await names.perks(session)
    return [lines.line(one, perks) for one in found]


def _counted(card: Scorecard) -> Mapping[str, str]:
    return {kind: one.name for one in card.indicators() for kind in one.kinds}


handlers = [workpages.behind([points, held, dispute, questions, ask, seen], role="staff", scope=opposite.SCOPE)]
