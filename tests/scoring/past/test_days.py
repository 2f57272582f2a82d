"""Points of a day gone by: derived again where the records of then are held, the stored trace where they are not."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import pytest

from core import clock, releases
from core.months import shift
from core.settings import ROOT
from scoring import ending, records, refusals, standing
from scoring.past import days
from scoring.past.days import Day, DayNotKept, DayToCome, NotEnrolledThen
from scoring.standing import NotEnrolled
from tests.scoringworld import TODAY, City, hours, id_number, penalty, water

ANN, BOB = id_number(1), id_number(2)
OLD = (ROOT / "tests" / "policy" / "old" / "2025-07-01.toml").read_text(encoding="utf-8")
Move = Callable[[int], Awaitable[None]]


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch, city: City) -> Move:
    """Move this process's civil clock and the database's to so many days after the real today."""

    async def to(later: int) -> None:
        monkeypatch.setattr(clock, "_offset", timedelta(days=later))
        await city.rows(
            "insert into core.civil_offset (one, moved) values (true, $1) on conflict (one) do update set moved = $1",
            timedelta(days=later),
        )

    return to


async def at(city: City, who: str, on: date) -> Day:
    """A person's points of a day."""
    async with city.as_citizen(city.people[who]) as session:
        return await days.at(session, city.ring, citizen_id=city.people[who], on=on)


async def told(city: City, who: str, later: int) -> tuple[int, str]:
    """Points in tenths and derivation, so many days after the real today."""
    found = await at(city, who, TODAY + timedelta(days=later))
    return found.evaluation.points, found.derivation


async def hide(city: City, *, hidden: bool = True) -> None:
    """The first of Ann's records is hidden, or shown again."""
    (row,) = await city.rows("select id from scoring.record where ref = 'r1'")
    async with city.as_citizen(city.people[ANN]) as session:
        await records.hide(
            session, city.ring, citizen_id=city.people[ANN], record_id=row["id"], hidden=hidden
        )  # fmt: skip


