"""Who sits opposite: the citizen of a live assisted session, for the clerk of that very session and nobody else.

Promises: each page leaves its entry, committed, before anything is read (`api.behalf`); a session of another clerk, of
another office, or that is over is absent. What a page then does it does as that citizen, by the session's own token,
whose text nobody was told: rows are shown and acts are judged as for an app at the counter.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import behalf, deps
from api.deps import HttpRequest
from api.desk import frame
from api.guards import Citizen
from api.seated import Seated
from api.staff.clerks import person
from auth.assurance import REAL_NAME
from auth.counter import assisted
from auth.counter.assisted import Assisted
from core import clock, ids
from core.errors import NotFound

SCOPE = frame.COUNTER
# Why somebody came, in the words of whoever asks them, the commonest first; the citizen reads it beside every entry.
PURPOSES = {
    "consent": "加入，或更新同意", "explanation": "看分数和便利", "withdrawal": "撤回同意", "records": "看自己的记录",
    "complaint": "有疑问，要求人工复核", "leaving": "彻底离开", "card": "市民卡", "relative": "让亲属代看",
}  # fmt: skip
BY = {"card_pin": "市民卡和密码", "login_code": "手机上的一次性码", "id_card": "读卡系统读过身份证"}


class SessionOver(NotFound):
    """There is no such live session of this clerk's."""

    code = "assisted_session_over"
    title = "The assisted session is over"


class Opposite(msgspec.Struct, frozen=True):
    """A session at this desk, and its citizen as the other rooms take a caller."""

    id: str
    sitting: Assisted
    citizen: Citizen

    @property
    def purpose(self) -> str:
        """Why they came."""
        return PURPOSES.get(self.sitting.purpose, self.sitting.purpose)

    @property
    def proved_by(self) -> str:
        """What they showed."""
        return BY.get(self.sitting.proved_by, self.sitting.proved_by)

    @property
    def ends_at(self) -> datetime:
        """When it ends by itself (wall clock)."""
        return self.sitting.expires_at

    @property
    def minutes(self) -> int:
        """Whole minutes that are left."""
        return max(0, int((self.sitting.expires_at - clock.wall()).total_seconds()) // 60)


def of(one: Assisted) -> Opposite:
    """A live session as the desk shows it."""
    citizen = Citizen(
        one.citizen_id, one.client_id, REAL_NAME, one.opened_at, one.proof,
        actor=f"staff:{one.client_id}/{one.clerk}", proved_again_at=one.proved_again_at,
    )  # fmt: skip
    return Opposite(ids.show("as", one.id), one, citizen)


async def find(session: AsyncSession, caller: Seated, session_id: str) -> Opposite:
    """A live session of this clerk's, on the auth door; no entry yet. Raises SessionOver."""
    try:
        found = await assisted.by_id(session, assisted_id=ids.read("as", session_id), client_id=caller.client_id)
    except NotFound as error:
        raise SessionOver("Begin another one with the citizen.") from error
    if person(caller, found.clerk) != caller.by:
        raise SessionOver("Begin another one with the citizen.")
    return of(found)


@asynccontextmanager
async def at(request: HttpRequest, caller: Seated, session_id: str) -> AsyncGenerator[tuple[AsyncSession, Opposite]]:
    """The citizen's own work session, after the entry that they will see. Raises SessionOver."""
    house = deps.house(request)
    async with house.doors.claims("auth") as session:
        found = await find(session, caller, session_id)
    await behalf.beside(request, house, found.sitting)
    async with house.doors.work("citizen", proof=found.citizen.proof) as session:
        yield session, found


def page(request: HttpRequest, template: str, caller: Seated, one: Opposite, **more: Any) -> Response[str]:
    """A page of a session, under its clock."""
    return frame.page(request, f"counter/{template}", caller, one=one, **more)
