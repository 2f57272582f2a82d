"""Citizens as the identity provider proves them."""

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import citizens
from auth.citizens import Proved
from auth.tables import citizen
from core import clock, idnumber, ids, keys
from core.errors import NotFound
from core.keys import Keyring

NUMBER = idnumber.complete("99000019900101001")
OTHER = idnumber.complete("99000019850505003")
ANNA = Proved("https://id", "s-1", "安娜", NUMBER, clock.wall())


class TestArrive:
    """`citizens.arrive`."""

    async def test_first_and_again(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """A first arrival makes a citizen, another finds the same one and keeps the newest name."""
        first = await citizens.arrive(auth_session, ring, proved=ANNA)
        again = await citizens.arrive(auth_session, ring, proved=msgspec.structs.replace(ANNA, name=" 安娜娜 "))
        assert first == again
        assert (await citizens.profile(auth_session, ring, first)).name == "安娜娜"

    async def test_another_account(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """The person is the ID number: another account, or another provider, is the same citizen."""
        first = await citizens.arrive(auth_session, ring, proved=ANNA)
        for changed in ({"subject": "s-2"}, {"provider": "https://other"}):
            assert await citizens.arrive(auth_session, ring, proved=msgspec.structs.replace(ANNA, **changed)) == first
        assert await citizens.arrive(auth_session, ring, proved=ANNA) == first

    async def test_account_with_another_number(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """An account never passes to another ID number, known or not."""
        await citizens.arrive(auth_session, ring, proved=ANNA)
        stranger = msgspec.structs.replace(ANNA, id_number=OTHER)
        with pytest.raises(citizens.AccountTaken):
            await citizens.arrive(auth_session, ring, proved=stranger)
        await citizens.arrive(auth_session, ring, proved=msgspec.structs.replace(stranger, subject="s-9"))
        with pytest.raises(citizens.AccountTaken):
            await citizens.arrive(auth_session, ring, proved=stranger)

    @pytest.mark.parametrize(
        "changed",
        [{"name": "  "}, {"name": "长" * 65}, {"id_number": "990000199001010000"}, {"id_number": ""}],
        ids=repr,
    )
    async def test_no_identity(self, auth_session: AsyncSession, ring: Keyring, changed: dict[str, str]) -> None:
        """Without a name or a possible ID number there is no citizen."""
        with pytest.raises(citizens.NoIdentity):
            await citizens.arrive(auth_session, ring, proved=msgspec.structs.replace(ANNA, **changed))

    async def test_nothing_personal_in_the_row(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """Neither name nor ID number nor account is readable in the row."""
        found = await citizens.arrive(auth_session, ring, proved=ANNA)
        row = (await auth_session.execute(select(citizen).where(citizen.c.id == found))).one()
        bytes_held = b"".join(value for value in row if isinstance(value, bytes))
        for text in (ANNA.name, ANNA.id_number, ANNA.subject, "19900101"):
            assert text.encode() not in bytes_held


class TestProfile:
    """`citizens.profile`."""

    async def test_birth_date(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """The birth date comes from the ID number, whose X is a capital."""
        lower = next(
            number for day in range(1, 29) if (number := idnumber.complete(f"990000199002{day:02}001")).endswith("X")
        ).lower()
        found = await citizens.arrive(auth_session, ring, proved=msgspec.structs.replace(ANNA, id_number=lower))
        profile = await citizens.profile(auth_session, ring, found)
        assert profile.id_number == lower.upper()
        assert (profile.birth_date.year, profile.birth_date.month) == (1990, 2)

    async def test_for_the_citizen_door(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """Nobody of this id: NotFound."""
        with pytest.raises(NotFound):
            await citizens.profile(auth_session, ring, ids.new())

    async def test_sealed_to_the_row(self, owner_session: AsyncSession, ring: Keyring) -> None:
        """A destroyed identity key leaves nothing to read; a later login starts anew."""
        found = await citizens.arrive(owner_session, ring, proved=ANNA)
        await keys.destroy(owner_session, owner=found, purpose="identity")
        with pytest.raises(keys.KeyGone):
            await citizens.profile(owner_session, ring, found)
        assert await citizens.arrive(owner_session, ring, proved=ANNA) == found
        assert (await citizens.profile(owner_session, ring, found)).name == "安娜"