class TestRederived:
    """While the records of then are held."""

    async def test_every_day_shows_what_was_known_on_it(self, city: City, move: Move) -> None:
        """A record counts from the day on which it came, not from the day on which it happened."""
        await city.join(ANN, days=300)
        await move(10)
        await city.push(water("r1", ANN, back=3))
        await move(20)
        await city.push(hours("h1", ANN))
        await move(30)
        assert [await told(city, ANN, day) for day in (0, 9, 10, 19, 20, 30)] == [
            (1100, "rederived"),
            (1100, "rederived"),
            (1105, "rederived"),
            (1105, "rederived"),
            (1111, "rederived"),
            (1111, "rederived"),
        ]

    async def test_a_day_between_two_changes_is_counted_on_that_day(self, city: City, move: Move) -> None:
        """A month that left its window by date alone is gone on the day it left, though nobody looked."""
        await city.join(ANN, days=300)
        await city.push(water("r1", ANN, back=23))
        left = date(shift(TODAY, 1).year, shift(TODAY, 1).month, 1)
        await move(60)
        before, on = ((left - TODAY).days + more for more in (-1, 0))
        assert [await told(city, ANN, day) for day in (before, on)] == [(1105, "rederived"), (1100, "rederived")]

    async def test_a_deduction_counts_on_the_days_before_its_repair(self, city: City, move: Move) -> None:
        """The interval and the day of the repair decide, not what the record is called today."""
        await city.join(ANN, days=300)
        await city.push(penalty("n1", ANN))
        await move(15)
        async with city.doors.work("scorer") as session:
            await ending.repair(
                session, city.ring, source="utilities", ref="n1", version=None, book=await city.book(),
                as_of=clock.today(),
            )  # fmt: skip
        await move(20)
        assert [await told(city, ANN, day) for day in (0, 14, 15, 20)] == [
            (1030, "rederived"),
            (1030, "rederived"),
            (1100, "rederived"),
            (1100, "rederived"),
        ]

    async def test_what_a_disputed_deduction_counted_before_stays_true(self, city: City, move: Move) -> None:
        """A suspension takes the days from the dispute on, none before it."""
        await city.join(ANN, days=300)
        await city.push(penalty("n1", ANN))
        await move(5)
        (row,) = await city.rows("update scoring.record set status = 'disputed', status_at = $1 returning id, version",
                                 clock.civil())  # fmt: skip
        await city.rows(
            "insert into scoring.suspension (record_id, version, from_on) values ($1, $2, $3)",
            row["id"], row["version"], clock.today(),
        )  # fmt: skip
        await move(9)
        assert [await told(city, ANN, day) for day in (4, 5, 9)] == [
            (1030, "rederived"),
            (1100, "rederived"),
            (1100, "rederived"),
        ]

    async def test_what_is_hidden_today_counted_before(self, city: City, move: Move) -> None:
        """Hiding changes the days from then on."""
        await city.join(ANN, days=300)
        await city.push(water("r1", ANN))
        await move(5)
        await hide(city)
        await move(9)
        assert [await told(city, ANN, day) for day in (4, 5, 9)] == [
            (1105, "rederived"),
            (1100, "rederived"),
            (1100, "rederived"),
        ]

    async def test_each_day_has_the_scorecard_of_that_day(self, city: City, move: Move) -> None:
        """The same bill gave 0.4 by the old rules and gives 0.5 by the new ones, each explained by its own file."""
        await self._publish(city, OLD, date(2026, 2, 1))
        await city.join(ANN, days=300)
        await city.push(water("r1", ANN))
        shipped = (ROOT / "policy" / "scorecard" / "2026-01-01.toml").read_text(encoding="utf-8")
        await self._publish(city, shipped, TODAY + timedelta(days=20))
        await move(25)
        before, after = [await at(city, ANN, TODAY + timedelta(days=day)) for day in (19, 20)]
        assert [(one.card.scorecard.id, one.evaluation.points) for one in (before, after)] == [
            ("2025-07-01", 1064),
            ("2026-01-01", 1105),
        ]
        assert {before.derivation, after.derivation} == {"rederived"}

    async def _publish(self, city: City, text: str, effective_on: date) -> None:
        async with city.doors.work("staff") as session:
            drafted = await releases.draft(
                session, kind="scorecard", name=f"{effective_on}.toml", body=text, effective_on=effective_on, by="a"
            )
            await releases.approve(session, release_id=drafted.id, by="b")


class TestStored:
    """Where the records of then are no longer held."""

    async def test_an_erased_record_leaves_the_trace(self, city: City, move: Move) -> None:
        """What a refusal erased is told by the trace of then; days after it are derived again."""
        await city.join(ANN, days=300)
        await city.push(water("r1", ANN))
        await move(5)
        async with city.as_citizen(city.people[ANN]) as session:
            await refusals.refuse(session, city.ring, citizen_id=city.people[ANN], kind="P01")
        await move(9)
        assert [await told(city, ANN, day) for day in (4, 5)] == [(1105, "stored"), (1100, "rederived")]

    async def test_a_corrected_record_leaves_the_trace(self, city: City, move: Move) -> None:
        """The version of then is overwritten, so nobody claims to derive it again."""
        await city.join(ANN, days=300)
        await city.push(hours("h1", ANN, hours=3))
        await move(5)
        await city.push(hours("h1", ANN, hours=8, version=2))
        await move(9)
        assert [await told(city, ANN, day) for day in (4, 9)] == [(1106, "stored"), (1116, "rederived")]

    async def test_hidden_and_shown_again_leaves_the_trace(self, city: City, move: Move) -> None:
        """A record keeps only its last status; of the days between, the trace knows."""
        await city.join(ANN, days=300)
        await city.push(water("r1", ANN))
        for day, hidden in ((5, True), (10, False)):
            await move(day)
            await hide(city, hidden=hidden)
        await move(12)
        assert [await told(city, ANN, day) for day in (4, 7, 11)] == [
            (1105, "rederived"),
            (1100, "stored"),
            (1105, "rederived"),
        ]

    async def test_a_stored_day_has_the_scorecard_that_made_it(self, city: City, move: Move) -> None:
        """Its digest is that of the trace, its day that of the last change."""
        await city.join(ANN, days=300)
        await city.push(hours("h1", ANN, hours=3))
        await move(5)
        await city.push(hours("h1", ANN, hours=8, version=2))
        found = await at(city, ANN, TODAY + timedelta(days=4))
        assert (found.card.scorecard.digest, found.evaluation.as_of) == (found.evaluation.digest, TODAY)


