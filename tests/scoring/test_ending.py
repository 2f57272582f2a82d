"""What a source takes back, while its pushes go on."""

import asyncio
from typing import Any

import pytest

from core import clock
from scoring import ending, merge
from tests.scoring.test_merge import staged
from tests.scoringworld import City, id_number, penalty

ANN, BOB = id_number(1), id_number(2)
ACTIONS = "records.revoke", "records.repair"


class TestEnding:
    """Who had a record is not always who has it when the lock is had."""

    @pytest.mark.parametrize(("verb", "status"), [(ending.revoke, "revoked"), (ending.repair, "repaired")])
    async def test_a_ref_that_moves_meanwhile(self, city: City, verb: Any, status: str) -> None:
        """Ending a record that a push is just moving ends it at its new person, whose points move, too."""
        await city.join(ANN)
        await city.join(BOB)
        await city.push(penalty("n1", ANN))
        batch, book, today = await staged(city, penalty("n1", BOB, version=2)), await city.book(), clock.today()

        async def end() -> None:
            async with city.doors.work("scorer") as session:
                await verb(session, city.ring, source="utilities", ref="n1", version=None, book=book, as_of=today)

        async with city.doors.work("scorer") as session:
            await merge.merge(session, city.ring, pushed=batch, book=book, as_of=today)
            ending = asyncio.create_task(end())
            await city.until("select 1 from pg_locks where not granted")
        await ending
        assert [row["status"] for row in await city.rows("select status from scoring.record")] == [status]
        assert (await city.points(ANN), await city.points(BOB)) == (1100, 1100)
        told = await city.rows("select owner from core.audit_entry where action = any($1)", list(ACTIONS))
        assert [row["owner"] for row in told] == [city.people[BOB]]
