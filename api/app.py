"""The sole assembly: settings in, application out.

`build` puts together what one process holds (doors, keys, short-lived store) and the routes of this deployment; a
demo adds its embedded identity provider. Nothing connects before the server starts, and all is closed when it stops.
"""

import asyncio
import contextlib
import gc
import json
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.template.config import TemplateConfig
from litestar.types import ASGIApp
from sqlalchemy import select

from api import deps, guards, openapi, problems
from api.deps import House
from api.express import Express
from api.identity import idp
from api.pages import frame
from api.requests import Envelope
from api.routing import routes
from api.sandbox import assembly
from api.sandbox.clock import follow
from core import clock, db, sandbox, sealed, shortlived
from core.keys import Keyring
from core.settings import Settings, read
from core.tables import civil_offset

_PAGES = Path(__file__).parent / "pages"
_LARGEST_BODY = 1_000_000
_OBJECTS = 20_000  # made and not yet gone, before the youngest are looked through


def make_house(settings: Settings) -> House:
    """What a process holds for its whole life; nothing is connected yet."""
    sealed.choose(settings.suite)
    ring = Keyring(settings.master_key, settings.epochs_file)
    doors = db.Doors(settings.database_url, ring, settings.role_prefix)
    short_url = db.door_url(settings.database_url, ring, settings.role_prefix, "auth")
    return House(settings, ring, doors, shortlived.connect(redis_url=settings.redis_url, postgres_url=short_url))


async def read_civil_offset(house: House) -> None:
    """Move this process's civil clock to where the database's is."""
    async with house.doors.claims("auth") as session:
        moved = await session.scalar(select(civil_offset.c.moved))
    if moved:
        clock.move(moved)


@asynccontextmanager
async def following(house: House) -> AsyncGenerator[None, None]:
    """In a sandbox, keep this process's civil clock where others move it, for the length of a block."""
    if not house.settings.sandbox:
        yield
        return
    watching = asyncio.create_task(follow(house))
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


def held(settings: Settings, people: Iterable[Mapping[str, Any]] = ()) -> State:
    """All that an application knows of its city, before it starts; its routes know nothing but the settings' kind."""
    return State({"house": make_house(settings), "demo_accounts": idp.accounts(people)})


def build(settings: Settings, *, people: Iterable[Mapping[str, Any]] = (), alone: bool = True) -> Litestar:
    """The application for these settings (see `create` for what a server runs); `people` can log in at a demo.

    It starts only where settings and database agree on whether this is a sandbox. `alone`: no other process moves this
    one's civil clock.
    """

    @asynccontextmanager
    async def lifespan(application: Litestar) -> AsyncGenerator[None, None]:
        house: House = application.state.house
        try:
            async with house.doors.claims("auth") as session:
                await sandbox.must_agree(session, wanted=settings.sandbox)
            await read_civil_offset(house)
            async with contextlib.nullcontext() if alone else following(house):
                yield
        finally:
            await asyncio.gather(house.short.close(), house.doors.close())

    return Litestar(
        route_handlers=routes(settings),
        before_request=assembly.before_request(settings),
        before_send=[guards.send_nonce, *assembly.before_send(settings)],
        dependencies={"house": Provide(deps.provide_house)},
        exception_handlers={Exception: problems.answer},
        lifespan=[lifespan],
        logging_config=None,
        openapi_config=openapi.CONFIG,
        request_max_body_size=_LARGEST_BODY,
        state=held(settings, people),
        template_config=TemplateConfig(instance=frame.engine()),
    )


def create() -> ASGIApp:
    """What a server runs: the application of the environment's settings behind its express door, in its envelope."""
    gc.disable()  # what is made now stays
    log_to_stderr()
    settings = read()
    provider = urlsplit(settings.idp_issuer or "")
    target = f"{provider.scheme}://{provider.netloc}" if provider.netloc else ""
    made = Express(build(settings, alone=False))
    leave_what_stays()
    return Envelope(made, form_target=target, https=settings.base_url.startswith("https://"))


def leave_what_stays() -> None:
    """Keep the garbage collector from looking through the application again and again: it lives as long as the process.

    What a request makes mostly goes when nobody refers to it any more; the collector, which is for rings, comes rarely.
    Whoever loads the application may have turned the collector off meanwhile: a third of a start was its.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    gc.enable()


def _line(event: dict[str, Any], *, default: Callable[[Any], Any]) -> str:
    """A log line as JSON: by msgspec, and what it refuses, such as half a surrogate pair, by the standard library."""
    try:
        return msgspec.json.encode(event, enc_hook=default).decode()
    except (TypeError, UnicodeEncodeError):
        return json.dumps(event, default=default)


def log_to_stderr() -> None:
    """JSON lines on standard error; exceptions without local variables, since those may hold personal data."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
