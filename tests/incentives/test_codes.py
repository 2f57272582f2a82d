"""Credit codes: how they are made, what is stored of them, and that they are not hoarded."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from auth.tables import consent
from core import clock
from core.db import Doors
from core.keys import Keyring
from incentives import codes
from incentives.codes import Mint
from incentives.tables import credit_code
from tests.gateworld import LIBRARY, RENTAL, World, new_code, world
from tests.incentives import gates


@pytest.fixture
def mint(ring: Keyring) -> Mint:
    """The tests' city."""
    return codes.mint(ring, "990000", 0)


@pytest_asyncio.fixture
async def city(database: str) -> AsyncIterator[World]:
    """Two perks and a partner."""
    async with world(database) as laid:
        await laid.perk()
        await laid.perk(RENTAL)
        await laid.partner()
        yield laid


class TestMint:
    """Making codes."""

    def test_no_two_are_alike_and_each_fits_a_small_qr(self, mint: Mint) -> None:
        """138 characters of the alphanumeric set; whoever joins blanks, or cuts them off, breaks no code."""
        made = [mint.code(perk=1, audience=2, at=clock.wall()).text for _ in range(300)]
        assert len(set(made)) == 300
        for text in made:
            assert len(text) == 138
            assert " ".join(text.split()) == text
            assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")

    def test_it_lives_sixty_seconds_from_a_whole_second(self, mint: Mint) -> None:
        """What is stored and what is signed end together."""
        at = datetime(2026, 11, 22, 12, 0, 0, 999_999, tzinfo=UTC)
        made = mint.code(perk=1, audience=2, at=at)
        assert made.expires_at == datetime(2026, 11, 22, 12, 1, tzinfo=UTC)
        said = gates.claims(made.text)
        assert said.issued + said.life == made.expires_at.timestamp()

    @pytest.mark.parametrize(("late", "read"), [(-11, False), (-10, True), (0, True), (70, True), (71, False)])
    def test_what_a_gate_sends_in_later(self, mint: Mint, late: int, *, read: bool) -> None:
        """It is read if it was shown within its life and the skew, by the key of then, however long ago that was."""
        at = datetime(2026, 11, 22, 12, tzinfo=UTC)
        text = mint.code(perk=7, audience=41, at=at).text
        said = mint.shown(text, at=at + timedelta(seconds=late))
        assert (said is not None) is read
        assert said is None or (said.perk, said.audience) == (7, 41)

    def test_what_this_city_did_not_make(self, mint: Mint, ring: Keyring) -> None:
        """Another city, another serial, a letter changed, no code at all."""
        at = datetime(2026, 11, 22, 12, tzinfo=UTC)
        text = mint.code(perk=7, audience=41, at=at).text
        others = [codes.mint(ring, "320500", 0), codes.mint(ring, "990000", 1)]
        assert [one.shown(text, at=at) for one in others] == [None, None]
        assert mint.shown(f"{text[:-1]}{'0' if text[-1] != '0' else '1'}", at=at) is None
        assert mint.shown("CC1:", at=at) is None
        assert mint.shown(new_code(), at=clock.wall()) is None

    @given(st.text(alphabet=" \t", max_size=3), st.text(alphabet=" \n", max_size=3))
    def test_case_and_blanks_do_not_matter(self, before: str, after: str) -> None:
        """A scanner may add blanks or lower the letters."""
        text = new_code()
        assert codes.digest(before + text.lower() + after) == codes.digest(text)

    @given(st.text(max_size=40))
    def test_any_text_has_a_digest(self, text: str) -> None:
        """What was never a code is looked up like one."""
        assert len(codes.digest(text)) == 32


class TestDraw:
    """Drawing."""

    async def test_only_the_hash_is_stored(self, city: World, doors: Doors, mint: Mint) -> None:
        """Under a one-use consent for this perk and partner that lives as long as the code: a minute."""
        citizen, proof = await city.logged_in()
        async with doors.work("citizen", proof=proof) as session:
            code = await codes.draw(session, mint, citizen_id=citizen, perk_id=LIBRARY, partner_id="p_library")
            row = (await session.execute(select(credit_code))).one()
            given = (await session.execute(select(consent).where(consent.c.id == row.consent_id))).one()
        assert row.hash == codes.digest(code.text)
        assert (row.perk_id, row.partner_id, row.expires_at) == (LIBRARY, "p_library", code.expires_at)
        assert (given.purpose, given.one_use) == (f"use:p_library/{LIBRARY}", True)
        assert timedelta(0) < given.expires_at - clock.civil() <= codes.LIFE == timedelta(seconds=60)

    async def test_a_new_one_ends_the_older_for_the_same_perk_alone(
        self, city: World, doors: Doors, mint: Mint
    ) -> None:
        """One live code per perk and person."""
        held: dict[uuid.UUID, list[tuple[str, bytes]]] = {}
        for perks in ((LIBRARY,), (LIBRARY, RENTAL, LIBRARY)):
            citizen, proof = await city.logged_in()
            async with doors.work("citizen", proof=proof) as session:
                drawn = {perk: await codes.draw(session, mint, citizen_id=citizen, perk_id=perk) for perk in perks}
            held[citizen] = sorted((perk, codes.digest(code.text)) for perk, code in drawn.items())
        rows = await city.rows("select citizen_id, perk_id, hash from incentives.credit_code order by perk_id")
        for citizen, expected in held.items():
            assert [(row["perk_id"], row["hash"]) for row in rows if row["citizen_id"] == citizen] == expected

    async def test_it_names_the_partner_or_else_the_programme(self, city: World, doors: Doors, mint: Mint) -> None:
        """By the numbers that are published; there is no code for everybody."""
        citizen, proof = await city.logged_in()
        async with doors.work("citizen", proof=proof) as session:
            one = await codes.draw(session, mint, citizen_id=citizen, perk_id=LIBRARY, partner_id="p_library")
            any_of_them = await codes.draw(session, mint, citizen_id=citizen, perk_id=RENTAL)
        perks = {row["perk_id"]: row["number"] for row in await city.rows("select * from incentives.perk_number")}
        of = {
            (row["kind"], row["name"]): row["number"]
            for row in await city.rows("select * from incentives.audience_number")
        }
        assert gates.claims(one.text)[2:4] == (perks[LIBRARY], of["partner", "p_library"])
        assert gates.claims(any_of_them.text)[2:4] == (perks[RENTAL], of["programme", RENTAL])


class TestNumbers:
    """Numbers of perks and audiences."""

    async def test_each_has_one_and_keeps_it(self, city: World) -> None:
        """A later release of a perk, or a change of a partner, gives no other number; sources and staff have none."""
        before = await city.rows("select * from incentives.audience_number order by number")
        await city.perk(closed=True)
        await city.partner("s_bureau", (), role="source")
        await city.do("update auth.client set role = 'partner' where client_id = 'p_library'")
        assert await city.rows("select * from incentives.audience_number order by number") == before
        assert [(row["kind"], row["name"]) for row in before] == [
            ("programme", LIBRARY), ("programme", RENTAL), ("partner", "p_library"),
        ]  # fmt: skip
        assert len({row["number"] for row in before}) == 3
        assert all(row["number"] > 0 for row in before)
