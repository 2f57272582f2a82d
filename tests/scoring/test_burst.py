"""Many writers at once: the end is as if they had come one after the other, and nobody waits for ever."""

import asyncio
import itertools
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest_asyncio

from core import clock
from core.db import Doors
from core.keys import Keyring
from scoring import ending, records, sources, standing
from scoring.batch import nightly
from scoring.points.facts import RecordRow, facts
from tests.conftest import PREFIX
from tests.scoringworld import TODAY, City, hours, id_number, penalty, water

ANN = id_number(1)
WRITERS = 16


@pytest_asyncio.fixture
async def crowded(database: str, ring: Keyring) -> AsyncIterator[City]:
    """A city whose doors let all writers in at once."""
    doors = Doors(database, ring, PREFIX, size=WRITERS + 4)
    city = City(doors, database)
    await city.publish()
    yield city
    await doors.close()


def service(ref: int, version: int) -> dict[str, Any]:
    """Volunteer hours that every version tells otherwise; every seventh ends as no longer than a day's worth."""
    seed = ref * 31 + version * 17
    return hours(f"h{ref}", ANN, hours=1 + seed % 11, days=1 + seed % 700, version=version)


def shared_out(lines: list[dict[str, Any]], chance: random.Random) -> Iterator[list[dict[str, Any]]]:
    """Lines dealt to the writers in no order, so that versions of a ref meet from different sides."""
    chance.shuffle(lines)
    return (lines[turn::WRITERS] for turn in range(WRITERS))


class TestBurst:
    """10,000 records about one citizen, 16 writers at once."""

    async def test_the_end_is_that_of_a_sequential_model(self, crowded: City) -> None:
        """Versions out of order, refs that overlap, everything twice over: the highest version of each ref counts."""
        city, refs, versions = crowded, 2_000, 5
        citizen_id = await city.join(ANN)
        chance = random.Random(7)  # noqa: S311  (the same order every time)
        lines = [service(ref, version) for ref in range(refs) for version in range(1, versions + 1)]
        receipts = await asyncio.gather(*(city.push(*some) for some in shared_out(lines, chance)))
        assert sum(one.accepted for one in receipts) == refs * versions == 10_000

        stored = await city.rows("select ref, version, occurred_on, quantity from scoring.record")
        model = {line["ref"]: line for line in (service(ref, versions) for ref in range(refs))}
        assert len(stored) == refs
        for row in stored:
            line = model[row["ref"]]
            assert (row["version"], str(row["occurred_on"]), row["quantity"]) == (
                versions, line["occurred_on"], line["fields"]["hours"],
            )  # fmt: skip

        rows = [
            RecordRow(line["ref"], "P08", "", TODAY - timedelta(days=1 + (ref * 31 + versions * 17) % 700),
                      line["fields"]["hours"], None, None, None, None, "active")
            for ref, line in enumerate(model.values())
        ]  # fmt: skip
        evaluation = await city.score(ANN)
        expected = (await city.book()).evaluator(facts(rows), evaluation.adult_on, TODAY)
        assert evaluation.columns() == expected.columns()
        assert await city.points(ANN) == expected.points
        await self._told(city, citizen_id)

    async def _told(self, city: City, citizen_id: uuid.UUID) -> None:
        """The history goes without a break from joining to now, and nothing is left in staging."""
        async with city.as_citizen(citizen_id) as session:
            changes = await standing.history(session, city.ring, citizen_id=citizen_id, limit=WRITERS + 1)
        assert changes[0].points == await city.points(ANN)
        assert changes[-1].cause == "enrolled"
        assert [one.evaluation.points for one in changes] == [one.points for one in changes]
        assert all(one.points != other.points for one, other in itertools.pairwise(changes))
        assert await city.rows("select 1 from scoring.staging") == []


class TestOpposite:
    """Batches about the same people, in opposite orders, with everything else in between."""

    async def test_four_batches_and_all_that_may_come_between(self, crowded: City) -> None:
        """Moving refs, revoking, repairing, correcting, hiding, leaving and a daily pass: no deadlock, nothing lost."""
        city = crowded
        people = [id_number(n) for n in range(20, 36)]
        for who in people:
            await city.join(who, sources=("utilities", "library"))
        order = list(enumerate(people))
        await city.push(*[penalty(f"n{n}", who) for n, who in order], *[water(f"w{n}", who) for n, who in order])

        def moved(version: int, step: int) -> list[dict[str, Any]]:
            return [penalty(f"n{n}", people[(n + step) % len(people)], version=version) for n, _ in order]

        async def ended(verb: Any, *refs: str) -> None:
            for ref in refs:
                async with city.doors.work("scorer") as session:
                    await verb(
                        session, city.ring, source="utilities", ref=ref, version=None, book=await city.book(),
                        as_of=clock.today(),
                    )  # fmt: skip

        async def hide(who: str) -> None:
            async with city.as_citizen(city.people[who]) as session:
                found = await records.of(session, city.ring, citizen_id=city.people[who], limit=9)
                water_bill = next(one for one in found if one.kind == "P01")
                await records.hide(
                    session, city.ring, citizen_id=city.people[who], record_id=water_bill.id, hidden=True
                )

        await asyncio.gather(
            city.push(*moved(2, 1)),
            city.push(*reversed(moved(3, -1))),
            city.push(*[water(f"l{n}", who, back=3) for n, who in order], source="library"),
            city.push(*[water(f"k{n}", who, back=4) for n, who in reversed(order)], source="library"),
            ended(ending.revoke, "w3", "n5", "w9"),
            ended(ending.repair, "n7", "n11"),
            sources.correct(city.doors, source=city.source(), given={"ref": "w2", "fields": {"period": "2026-02"}}),
            hide(people[4]),
            city.leave(people[0]),
            city.leave(people[8]),
            nightly.run(city.doors, as_of=TODAY, size=5),
        )

        left = {city.people[people[0]], city.people[people[8]]}
        known = {row["citizen_id"] for row in await city.rows("select citizen_id from scoring.standing")}
        assert known == set(city.people.values()) - left
        twice = "select source, ref from scoring.record group by source, ref having count(*) > 1"
        assert await city.rows(twice) == [], "a ref is about one person"
        before = await city.rows("select citizen_id, points, tier from scoring.standing order by citizen_id")
        await city.rows("delete from scoring.nightly")
        assert (await nightly.run(city.doors, as_of=TODAY)).changed == 0, "every standing is what its records say"
        assert await city.rows("select citizen_id, points, tier from scoring.standing order by citizen_id") == before
