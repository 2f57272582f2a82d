"""A quarter in numbers: what is counted, what is hidden, when it is made."""

from datetime import UTC, datetime

import msgspec
import pytest_asyncio

from core import db, workdays
from scoring.reports import statistics
from scoring.reports.quarter import Quarter
from scoring.reports.statistics import Counts, Statistics
from tests.gateworld import World, world

Q3 = Quarter(2026, 3)
INSIDE = datetime(2026, 8, 3, 4, tzinfo=UTC)


@pytest_asyncio.fixture
async def counted(doors: db.Doors, database: str) -> Statistics:
    """Q3 2026 of a city: 12 joined, 3 left, 11 of bronze, 2 of silver, 30 checks."""
    async with world(database) as laid:
        for person in range(13):
            await laid.citizen(1150 if person < 11 else 1250)
        await laid.do("update scoring.standing set tier = case when points < 1200 then '铜' else '银' end")
        await _acts(laid, "consent.give", "score", "done", 12)
        await _acts(laid, "consent.withdraw", "score", "done", 3)
        await _acts(laid, "consent.give", "share:p/x", "done", 12)
        await _acts(laid, "eligibility.check", "library", "granted", 18)
        await _acts(laid, "eligibility.check", "library", "standard_route", 12)
        await _acts(laid, "eligibility.check", "library", "denied", 20, at=datetime(2026, 10, 1, tzinfo=UTC))
        await laid.do(
            "insert into scoring.batch (id, source, received, accepted, received_at) values "
            "(gen_random_uuid(), 'utilities', 100, 98, :at), (gen_random_uuid(), 'utilities', 5, 5, :at)",
            at=INSIDE,
        )
    async with doors.work("jobs") as session:
        found = await statistics.make(session, quarter=Q3)
    assert found is not None
    return found


async def _acts(laid: World, action: str, purpose: str, outcome: str, many: int, *, at: datetime = INSIDE) -> None:
    """Entries of as many persons."""
    await laid.do(
        "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail) "
        "select uuidv7(:at - now()), :at, 'system', 'x', :action, :purpose, :outcome, gen_random_uuid(), '{}' "
        "from generate_series(1, :many)",
        at=at, action=action, purpose=purpose, outcome=outcome, many=many,
    )  # fmt: skip


def shown(counts: Counts) -> dict[tuple[str, str], int | None]:
    """Times by cell."""
    return {(one.name, one.outcome): one.times for one in counts.cells}


class TestMake:
    """What is made."""

    async def test_only_the_quarter_and_only_points_are_counted(self, counted: Statistics) -> None:
        """Checks of the next quarter, and consents to share, are not in it."""
        assert ("eligibility.check", "denied") not in shown(counted.acts)
        assert sum(one.times or 0 for one in counted.perks.cells) == 30
        assert shown(counted.acts).keys() == {("consent.give", "done"), ("consent.withdraw", "done")}

    async def test_small_cells_are_hidden_and_another_with_them(self, counted: Statistics) -> None:
        """Three who left and two of silver are not published, nor what would give them away."""
        assert shown(counted.acts) == {("consent.give", "done"): None, ("consent.withdraw", "done"): None}
        assert shown(counted.tiers) == {("铜", "held"): None, ("银", "held"): None}
        body = msgspec.json.encode(counted).decode()
        assert '"times":3,' not in body
        assert '"times":2,' not in body

    async def test_large_cells_stay(self, counted: Statistics) -> None:
        """18 granted, 12 by the standard route, 30 in all."""
        assert shown(counted.perks) == {("check", "granted"): 18, ("check", "standard_route"): 12}
        assert counted.perks.total == 30

    async def test_sources_are_organisations_and_not_hidden(self, counted: Statistics) -> None:
        """Pushes, lines and well-formed lines."""
        assert [msgspec.structs.astuple(one) for one in counted.sources] == [("utilities", 2, 105, 103)]

    async def test_it_is_due_fifteen_working_days_after_the_quarter(self, counted: Statistics, doors: db.Doors) -> None:
        """After the National Day holidays of 2026 and their make-up days. HF17 (十五)."""
        async with doors.work("jobs") as session:
            due = await workdays.due(session, start=Q3.last, days=15)
        assert (counted.due_on, counted.provisional) == (due.on, False)
        assert counted.in_time == (counted.made_on <= due.on)

    async def test_it_is_made_once(self, counted: Statistics, doors: db.Doors) -> None:
        """A second call changes nothing; what was made is what everybody reads; the log has one entry."""
        async with doors.work("jobs") as session:
            assert await statistics.make(session, quarter=Q3) is None
            body = await statistics.made(session, quarter=Q3)
            assert await statistics.every(session) == ["2026-Q3"]
        assert body == msgspec.json.encode(counted)
