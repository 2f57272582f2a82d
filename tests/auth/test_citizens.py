"""Citizens as the identity provider proves them."""

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import accounts, citizens
from auth.accounts import Came
from auth.realname import NoIdentity, Proved, RealNameNeeded
from auth.tables import account, citizen, phone
from core import clock, idnumber, ids, keys, sealed
from core.errors import NotFound
from core.keys import Keyring

NUMBER = idnumber.complete("99000019900101001")
OTHER = idnumber.complete("99000019850505003")
ANNA = Proved("https://id", "s-1", "安娜", NUMBER, clock.wall())
WECHAT = Came("wechat:wx1", "o-1", "u-1")


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
        with pytest.raises(NoIdentity):
            await citizens.arrive(auth_session, ring, proved=msgspec.structs.replace(ANNA, **changed))

    async def test_nothing_personal_in_the_row(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """Neither name nor ID number nor account is readable in the row."""
        found = await citizens.arrive(auth_session, ring, proved=ANNA)
        row = (await auth_session.execute(select(citizen).where(citizen.c.id == found))).one()
        bytes_held = b"".join(value for value in row if isinstance(value, bytes))
        for text in (str(ANNA.name), NUMBER, ANNA.subject, "19900101"):
            assert text.encode() not in bytes_held


class TestCome:
    """`citizens.come`: an account that proves no name."""

    async def test_first_and_again(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """One citizen, without a name; whatever needs a birth date says what to do first."""
        found = await citizens.come(auth_session, ring, came=WECHAT)
        assert await citizens.come(auth_session, ring, came=WECHAT) == found
        assert await citizens.known_profile(auth_session, ring, found) is None
        with pytest.raises(RealNameNeeded):
            await citizens.profile(auth_session, ring, found)

    async def test_nothing_personal_in_the_row(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """Neither openid nor unionid nor telephone number is readable in the tables."""
        found = await citizens.come(auth_session, ring, came=WECHAT)
        await accounts.bind_phone(auth_session, ring, citizen_id=found, number="13900000001")
        held = b""
        for table in (account, phone):
            row = (await auth_session.execute(select(table).where(table.c.citizen_id == found))).one()
            held += b"".join(value for value in row if isinstance(value, bytes))
        for text in (WECHAT.subject, str(WECHAT.alias), "13900000001"):
            assert text.encode() not in held

    async def test_pairwise_only(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """A provider that tells no plaintext leads to the same person each time, and never to a made-up name."""
        net = Proved("https://net-id", "pairwise-1", None, None, clock.wall())
        found = await citizens.arrive(auth_session, ring, proved=net)
        assert await citizens.arrive(auth_session, ring, proved=net) == found
        assert await citizens.known_profile(auth_session, ring, found) is None


class TestJoin:
    """`citizens.join`: an account and a proof of the real name in one hand."""

    async def test_a_new_name(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """The account leads to the proved person; the nameless citizen that it led to is gone, with key and phone."""
        nameless = await citizens.come(auth_session, ring, came=WECHAT)
        await accounts.bind_phone(auth_session, ring, citizen_id=nameless, number="13900000001")
        person = await citizens.join(auth_session, ring, citizen_id=nameless, proved=ANNA)
        assert await citizens.come(auth_session, ring, came=WECHAT) == person
        assert (await citizens.profile(auth_session, ring, person)).name == "安娜"
        assert {one.provider for one in await accounts.of(auth_session, citizen_id=person)} == {
            "wechat:wx1",
            "https://id",
        }
        assert nameless != person
        assert await auth_session.scalar(select(citizen.c.id).where(citizen.c.id == nameless)) is None
        assert await accounts.phone_of(auth_session, ring, citizen_id=nameless) is None
        with pytest.raises(keys.KeyGone):
            await keys.fetch(auth_session, ring, owner=nameless, purpose="identity")

    async def test_a_name_that_is_here(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """Whoever proves to be a citizen that is here already joins it, at the first coming or later."""
        person = await citizens.arrive(auth_session, ring, proved=ANNA)
        for came in (WECHAT, msgspec.structs.replace(WECHAT, subject="o-2")):
            nameless = await citizens.come(auth_session, ring, came=came)
            assert await citizens.join(auth_session, ring, citizen_id=nameless, proved=ANNA) == person
            assert await citizens.join(auth_session, ring, citizen_id=nameless, proved=ANNA) == person
            assert await citizens.come(auth_session, ring, came=came) == person

    async def test_no_takeover(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """An account of a proved person never passes to another, whoever proves what; nothing is changed."""
        nameless = await citizens.come(auth_session, ring, came=WECHAT)
        person = await citizens.join(auth_session, ring, citizen_id=nameless, proved=ANNA)
        bo = msgspec.structs.replace(ANNA, subject="s-2", name="博", id_number=OTHER)
        await citizens.arrive(auth_session, ring, proved=bo)
        with pytest.raises(citizens.AccountTaken):
            async with auth_session.begin_nested():
                await citizens.join(auth_session, ring, citizen_id=person, proved=bo)
        assert await citizens.come(auth_session, ring, came=WECHAT) == person

    async def test_all_accounts_of_the_nameless(self, auth_session: AsyncSession, ring: Keyring) -> None:
        """A nameless citizen joins whole, and what was sealed is sealed to the new owner."""
        nameless = await citizens.come(auth_session, ring, came=WECHAT)
        other = msgspec.structs.replace(WECHAT, subject="o-2")
        await accounts.link(auth_session, ring, other, citizen_id=nameless)
        person = await citizens.join(auth_session, ring, citizen_id=nameless, proved=ANNA)
        for came in (WECHAT, other):
            assert await citizens.come(auth_session, ring, came=came) == person
        key = await keys.fetch(auth_session, ring, owner=person, purpose="identity")
        rows = (await auth_session.execute(select(account).where(account.c.citizen_id == person))).all()
        opened = [sealed.unseal(key, row.sealed, place=("auth.account", "sealed", row.digest)) for row in rows]
        assert {msgspec.json.decode(one, type=Came).subject for one in opened} == {"o-1", "o-2", "s-1"}


class TestForget:
    """`accounts.forget`."""

    async def test_all_of_one(self, owner_session: AsyncSession, ring: Keyring) -> None:
        """Every account and the number are gone, and a later arrival by one of them is somebody new."""
        nameless = await citizens.come(owner_session, ring, came=WECHAT)
        person = await citizens.join(owner_session, ring, citizen_id=nameless, proved=ANNA)
        await accounts.bind_phone(owner_session, ring, citizen_id=person, number="13900000001")
        assert await accounts.has_phone(owner_session, citizen_id=person)
        assert await accounts.forget(owner_session, citizen_id=person) == 3
        assert await accounts.of(owner_session, citizen_id=person) == []
        assert await citizens.come(owner_session, ring, came=WECHAT) != person


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
