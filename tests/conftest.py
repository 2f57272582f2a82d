"""The ground under every test: a real PostgreSQL, migrated once, cloned where a test crosses doors.

`database`/`doors`: a fresh clone of the migrated template; commits are real; for a test across doors.
`work(door)` sessions (`citizen_session` …): one shared clone, rolled back after each test; for a test with one role.
`owner_session`: the operator on the shared clone, rolled back; to look behind the doors.
"""

import asyncio
import gc
import logging
import os
import secrets
import shutil
import socket
import sys
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TextIO, cast

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings as hypothesis_settings
from prometheus_client import generate_latest
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import NullPool

from auth import tables
from core import db, embedded, ids
from core.epochs import make_epochs
from core.keys import Keyring
from core.postgres import migrate
from core.postgres.engine import engine_of
from core.settings import Settings
from tests import eavesdropping, gateworld, memorydisk
from tests.clones import clone, copy, operate

gc.disable()  # until everything is collected: see pytest_collection_finish
hypothesis_settings.register_profile("house", deadline=None)  # no test says how fast a machine is
hypothesis_settings.load_profile("house")

PREFIX = "osmanthus"
TEMPLATE = "osmanthus_template"
FAST = {"scram_iterations": "1", "shared_buffers": "64MB", "max_wal_size": "192MB"}  # memory may hold it all


def _close_the_outside(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse every connection that leaves the machine; tests talk to themselves alone."""
    if event != "socket.connect":
        return
    channel, address = arguments
    if isinstance(channel, socket.socket) and channel.family in {socket.AF_INET, socket.AF_INET6}:
        host = str(cast("tuple[object, ...]", address)[0])
        if not host.startswith("127.") and host not in {"::1", "localhost"}:
            message = f"a test tried to leave the machine: {address}"
            raise RuntimeError(message)


sys.addaudithook(_close_the_outside)
# Every client of these tests reads the certificate authorities, which it never needs: that took a quarter of the suite.
os.environ["SSL_CERT_DIR"] = os.devnull
os.environ.pop("SSL_CERT_FILE", None)


def pytest_collection_finish() -> None:
    """Half a million objects of modules and tests stay for the whole run: looking through them was an eighth of it."""
    gc.freeze()
    gc.set_threshold(20_000)  # as a server does
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def nobody_is_told_of() -> Iterator[None]:
    """Log lines go to `tests.eavesdropping`; what the suite wrote names, at the end, nobody whom it made up."""
    ear, root = cast("TextIO", eavesdropping.Ear()), logging.getLogger()
    eavesdropping.listen(ear)
    libraries = logging.StreamHandler(ear)
    root.addHandler(libraries)
    yield
    root.removeHandler(libraries)
    if (requests := sys.modules.get("api.requests")) is not None:
        eavesdropping.heard.append(generate_latest(requests.registry).decode())
    told = sorted(set(eavesdropping.leaks(eavesdropping.heard, eavesdropping.identities)))
    assert not told, "\n".join(["what the suite wrote tells of people:", *told[:20]])


@pytest.fixture(autouse=True)
def heard_again() -> Iterator[None]:
    """A test that sets up logging of its own, as a command does, leaves the next ones heard."""
    yield
    eavesdropping.listen_again()


@pytest.fixture(scope="session")
def cluster() -> Iterator[embedded.Cluster]:
    """One embedded server for the whole run, without fsync."""
    home = memorydisk.folder()
    with embedded.running(home, durable=False, options=FAST) as running:
        yield running
        eavesdropping.heard.append((home / "server.log").read_text(errors="replace"))
    embedded.erase(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """A key ring of fixed master key and fresh epochs."""
    epochs = tmp_path_factory.mktemp("keys") / "epochs.json"
    make_epochs(epochs)
    return Keyring(bytes(range(32)), epochs)


@pytest_asyncio.fixture(scope="session")
async def template(cluster: embedded.Cluster, ring: Keyring) -> str:
    """The migrated database that clones are made from; the doors have their passwords."""
    await operate(cluster, f"create database {TEMPLATE}")
    await migrate.upgrade(cluster.dsn(TEMPLATE), role_prefix=PREFIX)
    await db.arm(cluster.dsn(TEMPLATE), ring, PREFIX)
    return TEMPLATE


@pytest_asyncio.fixture(scope="session")
async def sandbox_template(cluster: embedded.Cluster, template: str) -> str:
    """The same as a sandbox, which the servers of these tests are: by what 0029 does to an empty database, done later.

    Migrating once more from nothing takes seconds, in each run of pytest.
    """
    name = f"{template}_sandbox"
    await copy(cluster, template, name)
    owner = await asyncpg.connect(cluster.dsn(name))
    try:
        async with owner.transaction():
            for statement in migrate.statements("0029_sandbox.sql", PREFIX):
                await owner.execute(statement)
    finally:
        await owner.close()
    return name


@pytest_asyncio.fixture(scope="session")
async def city_template(cluster: embedded.Cluster, sandbox_template: str, ring: Keyring) -> str:
    """The sandbox with the shipped rule book in force, which takes a second or two to put there."""
    from api import app
    from tests.api.conftest import publish

    name = f"{sandbox_template}_city"
    await copy(cluster, sandbox_template, name)
    settings = Settings(
        base_url="http://127.0.0.1",
        database_url=cluster.dsn(name),
        master_key=bytes(range(32)),
        epochs_file=ring.file,
        role_prefix=PREFIX,
    )
    house = app.make_house(settings)
    await publish(house)
    await asyncio.gather(house.short.close(), house.doors.close())
    return name


@pytest_asyncio.fixture
async def database(cluster: embedded.Cluster, template: str) -> AsyncIterator[str]:
    """The owner's DSN of a fresh clone."""
    async with clone(cluster, template) as url:
        yield url


@pytest_asyncio.fixture
async def doors(database: str, ring: Keyring) -> AsyncIterator[db.Doors]:
    """Every door on a fresh clone."""
    opened = db.Doors(database, ring, PREFIX)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="session")
