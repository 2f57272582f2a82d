"""What-if against the real thing: the answer of before is the score of after, through every door."""

from datetime import timedelta

import pytest

from core import clock, ids
from scoring import ending, records, refusals
from scoring.past import simulate, whatif
from scoring.past.simulate import DayOutOfReach, NoSuchEffort, Outcome
from scoring.past.whatif import Supposed, WouldNotBeTaken
from scoring.points.explain import explain
from scoring.standing import NotEnrolled
from tests.scoringworld import TODAY, City, hours, id_number, penalty, water

ANN = id_number(1)


async def suppose(city: City, supposed: Supposed, later: int = 0) -> Outcome:
    """Ann supposes something."""
    async with city.as_citizen(city.people[ANN]) as session:
        return await simulate.simulate(
            session, city.ring, citizen_id=city.people[ANN], supposed=supposed, on=TODAY + timedelta(days=later)
        )


async def known(city: City) -> dict[str, str]:
    """The ids of Ann's records as she sees them, by ref."""
    return {row["ref"]: ids.show("rc", row["id"]) for row in await city.rows("select id, ref from scoring.record")}


def bare(line: dict[str, object]) -> dict[str, object]:
    """A source's line without whom and which."""
    return {name: value for name, value in line.items() if name not in {"ref", "version", "id_number"}}


class TestSimulate:
    """`simulate.simulate`."""

    async def test_what_was_answered_happens(self, city: City) -> None:
        """Records come, one is repaired, one hidden: then the score is the one that was promised, in every word."""
        await city.join(ANN)
        await city.push(water("r1", ANN), penalty("n1", ANN), hours("h1", ANN))
        named = await known(city)
        new = water("r2", ANN, back=2), hours("h2", ANN, hours=7, days=2)
        supposed = Supposed(tuple(map(bare, new)), frozenset({named["n1"]}), frozenset({named["h1"]}))
        promised = await suppose(city, supposed)
        before = await city.score(ANN)
        assert promised.without == before
        await city.push(*new)
        async with city.doors.work("scorer") as session:
            await ending.repair(
                session, city.ring, source="utilities", ref="n1", version=None, book=await city.book(),
                as_of=clock.today(),
            )  # fmt: skip
        async with city.as_citizen(city.people[ANN]) as session:
            await records.hide(session, city.ring, citizen_id=city.people[ANN], record_id=ids.read("rc", named["h1"]))
        real = await city.score(ANN)
        assert promised.supposed.columns() == real.columns()
        assert real.points > before.points
        one, other = (explain(each, promised.card.scorecard) for each in (promised.supposed, real))
        assert [part.reason for group in one.dimensions for part in group.indicators] == [
            part.reason for group in other.dimensions for part in group.indicators
        ]

    async def test_nothing_is_stored(self, city: City) -> None:
        """Not a row of any table is other than before, but for the login of the test itself."""
        await city.join(ANN)
        await city.push(water("r1", ANN))
        tables = ("scoring.record", "scoring.standing_change", "core.audit_entry")
        count = f"select {' + '.join(f'(select count(*) from {table})' for table in tables)} as n"
        before = await city.rows(count)
        await suppose(city, Supposed(add=(bare(hours("h1", ANN)),)))
        assert await city.rows(count) == before

    async def test_a_day_to_come(self, city: City) -> None:
        """What lapses until then has lapsed in both answers."""
        await city.join(ANN)
        await city.push(water("r1", ANN, back=23))
        found = await suppose(city, Supposed(add=(bare(water("r2", ANN)),)), later=70)
        assert (found.without.points, found.supposed.points) == (1100, 1105)

    async def test_a_refused_kind(self, city: City) -> None:
        """It would not be taken, so nothing is promised for it."""
        await city.join(ANN)
        async with city.as_citizen(city.people[ANN]) as session:
            await refusals.refuse(session, city.ring, citizen_id=city.people[ANN], kind="P08")
        with pytest.raises(WouldNotBeTaken):
            await suppose(city, Supposed(add=(bare(hours("h1", ANN)),)))

    async def test_another_ones_record(self, city: City) -> None:
        """It is not there, as everywhere."""
        bob = id_number(2)
        await city.join(ANN)
        await city.join(bob)
        await city.push(water("r1", bob))
        with pytest.raises(whatif.NotFound):
            await suppose(city, Supposed(hide=frozenset((await known(city)).values())))

    @pytest.mark.parametrize("later", [-1, 2000])
    async def test_a_day_out_of_reach(self, city: City, later: int) -> None:
        """The past has its own door, and five years is far enough."""
        await city.join(ANN)
        with pytest.raises(DayOutOfReach):
            await suppose(city, Supposed(), later)

    async def test_who_takes_no_part(self, city: City) -> None:
        """Nothing is counted without consent, not even a supposition."""
        await city.join(ANN)
        await city.leave(ANN)
        with pytest.raises(NotEnrolled):
            await suppose(city, Supposed())


class TestEfforts:
    """What somebody would do for more points, unit by unit."""

    async def test_they_are_done_at_their_pace_and_counted_on_the_day_they_are_done(self, city: City) -> None:
        """Twenty hours are done on a day in each of three weeks, and give what the scorecard gives for twenty hours."""
        await city.join(ANN)
        async with city.as_citizen(city.people[ANN]) as session:
            found = await simulate.simulate(
                session, city.ring, citizen_id=city.people[ANN], supposed=Supposed(), on=None,
                efforts={"volunteering": 20},
            )  # fmt: skip
        assert found.supposed.as_of == TODAY + timedelta(days=15)
        assert found.supposed.points - found.without.points == 20 * 2

    @pytest.mark.parametrize("efforts", [{"volunteering": 51}, {"fine": 1}, {"volunteer_honour": 1}])
    async def test_what_cannot_be_done_is_refused(self, city: City, efforts: dict[str, int]) -> None:
        """More than the indicator holds, no indicator, or one for which nobody can do a thing."""
        await city.join(ANN)
        async with city.as_citizen(city.people[ANN]) as session:
            with pytest.raises(NoSuchEffort):
                await simulate.simulate(
                    session, city.ring, citizen_id=city.people[ANN], supposed=Supposed(), on=None, efforts=efforts
                )

    async def test_what_its_citizen_refuses_counts_for_nothing(self, city: City) -> None:
        """So nothing is promised for it."""
        await city.join(ANN)
        async with city.as_citizen(city.people[ANN]) as session:
            await refusals.refuse(session, city.ring, citizen_id=city.people[ANN], kind="P08")
            with pytest.raises(NoSuchEffort):
                await simulate.simulate(
                    session, city.ring, citizen_id=city.people[ANN], supposed=Supposed(), on=None,
                    efforts={"volunteering": 1},
                )  # fmt: skip
