"""A raw pool whose `fetch` hands its connections straight from one statement to the next.

asyncpg's own `acquire` and `release` cost as much as sending a statement: a task, a shield, a reset, a turn of the
event loop. `fetch` here keeps the connections that it took (all but one of the pool's, which is left to `acquire`),
each with its prepared statements, and passes one that is done to whoever has waited longest. Promises: a connection on
which anything went wrong, the caller's going away included, returns to the pool, which finishes what is unfinished and
decides whether it lives. Does not promise to close a connection that has nothing to do.

For statements that are a transaction of their own and leave nothing behind in a session.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.pool import PoolAcquireContext
from asyncpg.prepared_stmt import PreparedStatement

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    _Row = asyncpg.Record
    _Connection = PoolConnectionProxy[_Row]

_USES = 10_000  # then the pool may see how old a connection is


class _Lane:
    """A connection that was taken, what is prepared on it, and how many statements it may still do."""

    __slots__ = ("connection", "left", "prepared")

    def __init__(self, connection: "_Connection") -> None:
        self.connection = connection
        self.prepared: dict[str, PreparedStatement[_Row]] = {}
        self.left = _USES

    async def statement(self, query: str) -> "PreparedStatement[_Row]":
        """The statement, prepared once."""
        if (held := self.prepared.get(query)) is None:
            held = self.prepared[query] = await self.connection.prepare(query)
        return held

    def lives(self) -> bool:
        """Whether it is connected; one that the server ended is the pool's again."""
        try:
            return not self.connection.is_closed()
        except asyncpg.InterfaceError:
            return False


class Relay(asyncpg.Pool):  # pyright: ignore[reportMissingTypeArgument]  (not generic at run time)
    """The pool; `of` makes one."""

    def __init__(self, *arguments: Any, max_size: int, **named: Any) -> None:
        """Of `max_size` connections one is left to `acquire`, where there is more than one."""
        super().__init__(*arguments, max_size=max_size, **named)
        self._most = max(1, max_size - 1)
        self._taken = 0  # lanes at hand and in use, and being made
        self._at_hand: list[_Lane] = []
        self._waiting: deque[asyncio.Future[_Lane | None]] = deque()
        self._returning: set[asyncio.Task[None]] = set()

    async def fetch(
        self,
        query: str,
        *args: object,
        timeout: float | None = None,  # noqa: ASYNC109  (asyncpg's)
        record_class: Any = None,
    ) -> "list[Any]":
        """The rows of one statement, in the order of arrival; asyncpg's errors."""
        if timeout is not None or record_class is not None:
            return await super().fetch(query, *args, timeout=timeout, record_class=record_class)
        lane = await self._take()
        try:
            statement = lane.prepared.get(query) or await lane.statement(query)
            rows = await statement.fetch(*args)
        except asyncpg.InvalidCachedStatementError:  # what it answers has another shape since a migration: nothing ran
            await self._give_back(lane)
            return await super().fetch(query, *args)
        except BaseException:
            await self._give_back(lane)
            raise
        lane.left -= 1
        if lane.left and not self.is_closing():
            self._pass_on(lane)
        else:
            await self._give_back(lane)
        return rows

    def acquire(self, *, timeout: float | None = None) -> "PoolAcquireContext[_Row]":
        """A connection for several statements; what lies at hand makes room."""
        if self._at_hand:
            task = asyncio.ensure_future(self._give_back(self._at_hand.pop(0)))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)
        return super().acquire(timeout=timeout)

    async def close(self) -> None:
        """As asyncpg: wait for what is running, then close every connection."""
        while self._at_hand:
            await self._give_back(self._at_hand.pop())
        await super().close()

    async def _take(self) -> _Lane:
        while self._at_hand:
            if (lane := self._at_hand.pop()).lives():
                return lane
            self._taken -= 1
        if self._taken < self._most:
            self._taken += 1
            return await self._new()
        self._waiting.append(turn := asyncio.get_running_loop().create_future())
        try:
            lane = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was this one's turn already
                self._pass_on(turn.result())
            raise
        return lane if lane is not None and lane.lives() else await self._new()

    async def _new(self) -> _Lane:
        """A lane for a place that is the caller's."""
        try:
            return _Lane(await super().acquire())
        except BaseException:
            self._pass_on(None)
            raise

    async def _give_back(self, lane: _Lane) -> None:
        self._pass_on(None)
        await self.release(lane.connection)

    def _pass_on(self, lane: _Lane | None) -> None:
        """Pass a lane, or without one its place, to whoever has waited longest."""
        while self._waiting:
            if not (turn := self._waiting.popleft()).done():
                turn.set_result(lane)
                return
        if lane is None:
            self._taken -= 1
        else:
            self._at_hand.append(lane)


async def of(url: str, *, size: int, **named: Any) -> Relay:
    """A pool on a DSN with at most `size` connections; `named`: see `asyncpg.create_pool`."""
    usual = {
        "connection_class": asyncpg.Connection, "record_class": asyncpg.Record, "loop": None,
        "min_size": 1, "max_queries": 5 * _USES, "max_inactive_connection_lifetime": 300.0,
    }  # fmt: skip
    return await Relay(url, max_size=size, **usual, **named)
