"""Rule 36: what a court or a reconsideration is still looking at is marked, and costs nothing meanwhile."""

from core import clock
from scoring import records
from scoring.rights import marks
from scoring.rights.marks import Mark, Matter
from tests.scoring.rights.disputeworld import Court, days
from tests.scoringworld import TODAY, id_number, penalty

ANN = id_number(1)


async def mark(court: Court, matter: Matter | None) -> None:
    """The source marks its record, or takes the mark off."""
    async with court.scorer() as session:
        said = None if matter is None else Mark(matter, TODAY, "（2026）行初1号")
        book = await court.city.book()
        await marks.by_source(session, court.city.ring, source="utilities", ref="n1", mark=said, book=book)


async def marked(court: Court) -> list[tuple[str, object]]:
    """What stands on the record of Ann's, as she may read it."""
    ann = court.city.people[ANN]
    async with court.city.as_citizen(ann) as session:
        held = await records.of(session, court.city.ring, citizen_id=ann, limit=9)
        return list((await marks.beside(session, [one.id for one in held])).values())


class TestPending:
    """Rule 36."""

    async def test_rule_36_a_pending_lawsuit_or_reconsideration_is_marked_and_suspends(self, court: Court) -> None:
        """The datum says what is pending since when (SZX 43); it counts again from the day the mark goes."""
        await court.city.join(ANN)
        clean = await court.city.points(ANN)
        await court.city.push(penalty("n1", ANN))
        lowered = await court.city.points(ANN)
        assert lowered < clean
        for matter in ("lawsuit", "reconsideration"):
            assert await marked(court) == []
            await mark(court, matter)
            assert await marked(court) == [(matter, TODAY)]
            assert await court.suspended(await court.the_record(ANN, "n1"))
            assert await court.city.points(ANN) > lowered
            await mark(court, None)
            assert await court.city.points(ANN) == lowered

    async def test_rule_36_the_days_before_the_mark_stay_true(self, court: Court) -> None:
        """Marked, a deduction is out from that day on; what it counted before is not rewritten."""
        await court.city.join(ANN)
        await court.city.push(penalty("n1", ANN))
        yesterday = clock.today() - days(1)
        before = await court.points_on(ANN, yesterday)
        await mark(court, "lawsuit")
        assert await court.points_on(ANN, yesterday) == before
        assert await court.points_on(ANN, clock.today()) > before

    async def test_rule_36_the_end_of_a_dispute_does_not_lift_it(self, court: Court) -> None:
        """A citizen who takes an objection back loses nothing of the court's."""
        await court.city.join(ANN)
        await court.city.push(penalty("n1", ANN))
        lowered = await court.city.points(ANN)
        opened = await court.open(ANN, "n1")
        await mark(court, "lawsuit")
        await court.withdraw(ANN, opened.id)
        assert await court.city.points(ANN) > lowered
        await mark(court, None)
        assert await court.city.points(ANN) == lowered
