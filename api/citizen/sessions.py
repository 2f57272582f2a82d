"""`/v1/me/sessions`: where somebody is logged in as the caller, which apps act for them, and an end to any of it.

Works on the auth door, for what proves who somebody is. An ended one is dead with its next request, at every door.
"""

import uuid
from datetime import datetime

import msgspec
from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from auth import accounts, refresh, sessions, tokens
from core import audit, ids
from core.audit import Actor
from core.errors import NotFound

_PAGE, _APP = "se", "ap"


class Login(msgspec.Struct, frozen=True):
    """A page session. `device` is a guess in plain words; `current`: the one that asks; `used_at` to the minute."""

    id: str
    device: str
    began_at: datetime
    used_at: datetime
    current: bool


class App(msgspec.Struct, frozen=True):
    """An app that acts for the caller until `expires_at`. `current`: the one that asks."""

    id: str
    name: str
    began_at: datetime
    used_at: datetime
    expires_at: datetime
    current: bool


class WayIn(msgspec.Struct, frozen=True):
    """An account that leads to the caller. `kind`: wechat, counter or identity_provider."""

    kind: str
    linked_at: datetime


class Everything(msgspec.Struct, frozen=True):
    """Page sessions and apps, the last used first, and the accounts that lead here."""

    sessions: list[Login]
    apps: list[App]
    accounts: list[WayIn]


class Ended(msgspec.Struct, frozen=True):
    """How many sessions and apps were ended."""

    ended: int


@get("/v1/me/sessions", summary="Where one is logged in", tags=["citizen"])
async def see(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]) -> Everything:
    """Every live page session, every app that may act for the caller, and the accounts by which they come."""
    own = await tokens.family_of(session, caller.proof)
    return Everything(
        sessions=[
            Login(ids.show(_PAGE, one.id), one.device, one.began_at, one.used_at, one.id == caller.session_id)
            for one in await sessions.of(session, citizen_id=caller.id)
        ],
        apps=[
            App(
                ids.show(_APP, one.family),
                one.client_name,
                one.began_at,
                one.used_at,
                one.expires_at,
                one.family == own,
            )
            for one in await refresh.families(session, caller.id)
        ],
        accounts=[
            WayIn(_kind(one.provider), one.linked_at) for one in await accounts.of(session, citizen_id=caller.id)
        ],
    )


@delete("/v1/me/sessions/{session_id:str}", status_code=200, summary="End one login", tags=["citizen"])
async def end(
    session_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> Ended:
    """End a page session or an app at once, the asking one too."""
    await end_one(session, caller, session_id)
    return Ended(1)


@delete("/v1/me/sessions", status_code=200, summary="End every other login", tags=["citizen"])
async def end_others(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]) -> Ended:
    """End every page session and every app but the one that asks."""
    ended = await sessions.end_all(session, citizen_id=caller.id, but=caller.session_id)
    own = await tokens.family_of(session, caller.proof)
    for one in await refresh.families(session, caller.id):
        ended += one.family != own and await refresh.end_family(session, one.family, citizen_id=caller.id)
    await _note(session, caller.id)
    return Ended(ended)


async def end_one(session: AsyncSession, caller: guards.Citizen, session_id: str) -> None:
    """End the session or app of this id. Raises NotFound for one that is over, or another citizen's."""
    if session_id.startswith(f"{_APP}_"):
        if not await refresh.end_family(session, ids.read(_APP, session_id), citizen_id=caller.id):
            raise NotFound
    else:
        await sessions.end_one(session, citizen_id=caller.id, session_id=ids.read(_PAGE, session_id))
    await _note(session, caller.id)


def _kind(provider: str) -> str:
    return next((kind for kind in ("wechat", "counter") if provider.startswith(kind)), "identity_provider")


async def _note(session: AsyncSession, owner: uuid.UUID) -> None:
    me = Actor("citizen", "self")
    await audit.write(session, actor=me, action="session.end", purpose="login", outcome="done", owner=owner)


handlers = [behind([see, end, end_others], door="auth")]
