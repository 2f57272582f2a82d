"""SIGKILL of the worker in the middle of a delivery: nothing is lost, and what comes twice has the same id."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from core import db, ids, later
from core.keys import Keyring
from core.postgres.engine import engine_of
from core.settings import ROOT
from incentives.events import deliveries
from incentives.events.sending import Sender
from tests.conftest import PREFIX
from tests.receiver import Receiver, opened

WORKER = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from core import db, later
from core.keys import Keyring
from incentives.events.sending import Sender
ring = Keyring(bytes(range(32)), Path(sys.argv[2]))
doors = db.Doors(sys.argv[1], ring, "osmanthus")
sender = Sender(doors, ring, sandbox=True)
asyncio.run(later.attend(doors, {"webhook": sender.send}, stale=timedelta(seconds=1)))
"""
ADD = "insert into incentives.webhook (id, partner_id, url, created_at) values (cast(:id as uuid), 'p', :url, now())"


async def owner(database: str, query: str, **values: Any) -> list[Any]:
    """Behind the doors."""
    engine = engine_of(database)
    async with engine.begin() as connection:
        result = await connection.execute(text(query), values)
        rows = list(result.mappings()) if result.returns_rows else []
    await engine.dispose()
    return rows


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A merchant."""
    async with opened() as one:
        yield one


async def started(database: str, ring: Keyring) -> asyncio.subprocess.Process:
    """A worker in a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, database, str(ring.file), env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


async def ended(process: asyncio.subprocess.Process, sign: int = signal.SIGKILL) -> None:
    """And its end."""
    process.send_signal(sign)
    await process.wait()


async def comes(database: str, query: str) -> None:
    """Wait until the query finds something."""
    async with asyncio.timeout(20):
        while not await owner(database, query):
            await asyncio.sleep(0.1)


async def delivered(database: str, doors: db.Doors, ring: Keyring) -> None:
    """Work in this process until it is."""
    sender = Sender(doors, ring, sandbox=True)
    work = asyncio.create_task(later.attend(doors, {deliveries.TASK: sender.send}, stale=timedelta(seconds=1)))
    await comes(database, "select 1 from incentives.delivery where state = 'delivered'")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def hung(database: str) -> asyncpg.Connection:
    """Nobody reads a delivery until this connection closes."""
    connection = await asyncpg.connect(database)
    await connection.execute("begin; lock table incentives.delivery in access exclusive mode")
    return connection


_HUNG = "select 1 from pg_locks where not granted and relation = 'incentives.delivery'::regclass"
_CONNECTING = 2  # SYN_SENT, as /proc/net/tcp calls it


