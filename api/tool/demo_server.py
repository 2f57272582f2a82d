"""The demo city's one process: server, jobs and, the first time, the seeding, until somebody says stop.

Promises: the seeding talks to the server over real HTTP like anybody else; a fault in any part ends all of them in
order and is raised. The server's log goes to `var/demo/server.log`, since the terminal belongs to the person.
"""

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import structlog
import uvicorn
import uvloop

from api import app, wire
from api.deps import House
from api.express import Express
from api.requests import KEPT_ALIVE, Envelope
from api.tool import demo_pins, demo_trust, seed
from api.tool.demo import Ground, say, write_privately
from api.tool.demo_city import entries
from api.tool.progress import Bar
from api.worker import jobs
from core import clock
from core.settings import Settings
from incentives.recognition.trust import Distrusted
from incentives.visitors import lists, rootkeys

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE_SECONDS = 3


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the order in which things end is decided here."""

    def __init__(self, config: uvicorn.Config) -> None:
        """`config` is uvicorn's own; `ready` is set when requests are answered."""
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone."""
        yield


def run(settings: Settings, ground: Ground, listener: socket.socket) -> None:
    """Serve on `listener` until a signal; raises what ended a part of it."""
    app.log_to_stderr()
    with (ground.folder / "server.log").open("a", encoding="utf-8") as log:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, ground, listener))


async def _serve(settings: Settings, ground: Ground, listener: socket.socket) -> None:
    """Run every part until one of them ends or a signal comes; then end them in order."""
    stopping = asyncio.Event()
    for sign in _STOPS:
        asyncio.get_running_loop().add_signal_handler(sign, stopping.set)
    application = app.build(settings, people=entries(clock.today()))
    house: House = application.state["house"]
    config = uvicorn.Config(
        Envelope(Express(application)),
        log_config=None,
        access_log=False,
        server_header=False,
        http=wire.Protocol,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=KEPT_ALIVE,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    city = asyncio.create_task(_city(server, house, ground))
    try:
        await _first_to_end(serving, city, asyncio.create_task(stopping.wait()))
    finally:
        say("Stopping ...")
        city.cancel()
        await asyncio.gather(city, return_exceptions=True)  # its fault, if it had one, is on its way already
        server.should_exit = True
        await serving


async def _first_to_end(*parts: "asyncio.Task[Any]") -> None:
    """Wait until one part ends; raise its fault if it had one."""
    done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    for part in done:
        part.result()


async def _city(server: _Server, house: House, ground: Ground) -> None:
    """Seed the city if it is new, tell where to click, and do the jobs for ever."""
    await server.ready.wait()
    address = house.settings.base_url
    if not ground.kit.exists():
        ground.seeding.touch()
        with Bar("Seeding the city through its public API") as bar:
            kit = await seed.run(house.settings, progress=bar.step)
        write_privately(ground.kit, json.dumps(kit, ensure_ascii=False, indent=1))
        ground.seeding.unlink()
    kit = json.loads(ground.kit.read_text())
    kit |= {"base_url": address, "issuer": address}  # the port may be another
    if alone := house.settings.trust_signers == demo_pins.pins(ground.folder):
        await demo_trust.refresh(house, ground.folder)
        kit = demo_trust.with_credentials(kit, house)
    write_privately(ground.kit, json.dumps(kit, ensure_ascii=False, indent=1))
    _welcome(kit, address, ground)
    async with asyncio.TaskGroup() as work:
        work.create_task(jobs.run(house))
        if not alone:  # a city of a league, whose operator lays lists of real neighbours
            work.create_task(_follow(house, ground.trusted))


async def _follow(house: House, file: Path) -> None:
    """Take in the trust list whenever its file changes; one that does not count is said and left."""
    seen: bytes | None = None
    while True:
        raw = await asyncio.to_thread(_read, file)
        if raw is not None and raw != seen:
            seen = raw
            try:
                roots = await rootkeys.read(house.settings.trust_signers)
                async with house.doors.work("jobs") as session:
                    await lists.take(session, raw, roots)
            except (Distrusted, rootkeys.NoRootKeys) as error:
                say(f"The trust list in {file} was refused: {error}")
        await asyncio.sleep(1)


def _read(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


def _welcome(kit: dict[str, Any], address: str, ground: Ground) -> None:
    """Where to click, and as whom."""
    say(f"\n  桂花 Osmanthus, a demo city. All people and records are made up.\n\n  The citizen's page   {address}/")
    say(f"  The API, to read     {address}/docs\n  Every key and login  {ground.kit}\n\n  Log in as:")
    for person in kit["citizens"]:
        if person.get("login"):
            say(f"    {person['login']:<16} {person['password']:<16} {person['name']}  ({person['note']})")
    say("\n  Ask as a partner:    .venv/bin/osmanthus call GET /v1/partner/perks --as city-library")
    say("  Stop with Ctrl-C.\n")
