"""How long things stay, and that leaving leaves nothing."""

from datetime import timedelta

import pytest

from core import clock
from core.keys import KeyGone, fetch
from scoring import ending, retention, standing
from tests.scoringworld import City, hours, id_number, penalty, water

ANN, BOB = id_number(1), id_number(2)
ROOM = ("link", "live", "record", "standing", "standing_change", "staging", "refusal")


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> object:
    """Move this process's civil clock and the database's."""

    async def to(city: City, days: int) -> None:
        monkeypatch.setattr(clock, "_offset", timedelta(days=days))
        await city.rows(
            "insert into core.civil_offset (one, moved) values (true, $1) on conflict (one) do update set moved = $1",
            timedelta(days=days),
        )

    return to


async def left(city: City) -> set[str]:
    """The tables of the room that hold a row."""
    return {table for table in ROOM if await city.rows(f"select 1 from scoring.{table}")}


class TestErase:
    """`retention.erase`."""

    async def test_nothing_stays(self, city: City) -> None:
        """After leaving, no row of the room and no key are there; neighbours keep theirs."""
        await city.join(ANN)
        await city.push(water("r1", ANN), penalty("n1", ANN))
        await city.leave(ANN)
        assert await left(city) == set()
        async with city.as_citizen(city.people[ANN]) as session:
            with pytest.raises(KeyGone):
                await fetch(session, city.ring, owner=city.people[ANN], purpose="records")

    async def test_neighbours_stay(self, city: City) -> None:
        """Only the one who leaves is erased."""
        await city.join(ANN)
        await city.join(BOB)
        await city.push(water("r1", ANN), water("r2", BOB))
        await city.leave(ANN)
        assert await city.points(BOB) == 1105
        assert [row["ref"] for row in await city.rows("select ref from scoring.record")] == ["r2"]

    async def test_repeating(self, city: City) -> None:
        """Erasing what is not there does nothing."""
        await city.join(ANN)
        await city.leave(ANN)
        async with city.as_citizen(city.people[ANN]) as session:
            await retention.erase(session, city.ring, citizen_id=city.people[ANN])

    async def test_nothing_goes_while_the_consent_lives(self, city: City) -> None:
        """A fault of ours that erases too early finds the database closed, for the citizen and for the jobs."""
        await city.join(ANN)
        await city.push(water("r1", ANN))
        before = await left(city)
        async with city.as_citizen(city.people[ANN]) as session:
            await retention.erase(session, city.ring, citizen_id=city.people[ANN])
        async with city.doors.work("jobs") as session:
            await retention.erase(session, city.ring, citizen_id=city.people[ANN])
        assert await left(city) == before
        assert await city.points(ANN) == 1105
        async with city.as_citizen(city.people[ANN]) as session:
            assert await fetch(session, city.ring, owner=city.people[ANN], purpose="records")

    async def test_a_lost_key(self, city: City) -> None:
        """Where the key is gone already, what can be found is erased all the same."""
        await city.join(ANN)
        await city.rows("delete from keys.person_key")
        await city.leave(ANN)
        assert await left(city) == {"live"}


class TestEraseSource:
    """`retention.erase_source`."""

    async def test_one_source_goes(self, city: City) -> None:
        """What that source sent is gone, the rest stays."""
        await city.join(ANN, sources=("utilities", "volunteer"))
        await city.push(water("r1", ANN))
        await city.push(hours("h1", ANN), source="volunteer")
        async with city.as_citizen(city.people[ANN]) as session:
            gone = await retention.erase_source(session, city.ring, citizen_id=city.people[ANN], source="volunteer")
            await standing.refresh(
                session, city.ring, citizen_ids=[city.people[ANN]], as_of=clock.today(), cause="source.dropped",
                book=await city.book(),
            )  # fmt: skip
        assert gone == 1
        assert await city.points(ANN) == 1105

    async def test_a_stranger(self, city: City) -> None:
        """Nothing to erase."""
        citizen_id = await city.join(ANN)
        async with city.as_citizen(citizen_id) as session:
            gone = await retention.erase_source(session, city.ring, citizen_id=citizen_id, source="x")
        assert gone == 0
        await city.leave(ANN)
        async with city.as_citizen(city.people[ANN]) as session:
            citizen_id = city.people[ANN]
            assert await retention.erase_source(session, city.ring, citizen_id=citizen_id, source="x") == 0


class TestSweep:
    """`retention.sweep`."""

    async def sweep(self, city: City) -> None:
        """One round."""
        async with city.doors.work("jobs") as session:
            await retention.sweep(session, city.ring)

    async def test_staging_of_a_broken_push(self, city: City) -> None:
        """Lines of a push that never ended go after an hour, younger ones stay."""
        await city.join(ANN)
        for line, age in ((1, "2 hours"), (2, "1 minute")):
            await city.rows(
                "insert into scoring.staging select gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), "
                "gen_random_uuid(), 's', 'r', 1, 'P01', 's', current_date, 1, null, null, null, null, '', "
                "now() - $2::text::interval",
                line,
                age,
            )
        await self.sweep(city)
        assert [row["line"] for row in await city.rows("select line from scoring.staging")] == [2]

    async def test_papers_of_a_revoked_record(self, city: City, move: object) -> None:
        """Three days after a revocation the papers are gone; the same version still can't come back."""
        await city.join(ANN)
        await city.push(penalty("n1", ANN))
        async with city.doors.work("scorer") as session:
            await ending.revoke(
                session,
                city.ring,
                source="utilities",
                ref="n1",
                version=None,
                book=await city.book(),
                as_of=clock.today(),
            )
        await self.sweep(city)
        assert all(len(row["sealed"]) for row in await city.rows("select sealed from scoring.record"))
        await move(city, 4)  # type: ignore[operator]
        await self.sweep(city)
        assert [row["sealed"] for row in await city.rows("select sealed from scoring.record")] == [b""]
        await city.push(penalty("n1", ANN))
        assert await city.points(ANN) == 1100

    async def test_thirty_days_after_expiry(self, city: City, move: object) -> None:
        """An expired consent: unused at once, erased after 30 days."""
        await city.join(ANN, days=10)
        await city.push(water("r1", ANN))
        await move(city, 12)  # type: ignore[operator]
        await self.sweep(city)
        assert "record" in await left(city)
        with pytest.raises(standing.NotEnrolled):
            await city.score(ANN)
        receipt = await city.push(water("r2", ANN, back=2))
        assert receipt.accepted == 1
        assert len(await city.rows("select 1 from scoring.record")) == 1
        await move(city, 42)  # type: ignore[operator]
        await self.sweep(city)
        assert await left(city) == set()

    async def test_renewal_within_thirty_days_restores(self, city: City, move: object) -> None:
        """Who renews in time has the same points as before."""
        citizen_id = await city.join(ANN, days=10)
        await city.push(water("r1", ANN))
        await move(city, 12)  # type: ignore[operator]
        await city.join(ANN, citizen_id=citizen_id)
        assert (await city.score(ANN)).points == 1105
