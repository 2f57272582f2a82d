"""The OAuth endpoints on a small app, in this process, with a few guarded doors behind them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from litestar import Litestar, Response, get, post
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.template.config import TemplateConfig

from api import deps, guards, oauth
from api.deps import House
from core import db, shortlived
from core.errors import Problem
from core.settings import ROOT, Settings

BASE = "http://127.0.0.1:8000"
TEMPLATES = ROOT / "api" / "pages" / "templates"


@get("/v1/me", guards=[guards.citizen], dependencies={"caller": Provide(guards.provide_citizen)})
async def me(caller: NamedDependency[guards.Citizen]) -> guards.Citizen:
    """What the guard found."""
    return caller


@post("/v1/me/act", guards=[guards.citizen], status_code=200)
async def act() -> dict[str, bool]:
    """Something unsafe."""
    return {"done": True}


@get(
    "/v1/partner/perks",
    guards=[guards.client("partner", "eligibility:check")],
    dependencies={"caller": Provide(guards.provide_client)},
)
async def perks(caller: NamedDependency[guards.Client]) -> list[str]:
    """What the guard found."""
    return sorted(caller.perks)


@get(
    "/v1/partner/hot",
    guards=[guards.partner_hot("eligibility:check")],
    dependencies={"caller": Provide(guards.provide_client)},
)
async def hot(caller: NamedDependency[guards.Client]) -> list[str]:
    """What the guard found."""
    return sorted(caller.perks)


@get("/v1/source/subjects", guards=[guards.client("source", "records:write")])
async def subjects() -> list[str]:
    """For sources alone."""
    return []


def problem(_request: object, error: Problem) -> Response[Any]:
    """A stand-in for the translator, with what these tests look at."""
    return Response({"code": error.code, "detail": error.detail}, status_code=error.status, headers=error.headers)


@asynccontextmanager
async def running(house: House, *more: Any, **state: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the app for the length of a block; `state` joins the app's."""
    app = Litestar(
        [*oauth.handlers, me, act, perks, hot, subjects, *more],
        dependencies={"house": Provide(deps.provide_house)},
        exception_handlers={Problem: problem},
        before_send=[guards.send_nonce],
        state=State({"house": house, **state}),
        template_config=TemplateConfig(directory=TEMPLATES, engine=JinjaTemplateEngine),
        openapi_config=None,
    )
    transport = httpx2.ASGITransport(app, raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url=house.settings.base_url) as http:
        yield http


def house_on(url: str, doors: db.Doors, epochs: Path, *, base_url: str = BASE) -> House:
    """A house on a database of its own."""
    settings = Settings(
        base_url=base_url,
        database_url=url,
        master_key=bytes(range(32)),
        epochs_file=epochs,
        sandbox=True,
        demo_idp=True,
    )
    short = shortlived.connect(
        redis_url=None, postgres_url=db.door_url(url, doors.ring, settings.role_prefix, "auth"), size=4
    )
    return House(settings, doors.ring, doors, short)
