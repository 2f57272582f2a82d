"""What `incentives.emit` writes, and that the list of events never skips one and never turns two of an object round."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from core import db, ids
from incentives.events import deliveries
from tests.gateworld import World, world

EMIT = "select incentives.emit($1, $2, $3, $4, $5)"
LIST = "select * from incentives.events_of_caller($1, $2, 100)"


@pytest_asyncio.fixture
async def city(database: str) -> AsyncIterator[World]:
    """A city without orders: events are emitted by hand, as the jobs would."""
    async with world(database) as laid:
        yield laid


async def emit(connection: asyncpg.Connection, seq: int, *, partner: str = "p_library", order: str = "or_1") -> None:
    """One change of an order."""
    await connection.execute(EMIT, partner, "order.active", order, seq, '{"order_id": "or_1"}')


async def listed(connection: asyncpg.Connection, token: bytes, after: uuid.UUID | None = None) -> list[asyncpg.Record]:
    """The caller's events after one."""
    return [row for row in await connection.fetch(LIST, token, after) if row["id"] is not None]


@pytest_asyncio.fixture
async def three(database: str) -> AsyncIterator[list[asyncpg.Connection]]:
    """Three connections of the operator."""
    opened = [await asyncpg.connect(database) for _ in range(3)]
    yield opened
    for one in opened:
        await one.close()


class TestEmit:
    """One event."""

    async def test_it_goes_with_its_transaction(self, city: World, three: list[asyncpg.Connection]) -> None:
        """Rolled back: no event, no delivery, no job. Committed: all of them."""
        token = await city.partner()
        token = await city.token("p_library", scope="orders:write")
        await city.do("insert into incentives.webhook (id, partner_id, url, created_at) "
                      "values (gen_random_uuid(), 'p_library', 'https://a', now())")  # fmt: skip
        left = (
            "select count(*) from incentives.event union all select count(*) from incentives.delivery "
            "union all select count(*) from jobs.pgqueuer"
        )
        step = three[0].transaction()
        await step.start()
        await emit(three[0], 1)
        await step.rollback()
        assert [row[0] for row in await three[1].fetch(left)] == [0, 0, 0]
        await emit(three[0], 1)
        assert [row[0] for row in await three[1].fetch(left)] == [1, 1, 1]
        (told,) = await listed(three[1], token)
        assert (told["type"], told["object"], told["seq"], told["data"]) == (
            "order.active", "or_1", 1, '{"order_id": "or_1"}',
        )  # fmt: skip

    async def test_only_who_wants_it_is_told(self, city: World, three: list[asyncpg.Connection]) -> None:
        """Not another partner's webhook, not one that is off, not one that asked for other types."""
        for partner, types, off in (
            ("p_library", None, False), ("p_library", ["order.active"], False), ("p_library", ["order.open"], False),
            ("p_library", None, True), ("p_other", None, False),
        ):  # fmt: skip
            await city.do(
                "insert into incentives.webhook (id, partner_id, url, types, created_at, disabled_at) "
                "values (:id, :partner, :url, :types, now(), case when :off then now() end)",
                id=ids.random(), partner=partner, url=f"https://{ids.random()}", types=types, off=off,
            )  # fmt: skip
        await emit(three[0], 1)
        told = await city.rows("select w.* from incentives.delivery d join incentives.webhook w on w.id = d.webhook_id")
        assert [(row["partner_id"], row["types"], row["disabled_at"]) for row in told] in (
            [("p_library", None, None), ("p_library", ["order.active"], None)],
            [("p_library", ["order.active"], None), ("p_library", None, None)],
        )

    async def test_the_same_change_is_told_once(self, city: World, three: list[asyncpg.Connection]) -> None:
        """A `seq` of an object cannot be used twice."""
        assert city
        await emit(three[0], 1)
        with pytest.raises(asyncpg.UniqueViolationError):
            await emit(three[0], 1)


