"""The line that rules a request, and what it waives: the database chooses and reckons as the room does."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core import clock
from core.db import Doors
from incentives.book import places, rates
from incentives.book.places import Place
from incentives.book.rates import Rate
from incentives.eligibility import Gate, Question, Verdict
from incentives.tables import perk_place
from tests.gateworld import DAY, LIBRARY, World, world

_FEN = st.integers(0, 100_000)
RATES = st.builds(
    Rate, cap=_FEN, over_cap=st.sampled_from(rates.OVER_CAP), percent=st.integers(0, 100), minus=_FEN, from_amount=_FEN
)


def place(key: str, *, zone: bool, **said: Any) -> Place:
    """A place that says nothing but this."""
    rest = dict.fromkeys(("from_on", "until_on", "cap", "percent", "minus", "from_amount"))
    return Place(
        **{**rest, "id": key, "name": key, "zone": zone, "partners": (), "terminals": (), "measures": {}, **said}
    )


ZONE = place("gusu", zone=True, partners=("p_library",), terminals=("t1", "t2"), cap=60_000)
ALWAYS = place("other", zone=True, partners=("p_other",), percent=10)
SPRING = place(
    "spring", zone=False, partners=("p_library",), terminals=("t2", "t3"), from_on=date(2026, 3, 1),
    until_on=date(2026, 3, 31), cap=70_000, percent=50, minus=100, from_amount=200,
)  # fmt: skip


@pytest_asyncio.fixture
async def city(database: str) -> AsyncIterator[World]:
    """A world with one perk that has two zones and a programme."""
    async with world(database) as laid:
        release_id = await laid.perk(cap=30_000, ends_on=clock.today())
        for one in (ZONE, SPRING, ALWAYS):
            said = {name: getattr(one, name) for name in one.__struct_fields__ if name not in {"name", "measures"}}
            lists = {name: list(said[name]) or None for name in ("partners", "terminals")}
            await laid.lay(perk_place, perk_id=LIBRARY, release_id=release_id, **{**said, **lists})
        yield laid


@pytest_asyncio.fixture
async def plain(city: World) -> AsyncIterator[AsyncConnection]:
    """A connection that may call everything."""
    async with city.engine.begin() as connection:
        yield connection


class TestRuling:
    """`incentives.perk_ruling`."""

    async def test_it_chooses_as_the_room_does(self, city: World) -> None:
        """Each partner, terminal and day: the same place, the same formula."""
        query = "select * from incentives.perk_ruling(:perk, :partner, :terminal, :day)"
        own = Rate(30_000, "part")
        for partner in ("p_library", "p_other"):
            for terminal in ("t1", "t2", "t3", "t4", None):
                for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)):
                    (row,) = await city.rows(query, perk=LIBRARY, partner=partner, terminal=terminal, day=day)
                    chosen = places.choose([ZONE, SPRING, ALWAYS], partner=partner, terminal=terminal, day=day)
                    rate = chosen.rate(own) if chosen else own
                    assert {name: row[name] for name in Rate.__struct_fields__ if name != "over_cap"} == {
                        name: getattr(rate, name) for name in Rate.__struct_fields__ if name != "over_cap"
                    }
                    zone = next((one.id for one in (ZONE, ALWAYS) if one.covers(partner, terminal, day)), None)
                    assert (row["zone"], row["programme"] == "spring") == (zone, chosen is SPRING)

    async def test_outside_its_validity_it_rests(self, city: World) -> None:
        """The last day counts."""
        query = "select rests from incentives.perk_ruling(:perk, 'p', null, :day)"
        today = clock.today()
        for day, rests in ((today, False), (today + timedelta(days=1), True), (DAY, False)):
            assert await city.rows(query, perk=LIBRARY, day=day) == [{"rests": rests}]


class TestWaives:
    """`incentives.waives`."""

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(rate=RATES, amount=st.integers(0, 200_000))
    async def test_it_is_the_rooms_formula(self, plain: AsyncConnection, rate: Rate, amount: int) -> None:
        """For every rate and amount, the edges of each included."""
        query = text("select incentives.waives(:amount, :cap, :over, :percent, :minus, :start)")
        for one in {amount, rate.cap, rate.cap + 1, rate.from_amount, max(0, rate.from_amount - 1)}:
            found = await plain.scalar(
                query,
                {"amount": one, "cap": rate.cap, "over": rate.over_cap, "percent": rate.percent, "minus": rate.minus,
                 "start": rate.from_amount},
            )  # fmt: skip
            assert found == rates.waives(rate, one)


class TestGate:
    """The check, by the line that rules."""

    async def ask(self, city: World, doors: Doors, **more: object) -> Verdict:
        """One check of somebody with enough points."""
        gate, token = Gate(await doors.pool(), b"k" * 32), await city.partner(perks=("library.one",))
        code = await city.code(await city.citizen(), "library.one")
        return await gate.check(Question("library.one", code=code, **more), token=token)  # type: ignore[arg-type]  (made up by the test)

    async def test_a_zone_with_a_higher_cap_covers_what_the_perk_alone_does_not(
        self, city: World, doors: Doors
    ) -> None:
        """At its terminal 500 yuan are granted, where the perk's own cap of 300 would send away."""
        release_id = await city.perk("library.one", over_cap="refuse")
        await city.lay(perk_place, perk_id="library.one", release_id=release_id, id="z", zone=True, terminals=["t1"],
                       cap=60_000)  # fmt: skip
        assert (await self.ask(city, doors, amount=50_000, terminal="t1")).granted
        gate, token = Gate(await doors.pool(), b"k" * 32), await city.token("p_library")
        code = await city.code(await city.citizen(), "library.one")
        away = await gate.check(Question("library.one", code=code, amount=50_000, terminal="t9"), token=token)
        assert (away.granted, away.reason) == (False, "amount_over_cap")

    async def test_a_perk_whose_days_are_over_rests(self, city: World, doors: Doors) -> None:
        """It answers like a closed one, to everybody."""
        await city.perk("library.one", ends_on=clock.today() - timedelta(days=1))
        assert (await self.ask(city, doors)).reason == "perk_closed"

    async def test_a_perk_that_has_not_begun_rests(self, city: World, doors: Doors) -> None:
        """The same."""
        await city.perk("library.one", starts_on=clock.today() + timedelta(days=1))
        assert (await self.ask(city, doors)).reason == "perk_closed"
