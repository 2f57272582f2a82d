"""Leaving for good at the desk: said beforehand, the card once more, and the certificate on paper.

The card and its PIN come with the very form that leaves, or the counter's reader read the ID card within the last
minute: nobody else can do this for a citizen who has gone out for a moment (PIPL articles 15 and 47).
"""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from api import deps, problems, workpages
from api.citizen import leaving
from api.deps import HttpRequest
from api.desk import frame
from api.desk.counter import opposite
from api.desk.counter.begin import Shown
from api.seated import Seated
from api.staff import counter
from auth.consent import ledger
from incentives.orders import holders as orders


@get("/desk/counter/{session_id:str}/leaving")
async def ask(
    request: HttpRequest,
    session_id: FromPath[str],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """What would go, what would stay and why."""
    async with opposite.at(request, caller, session_id) as (session, one):
        shown = await leaving.preview.fn(session, deps.house(request), one.citizen)
        return opposite.page(request, "leaving.html", caller, one, shown=shown, running=[])


@post("/desk/counter/{session_id:str}/leaving", status_code=200)
async def leave(request: HttpRequest, session_id: FromPath[str], caller: NamedDependency[Seated]) -> Response[Any]:
    """Destroy everything now; where something is still in use, say what, and that it closes within 30 days."""
    house = deps.house(request)
    await _prove(request, session_id, caller)
    async with opposite.at(request, caller, session_id) as (session, one):
        await ledger.turn(session, citizen_id=one.citizen.id)
        await leaving.must_be_fresh(session, house, one.citizen)
        if running := await orders.closing(session):  # shown, not raised: that these close holds
            shown = await leaving.preview.fn(session, house, one.citizen)
            return opposite.page(request, "leaving.html", caller, one, shown=shown, running=running)
        left = await leaving.go(session, house, citizen_id=one.citizen.id, proof=one.citizen.proof)
        return frame.page(request, "counter/left.html", caller, left=left)


async def _prove(request: HttpRequest, session_id: str, caller: Seated) -> None:
    """The card once more, where the form brought one along."""
    said = await workpages.sent(request, Shown, purpose="leaving")
    if not (holder := said.holder()):
        return
    house = deps.house(request)
    async with house.doors.work("auth") as session:
        await opposite.find(session, caller, session_id)
        try:
            shown = msgspec.convert({"holder": holder}, counter.Again)
        except msgspec.ValidationError as error:
            raise problems.invalid(error) from error
        await counter.prove_again.fn(session_id, shown, session, house, caller)


handlers = [workpages.behind([ask, leave], role="staff", scope=opposite.SCOPE)]