class TestList:
    """The list under concurrent writers."""

    async def test_a_late_commit_is_not_skipped(self, city: World, three: list[asyncpg.Connection]) -> None:
        """Whoever drew a position before and is still running holds the later ones back, and then comes before them."""
        await city.partner()
        token = await city.token("p_library", scope="orders:write")
        slow, fast, reader = three
        step = slow.transaction()
        await step.start()
        await emit(slow, 1, order="or_slow")
        await emit(fast, 1, order="or_fast")
        assert await listed(reader, token) == []
        await step.commit()
        assert [row["object"] for row in await listed(reader, token)] == ["or_slow", "or_fast"]

    async def test_an_older_transaction_does_not_turn_an_object_round(
        self, city: World, three: list[asyncpg.Connection]
    ) -> None:
        """Who began earlier but waited for the order's row comes later: in the order of `seq`, not of transactions."""
        await city.partner()
        token = await city.token("p_library", scope="orders:write")
        first, second, reader = three
        early, late = first.transaction(), second.transaction()
        await early.start()
        await first.execute("select pg_current_xact_id()")
        await late.start()
        await second.execute("select pg_advisory_xact_lock(4711)")
        await emit(second, 1)
        waiting = asyncio.create_task(first.execute("select pg_advisory_xact_lock(4711)"))
        await asyncio.sleep(0)
        await late.commit()
        await waiting
        assert await listed(reader, token) == []
        await emit(first, 2)
        await early.commit()
        assert [row["seq"] for row in await listed(reader, token)] == [1, 2]

    async def test_whoever_follows_the_cursor_sees_each_once_and_in_turn(
        self, city: World, three: list[asyncpg.Connection], database: str
    ) -> None:
        """Six writers on three orders, some rolling back, and a reader that follows: nothing lost, doubled, turned."""
        await city.partner()
        token = await city.token("p_library", scope="orders:write")
        await city.do("create table public.counted (id text primary key, seq integer not null)")
        await city.do("insert into public.counted select 'or_' || n, 0 from generate_series(0, 2) n")
        start, written = asyncio.Barrier(7), 0

        async def write(number: int) -> None:
            nonlocal written
            connection = await asyncpg.connect(database)
            await start.wait()
            for turn in range(12):
                step = connection.transaction()
                await step.start()
                order = f"or_{(number + turn) % 3}"
                seq = await connection.fetchval(
                    "update public.counted set seq = seq + 1 where id = $1 returning seq", order
                )
                await emit(connection, seq, order=order)
                if (number + turn) % 5 == 0:
                    await step.rollback()
                else:
                    await step.commit()
                    written += 1
            await connection.close()

        writers = [asyncio.create_task(write(number)) for number in range(6)]
        seen: list[asyncpg.Record] = []
        await start.wait()
        while True:
            done = all(each.done() for each in writers)
            seen += await listed(three[2], token, seen[-1]["id"] if seen else None)
            if done:
                break
        await asyncio.gather(*writers)
        assert len(seen) == written
        for order in ("or_0", "or_1", "or_2"):
            turns = [row["seq"] for row in seen if row["object"] == order]
            assert turns == list(range(1, len(turns) + 1))


class TestRestored:
    """A dump brought into another cluster."""

    async def test_what_was_told_shows_although_numbers_begin_anew(
        self, city: World, three: list[asyncpg.Connection], database: str
    ) -> None:
        """Old events with numbers of another cluster come first, in their order, and new ones after them."""
        await city.partner()
        token = await city.token("p_library", scope="orders:write")
        await emit(three[0], 1)
        await emit(three[0], 2)
        await city.do("update incentives.event set turn = turn + 1000000000")
        assert await listed(three[0], token) == []
        async with db.above(database) as session:
            await deliveries.renumber(session)
        await emit(three[0], 3)
        assert [row["seq"] for row in await listed(three[0], token)] == [1, 2, 3]


class TestWhose:
    """Whose list it is."""

    async def test_a_partner_sees_its_own(self, city: World, three: list[asyncpg.Connection]) -> None:
        """Neither another's events nor a cursor of another's; a dead token sees no row at all."""
        for name in ("p_library", "p_other"):
            await city.partner(name)
        mine = await city.token("p_library", scope="orders:write")
        theirs = await city.token("p_other", scope="orders:write")
        await emit(three[0], 1)
        (own,) = await listed(three[0], mine)
        assert await listed(three[0], theirs) == []
        (known,) = await three[0].fetch(LIST, theirs, own["id"])
        assert known["known"] is False
        for dead in (await city.token("p_library"), await city.token("p_library", scope="orders:write", seconds=-1)):
            assert await three[0].fetch(LIST, dead, None) == []
