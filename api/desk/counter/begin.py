"""`/desk/counter`: begin an assisted session with what the citizen shows, see those that run, end one.

The citizen shows the city card and types its PIN, or says a code from the phone: things that no clerk has by
themselves. An ID card is read by the counter's own system, never typed here; what it began in this clerk's name runs
on here (`docs/counter.md`). Ending a session, or leaving the desk, ends it everywhere.
"""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, problems, workpages
from api.citizen import me
from api.deps import HttpRequest
from api.desk import frame
from api.desk.counter import opposite
from api.seated import Seated
from api.staff import counter
from auth import citizens
from auth.consent import ledger
from auth.counter import assisted

# What one begins here; the others need a reader (`card`) or the citizen's own hands.
_BEGUN = tuple(one for one in opposite.PURPOSES if one not in {"card", "relative"})


class Shown(msgspec.Struct, frozen=True):
    """What the form sent: the card with its PIN, or the code; fields left empty are absent."""

    purpose: str
    card_no: str | None = None
    pin: str | None = None
    login_code: str | None = None

    def holder(self) -> dict[str, str]:
        """As the API's own call takes it."""
        given = {"card_no": self.card_no, "pin": self.pin, "login_code": self.login_code}
        return {name: "".join(value.split()) for name, value in given.items() if value}


@get("/desk/counter")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    ended: FromQuery[bool] = False,  # noqa: FBT002  (a query's flag)
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The sessions that run, and the form to begin one; whose they are is not shown here."""
    running = await assisted.of(session, client_id=caller.client_id, clerk=frame.clerk(caller))
    purposes = [(one, opposite.PURPOSES[one]) for one in _BEGUN]
    return frame.page(
        request, "counter/begin.html", caller, running=[opposite.of(one) for one in running], purposes=purposes,
        ended=ended,
    )  # fmt: skip


@post("/desk/counter", status_code=200)
async def begin(
    request: HttpRequest, session: NamedDependency[AsyncSession], caller: NamedDependency[Seated]
) -> Response[Any]:
    """Begin; every wrong proof gets one and the same answer, and leaves an entry that its person sees."""
    said = await workpages.sent(request, Shown)
    body = {"clerk": frame.clerk(caller), "purpose": said.purpose, "holder": said.holder()}
    try:
        wanted = msgspec.convert(body, counter.Open)
    except msgspec.ValidationError as error:
        raise problems.invalid(error) from error
    opened = await counter.begin.fn(wanted, session, deps.house(request), caller)  # its token is told to nobody
    return Redirect(f"/desk/counter/{opened.id}", status_code=303)


@get("/desk/counter/{session_id:str}")
async def hub(
    request: HttpRequest,
    session_id: FromPath[str],
    caller: NamedDependency[Seated],
    done: FromQuery[str] = "",
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """Who it is (masked), why they came first, and what else may be done while they sit there."""
    async with opposite.at(request, caller, session_id) as (session, one):
        profile = await citizens.profile(session, deps.house(request).ring, one.citizen.id)
        joined = await ledger.live(session, citizen_id=one.citizen.id, purpose="score") is not None
        return opposite.page(
            request, "hub.html", caller, one, name=me.mask_name(profile.name), joined=joined, done=done
        )


@post("/desk/counter/{session_id:str}/end", status_code=200)
async def end(
    request: HttpRequest, session_id: FromPath[str], session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
) -> Response[Any]:  # fmt: skip
    """End it; one that is over already stays so."""
    try:
        await opposite.find(session, caller, session_id)
    except opposite.SessionOver:
        return _back()
    await counter.end.fn(session_id, session, deps.house(request), caller)
    return _back()


def _back() -> Response[Any]:
    return Redirect("/desk/counter?ended=true", status_code=303)


handlers = [workpages.behind([see, begin, hub, end], role="staff", scope=opposite.SCOPE, door="auth")]
