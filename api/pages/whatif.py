"""What would raise my points: a slider for each thing that one can do, a tick for each deduction that can end.

A form that works without script; with it, the answer follows the sliders. Counted by `api.citizen.whatif`, so what is
shown is what would be counted. Sent in a form's body: what somebody supposes is in no address, log or history.
"""

import re
from collections.abc import Mapping

import msgspec
from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import score as score_api
from api.citizen import whatif as api
from api.deps import House, HttpRequest
from api.pages import frame, names, wanting
from api.pages.door import behind
from core import clock
from core.errors import Invalid
from scoring import refusals, rulebook
from scoring.points.efforts import whole
from scoring.points.scoreview import ScoreView

_UNITS = {"month": "个月", "hour": "小时"}
_EFFORT = "do."
_WHOLE = re.compile("[0-9]{1,3}")


class Slide(msgspec.Struct, frozen=True):
    """Something that one can do: in words, how much of it at most, how much is supposed, and what it gives."""

    id: str
    name: str
    text: str
    unit: str
    most: int
    units: int


@get("/whatif")
async def ask(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """The sliders, nothing supposed yet."""
    return await _page(request, session, house, caller, api.What())


@post("/whatif", status_code=200)
async def suppose(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """The same page with what would be."""
    return await _page(request, session, house, caller, _asked(await request.form()))


async def _page(
    request: HttpRequest, session: AsyncSession, house: House, caller: guards.Citizen, what: api.What
) -> Response[str]:
    view: ScoreView = await score_api.score.fn(session, house, caller)
    supposed = bool(what.efforts or what.end)
    outcome = await api.suppose(session, house, caller, what) if supposed else None
    return frame.member(
        request,
        "whatif.html",
        house,
        caller,
        named=await names.english(request, session),
        now=view,
        outcome=outcome,
        wanting=await wanting.of(session, caller),
        slides=await _slides(session, caller, view, what.efforts),
        endable=[one for one in view.deductions if one.records],
        ended=frozenset(what.end),
    )


async def _slides(
    session: AsyncSession, caller: guards.Citizen, view: ScoreView, units: Mapping[str, int]
) -> list[Slide]:
    """What has room left and is not refused, in the order of the scorecard."""
    room = {one.id for part in view.dimensions for one in part.indicators if one.points < one.cap}
    barred = {one.kind for one in await refusals.refused(session, citizen_id=caller.id)}
    card = (await rulebook.current(session, on=clock.today())).scorecard
    return [
        Slide(
            id=rule.id,
            name=rule.name,
            text=rule.effort.text,
            unit=_UNITS[rule.effort.pace],
            most=whole(rule, rule.effort),
            units=units.get(rule.id, 0),
        )
        for rule in card.indicators()
        if rule.effort and rule.id in room and rule.kinds[0] not in barred
    ]


def _asked(form: FormMultiDict) -> api.What:
    """What a form supposes; sliders left at nothing are left out. Raises Invalid."""
    given = {name.removeprefix(_EFFORT): str(form[name]) for name in form if name.startswith(_EFFORT)}
    if not all(_WHOLE.fullmatch(value) for value in given.values()):
        raise Invalid
    efforts = {name: int(value) for name, value in given.items() if int(value)}
    try:
        return msgspec.convert({"efforts": efforts, "end": form.getall("end", [])}, api.What)
    except msgspec.ValidationError as error:
        raise Invalid from error


handlers = [behind([ask, suppose])]
