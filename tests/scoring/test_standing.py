"""Standings: stored, moved by records and by date, explained by sealed traces."""

from datetime import date, timedelta

import pytest

from core.months import shift
from scoring import rulebook, standing
from scoring.rulebook import NoScorecardInForce
from scoring.standing import NotEnrolled
from tests.scoringworld import TODAY, City, hours, id_number, water

ANN, BOB = id_number(1), id_number(2)


class TestOf:
    """`standing.of`: the citizen's own view."""

    async def test_points_of_today(self, city: City) -> None:
        """The evaluation is fresh and names the records behind it as their citizen sees them."""
        await city.join(ANN)
        await city.push(water("r1", ANN))
        evaluation = await city.score(ANN)
        assert (evaluation.points, evaluation.tier) == (1105, "铜")
        (fact,) = evaluation.facts()
        assert [one[:3] for one in fact.records] == ["rc_"]

    async def test_a_stranger_has_none(self, city: City) -> None:
        """Without a live consent there are no points, only 404 `not_enrolled`."""
        city.people[BOB] = await city.join(ANN)
        await city.leave(ANN)
        with pytest.raises(NotEnrolled):
            await city.score(BOB)

    async def test_what_moved_by_date_alone_is_stored(self, city: City) -> None:
        """Points that fell because a window passed are written when their citizen looks."""
        await city.join(ANN, days=360)
        await city.push(water("r1", ANN, back=23))
        later = shift(TODAY, 3)
        async with city.as_citizen(city.people[ANN]) as session:
            evaluation, stored = await standing.of(session, city.ring, citizen_id=city.people[ANN], as_of=later)
        assert (evaluation.points, stored.points) == (1100, 1100)
        assert await city.points(ANN) == 1100
        async with city.as_citizen(city.people[ANN]) as session:
            (last, *_) = await standing.history(session, city.ring, citizen_id=city.people[ANN], limit=1)
        assert (last.cause, last.as_of) == ("date", later)

    async def test_no_rule_book(self, doors: object, database: str) -> None:
        """Nothing published, nothing counted: 503, never a number."""
        lonely = City(doors, database)  # type: ignore[arg-type]
        with pytest.raises(NoScorecardInForce) as caught:
            await lonely.join(ANN)
        assert caught.value.status == 503


class TestHistory:
    """`standing.history`: every change with the trace of then."""

    async def test_causes_newest_first(self, city: City) -> None:
        """Joining, pushes and revocations each leave one change that can be read in full."""
        await city.join(ANN)
        await city.push(water("r1", ANN))
        await city.push(water("r1", ANN))
        await city.push(hours("h1", ANN), source="utilities")
        async with city.as_citizen(city.people[ANN]) as session:
            changes = await standing.history(session, city.ring, citizen_id=city.people[ANN], limit=10)
        assert [one.points for one in changes] == [1111, 1105, 1100]
        assert [one.cause for one in changes] == ["records.write:utilities"] * 2 + ["enrolled"]
        assert [one.evaluation.points for one in changes] == [1111, 1105, 1100]
        assert changes[0].evaluation == await city.score(ANN)

    async def test_paging(self, city: City) -> None:
        """`before` goes on where a page ended."""
        await city.join(ANN)
        for n in range(1, 4):
            await city.push(water(f"r{n}", ANN, back=n))
        async with city.as_citizen(city.people[ANN]) as session:
            page = await standing.history(session, city.ring, citizen_id=city.people[ANN], limit=2)
            rest = await standing.history(session, city.ring, citizen_id=city.people[ANN], limit=9, before=page[-1].id)
        assert [one.points for one in (*page, *rest)] == [1115, 1110, 1105, 1100]

    async def test_small_and_sealed(self, city: City) -> None:
        """A trace takes some hundred bytes and tells nothing to whoever reads the table."""
        await city.join(ANN)
        await city.push(water("r1", ANN))
        rows = await city.rows("select sealed from scoring.standing_change")
        assert all(len(row["sealed"]) < 500 for row in rows)
        async with city.as_citizen(city.people[ANN]) as session:
            with pytest.raises(NotEnrolled):
                await standing.history(session, city.ring, citizen_id=city.consents[ANN], limit=1)


class TestRuleBook:
    """`rulebook.current`."""

    async def test_the_latest_that_has_come(self, city: City) -> None:
        """Before its day a scorecard does not rule; the same releases are compiled once."""
        async with city.doors.work("scorer") as session:
            first = await rulebook.current(session, on=TODAY)
            assert await rulebook.current(session, on=TODAY) is first
            with pytest.raises(NoScorecardInForce):
                await rulebook.current(session, on=date(2026, 1, 1) - timedelta(days=1))
        assert "P01" in first.kinds
        assert "P10" not in first.kinds
