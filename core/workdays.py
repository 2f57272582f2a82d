"""Working days of the Chinese calendar, make-up days (调休) included: by which day something is due.

Kept: one row a day for each year whose notice is published (`core.workday`), seeded from chinesecalendar, replaced by
staff when they load a notice. For days beyond, the statute and the week are counted (`core.statutory`) and the answer
is **provisional**: it may change once, when the year is loaded, and then never to the citizen's harm (`settled`):

- what an office owes the citizen may become due earlier, never later: the day that the citizen was told stands;
- what the citizen must do may become due later, never earlier.

Promises exact civil dates. Does not promise times of day: due means by the end of the day.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Literal

import msgspec
from chinese_calendar import constants  # pyright: ignore[reportMissingTypeStubs]  (none are published)
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import statutory
from core.errors import Invalid
from core.tables import workday

Owed = Literal["office", "citizen"]
FIRST_YEAR = 2020
_SLACK = 21  # longer than any run of holidays
_YEAR = 366
_SATURDAY = 5


class NotAYear(Invalid):
    """The notice does not make a calendar of that year."""

    code = "not_a_year"
    title = "This is not the calendar of that year"


class Due(msgspec.Struct, frozen=True):
    """The day by whose end something is due; `provisional` while a year that it touches has no notice yet."""

    on: date
    provisional: bool


class Edition(msgspec.Struct, frozen=True):
    """What is loaded of a year: which notice, in which edition."""

    year: int
    source: str
    version: int


async def due(session: AsyncSession, *, start: date, days: int) -> Due:
    """The day by whose end `days` working days after `start` are over; `start` itself is not counted, 0 is `start`."""
    return counted(await _known(session, start, days), start=start, days=days)


async def settled(session: AsyncSession, *, was: Due, start: date, days: int, owed_by: Owed) -> Due:
    """A provisional day, counted anew: moved only in the citizen's favour; a day that is certain stays as it is."""
    if not was.provisional:
        return was
    now = await due(session, start=start, days=days)
    return Due((min if owed_by == "office" else max)(was.on, now.on), now.provisional)


def counted(known: Mapping[date, bool], *, start: date, days: int) -> Due:
    """The same over what is known of days; the rest goes by the statute and the week."""
    day, left, provisional = start, days, False
    while left > 0:
        day += timedelta(days=1)
        worked = known.get(day)
        provisional |= worked is None
        left -= statutory.is_workday(day) if worked is None else worked
    return Due(day, provisional)


async def left(session: AsyncSession, *, today: date, until: Iterable[date]) -> dict[date, int]:
    """How many working days remain after `today` until the end of each day; of days that are past, minus those gone."""
    wanted = set(until)
    first, last = min({*wanted, today}, default=today), max({*wanted, today}, default=today)
    known = await _known(session, first, (last - first).days)
    return {day: _between(known, today, day) if day >= today else -_between(known, day, today) for day in wanted}


def _between(known: Mapping[date, bool], after: date, until: date) -> int:
    """The working days after one day until another, its end included."""
    days = (after + timedelta(days=step) for step in range(1, (until - after).days + 1))
    return sum(known.get(day, statutory.is_workday(day)) for day in days)


def published() -> list[int]:
    """The years whose notice the library knows, from `FIRST_YEAR` on."""
    return [year for year in range(FIRST_YEAR, max(constants.holidays).year + 1) if date(year, 1, 1) in _library(year)]


def library_rows(year: int) -> list[dict[str, object]]:
    """The rows of a published year as the library has them, for seeding."""
    return _rows(_library(year), "chinesecalendar", 1)


async def load_published(session: AsyncSession) -> list[int]:
    """Load the published years that nobody has loaded; returns them. For the jobs, after an upgrade of the library."""
    there = set(await session.scalars(select(func.extract("year", workday.c.day)).distinct()))
    missing = [year for year in published() if year not in there]
    for year in missing:
        await session.execute(insert(workday).values(library_rows(year)).on_conflict_do_nothing())
    return missing


async def load(
    session: AsyncSession, *, year: int, off: Iterable[date], worked: Iterable[date], source: str
) -> Edition:
    """Replace a year by its notice: days off and make-up days; all others go by the week. Raises NotAYear."""
    free, made_up = set(off), set(worked)
    _must_be_a_notice(year, free, made_up)
    week = {day: day.weekday() < _SATURDAY for day in _days(year)}
    calendar = week | dict.fromkeys(free, False) | dict.fromkeys(made_up, True)
    edition = Edition(year, source, ((await loaded(session, year=year)) or Edition(year, "", 0)).version + 1)
    query = insert(workday).values(_rows(calendar, source, edition.version))
    news = {name: query.excluded[name] for name in ("is_workday", "source", "version")}
    await session.execute(query.on_conflict_do_update(index_elements=["day"], set_=news))
    return edition


async def loaded(session: AsyncSession, *, year: int) -> Edition | None:
    """What is loaded of a year; None while its days are counted by the statute and the week."""
    query = select(workday.c.source, workday.c.version).where(workday.c.day == date(year, 1, 1))
    row = (await session.execute(query)).one_or_none()
    return None if row is None else Edition(year, row.source, row.version)


async def _known(session: AsyncSession, start: date, days: int) -> dict[date, bool]:
    until = start + timedelta(days=2 * days + _SLACK)
    query = select(workday.c.day, workday.c.is_workday).where(workday.c.day > start, workday.c.day <= until)
    return {row.day: row.is_workday for row in await session.execute(query)}


def _library(year: int) -> dict[date, bool]:
    """A year by the library's own tables; empty where it knows no notice (its function would raise)."""
    off, worked = set(constants.holidays), set(constants.workdays)
    if date(year, 1, 1) not in off:
        return {}
    return {day: day in worked or (day.weekday() < _SATURDAY and day not in off) for day in _days(year)}


def _days(year: int) -> list[date]:
    new_year = date(year, 1, 1)
    return [day for day in (new_year + timedelta(days=n) for n in range(_YEAR)) if day.year == year]


def _rows(calendar: Mapping[date, bool], source: str, version: int) -> list[dict[str, object]]:
    return [
        {"day": day, "is_workday": worked, "source": source, "version": version} for day, worked in calendar.items()
    ]


def _must_be_a_notice(year: int, off: set[date], worked: set[date]) -> None:
    """The likely slips: another year's file, a day that is both, a statutory holiday that is worked or left out."""
    statute = {day for day in _days(year) if statutory.is_holiday(day)}
    for days, fault in (
        ({day for day in off | worked if day.year != year}, f"is not in {year}. Send the notice of that year."),
        (off & worked, "is listed as off and as worked. Correct the line."),
        (statute - off, "is a public holiday by statute and is not listed as off. Add the line."),
    ):
        if days:
            detail = f"{min(days)} {fault}"
            raise NotAYear(detail)
