"""Decisions on paper: two offices that hand in at once."""

import asyncio
import uuid
from typing import Any

import pytest

from scoring import merge
from scoring.rights import decisions
from scoring.rights.decisions import Receipt
from tests.scoring.meanwhile import holding, lapse, stuck
from tests.scoring.test_merge import staged
from tests.scoringworld import TODAY, City, id_number, penalty

ANN, BEN, CY, DEE = (id_number(n) for n in range(1, 5))
BOTH = ("utilities", "library")
HELD = "select 1 from scoring.record where ref = any($1) for update"


def line(ref: str, source: str = "utilities") -> dict[str, Any]:
    """A decision about what a source calls by this ref."""
    return {"source": source, "ref": ref, "decision_no": "1", "authority": "信用中国", "decided_on": str(TODAY)}


async def hand_in(city: City, *lines: dict[str, Any]) -> Receipt:
    """An office hands in a file."""
    book = await city.book()
    async with city.doors.work("scorer") as session:
        return await decisions.hand_in(session, city.ring, lines=lines, by="desk", book=book, as_of=TODAY)


async def at_once(city: City, held: list[str], *files: list[dict[str, Any]]) -> None:
    """Hand in files, each begun when the one before waits for somebody; these records are held meanwhile."""
    waiting: list[asyncio.Task[Receipt]] = []
    async with holding(city, HELD, held):
        for file in files:
            waiting.append(asyncio.create_task(hand_in(city, *file)))
            await stuck(city, *waiting)
    assert [one.rejected for one in await asyncio.gather(*waiting)] == [[] for _ in files]


async def statuses(city: City) -> set[str]:
    """The statuses of all records."""
    return {row["status"] for row in await city.rows("select status from scoring.record")}


class TestHandIn:
    """Two files, neither of which is as the other would have it."""

    @pytest.mark.parametrize("lapsed", [(), (ANN,), (ANN, BEN)], ids=["all live", "one ran out", "both ran out"])
    async def test_the_same_people_in_opposite_orders(self, city: City, lapsed: tuple[str, ...]) -> None:
        """One waits for the other, from the first line on; everything is repaired."""
        for who, ref in ((ANN, "n1"), (BEN, "n2")):
            await city.join(who)
            await city.push(penalty(ref, who))
        for who in lapsed:
            await lapse(city, who)
        await at_once(city, ["n1", "n2"], [line("n1"), line("n2")], [line("n2"), line("n1")])
        assert await statuses(city) == {"repaired"}
        assert [await city.points(who) for who in (ANN, BEN) if who not in lapsed] == [1100] * (2 - len(lapsed))

    async def test_the_same_sources_in_opposite_orders(self, city: City) -> None:
        """Nor do they wait for each other's rows of numbers, with nobody in both files."""
        for who, ref, source in ((ANN, "n1", BOTH[0]), (BEN, "n2", BOTH[1]), (CY, "n3", BOTH[1]), (DEE, "n4", BOTH[0])):
            await city.join(who, sources=BOTH)
            await city.push(penalty(ref, who), source=source)
        await at_once(city, ["n2", "n4"], [line("n1"), line("n2", BOTH[1])], [line("n3", BOTH[1]), line("n4")])
        assert await statuses(city) == {"repaired"}

    async def test_a_record_that_moves_meanwhile(self, city: City) -> None:
        """Its new person is locked in their place among the others, not when the line comes."""
        for number, who in enumerate((ANN, CY, BEN), 1):  # the order of their links
            await city.join(who, citizen_id=uuid.UUID(int=number))
        await city.push(penalty("n1", BEN), penalty("n2", CY), penalty("n3", ANN))
        batch, book = await staged(city, penalty("n1", ANN, version=2)), await city.book()
        async with city.doors.work("scorer") as session:
            await merge.merge(session, city.ring, pushed=batch, book=book, as_of=TODAY)
            first = asyncio.create_task(hand_in(city, line("n1"), line("n2")))  # has Cy, waits for Ben
            await stuck(city, first)
            second = asyncio.create_task(hand_in(city, line("n3"), line("n2")))  # waits for Ann, then wants Cy
            await stuck(city, first, second)
        await asyncio.gather(first, second)
        assert await statuses(city) == {"repaired"}
        assert [await city.points(who) for who in (ANN, BEN, CY)] == [1100] * 3
