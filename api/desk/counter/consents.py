"""Consent at the desk: the notice read or read aloud, the sources one by one, a slip on paper, and the way back.

Joining and withdrawing take the same number of steps (PIPL article 15). Nothing is ticked beforehand; that the citizen
read or heard the notice and said yes is asked of the clerk, and kept as evidence with the screen's name.
"""

from datetime import date
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, workpages
from api.citizen import agreement, consents, notices
from api.deps import HttpRequest
from api.desk.counter import opposite
from api.pages import consents as pages
from api.pages import names, printed, words
from api.pages.notice import notice_html
from api.seated import Seated
from auth.consent import ledger, terms
from core import clock, ids

_SCREEN = "desk/counter/join.html"


class Line(msgspec.Struct, frozen=True):
    """A consent in words; `live`: it can be withdrawn."""

    id: str
    purpose: str
    title: str
    state: str
    live: bool
    given_at: Any
    expires_on: date
    erased_at: Any


@get("/desk/counter/{session_id:str}/join")
async def ask(
    request: HttpRequest,
    session_id: FromPath[str],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The notice, and the form that is filled in as the citizen says."""
    async with opposite.at(request, caller, session_id) as (session, one):
        notice, labels = await notices.in_force(session, "score"), await names.sources(session)
        now = await ledger.live(session, citizen_id=one.citizen.id, purpose="score")
        today = clock.today()
        return opposite.page(
            request, "join.html", caller, one, notice=notice, notice_html=notice_html(notice),
            core=[labels.get(each, each) for each in notice.core_sources],
            optional=[(each, labels.get(each, each)) for each in notice.optional_sources],
            chosen=now.sources if now else (), renewing=now is not None,
            earliest=date.fromordinal(today.toordinal() + 1), latest=terms.latest_expiry(today),
        )  # fmt: skip


@post("/desk/counter/{session_id:str}/join", status_code=200)
async def agree(request: HttpRequest, session_id: FromPath[str], caller: NamedDependency[Seated]) -> Response[Any]:
    """Record it; then the slip is printed."""
    asked = pages.asked_in(await request.form(), screen=_SCREEN)
    async with opposite.at(request, caller, session_id) as (session, one):
        consents.must_be_proved(one.citizen, asked.purpose)
        given = await agreement.record(
            session, deps.house(request), citizen_id=one.citizen.id, asked=asked, act=consents.act(one.citizen)
        )
    return Redirect(f"/desk/counter/{session_id}/consents?done={ids.show('co', given.id)}", status_code=303)


@get("/desk/counter/{session_id:str}/consents")
async def see(
    request: HttpRequest,
    session_id: FromPath[str],
    caller: NamedDependency[Seated],
    done: FromQuery[str] = "",
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """What was ever allowed, the live first; `done`: the one that was just changed, whose slip is to be printed."""
    async with opposite.at(request, caller, session_id) as (session, one):
        found = await ledger.of(session, citizen_id=one.citizen.id)
        lines = [await _line(session, each) for each in found]
        lines.sort(key=lambda line: not line.live)
        changed = next((line for line in lines if line.id == done), None)
        return opposite.page(request, "consents.html", caller, one, lines=lines, changed=changed)


@post("/desk/counter/{session_id:str}/consents/{consent_id:str}/withdraw", status_code=200)
async def withdraw(
    request: HttpRequest, session_id: FromPath[str], consent_id: FromPath[str], caller: NamedDependency[Seated]
) -> Response[Any]:
    """Withdraw and erase, in one transaction; then the slip says so."""
    async with opposite.at(request, caller, session_id) as (session, one):
        await agreement.end(
            session, deps.house(request), citizen_id=one.citizen.id, consent_id=ids.read("co", consent_id),
            act=consents.act(one.citizen),
        )  # fmt: skip
    return Redirect(f"/desk/counter/{session_id}/consents?done={consent_id}", status_code=303)


@get("/desk/counter/{session_id:str}/consents/{consent_id:str}/slip")
async def slip(
    request: HttpRequest, session_id: FromPath[str], consent_id: FromPath[str], caller: NamedDependency[Seated]
) -> Response[str]:
    """The receipt in large print on A5, with the code by which anybody checks it."""
    async with opposite.at(request, caller, session_id) as (session, one):
        return await printed.receipt.fn(request, consent_id, session, deps.house(request), one.citizen)


async def _line(session: AsyncSession, one: Any) -> Line:
    shown = consents.view(one)
    return Line(
        shown.id, shown.purpose, await names.purpose(session, shown.purpose),
        words.CONSENT.get(shown.state, shown.state), shown.state == "given" or shown.needs_renewal, shown.given_at,
        shown.expires_on, shown.erased_at,
    )  # fmt: skip


handlers = [workpages.behind([ask, agree, see, withdraw, slip], role="staff", scope=opposite.SCOPE)]
