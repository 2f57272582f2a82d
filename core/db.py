"""PostgreSQL through doors: a login role, a password and a pool for each kind of caller.

A door may do what its grants and row policies say and nothing else; no code changes its role. Two sessions exist.
*Work* is one transaction, opened and committed by the front of house. *Claims* commits each statement at once, for what
must survive a rollback. The doors that have functions and no table, partner and citycard, also have a raw asyncpg pool.

On the citizen door a transaction begins by naming the proof of its caller, the hash of a live session or token; the row
policies find the citizen by it (`auth.citizen_now()`), so nobody is anybody there without such a hash.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal, get_args
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from core import relay
from core.keys import Keyring
from core.postgres.engine import engine_of

Door = Literal["auth", "citizen", "partner", "source", "scorer", "staff", "jobs", "citycard"]
DOORS: tuple[Door, ...] = get_args(Door)

_SERVER = {"application_name": "osmanthus", "timezone": "UTC"}
# The longest transaction where somebody waits: PostgreSQL ends it, so what is told of a finished day stays true.
LONGEST_SECONDS = 60
_BRIEF = {door: {"transaction_timeout": f"{LONGEST_SECONDS}s"} for door in ("citizen", "partner", "staff", "citycard")}
_CONNECT_SECONDS = 2
_COMMAND_SECONDS = 60


def role(prefix: str, door: Door) -> str:
    """The login role of a door, e.g. `osmanthus_partner`."""
    return f"{prefix}_{door}"


def password(ring: Keyring, door: Door) -> str:
    """The password of a door's role, derived from the master key."""
    return ring.derive(f"door|{door}").hex()


async def arm(owner_url: str, ring: Keyring, prefix: str) -> None:
    """Give every door's role its password, and make the ring's epochs known; run by the owner after migrations."""
    connection = await asyncpg.connect(owner_url)
    try:
        for door in DOORS:
            await connection.execute(f"alter role {role(prefix, door)} login password '{password(ring, door)}'")
        await connection.execute(
            "insert into keys.epoch select number, now() from unnest($1::integer[]) number on conflict do nothing",
            list(ring.epochs),
        )
    finally:
        await connection.close()


def door_url(owner_url: str, ring: Keyring, prefix: str, door: Door) -> str:
    """The owner's DSN with the door's role and password in place of the owner's."""
    parts = urlsplit(owner_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role(prefix, door)}:{quote(password(ring, door))}@{host}"))


