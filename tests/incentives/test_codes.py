"""Credit codes: their form, what is stored of them, and that they are not hoarded."""

import uuid
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tables import consent
from core import clock, ids
from incentives import codes
from incentives.tables import credit_code
from tests.conftest import Stand
from tests.gateworld import LIBRARY, RENTAL


class TestText:
    """The printed code."""

    def test_128_random_bits_for_a_dense_qr_code(self) -> None:
        """Prefix and 26 letters of Crockford base32; no two alike; all of a QR code's alphanumeric set."""
        drawn = {codes.new_text() for _ in range(1000)}
        assert len(drawn) == 1000
        for text in drawn:
            assert len(text) == 30
            assert set(text.removeprefix("OS1:")) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

    @given(st.text(alphabet=" \t", max_size=3), st.text(alphabet=" \n", max_size=3))
    def test_case_and_blanks_do_not_matter(self, before: str, after: str) -> None:
        """A scanner may add blanks or lower the letters."""
        text = codes.new_text()
        assert codes.digest(before + text.lower() + after) == codes.digest(text)

    @given(st.text(max_size=40))
    def test_any_text_has_a_digest(self, text: str) -> None:
        """What was never a code is looked up like one."""
        assert len(codes.digest(text)) == 32


class TestDraw:
    """Drawing."""

    async def test_only_the_hash_is_stored(self, citizen_session: AsyncSession, somebody: uuid.UUID) -> None:
        """Under a one-use consent for this perk and partner that lives as long as the code: a minute."""
        citizen = somebody
        code = await codes.draw(citizen_session, citizen_id=citizen, perk_id=LIBRARY, partner_id="p")
        row = (await citizen_session.execute(select(credit_code).where(credit_code.c.citizen_id == citizen))).one()
        assert row.hash == codes.digest(code.text)
        assert (row.perk_id, row.partner_id, row.expires_at) == (LIBRARY, "p", code.expires_at)
        given = (await citizen_session.execute(select(consent).where(consent.c.id == row.consent_id))).one()
        assert (given.purpose, given.one_use) == (f"use:p/{LIBRARY}", True)
        assert timedelta(0) < given.expires_at - clock.civil() <= codes.LIFE == timedelta(seconds=60)

    async def test_a_new_one_ends_the_older_for_the_same_perk_alone(
        self, citizen_session: AsyncSession, stand_as: Stand
    ) -> None:
        """One live code per perk and person."""
        citizen, other = ids.new(), ids.new()
        for who, perk in ((other, LIBRARY), (citizen, LIBRARY), (citizen, RENTAL)):
            await stand_as(citizen_session, who)
            await codes.draw(citizen_session, citizen_id=who, perk_id=perk)
        newest = await codes.draw(citizen_session, citizen_id=citizen, perk_id=LIBRARY)
        held = (await citizen_session.execute(select(credit_code).where(credit_code.c.citizen_id == citizen))).all()
        assert sorted(row.perk_id for row in held) == [LIBRARY, RENTAL]
        assert codes.digest(newest.text) in {row.hash for row in held}