async def shared_database(cluster: embedded.Cluster, template: str) -> AsyncIterator[str]:
    """The owner's DSN of the one clone that rolled-back tests share. Commit nothing in it."""
    async with clone(cluster, template) as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def shared_doors(shared_database: str, ring: Keyring) -> AsyncIterator[db.Doors]:
    """Every door on the shared clone. Use the rolled-back sessions below instead, where you can."""
    opened = db.Doors(shared_database, ring, PREFIX, size=2)
    yield opened
    await opened.close()


@asynccontextmanager
async def _rolled_back(doors: db.Doors, door: db.Door) -> AsyncGenerator[AsyncSession]:
    """A work session that ends in a rollback."""
    async with AsyncSession(doors.engine(door), expire_on_commit=False) as session:
        await session.begin()
        yield session
        await session.rollback()


@pytest_asyncio.fixture
async def auth_session(shared_doors: db.Doors) -> AsyncIterator[AsyncSession]:
    """The auth door, rolled back."""
    async with _rolled_back(shared_doors, "auth") as session:
        yield session


Stand = Callable[[AsyncSession, uuid.UUID], Awaitable[None]]


@pytest_asyncio.fixture
async def stand_as(shared_database: str) -> AsyncIterator[Stand]:
    """Make a transaction of the citizen door that of another citizen, who may be new."""
    engine = engine_of(shared_database, poolclass=NullPool)
    made: list[uuid.UUID] = []

    async def stand(session: AsyncSession, citizen_id: uuid.UUID) -> None:
        made.append(citizen_id)
        proof = secrets.token_bytes(32)
        async with engine.begin() as owner:
            await gateworld.log_in(owner, citizen_id, proof)
        await session.execute(text("select set_config('app.proof', :proof, true)"), {"proof": proof.hex()})

    yield stand
    async with engine.begin() as owner:
        await owner.execute(delete(tables.citizen).where(tables.citizen.c.id.in_(made)))
    await engine.dispose()


@pytest.fixture
def somebody() -> uuid.UUID:
    """Who stands at the citizen door of `citizen_session`."""
    return ids.new()


@pytest_asyncio.fixture
async def citizen_session(shared_doors: db.Doors, stand_as: Stand, somebody: uuid.UUID) -> AsyncIterator[AsyncSession]:
    """The citizen door with `somebody` in it, rolled back."""
    async with _rolled_back(shared_doors, "citizen") as session:
        await stand_as(session, somebody)
        yield session


@pytest_asyncio.fixture
async def partner_session(shared_doors: db.Doors) -> AsyncIterator[AsyncSession]:
    """The partner door, rolled back."""
    async with _rolled_back(shared_doors, "partner") as session:
        yield session


@pytest_asyncio.fixture
async def source_session(shared_doors: db.Doors) -> AsyncIterator[AsyncSession]:
    """The source door, rolled back."""
    async with _rolled_back(shared_doors, "source") as session:
        yield session


@pytest_asyncio.fixture
async def scorer_session(shared_doors: db.Doors) -> AsyncIterator[AsyncSession]:
    """The scorer door, rolled back."""
    async with _rolled_back(shared_doors, "scorer") as session:
        yield session


@pytest_asyncio.fixture
async def staff_session(shared_doors: db.Doors) -> AsyncIterator[AsyncSession]:
    """The staff door, rolled back."""
    async with _rolled_back(shared_doors, "staff") as session:
        yield session


@pytest_asyncio.fixture
async def jobs_session(shared_doors: db.Doors) -> AsyncIterator[AsyncSession]:
    """The jobs door, rolled back."""
    async with _rolled_back(shared_doors, "jobs") as session:
        yield session


@pytest_asyncio.fixture
async def owner_session(shared_database: str) -> AsyncIterator[AsyncSession]:
    """The operator behind all doors, rolled back."""
    engine = engine_of(shared_database, poolclass=NullPool)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        await session.begin()
        yield session
        await session.rollback()
    await engine.dispose()
