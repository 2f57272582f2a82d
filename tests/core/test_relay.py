"""The pool that hands connections on: order, ends, and what is left behind."""

import asyncio
import gc
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from core import relay

SLEEP = "select pg_sleep($1), pg_backend_pid()"


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[relay.Relay]:
    """Two connections: one for `fetch`, one for `acquire`."""
    made = await relay.of(database, size=2)
    yield made
    await made.close()


async def pid(pool: relay.Relay) -> int:
    """Which server process answers."""
    return (await pool.fetch("select pg_backend_pid() pid"))[0]["pid"]


class TestFetch:
    """`fetch`."""

    async def test_in_the_order_of_arrival_on_one_connection(self, pool: relay.Relay) -> None:
        """Who came first is served first, and the second connection stays free."""
        order: list[int] = []

        async def ask(number: int) -> int:
            found = await pid(pool)
            order.append(number)
            return found

        found = await asyncio.gather(*(ask(number) for number in range(20)))
        assert order == list(range(20))
        assert len(set(found)) == 1

    async def test_a_fault_of_the_statement_is_the_callers(self, pool: relay.Relay) -> None:
        """asyncpg's own error, and whoever waited behind it is served."""
        faulty, behind = await asyncio.gather(pool.fetch("select 1 / 0"), pid(pool), return_exceptions=True)
        assert isinstance(faulty, asyncpg.DivisionByZeroError)
        assert isinstance(behind, int)

    async def test_going_away_in_the_middle_leaves_nothing_running(self, pool: relay.Relay) -> None:
        """The statement of a caller that is gone is cancelled, and whoever waited behind it is served soon."""
        gone = asyncio.create_task(pool.fetch(SLEEP, 30))
        behind = asyncio.create_task(pid(pool))
        await asyncio.sleep(0.05)
        gone.cancel()
        async with asyncio.timeout(5):
            assert await behind
            while await pool.fetch("select 1 from pg_stat_activity where query = $1 and state = 'active'", SLEEP):
                await asyncio.sleep(0.01)

    async def test_going_away_when_it_was_ones_turn(self, pool: relay.Relay) -> None:
        """A connection that was passed to somebody who left in that moment goes to the next."""

        async def leave_it_to_the_second() -> int:
            found = await pid(pool)
            second.cancel()
            return found

        first = asyncio.create_task(leave_it_to_the_second())
        second, third = asyncio.create_task(pid(pool)), asyncio.create_task(pid(pool))
        async with asyncio.timeout(5):
            assert await third == await first
        assert second.cancelled()

    async def test_a_connection_that_the_server_ended_is_replaced(self, pool: relay.Relay, database: str) -> None:
        """Also one that lay at hand; nobody is told."""
        before = await pid(pool)
        await _end(database, before)
        await asyncio.sleep(0.05)
        assert await pid(pool) != before

    async def test_a_statement_whose_answer_changed_is_asked_anew(self, pool: relay.Relay) -> None:
        """As after a migration under running servers."""
        await pool.execute("create function one() returns table (a int) language sql as 'select 1'")
        assert [dict(row) for row in await pool.fetch("select * from one()")] == [{"a": 1}]
        await pool.execute("drop function one()")
        await pool.execute("create function one() returns table (b text) language sql as 'select 2::text'")
        assert [dict(row) for row in await pool.fetch("select * from one()")] == [{"b": "2"}]

    async def test_no_connection_at_all(self, pool: relay.Relay, database: str) -> None:
        """While none can be made everybody is told so; afterwards everybody is served."""
        pool.set_connect_args("postgresql://nobody@127.0.0.1:1/none")
        await _end(database, await pid(pool))
        await asyncio.sleep(0.05)
        told = await asyncio.gather(*(pid(pool) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(one, OSError) for one in told)
        pool.set_connect_args(database)
        async with asyncio.timeout(5):
            assert len(set(await asyncio.gather(*(pid(pool) for _ in range(5))))) == 1


class TestAcquire:
    """`acquire` beside `fetch`."""

    async def test_both_connections_can_be_had(self, pool: relay.Relay) -> None:
        """What lies at hand makes room."""
        before = await pid(pool)
        async with asyncio.timeout(5), pool.acquire() as one, pool.acquire() as other:
            found = {await each.fetchval("select pg_backend_pid()") for each in (one, other)}
        assert before in found

    async def test_while_all_is_busy(self, pool: relay.Relay) -> None:
        """One connection is left to it."""
        busy = asyncio.create_task(pool.fetch(SLEEP, 0.2))
        await asyncio.sleep(0.05)
        async with asyncio.timeout(0.1), pool.acquire() as connection:
            assert await connection.fetchval("select 1") == 1
        await busy


class TestClose:
    """`close`."""

    async def test_what_runs_is_waited_for_and_nobody_else_begins(self, database: str) -> None:
        """A caller in the middle gets its rows; who waited is told that the pool closes."""
        pool = await relay.of(database, size=2)
        running = asyncio.create_task(pool.fetch(SLEEP, 0.1))
        waiting = asyncio.create_task(pid(pool))
        await asyncio.sleep(0.02)
        await pool.close()
        assert len(await running) == 1
        with pytest.raises(asyncpg.InterfaceError):
            await waiting
        gc.collect()  # nothing is left to complain


async def _end(database: str, process: int) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute("select pg_terminate_backend($1)", process)
    await owner.close()
