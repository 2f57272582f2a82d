"""What is left of one's own budgets: one's own, of today, of the line that rules."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from core import clock
from core.db import Doors
from incentives import allotments
from incentives.allotments import Left
from incentives.tables import perk_budget
from tests.gateworld import LIBRARY, RENTAL, World, world

_USE = (
    "insert into incentives.budget_use (perk_id, per, holder, period, orders, waived) "
    "values (:perk, :per, :holder, :period, 3, 500)"
)


@pytest_asyncio.fixture
async def city(database: str) -> AsyncIterator[World]:
    """Two perks; the one has budgets a day and a year for each citizen, and one for everybody."""
    async with world(database) as laid:
        before = await laid.perk()
        rules = await laid.perk(on=clock.today() - timedelta(days=1))
        await laid.perk(RENTAL)
        await laid.lay(perk_budget, perk_id=LIBRARY, release_id=before, per="citizen", every="month", count=9)
        await laid.lay(perk_budget, perk_id=LIBRARY, release_id=rules, per="citizen", every="day", count=2)
        await laid.lay(
            perk_budget, perk_id=LIBRARY, release_id=rules, per="citizen", every="year", count=10, amount=2_000
        )
        await laid.lay(perk_budget, perk_id=LIBRARY, release_id=rules, per="perk", every="day", count=5)
        yield laid


class TestLeft:
    """`allotments.left`."""

    async def test_who_used_nothing_has_all_of_what_rules_today(self, city: World, doors: Doors) -> None:
        """An older edition's budgets are gone, and everybody's are not one's own."""
        _, proof = await city.logged_in()
        async with doors.work("citizen", proof=proof) as session:
            assert await allotments.left(session) == {
                LIBRARY: (Left("day", 2, 2, None, None), Left("year", 10, 10, 2_000, 2_000))
            }

    async def test_what_was_used_in_this_period_is_taken_off(self, city: World, doors: Doors) -> None:
        """Never below nothing; last year's and another's use do not count."""
        me, proof = await city.logged_in()
        other, _ = await city.logged_in()
        today = clock.today()
        for holder, period in ((me, f"{today:%Y}"), (me, today.isoformat()), (me, "2020"), (other, f"{today:%Y}")):
            await city.do(_USE, perk=LIBRARY, per="citizen", holder=str(holder), period=period)
        async with doors.work("citizen", proof=proof) as session:
            assert await allotments.left(session) == {
                LIBRARY: (Left("day", 0, 2, None, None), Left("year", 7, 10, 1_500, 2_000))
            }

    async def test_nobody_at_the_door_reads_nothing(self, city: World, doors: Doors) -> None:
        """A proof that no live session has is nobody's."""
        await city.logged_in()
        async with doors.work("citizen", proof=b"x" * 32) as session:
            assert await allotments.left(session) == {}