class _Opening(asyncpg.Connection):  # pyright: ignore[reportMissingTypeArgument]  (not generic at run time)
    """A connection that sends `opening` in the same round trip as the next BEGIN, once."""

    __slots__ = ("opening",)
    opening: str

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109  (asyncpg's)
        """As asyncpg does, and open what was asked for."""
        if query.startswith("BEGIN") and getattr(self, "opening", ""):
            query, self.opening = query + self.opening, ""
        return await super().execute(query, *args, timeout=timeout)


class Doors:
    """All doors of one process. Close it when done."""

    def __init__(self, owner_url: str, ring: Keyring, prefix: str, *, size: int = 8) -> None:
        """`owner_url` is `postgresql://…`; nothing is connected yet; each door opens at most `size` connections."""
        self.ring = ring
        self._urls = {door: door_url(owner_url, ring, prefix, door) for door in DOORS}
        self._engines: dict[Door, AsyncEngine] = {}
        self._pools: dict[Door, asyncpg.Pool[asyncpg.Record]] = {}
        self._pool_lock = asyncio.Lock()
        self._size = size

    def engine(self, door: Door) -> AsyncEngine:
        """The door's engine, made at first use."""
        if door not in self._engines:
            self._engines[door] = engine_of(
                self._urls[door],
                connect={
                    "timeout": _CONNECT_SECONDS,
                    "command_timeout": _COMMAND_SECONDS,
                    "server_settings": _SERVER | _BRIEF.get(door, {}),
                    "connection_class": _Opening,
                },
                pool_size=self._size,
                max_overflow=0,
                pool_timeout=5,
                pool_pre_ping=True,
            )
        return self._engines[door]

    @asynccontextmanager
    async def work(
        self, door: Door, *, proof: bytes | None = None, behalf: uuid.UUID | None = None
    ) -> AsyncGenerator[AsyncSession, None]:
        """One transaction: committed when the block ends well, rolled back otherwise.

        `proof`: SHA-256 of the caller's session cookie or of their token's jti, for the citizen door's row policies;
        `behalf`: the proxy by which they look at somebody else's rows.
        """
        async with AsyncSession(self.engine(door), expire_on_commit=False) as session, session.begin():
            if proof is not None:
                await prove(session, proof, behalf)
            yield session

    @asynccontextmanager
    async def claims(self, door: Door) -> AsyncGenerator[AsyncSession, None]:
        """A session in which every statement commits at once."""
        engine = self.engine(door).execution_options(isolation_level="AUTOCOMMIT")
        async with AsyncSession(engine, expire_on_commit=False) as session:
            yield session

    async def pool(self, door: Literal["partner", "citycard"] = "partner") -> "asyncpg.Pool[asyncpg.Record]":
        """The raw pool of a door of functions; keeps no session state, so connections are not reset between uses."""
        async with self._pool_lock:
            if door not in self._pools:
                self._pools[door] = await relay.of(
                    self._urls[door], size=self._size, reset=_keep, timeout=_CONNECT_SECONDS,
                    command_timeout=_COMMAND_SECONDS, server_settings=_SERVER | _BRIEF.get(door, {}),
                )  # fmt: skip
            return self._pools[door]

    @asynccontextmanager
    async def lasting(self, door: Door, *, size: int) -> "AsyncGenerator[asyncpg.Pool[asyncpg.Record]]":
        """A raw pool of a door's own for the length of a block, for a library that brings its own statements."""
        url = self._urls[door]
        async with asyncpg.create_pool(
            url, min_size=1, max_size=size, timeout=_CONNECT_SECONDS, command_timeout=_COMMAND_SECONDS,
            server_settings=_SERVER,
        ) as pool:  # fmt: skip
            yield pool

    async def close(self) -> None:
        """Close every connection."""
        for engine in self._engines.values():
            await engine.dispose()
        self._engines.clear()
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()


async def _keep(_connection: object) -> None:
    """No reset: the statements of these doors leave nothing behind in a session."""


@asynccontextmanager
async def above(owner_url: str) -> AsyncGenerator[AsyncSession, None]:
    """The owner's one transaction over every row: for bringing a backup back, while no door is open.

    Row security binds the owner too; for the length of this transaction it does not, and nobody else gets in meanwhile.
    """
    engine = engine_of(owner_url)
    try:
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            forced = (await session.scalars(text(_FORCED))).all()
            for table in forced:
                await session.execute(text(f"alter table {table} no force row level security"))
            yield session
            for table in forced:
                await session.execute(text(f"alter table {table} force row level security"))
    finally:
        await engine.dispose()


_FORCED = "select oid::regclass::text from pg_class where relforcerowsecurity order by 1"


async def prove(session: AsyncSession, proof: bytes, behalf: uuid.UUID | None = None) -> None:
    """Name the proof for the transaction that `session` is about to begin; it costs no round trip of its own."""
    driver = await _driver(session)
    if not isinstance(driver, _Opening):
        message = "not a connection of a door"
        raise TypeError(message)
    driver.opening = f"select set_config('app.proof', '{proof.hex()}', true);"
    if behalf is not None:
        driver.opening += f"select set_config('app.behalf', '{behalf}', true);"


async def raw(session: AsyncSession) -> "asyncpg.Connection[asyncpg.Record]":
    """The asyncpg connection under a work session, with its transaction begun (for COPY and arrays)."""
    driver = await _driver(session)
    if not driver.is_in_transaction():  # SQLAlchemy begins lazily; what follows must not commit by itself
        await (await session.connection()).exec_driver_sql("select 1")
    return driver


async def _driver(session: AsyncSession) -> "asyncpg.Connection[asyncpg.Record]":
    driver = (await (await session.connection()).get_raw_connection()).driver_connection
    if driver is None:
        message = "no driver connection"
        raise RuntimeError(message)
    return driver
