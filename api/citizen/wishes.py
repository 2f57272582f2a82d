"""`/v1/me/after-death`: whether close relatives may look after the citizen's death (PIPL article 49)."""

from typing import Literal

import msgspec
from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from auth.counter import deaths
from core import audit
from core.audit import Actor


class AfterDeath(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`relatives` (what the law says where nothing was said) or `nobody`."""

    after_death: Literal["relatives", "nobody"]


@get("/v1/me/after-death", summary="Who may look after my death", tags=["citizen"])
async def see(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]) -> AfterDeath:
    """What the caller said, or what the law says."""
    return AfterDeath("nobody" if await deaths.closed_wish(session, citizen_id=caller.id) else "relatives")


@put("/v1/me/after-death", summary="Say who may look after my death", tags=["citizen"])
async def say(
    data: JSONBody[AfterDeath], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> AfterDeath:
    """Keep it until the caller says otherwise."""
    await deaths.wish(session, citizen_id=caller.id, nobody=data.after_death == "nobody")
    await audit.write(
        session,
        actor=Actor("citizen", "self"),
        action="after_death.say",
        purpose="relative",
        outcome="done",
        owner=caller.id,
    )
    return data


handlers = [behind([see, say], door="auth")]