def connecting(port: int) -> bool:
    """Whether somebody has asked this port for a connection and got none yet."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(line[2].endswith(f":{port:04X}") and int(line[3], 16) == _CONNECTING for line in lines)


class TestKilled:
    """One event, two workers."""

    async def test_before_it_begun(self, database: str, ring: Keyring, receiver: Receiver) -> None:
        """Killed when the event was committed and its job taken: the next worker sends it once, under its id."""
        await owner(database, ADD, id=str(ids.random()), url=receiver.url)
        await owner(database, "select incentives.emit('p', 'order.open', 'or_1', 1, '{}')")
        holder = await hung(database)
        first = await started(database, ring)
        await comes(database, _HUNG)
        await ended(first)
        await holder.close()
        assert await owner(database, "select 1 from jobs.pgqueuer where status = 'picked'")
        assert [row["starts"] for row in await owner(database, "select starts from incentives.delivery")] == [0]
        await self._arrives_once(database, ring, receiver)

    @pytest.mark.skipif(sys.platform != "linux", reason="a full queue of connections behaves so on Linux")
    async def test_before_a_byte_was_sent(self, database: str, ring: Keyring, receiver: Receiver) -> None:
        """Killed when the start was counted and the merchant took no connection: the next sends it, same id."""
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = int(full.getsockname()[1])
            _, filling = await asyncio.open_connection("127.0.0.1", port)
            await owner(database, ADD, id=str(ids.random()), url=f"http://127.0.0.1:{port}/hook")
            await owner(database, "select incentives.emit('p', 'order.open', 'or_1', 1, '{}')")
            first = await started(database, ring)
            async with asyncio.timeout(20):
                while not connecting(port):
                    await asyncio.sleep(0.05)
            await ended(first)
            filling.close()
        assert [row["starts"] for row in await owner(database, "select starts from incentives.delivery")] == [1]
        await owner(database, "update incentives.webhook set url = :url", url=receiver.url)
        await self._arrives_once(database, ring, receiver)

    async def _arrives_once(self, database: str, ring: Keyring, receiver: Receiver) -> None:
        doors = db.Doors(database, ring, PREFIX)
        await delivered(database, doors, ring)
        await doors.close()
        (event,) = await owner(database, "select id from incentives.event")
        assert [one.headers["webhook-id"] for one in receiver.got] == [ids.show("ev", event["id"])]

    async def test_between_the_send_and_the_mark(self, database: str, ring: Keyring, receiver: Receiver) -> None:
        """Killed while the merchant is answering: the next worker sends it again, under the same id."""
        asked = asyncio.Event()
        whole = receiver.answer

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            await asyncio.sleep(30)
            writer.close()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await (whole if asked.is_set() else hang)(reader, writer)

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
            await owner(database, ADD, id=str(ids.random()), url=url)
            await owner(database, "select incentives.emit('p', 'order.open', 'or_1', 1, '{}')")
            first = await started(database, ring)
            await asyncio.wait_for(asked.wait(), 20)
            await ended(first)
            assert [row["starts"] for row in await owner(database, "select starts from incentives.delivery")] == [1]
            doors = db.Doors(database, ring, PREFIX)
            await delivered(database, doors, ring)
            await doors.close()
        (event,) = await owner(database, "select id from incentives.event")
        assert [one.headers["webhook-id"] for one in receiver.got] == [ids.show("ev", event["id"])]

    async def test_a_job_that_was_lost_is_put_again(self, database: str, ring: Keyring, receiver: Receiver) -> None:
        """The queue's tables may go: what waits is in ours, and the round puts it again."""
        await owner(database, ADD, id=str(ids.random()), url=receiver.url)
        await owner(database, "select incentives.emit('p', 'order.open', 'or_1', 1, '{}')")
        await owner(database, "delete from jobs.pgqueuer")
        await owner(database, "update incentives.delivery set next_at = now() - interval '3 minutes'")
        doors = db.Doors(database, ring, PREFIX)
        async with doors.work("jobs") as session:
            assert await deliveries.mend(session) == 1
        async with doors.work("jobs") as session:
            assert await deliveries.mend(session) == 0
        await delivered(database, doors, ring)
        await doors.close()
        assert len(receiver.got) == 1

    async def test_what_kills_its_worker_three_times_is_parked(
        self, database: str, ring: Keyring, receiver: Receiver
    ) -> None:
        """A fourth start is not made; the partner reads of it."""
        await owner(database, ADD, id=str(ids.random()), url=receiver.url)
        await owner(database, "select incentives.emit('p', 'order.open', 'or_1', 1, '{}')")
        await owner(database, "update incentives.delivery set starts = 3")
        doors = db.Doors(database, ring, PREFIX)
        (row,) = await owner(database, "select id from incentives.delivery")
        await Sender(doors, ring, sandbox=True).send(str(row["id"]))
        await doors.close()
        assert receiver.got == []
        told = await owner(database, "select type from incentives.event order by position")
        assert [one["type"] for one in told] == ["order.open", "webhook.parked"]
        assert [one["state"] for one in await owner(database, "select state from incentives.delivery")] == ["parked"]


class TestPut:
    """The port."""

    async def test_what_is_put_goes_with_its_transaction(self, database: str, ring: Keyring) -> None:
        """Put as the first thing of a transaction that is rolled back: nothing is left."""
        doors = db.Doors(database, ring, PREFIX)
        try:
            async with doors.work("jobs") as session:
                await later.put(session, task="webhook", payload="x", key="k")
                await session.rollback()
            assert await owner(database, "select 1 from jobs.pgqueuer") == []
            async with doors.work("jobs") as session:
                await later.put(session, task="webhook", payload="x", key="k")
                await later.put(session, task="webhook", payload="x", key="k")
            assert len(await owner(database, "select 1 from jobs.pgqueuer")) == 1
        finally:
            await doors.close()
