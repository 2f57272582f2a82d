"""A merchant at the API: a small app in this process with the partner door, real tokens, real database, real perks."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards, problems
from api.citizen import credit_code, perks
from api.deps import House
from api.express import Express
from api.identity import oauth
from api.partner import batch, eligibility, orders
from api.partner import perks as partner_perks
from api.public import rules
from api.staff import publication, rehearsals, releases
from api.tool.signing import Signer, fresh_key
from auth import clients
from core import assessments, clock, db, shortlived
from core.keys import Keyring
from core.postgres.engine import engine_of
from core.releases import draft
from core.settings import ROOT, Settings
from tests.api.identity.client import Caller
from tests.gateworld import LIBRARY, RENTAL, World, world

BASE = "http://127.0.0.1:8000"
CLIENTS: dict[str, tuple[str, list[str], list[str]]] = {
    "p_library": ("partner", ["eligibility:check", "orders:write"], [LIBRARY]),
    "p_other": ("partner", ["eligibility:check"], [LIBRARY, RENTAL]),
    "p_orders": ("partner", ["orders:write"], [LIBRARY]),
    "s_drafter": ("staff", ["staff:releases"], []),
    "s_approver": ("staff", ["staff:releases"], []),
}
_HANDLERS = [
    *oauth.handlers, *batch.handlers, *orders.handlers,
    *eligibility.handlers, *partner_perks.handlers, *credit_code.handlers, *perks.handlers,
    *releases.handlers, *rehearsals.handlers, *rules.handlers,
]  # fmt: skip


class Shop(msgspec.Struct, frozen=True):
    """What a test needs."""

    http: httpx2.AsyncClient
    house: House
    city: World
    callers: dict[str, Caller]

    async def ask(
        self, caller: str = "p_library", *, headers: dict[str, str] | None = None, **body: Any
    ) -> httpx2.Response:
        """One check by a client; `perk` is the library's unless the body says otherwise."""
        return await self.callers[caller].request(
            "POST", "/v1/partner/eligibility", json={"perk": LIBRARY, **body}, headers=headers or {}
        )


@asynccontextmanager
async def open_shop(url: str, ring: Keyring) -> AsyncGenerator[Shop]:
    """The app and its clients on a database of one's own, and what is in force there."""
    doors = db.Doors(url, ring, "osmanthus")
    house = house_on(url, doors)
    keys = {name: fresh_key() for name in CLIENTS}
    await _register(url, ring, keys)
    app = _idle.pop() if _idle else _application()
    app.state = State({"house": house})
    express: Any = Express(app)
    transport = httpx2.ASGITransport(express, raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http, world(url) as city:
        callers = {name: Caller(http, Signer(key, client_id=name, issuer=BASE)) for name, key in keys.items()}
        yield Shop(http, house, city, callers)
    await house.short.close()
    await doors.close()
    _idle.append(app)


_idle: list[Litestar] = []  # of shops that have closed: to build one takes longer than most tests


def _application() -> Litestar:
    """The routes of a shop, of no house yet."""
    return Litestar(
        _HANDLERS,
        dependencies={"house": Provide(deps.provide_house)},
        exception_handlers={Exception: problems.answer},
        before_send=[guards.send_nonce],
        openapi_config=None,
    )


def house_on(url: str, doors: db.Doors) -> House:
    """A house on a database of its own."""
    settings = Settings(base_url=BASE, database_url=url, master_key=bytes(range(32)), epochs_file=Path("none"))
    short_url = db.door_url(url, doors.ring, settings.role_prefix, "auth")
    return House(settings, doors.ring, doors, shortlived.connect(redis_url=None, postgres_url=short_url, size=4))


async def stock(house: House) -> None:
    """Put the shipped perks in force."""
    await put_in_force(house, "perks", ROOT / "policy" / "perks")


async def put_in_force(house: House, kind: str, directory: Path) -> None:
    """Publish shipped files by two made-up persons."""
    for path in sorted(directory.iterdir()):
        async with house.doors.work("staff") as session:
            drafted = await draft(
                session, kind=kind, name=path.name, body=path.read_text(), effective_on=clock.today(), by="one"
            )
            await publication.approve(session, release_id=drafted.id, by="two")


async def assess(house: House, *perks: str) -> None:
    """Assess a city and some perks, by two made-up persons."""
    for kind, subject in (("city", "990000"), *(("perk", perk) for perk in perks)):
        async with house.doors.work("staff") as session:
            drafted = await assessments.draft(
                session, subject_kind=kind, subject=subject, document="0" * 64, risks="r", measures="m",
                valid_until=clock.today(), by="one",
            )  # fmt: skip
            await assessments.decide(session, assessment_id=drafted.id, approved=True, by="two")


async def _register(url: str, ring: Keyring, keys: dict[str, dict[str, Any]]) -> None:
    engine = engine_of(url)
    async with AsyncSession(engine) as session, session.begin():
        for name, (role, scopes, held) in CLIENTS.items():
            await clients.add(
                session, ring, client_id=name, role=role, name=name, jwks=[keys[name]], scopes=scopes,
                perks=held,
            )  # fmt: skip
    await engine.dispose()