class TestNoAnswer:
    """Days that have none."""

    async def test_before_joining(self, city: City) -> None:
        """Nothing was counted then, so nothing is told."""
        await city.join(ANN)
        with pytest.raises(NotEnrolledThen) as caught:
            await at(city, ANN, TODAY - timedelta(days=1))
        assert (caught.value.status, str(TODAY) in caught.value.detail) == (404, True)

    async def test_before_joining_anew(self, city: City, move: Move) -> None:
        """What stood before a withdrawal was erased with it."""
        await city.join(ANN, days=300)
        citizen_id = city.people[ANN]
        await move(5)
        await city.leave(ANN)
        await city.join(ANN, citizen_id=citizen_id, days=300)
        with pytest.raises(NotEnrolledThen):
            await at(city, ANN, TODAY + timedelta(days=4))
        assert (await told(city, ANN, 5))[0] == 1100

    async def test_a_renewal_goes_on(self, city: City, move: Move) -> None:
        """A new consent over the same records does not cut the past off."""
        await city.join(ANN, days=300)
        await city.push(water("r1", ANN))
        await move(100)
        await city.join(ANN, citizen_id=city.people[ANN], days=360)
        assert await told(city, ANN, 50) == (1105, "rederived")

    async def test_a_day_to_come(self, city: City) -> None:
        """Nobody knows it; what-if is the door for that."""
        await city.join(ANN)
        with pytest.raises(DayToCome):
            await at(city, ANN, TODAY + timedelta(days=1))

    async def test_beyond_two_years(self, city: City, move: Move) -> None:
        """Traces are kept for 24 months and no longer."""
        await city.join(ANN, days=360)
        for later in (300, 600, 900):
            await move(later)
            await city.join(ANN, citizen_id=city.people[ANN], days=360 + later)
        await move(1000)
        with pytest.raises(DayNotKept):
            await at(city, ANN, TODAY + timedelta(days=200))
        assert (await told(city, ANN, 500))[0] == 1100

    async def test_a_stranger(self, city: City) -> None:
        """Without a live consent there are no points, of no day."""
        await city.join(ANN)
        await city.leave(ANN)
        with pytest.raises(NotEnrolled):
            await at(city, ANN, TODAY)


class TestAgreement:
    """What a past day says, and what was said on it."""

    async def test_each_evening_and_the_next_day_say_the_same(self, city: City, move: Move) -> None:
        """Whatever happens meanwhile, a day looked at later gives the points shown at its end."""
        await city.join(ANN, days=300)
        shown: dict[date, int] = {}
        happenings = [
            lambda: city.push(water("r1", ANN)),
            lambda: city.push(penalty("n1", ANN, days=1)),
            lambda: hide(city),
            lambda: city.push(hours("h1", ANN), water("r2", ANN, back=2)),
            lambda: hide(city, hidden=False),
            lambda: city.push(hours("h1", ANN, hours=1, version=2)),
        ]
        for day, happens in enumerate(happenings, 1):
            await move(day * 3)
            await happens()
            async with city.as_citizen(city.people[ANN]) as session:
                evaluation, _ = await standing.of(
                    session, city.ring, citizen_id=city.people[ANN], as_of=clock.today()
                )  # fmt: skip
            shown[clock.today()] = evaluation.points
        await move(40)
        assert {day: (await at(city, ANN, day)).evaluation.points for day in shown} == shown
        assert len(set(shown.values())) > 3
