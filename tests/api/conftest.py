"""A running server for API tests: real HTTP on loopback, a database of its own, the shipped rule book in force.

`server` is shared by the tests of a run, so a test makes the people and clients that it needs and looks at those
alone; `lone_server` is a fresh one, for tests that break things.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest_asyncio
import uvicorn
from litestar import Litestar

from api import app, wire
from api.deps import House
from api.express import Express
from api.identity import idp
from api.releases import rulebook_files
from api.requests import Envelope
from api.staff import publication
from api.tool import demo_city, registration
from api.tool.caller import Signed
from api.tool.citizen_app import signed_in
from core import clock, embedded
from core.db import Doors
from core.keys import Keyring
from core.settings import ROOT, Settings
from tests import eavesdropping
from tests.clones import clone, copy
from tests.conftest import PREFIX

PASSWORD = "a-test-password"


class _Uvicorn(uvicorn.Server):
    """uvicorn that leaves the test run's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Nothing to capture."""
        yield


class Server:
    """A running server, and the means to be somebody at it."""

    def __init__(self, base_url: str, application: Any, front: Envelope, owner_url: str) -> None:
        """`application` is what answers at `base_url`, behind `front`; `owner_url` looks behind the doors."""
        self.base_url = base_url
        self.application = application
        self.front = front
        self.house: House = application.state.house
        self.owner_url = owner_url
        self._accounts: list[Any] = application.state.demo_accounts
        self.citizen_client = {"client_id": "app", "redirect_uri": f"{base_url}/app/callback", "scope": "me"}
        self._serial = 0

    def person(self, born: date = date(1990, 5, 4), name: str = "张三明") -> Mapping[str, Any]:
        """Somebody new who can log in: {login, password, name, id_number}."""
        self._serial += 1
        login = f"p{self._serial}"
        entry = {
            "login": login,
            "password": PASSWORD,
            "name": name,
            "id_number": demo_city.id_number(born, self._serial),
            "note": "",
        }
        self._accounts.extend(idp.accounts([entry]))
        eavesdropping.somebody(name, entry["id_number"])
        return entry

    async def register(self, client_id: str, role: str, scope: str, **more: Any) -> tuple[Signed, dict[str, Any]]:
        """A new client: its signing auth and its kit entry."""
        entry = await registration.add(
            self.house.settings, client_id=client_id, role=role, name=f"名称 {client_id}", scopes=[scope], **more
        )
        return self.as_client(entry), entry

    def as_client(self, entry: Mapping[str, Any]) -> Signed:
        """The signing auth of a kit entry."""
        return Signed(
            base_url=self.base_url,
            issuer=self.base_url,
            client_id=entry["client_id"],
            jwk=entry["jwk"],
            scope=" ".join(entry["scopes"]),
        )

    @asynccontextmanager
    async def logged_in(self, person: Mapping[str, Any]) -> AsyncGenerator[httpx2.AsyncClient]:
        """`/v1/me` as this person, through the citizens' app."""
        async with signed_in(
            self.base_url, self.citizen_client, login=person["login"], password=person["password"]
        ) as http:
            yield http

    async def join(self, me: httpx2.AsyncClient, **more: Any) -> httpx2.Response:
        """Give the `score` consent with every optional source; `more` replaces members."""
        notice = (await me.get("/v1/rules/notices/score/1")).json()
        body = {
            "purpose": "score",
            "notice": {"version": notice["version"], "digest": notice["digest"]},
            "optional_sources": notice["optional_sources"],
            "expires_on": (clock.today() + timedelta(days=300)).isoformat(),
        }
        return await me.post("/v1/me/consents", json={**body, **more})


@asynccontextmanager
async def serving(
    owner_url: str, epochs: Path, *, published: bool = False, trust_signers: Path | None = None
) -> AsyncGenerator[Server]:
    """A server on a free port for the length of a block, with the demo city's clients' ids free to use.

    `published`: the shipped rule book is in force already.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each answer waits 40 ms for an ACK
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = Settings(
        base_url=base_url,
        database_url=owner_url,
        master_key=bytes(range(32)),
        epochs_file=epochs,
        role_prefix=PREFIX,
        sandbox=True,
        demo_idp=True,
        trust_signers=trust_signers,
    )
    built = _application(settings)
    front = Envelope(Express(built))
    running = _Uvicorn(uvicorn.Config(front, log_config=None, lifespan="on", access_log=False, http=wire.Protocol))
    task = asyncio.create_task(running.serve(sockets=[listener]))
    while not running.started:
        await asyncio.sleep(0.01)
        if task.done():
            task.result()
    try:
        server = Server(base_url, built, front, owner_url)
        if not published:
            await publish(server.house)
        await registration.add(
            settings,
            client_id="app",
            role="citizen",
            name="应用",
            scopes=["me"],
            redirect_uris=[server.citizen_client["redirect_uri"]],
        )
        yield server
    finally:
        running.should_exit = True
        await task
        _idle.append(built)


# Applications whose server has stopped: to build one takes a second, and it keeps nothing of its city but its state.
_idle: list[Litestar] = []


def _application(settings: Settings) -> Litestar:
    """An application of these settings, which differ from another test's in names and addresses alone."""
    if not _idle:
        return app.build(settings)
    again = _idle.pop()
    again.state = app.held(settings)
    return again


async def publish(house: House) -> None:
    """Put the shipped files in force, drafted and approved by two made-up persons."""
    async with house.doors.work("staff") as session:
        for file in rulebook_files.shipped(ROOT / "policy"):
            drafted = await publication.draft(
                session, kind=file.kind, name=file.name, body=file.body, effective_on=clock.today(), by="drafter"
            )
            await publication.approve(session, release_id=drafted.id, by="approver")


@pytest_asyncio.fixture(scope="session")
async def stocked_template(cluster: embedded.Cluster, template: str, ring: Keyring) -> str:
    """The migrated database with the shipped perks in force, and nothing else."""
    from tests.api import shopworld

    name = f"{template}_stocked"
    await copy(cluster, template, name)
    doors = Doors(cluster.dsn(name), ring, PREFIX)
    house = shopworld.house_on(cluster.dsn(name), doors)
    await shopworld.stock(house)
    await asyncio.gather(house.short.close(), doors.close())
    return name


@pytest_asyncio.fixture
async def stocked(cluster: embedded.Cluster, stocked_template: str) -> AsyncIterator[str]:
    """The owner's DSN of a fresh clone with the shipped perks in force."""
    async with clone(cluster, stocked_template) as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def server(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[Server]:
    """The server that API tests share."""
    async with clone(cluster, city_template) as owner_url, serving(owner_url, ring.file, published=True) as running:
        yield running


@pytest_asyncio.fixture
async def lone_server(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[Server]:
    """A server on a fresh clone, for a test that breaks things."""
    async with clone(cluster, city_template) as owner_url, serving(owner_url, ring.file, published=True) as running:
        yield running
