"""Everything of OAuth and login on a small app, in this process, with a few guarded doors behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from litestar import Litestar, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import NullPool

from api import deps, guards, problems
from api.citizen import consents
from api.deps import House
from api.identity import challenge, consenting, idp, login, oauth, stepup
from api.pages import door
from api.partner import eligibility
from api.public import rules
from api.requests import Envelope
from api.tool.signing import Signer, fresh_key
from auth import clients, oidc
from core import db, shortlived
from core.postgres.engine import engine_of
from core.settings import Settings
from tests.api.conftest import publish
from tests.api.identity.client import Caller
from tests.wechatserver import APPID, SECRET, WeChat, wechat

BASE = "http://127.0.0.1:8000"
APP = "https://app.example.city/callback"
LIBRARY = "https://library.example.city/back"
RENTAL = "https://rental.example.city/back"
SHARED = "library.deposit-free"


@get("/v1/me", guards=[guards.citizen], dependencies={"caller": Provide(guards.provide_citizen)})
async def me(caller: NamedDependency[guards.Citizen]) -> guards.Citizen:
    """What the guard found."""
    return caller


@post("/v1/me/act", guards=[guards.citizen], status_code=200)
async def act() -> dict[str, bool]:
    """Something unsafe."""
    return {"done": True}


@post(
    "/v1/me/grave",
    guards=[guards.citizen],
    status_code=200,
    dependencies={"caller": Provide(guards.provide_citizen)},
)
async def grave(caller: NamedDependency[guards.Citizen]) -> dict[str, bool]:
    """Something that needs a fresh login."""
    stepup.must_be_fresh(caller, return_to="/v1/me")
    return {"done": True}


@get("/grave")
async def grave_page(caller: NamedDependency[guards.Citizen]) -> str:
    """A page that needs a fresh login."""
    stepup.must_be_fresh(caller)
    return "done"


@post("/grave")
async def grave_form(caller: NamedDependency[guards.Citizen]) -> str:
    """A form that needs a fresh login."""
    stepup.must_be_fresh(caller, return_to="/grave")
    return "done"


_CLIENT = {"caller": Provide(guards.provide_client)}


@get("/v1/partner/perks", guards=[guards.client("partner", "eligibility:check")], dependencies=_CLIENT)
async def perks(caller: NamedDependency[guards.Client]) -> list[str]:
    """What the guard found."""
    return sorted(caller.perks)


@get("/v1/partner/hot", guards=[guards.partner_hot("eligibility:check")], dependencies=_CLIENT)
async def hot(caller: NamedDependency[guards.Client]) -> list[str]:
    """What the guard found."""
    return sorted(caller.perks)


@get("/v1/source/subjects", guards=[guards.client("source", "records:write")])
async def subjects() -> list[str]:
    """For sources alone."""
    return []


class World(msgspec.Struct, frozen=True):
    """A running app, its house, the owner's DSN, and the keys of its clients."""

    transport: httpx2.ASGITransport
    house: House
    owner_url: str
    keys: dict[str, dict[str, Any]]
    state: State
    wechat: WeChat

    def browser(self) -> httpx2.AsyncClient:
        """A browser without cookies."""
        return httpx2.AsyncClient(transport=self.transport, base_url=BASE)

    def signer(self, name: str) -> Signer:
        """A client's registered key."""
        return Signer(self.keys[name], client_id=name, issuer=BASE)

    def caller(self, name: str, **how: Any) -> Caller:
        """A client that signs with its registered key."""
        return Caller(self.browser(), self.signer(name), **how)

    async def operate(self, act: Any) -> Any:
        """Do something as the owner of the database, in one transaction."""
        return await operate(self.owner_url, act)


async def operate(owner_url: str, act: Any) -> Any:
    """`await act(session)` in one transaction of the owner."""
    engine = engine_of(owner_url, poolclass=NullPool)
    async with AsyncSession(engine) as session, session.begin():
        done = await act(session)
    await engine.dispose()
    return done


def house_on(url: str, doors: db.Doors, wechat_api: str) -> House:
    """A house on a database of its own."""
    settings = Settings(
        base_url=BASE,
        database_url=url,
        master_key=bytes(range(32)),
        epochs_file=Path("unread"),
        sandbox=True,
        demo_idp=True,
        wechat_appid=APPID,
        wechat_secret=SECRET,
        wechat_api=wechat_api,
    )
    door = db.door_url(url, doors.ring, settings.role_prefix, "auth")
    return House(settings, doors.ring, doors, shortlived.connect(redis_url=None, postgres_url=door, size=4))


@asynccontextmanager
async def running(url: str, doors: db.Doors, people: list[idp.Account]) -> AsyncIterator[World]:
    """The app for a block: two partners, a source, a watcher, two apps, and `people` at the identity provider."""
    async with wechat() as there:
        house = house_on(url, doors, there.origin)
        yield await _assembled(url, house, people, there)
        await house.short.close()


async def _assembled(url: str, house: House, people: list[idp.Account], there: WeChat) -> World:
    keys = {name: fresh_key() for name in ("library", "rental", "water", "watcher")}
    await publish(house)
    await operate(url, lambda session: _register(session, house, keys))
    app = Litestar(
        [
            *oauth.handlers,
            *consenting.handlers,
            *challenge.handlers,
            *login.handlers,
            *idp.handlers_for(house.settings),
            *consents.handlers,
            *eligibility.handlers,
            *rules.handlers,
            *(me, act, grave, perks, hot, subjects),
            door.behind([grave_page, grave_form]),
        ],
        dependencies={"house": Provide(deps.provide_house)},
        exception_handlers={Exception: problems.answer},
        before_send=[guards.send_nonce],
        state=State({"house": house, "demo_accounts": people}),
        openapi_config=None,
        logging_config=None,
    )
    transport = httpx2.ASGITransport(Envelope(app))
    app.state["relying_party"] = oidc.RelyingParty(login.relying_party(house).provider, transport=transport)
    party = login.relying_party(house, "/oauth/challenge/returned").provider
    app.state["challenge_party"] = oidc.RelyingParty(party, transport=transport)
    return World(transport, house, url, keys, app.state, there)


async def _register(session: AsyncSession, house: House, keys: dict[str, dict[str, Any]]) -> None:
    """What the operator does with `osmanthus client add`."""
    for name, role, scopes, held, back in (
        ("library", "partner", ["eligibility:check", "orders:write"], [SHARED], [LIBRARY]),
        ("rental", "partner", ["eligibility:check"], [SHARED, "rental.deposit-free"], [RENTAL]),
        ("water", "source", ["records:write"], [], []),
        ("watcher", "staff", ["staff:watch"], [], []),
    ):
        await clients.add(
            session,
            house.ring,
            client_id=name,
            role=role,
            name=name,
            jwks=[keys[name]],
            scopes=scopes,
            perks=held,
            redirect_uris=back,
            contact="电话 0000-54321" if back else "",
            introspects=name == "watcher",
        )
    returned = f"{BASE}/oauth/challenge/returned"
    for name, address in (
        ("miniprogram", returned),
        ("app", APP),
        ("other-app", "http://127.0.0.1:9999/back?from=city"),
    ):
        await clients.add(
            session,
            house.ring,
            client_id=name,
            role="citizen",
            name=f"市民应用 {name}",
            scopes=["me"],
            redirect_uris=[address],
        )
