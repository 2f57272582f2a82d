"""Perks in force: dated lines for the gate, terms for everybody."""

from datetime import date, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, releases
from core.releases import Release
from core.settings import ROOT
from incentives import rulebook
from incentives.rulebook import PerkElsewhere, PerkNotOffered
from tests.gateworld import LIBRARY, RENTAL

LIBRARY_FILE = (ROOT / "policy" / "perks" / "library.toml").read_text()
RENTAL_FILE = (ROOT / "policy" / "perks" / "rental.toml").read_text()


async def put(session: AsyncSession, body: str, *, name: str = "library.toml", on: date | None = None) -> Release:
    """Draft, approve and put in force."""
    drafted = await releases.draft(
        session, kind="perks", name=name, body=body, effective_on=on or clock.today(), by="one"
    )
    approved = await releases.approve(session, release_id=drafted.id, by="two")
    await rulebook.put_in_force(session, approved)
    return approved


class TestPutInForce:
    """The gate's lines."""

    async def test_each_perk_gets_its_line(self, staff_session: AsyncSession) -> None:
        """The threshold of the file is the threshold of the gate."""
        await put(staff_session, LIBRARY_FILE)
        await put(staff_session, RENTAL_FILE, name="rental.toml")
        assert await rulebook.thresholds(staff_session, on=clock.today()) == {LIBRARY: 1100, RENTAL: 1200}

    async def test_the_newest_day_rules_and_future_days_wait(self, staff_session: AsyncSession) -> None:
        """A line counts from its day on."""
        today = clock.today()
        await put(staff_session, LIBRARY_FILE)
        await put(staff_session, LIBRARY_FILE.replace("110", "130"), on=today + timedelta(days=2))
        for days, threshold in ((0, 1100), (1, 1100), (2, 1300)):
            assert await rulebook.thresholds(staff_session, on=today + timedelta(days=days)) == {LIBRARY: threshold}

    async def test_a_perk_that_a_new_file_lacks_is_out_of_force(self, staff_session: AsyncSession) -> None:
        """The gate and the list forget it together."""
        await put(staff_session, LIBRARY_FILE)
        await put(staff_session, LIBRARY_FILE.replace("library.deposit-free", "library.more-books"))
        today = clock.today()
        assert set(await rulebook.thresholds(staff_session, on=today)) == {"library.more-books"}
        assert [one.perk.id for one in await rulebook.in_force(staff_session, on=today)] == ["library.more-books"]

    async def test_a_perk_stays_under_its_name(self, staff_session: AsyncSession) -> None:
        """Another release name may not take it."""
        await put(staff_session, LIBRARY_FILE)
        with pytest.raises(PerkElsewhere, match=r"library\.toml"):
            await put(staff_session, LIBRARY_FILE + "\n", name="other.toml")

    async def test_a_draft_rules_nothing(self, staff_session: AsyncSession) -> None:
        """Lines are written for approved releases alone."""
        drafted = await releases.draft(
            staff_session, kind="perks", name="l.toml", body=LIBRARY_FILE, effective_on=clock.today(), by="one"
        )
        with pytest.raises(ValueError, match="approved"):
            await rulebook.put_in_force(staff_session, drafted)


class TestFind:
    """One perk."""

    async def test_its_terms_are_the_files(self, staff_session: AsyncSession) -> None:
        """Name, text, standard route, price rule, cap; and that no city adopted it."""
        approved = await put(staff_session, LIBRARY_FILE)
        found = await rulebook.find(staff_session, perk_id=LIBRARY, on=clock.today())
        assert found.release_id == approved.id
        terms = rulebook.terms(found.perk)
        assert (terms.name, terms.cap, terms.basis) == ("免押金借书", 30000, "示范规则，未经任何城市采用")

    async def test_an_unknown_one(self, staff_session: AsyncSession) -> None:
        """404 with where to look."""
        with pytest.raises(PerkNotOffered, match="/v1/rules/perks"):
            await rulebook.find(staff_session, perk_id="nothing", on=clock.today())
