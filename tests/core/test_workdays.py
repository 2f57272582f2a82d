"""Working days: the published calendar, what is counted beyond it, and how a day moves when its year is loaded."""

from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from core import statutory, workdays
from core.tables import workday
from core.workdays import Due, NotAYear

# The made-up notice of a year that nobody published: the statute's days, one bridge, one make-up Sunday.
OFF_2027 = [day for day in (date(2027, 1, 1) + timedelta(days=n) for n in range(365)) if statutory.is_holiday(day)]
BRIDGE, MADE_UP = date(2027, 1, 4), date(2027, 1, 17)


class TestStatutory:
    """`core.statutory`."""

    def test_it_is_the_calendar_of_another_library(self) -> None:
        """Every public holiday of 25 years is the one that `holidays` knows from its own lunar calendar."""
        names = {day: name.split("; ") for day, name in holidays.China(years=range(2025, 2051)).items()}
        others = {day for day, said in names.items() if any("observed" not in one for one in said)}
        ours = {date(2025, 1, 1) + timedelta(days=n) for n in range(26 * 366)}
        bridged = {day for day in others if "substituted" in " ".join(names[day])}
        assert {day for day in ours if day.year < 2051 and statutory.is_holiday(day)} == others - bridged

    def test_a_year_outside_the_table_knows_the_fixed_days(self) -> None:
        """National Day is on 1 October in any year."""
        assert statutory.is_holiday(date(2077, 10, 1))
        assert statutory.is_workday(date(2077, 1, 25))


class TestPublished:
    """What the table is seeded from."""

    @pytest.mark.parametrize("year", [2024, 2025, 2026])
    def test_two_libraries_agree_on_every_day(self, year: int) -> None:
        """Each day of a published year is worked by both, make-up days included, or by neither."""
        other = holidays.China(years=year)
        rows = workdays.library_rows(year)
        assert [row["day"] for row in rows if row["is_workday"] != other.is_working_day(row["day"])] == []
        assert len(rows) == 366 - (year % 4 > 0)

    def test_a_year_without_a_notice_has_no_rows(self) -> None:
        """The library refuses such a year instead of guessing, and so do we."""
        assert max(workdays.published()) >= 2026
        assert workdays.library_rows(max(workdays.published()) + 1) == []


class TestDue:
    """`workdays.due`."""

    @pytest.mark.parametrize(
        ("start", "days", "on"),
        [
            (date(2026, 11, 20), 1, date(2026, 11, 23)),  # Friday to Monday
            (date(2026, 11, 21), 1, date(2026, 11, 23)),  # from a Saturday
            (date(2026, 11, 20), 0, date(2026, 11, 20)),  # the same day
            (date(2026, 2, 13), 1, date(2026, 2, 14)),  # the make-up Saturday before 春节 is worked
            (date(2026, 2, 14), 1, date(2026, 2, 24)),  # 15 to 23 February are off
            (date(2026, 2, 13), 3, date(2026, 2, 25)),
            (date(2026, 2, 27), 1, date(2026, 2, 28)),  # and the make-up Saturday after it
            (date(2026, 9, 30), 1, date(2026, 10, 8)),  # 国庆
            (date(2026, 10, 9), 1, date(2026, 10, 10)),  # its make-up Saturday
            (date(2025, 9, 30), 2, date(2025, 10, 10)),  # 国庆 and 中秋 in one
            (date(2025, 12, 31), 1, date(2026, 1, 4)),  # over the year's end, to a worked Sunday
        ],
    )
    async def test_real_dates(self, jobs_session: AsyncSession, start: date, days: int, on: date) -> None:
        """Known days are counted as the State Council published them."""
        assert await workdays.due(jobs_session, start=start, days=days) == Due(on, provisional=False)

    async def test_beyond_the_notices_it_is_provisional(self, jobs_session: AsyncSession) -> None:
        """A year without a notice is counted by the statute and the week, and the answer says so."""
        assert await workdays.due(jobs_session, start=date(2039, 12, 30), days=3) == Due(
            date(2040, 1, 4), provisional=True
        )

    async def test_every_door_that_counts_sees_the_calendar(
        self, citizen_session: AsyncSession, scorer_session: AsyncSession, staff_session: AsyncSession
    ) -> None:
        """The citizen's, the scorer's and the staff's door answer alike."""
        doors = (citizen_session, scorer_session, staff_session)
        answers = [await workdays.due(one, start=date(2026, 2, 13), days=2) for one in doors]
        assert answers == [Due(date(2026, 2, 24), provisional=False)] * 3

    @given(st.dates(date(2020, 1, 1), date(2045, 1, 1)), st.integers(1, 20))
    def test_it_is_the_first_day_that_suffices(self, start: date, days: int) -> None:
        """Exactly so many working days lie after the start up to the day, and the day is one of them."""
        on = workdays.counted({}, start=start, days=days).on
        between = [start + timedelta(days=n + 1) for n in range((on - start).days)]
        assert sum(map(statutory.is_workday, between)) == days
        assert statutory.is_workday(on)


