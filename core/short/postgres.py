"""The short-lived store in UNLOGGED tables of PostgreSQL (`core.short.tables`).

Promises what `core.shortlived` promises, by one autocommitted statement a verb on a pool of its own. Expired rows are
as good as absent; `sweep` removes them. A crash of the server ends every connection, so the epoch read when a
connection was made holds for as long as it lives: asking for the epoch costs no statement, and takes no connection.
Does not promise to notice that somebody truncated the tables under a running server.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import asyncpg

from core.pgerrors import is_unavailable
from core.short.forgetting import StoreUnavailable, epoch_word

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    _Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]

_CLAIM = """insert into core.short_claim as held (key, until) values ($1, clock_timestamp() + $2)
on conflict (key) do update set until = excluded.until where held.until <= clock_timestamp() returning true"""
_COUNT = """insert into core.short_count as held (key, count, until) values ($1, 1, clock_timestamp() + $2)
on conflict (key) do update set
  count = case when held.until <= clock_timestamp() then 1 else held.count + 1 end,
  until = case when held.until <= clock_timestamp() then excluded.until else held.until end
returning count"""
_COUNT_ALL = """insert into core.short_count as held (key, count, until)
select key, count(*), clock_timestamp() + $2 from unnest($1::text[]) key group by key order by key
on conflict (key) do update set
  count = case when held.until <= clock_timestamp() then excluded.count else held.count + excluded.count end,
  until = case when held.until <= clock_timestamp() then excluded.until else held.until end
returning key, count"""
_PUT = """insert into core.short_value (key, value, until) values ($1, $2, clock_timestamp() + $3)
on conflict (key) do update set value = excluded.value, until = excluded.until"""
_TAKE = "delete from core.short_value where key = $1 returning case when until > clock_timestamp() then value end"
_PEEK = "select value from core.short_value where key = $1 and until > clock_timestamp()"
_EPOCH = "select epoch from core.short_epoch"
_NEW_EPOCH = "insert into core.short_epoch (one, epoch) values (true, $1) on conflict do nothing"
_NOW = "select (extract(epoch from clock_timestamp()) * 1000)::bigint"
_SWEEP = """with claims as (delete from core.short_claim where until <= clock_timestamp() returning 1),
counts as (delete from core.short_count where until <= clock_timestamp() returning 1),
vals as (delete from core.short_value where until <= clock_timestamp() returning 1)
select (select count(*) from claims) + (select count(*) from counts) + (select count(*) from vals)"""


class PostgresStore:
    """The port of `core.shortlived` on one door's DSN."""

    in_database = True

    def __init__(self, url: str, *, size: int = 8) -> None:
        """`url` is `postgresql://…` of a door that may use the tables; connected at first use."""
        self._url = url
        self._size = size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._lock = asyncio.Lock()
        self._greeted: list[tuple[_Connection, str]] = []  # connections and the epoch they found, the newest last

    async def claim(self, key: str, ttl: float) -> bool:
        """See `Store.claim`."""
        return await self._value(_CLAIM, key, timedelta(seconds=ttl)) is True

    async def count(self, key: str, window: float) -> int:
        """See `Store.count`."""
        return cast("int", await self._value(_COUNT, key, timedelta(seconds=window)))

    async def count_all(self, keys: Sequence[str], window: float) -> dict[str, int]:
        """See `Store.count_all`; in the order of the keys, so that two lists never wait for each other in a ring."""
        async with self._connection() as connection:
            rows = await connection.fetch(_COUNT_ALL, keys, timedelta(seconds=window))
        return {row["key"]: row["count"] for row in rows}

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """See `Store.put`."""
        await self._value(_PUT, key, value, timedelta(seconds=ttl))

    async def take(self, key: str) -> bytes | None:
        """See `Store.take`."""
        return cast("bytes | None", await self._value(_TAKE, key))

    async def peek(self, key: str) -> bytes | None:
        """See `Store.peek`."""
        return cast("bytes | None", await self._value(_PEEK, key))

    async def epoch(self) -> str:
        """See `Store.epoch`."""
        while self._greeted:
            newest, epoch = self._greeted[-1]
            if not newest.is_closed():
                return epoch
            self._greeted.pop()
        async with self._connection():  # makes one, which is greeted
            return self._greeted[-1][1]

    async def sweep(self) -> int:
        """See `Store.sweep`."""
        return cast("int", await self._value(_SWEEP))

    async def close(self) -> None:
        """See `Store.close`."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _value(self, statement: str, *values: object) -> object:
        """Run one statement by itself; its first value."""
        async with self._connection() as connection:
            return await connection.fetchval(statement, *values)

    @asynccontextmanager
    async def _connection(self) -> "AsyncGenerator[_Connection]":
        """A live connection of the pool. StoreUnavailable when the database cannot be reached."""
        try:
            pool = await self._connected()
            async with pool.acquire(timeout=5) as connection:
                yield connection
        except Exception as error:
            if is_unavailable(error) or isinstance(error, OSError):
                raise StoreUnavailable from error
            raise

    async def _connected(self) -> "asyncpg.Pool[asyncpg.Record]":
        """The pool, made once; its connections keep no session state, so they are not reset between uses."""
        async with self._lock:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._size,
                    reset=_keep,
                    init=self._greet,
                    timeout=2,
                    command_timeout=5,
                )
            return self._pool

    async def _greet(self, connection: "_Connection") -> None:
        """Read, or make, the epoch that holds while this connection lives."""
        while (held := await connection.fetchval(_EPOCH)) is None:
            await connection.execute(_NEW_EPOCH, epoch_word(await connection.fetchval(_NOW)))
        self._greeted = [*((one, found) for one, found in self._greeted if not one.is_closed()), (connection, held)]


async def _keep(_connection: object) -> None:
    """No reset: these statements leave nothing behind in a session."""
