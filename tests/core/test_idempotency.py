"""The first answer to a key is the answer, whatever happens in between."""

import asyncio

import asyncpg
import pytest
import pytest_asyncio

from core import db, idempotency
from core.idempotency import IdempotencyConflict, IdempotencyInFlight, Stored
from tests.gateworld import world

SECRET = bytes(32)
GIVEN = {"perk": "library.deposit-free", "amount": 100}


@pytest_asyncio.fixture(autouse=True)
async def source(database: str) -> None:
    """The caller `c`: a source's stored answers are for sources alone."""
    async with world(database) as laid:
        await laid.partner("c", role="source")


async def _begin(
    doors: db.Doors, given: dict[str, object], route: str = "POST /x", *, keep: bool = True
) -> Stored | None:
    async with doors.work("scorer") as session:
        found = await idempotency.begin(session, caller="c", key="k", route=route, given=given, secret=SECRET)
        if found is None and keep:
            await idempotency.keep(session, caller="c", key="k", stored=Stored(201, b"{}"))
        return found


class TestBegin:
    """Opening a key."""

    async def test_a_repeat_gets_the_first_answer(self, doors: db.Doors) -> None:
        """Same key, same input."""
        assert await _begin(doors, GIVEN) is None
        assert await _begin(doors, GIVEN) == Stored(201, b"{}")

    async def test_other_input_is_a_conflict_that_names_the_member(self, doors: db.Doors) -> None:
        """Same key, other input."""
        await _begin(doors, GIVEN)
        with pytest.raises(IdempotencyConflict) as raised:
            await _begin(doors, {**GIVEN, "amount": 200})
        assert [one.pointer for one in raised.value.errors] == ["/amount"]

    async def test_what_was_sent_is_not_kept(self, doors: db.Doors, database: str) -> None:
        """A remembered key holds no value of its request: it may be about somebody who takes no part."""
        await _begin(doors, {"ref": "a-telling-reference"})
        owner = await asyncpg.connect(database)
        assert "telling" not in str(await owner.fetchval("select input::text from core.idempotency"))
        await owner.close()

    async def test_another_route_is_a_conflict(self, doors: db.Doors) -> None:
        """A key belongs to one request."""
        await _begin(doors, GIVEN)
        with pytest.raises(IdempotencyConflict):
            await _begin(doors, GIVEN, route="POST /y")

    async def test_a_failed_first_request_leaves_the_key_free(self, doors: db.Doors) -> None:
        """The key rolls back with the effect."""

        async def fail() -> None:
            async with doors.work("scorer") as session:
                await idempotency.begin(session, caller="c", key="k", route="POST /x", given=GIVEN, secret=SECRET)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail()
        assert await _begin(doors, {**GIVEN, "amount": 5}) is None

    async def test_while_the_first_runs_a_repeat_is_told_so(self, doors: db.Doors) -> None:
        """In flight is a conflict that may be retried."""
        started, finish = asyncio.Event(), asyncio.Event()

        async def slow() -> None:
            async with doors.work("scorer") as session:
                await idempotency.begin(session, caller="c", key="k", route="POST /x", given=GIVEN, secret=SECRET)
                started.set()
                await finish.wait()
                await idempotency.keep(session, caller="c", key="k", stored=Stored(201, b"{}"))

        first = asyncio.create_task(slow())
        await started.wait()
        with pytest.raises(IdempotencyInFlight):
            await _begin(doors, GIVEN)
        finish.set()
        await first
        assert await _begin(doors, GIVEN) == Stored(201, b"{}")