class TestLoad:
    """`workdays.load`: staff load a notice."""

    async def test_the_notice_is_counted(self, staff_session: AsyncSession) -> None:
        """A bridge day is off, a make-up Sunday is worked, and nothing is provisional any more."""
        before = await workdays.due(staff_session, start=date(2026, 12, 31), days=6)
        assert before == Due(date(2027, 1, 11), provisional=True)
        edition = await workdays.load(
            staff_session, year=2027, off=[*OFF_2027, BRIDGE], worked=[MADE_UP], source="国办发明电〔2026〕0号"
        )
        assert await workdays.due(staff_session, start=date(2026, 12, 31), days=6) == Due(
            date(2027, 1, 12), provisional=False
        )
        assert edition.version == 1
        assert await workdays.loaded(staff_session, year=2027) == edition

    async def test_a_second_edition_replaces_the_first(self, staff_session: AsyncSession) -> None:
        """A notice that is loaded again counts anew, as the next version."""
        await workdays.load(staff_session, year=2027, off=[*OFF_2027, BRIDGE], worked=[], source="a")
        edition = await workdays.load(staff_session, year=2027, off=OFF_2027, worked=[], source="b")
        assert (edition.version, edition.source) == (2, "b")
        assert (await workdays.due(staff_session, start=date(2027, 1, 3), days=1)).on == BRIDGE

    @pytest.mark.parametrize(
        ("off", "worked"),
        [
            ([*OFF_2027, date(2026, 10, 1)], []),
            (OFF_2027, [date(2028, 1, 2)]),
            (OFF_2027, [date(2027, 10, 1)]),
            (OFF_2027[:-1], []),
            ([], []),
        ],
    )
    async def test_a_slip_is_refused(self, staff_session: AsyncSession, off: list[date], worked: list[date]) -> None:
        """Another year's day, a day that is both, a statutory holiday left out: nothing is loaded."""
        with pytest.raises(NotAYear):
            await workdays.load(staff_session, year=2027, off=off, worked=worked, source="x")
        assert await workdays.loaded(staff_session, year=2027) is None


class TestLoadPublished:
    """`workdays.load_published`: after an upgrade of the library."""

    async def test_a_missing_year_is_loaded_once(self, owner_session: AsyncSession) -> None:
        """A published year that the table lacks is loaded; one that somebody loaded stays as it is."""
        await owner_session.execute(delete(workday).where(workday.c.day >= date(2026, 1, 1)))
        assert await workdays.load_published(owner_session) == [year for year in workdays.published() if year >= 2026]
        assert await workdays.load_published(owner_session) == []
        assert not (await workdays.due(owner_session, start=date(2026, 2, 13), days=3)).provisional

    async def test_the_jobs_may(self, jobs_session: AsyncSession) -> None:
        """The door of the jobs finds nothing left to load."""
        assert await workdays.load_published(jobs_session) == []


class TestSettled:
    """`workdays.settled`: a provisional day when its year is loaded."""

    @pytest.mark.parametrize(
        ("was", "owed_by", "on"),
        [
            (date(2027, 1, 11), "office", date(2027, 1, 11)),  # the notice says the 12th: the promise stands
            (date(2027, 1, 13), "office", date(2027, 1, 12)),
            (date(2027, 1, 11), "citizen", date(2027, 1, 12)),
            (date(2027, 1, 13), "citizen", date(2027, 1, 13)),
        ],
    )
    async def test_it_moves_only_in_the_citizens_favour(
        self, staff_session: AsyncSession, was: date, owed_by: workdays.Owed, on: date
    ) -> None:
        """What the office owes comes no later than it said; what the citizen must do, no earlier."""
        await workdays.load(staff_session, year=2027, off=[*OFF_2027, BRIDGE], worked=[MADE_UP], source="x")
        told = Due(was, provisional=True)
        settled = await workdays.settled(staff_session, was=told, start=date(2026, 12, 31), days=6, owed_by=owed_by)
        assert settled == Due(on, provisional=False)

    async def test_what_is_certain_stays(self, staff_session: AsyncSession) -> None:
        """A day that was never provisional is not counted again, whatever is loaded."""
        told = Due(date(2027, 3, 1), provisional=False)
        moved = await workdays.settled(staff_session, was=told, start=date(2026, 12, 31), days=6, owed_by="citizen")
        assert moved == told


class TestLeft:
    """`left`."""

    async def test_it_counts_what_due_counted(self, owner_session: AsyncSession) -> None:
        """Days ahead as `due` adds them, days gone as minus; weekends and make-up days as the notice has them."""
        today = date(2026, 9, 24)  # a Thursday before the Mid-Autumn days and the National Day week
        ahead = [(await workdays.due(owner_session, start=today, days=n)).on for n in (0, 1, 3, 15)]
        found = await workdays.left(owner_session, today=today, until=ahead)
        assert [found[day] for day in ahead] == [0, 1, 3, 15]
        back = await workdays.left(owner_session, today=ahead[2], until=[today])
        assert back == {today: -3}
        assert await workdays.left(owner_session, today=today, until=[]) == {}
