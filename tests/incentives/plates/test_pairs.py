"""Plates behind the doors: who confirms what, what a car park is told, and when that is over."""

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import ProgrammingError

from core import clock, ids, sealed
from core.db import Doors
from incentives.eligibility import Gate, Question, TokenDead
from incentives.plates import pairs
from incentives.plates.pairs import PairsGone
from incentives.plates.tables import plate
from tests.gateworld import World, world

LOT, OTHER, PARK = "p_lot", "p_other_lot", "parking.leave-first"
CAR = sealed.digest(b"k" * 32, "苏E12345")


class Lot:
    """A car park at its door."""

    def __init__(self, city: World, gate: Gate, token: bytes) -> None:
        """`token` is live."""
        self.city, self.gate, self.token = city, gate, token

    async def driver(self, digest: bytes = CAR, *, partner: str = LOT, share: bool = True) -> uuid.UUID:
        """Somebody who takes part, consented, and typed a plate."""
        citizen = await self.city.citizen()
        if share:
            await self.city.share(citizen, partner, PARK)
        await self.types(citizen, digest, partner=partner)
        return citizen

    async def types(self, citizen: uuid.UUID, digest: bytes = CAR, *, partner: str = LOT) -> None:
        """Lay a plate that waits."""
        await self.city.lay(plate, id=ids.new(), citizen_id=citizen, partner_id=partner, perk_id=PARK, digest=digest,
                            sealed=b"", typed_at=clock.civil())  # fmt: skip

    async def leaves(self, citizen: uuid.UUID, digest: bytes = CAR, *, token: bytes | None = None) -> uuid.UUID:
        """A code of somebody's is shown while a car leaves."""
        code = await self.city.code(citizen, PARK)
        told = await self.gate.check(Question(PARK, code=code), token=token or self.token)
        await pairs.confirm(self.gate, token=token or self.token, decision_id=told.decision_id, digest=digest)
        return told.decision_id

    async def fetch(self, since: int = 0, most: int = 100, token: bytes | None = None) -> pairs.Page:
        """A page of the list."""
        return await pairs.after(self.gate, token=token or self.token, since=since, most=most)

    async def acts(self) -> list[tuple[str, uuid.UUID]]:
        """Entries about plates, in order."""
        query = "select action, owner from core.audit_entry where action like 'plate.%' order by id"
        return [(row["action"], row["owner"]) for row in await self.city.rows(query)]


@pytest_asyncio.fixture
async def lot(database: str, doors: Doors) -> AsyncIterator[Lot]:
    """A parking perk in force, and two car parks that hold it."""
    async with world(database) as city:
        await city.perk(PARK)
        token = await city.partner(LOT, perks=(PARK,))
        await city.partner(OTHER, perks=(PARK,))
        yield Lot(city, Gate(await doors.pool(), bytes(32)), token)


class TestConfirm:
    """A code beside a plate."""

    async def test_a_typed_plate_is_told_once_its_holder_shows_a_code(self, lot: Lot) -> None:
        """Before: nothing. After: the digest and the subject of the consent, and an entry for each step."""
        citizen = await lot.driver()
        assert (await lot.fetch()).pairs == []
        await lot.leaves(citizen)
        (told,) = (await lot.fetch()).pairs
        subject = (await lot.city.rows("select subject from auth.consent where purpose like 'share:%'"))[0]["subject"]
        assert (told.digest, told.subject, told.over, told.perk) == (CAR, subject, False, PARK)
        granted = await lot.gate.check(Question(PARK, subject=ids.show("su", subject)), token=lot.token)
        assert granted.granted
        assert await lot.acts() == [("plate.confirm", citizen), ("plate.told", citizen)]

    async def test_a_stranger_who_types_a_plate_gains_nothing(self, lot: Lot) -> None:
        """Their plate waits for ever; the driver's own code confirms the driver's own, not the stranger's."""
        stranger, driver = await lot.driver(), await lot.driver()
        await lot.leaves(driver)
        (told,) = (await lot.fetch()).pairs
        await lot.leaves(stranger, b"x" * 32)  # the stranger's own car, which they did not type
        assert (await lot.fetch()).pairs == [told]
        assert [owner for action, owner in await lot.acts() if action == "plate.confirm"] == [driver]

    async def test_a_car_that_was_sold_is_its_buyers(self, lot: Lot) -> None:
        """Who confirms later has it; the earlier one is over, reads why, and may confirm again."""
        seller, buyer = await lot.driver(), await lot.driver()
        await lot.leaves(seller)
        before = await lot.fetch()
        await lot.leaves(buyer)
        page = await lot.fetch(before.seq)
        assert [(one.over, one.subject == before.pairs[0].subject) for one in page.pairs] == [
            (True, True),
            (False, False),
        ]
        assert ("plate.moved", seller) in await lot.acts()
        await lot.leaves(seller)
        assert [one.over for one in (await lot.fetch(page.seq)).pairs] == [True, False]
        assert len((await lot.fetch()).pairs) == 1

    async def test_two_at_once_end_with_one(self, lot: Lot) -> None:
        """Sixteen confirmations of one digest by two holders side by side: one of the two has it, nobody fails."""
        both = [await lot.driver(), await lot.driver()]
        await asyncio.gather(*(lot.leaves(both[n % 2]) for n in range(16)))
        assert len((await lot.fetch()).pairs) == 1

    async def test_no_other_car_park_confirms_or_is_told(self, lot: Lot) -> None:
        """Neither by the same digest nor by the decision of the first one."""
        citizen, other = await lot.driver(), await lot.city.token(OTHER)
        decision = await lot.leaves(citizen, b"?" * 32)
        await pairs.confirm(lot.gate, token=other, decision_id=decision, digest=CAR)
        await lot.leaves(citizen, token=other)
        assert (await lot.fetch()).pairs == (await lot.fetch(token=other)).pairs == []

    async def test_a_decision_without_a_code_confirms_nothing(self, lot: Lot) -> None:
        """A subject is no sign that somebody was there; nor is a code that was used before, or long ago."""
        citizen = await lot.driver()
        subject = (await lot.city.rows("select subject from auth.consent where purpose like 'share:%'"))[0]["subject"]
        told = await lot.gate.check(Question(PARK, subject=ids.show("su", subject)), token=lot.token)
        await pairs.confirm(lot.gate, token=lot.token, decision_id=told.decision_id, digest=CAR)
        code = await lot.city.code(citizen, PARK)
        await lot.gate.check(Question(PARK, code=code), token=lot.token)
        again = await lot.gate.check(Question(PARK, code=code), token=lot.token)
        await pairs.confirm(lot.gate, token=lot.token, decision_id=again.decision_id, digest=CAR)
        old = await lot.leaves(citizen, b"?" * 32)
        await lot.city.do("update incentives.decision set valid_until = now() where id = :id", id=old)
        await pairs.confirm(lot.gate, token=lot.token, decision_id=old, digest=CAR)
        assert (await lot.fetch()).pairs == []

    async def test_without_a_live_consent_nothing_is_confirmed(self, lot: Lot) -> None:
        """The plate of an expired consent rests."""
        citizen = await lot.driver(share=False)
        await lot.city.share(citizen, LOT, PARK, expires_in=timedelta(seconds=-1))
        await lot.leaves(citizen)
        assert await lot.acts() == []


class TestAfter:
    """The list."""

    async def test_an_end_is_told_once_and_only_to_who_knew(self, lot: Lot) -> None:
        """By withdrawal or a plate taken back: at the next fetch; who begins anew hears nothing of it."""
        first, second, never = [await lot.driver(secrets.token_bytes(32)) for _ in range(3)]
        for one in (first, second):
            (row,) = await lot.city.rows("select digest from incentives.plate where citizen_id = :c", c=one)
            await lot.leaves(one, row["digest"])
        known = await lot.fetch()
        assert len(known.pairs) == 2
        await lot.city.do("insert into auth.consent_end (consent_id, reason, at) select id, 'withdrawn', now() "
                          "from auth.consent where citizen_id = :c and purpose like 'share:%'", c=first)  # fmt: skip
        await lot.city.do("delete from incentives.plate where citizen_id = any(:c)", c=[second, never])
        assert [one.over for one in (await lot.fetch(known.seq)).pairs] == [True, True]
        assert [one.over for one in (await lot.fetch(known.seq)).pairs] == [True, True]  # a lost answer, asked again
        assert (await lot.fetch()).pairs == []
        assert (await lot.fetch((await lot.fetch(known.seq)).seq)).pairs == []

    async def test_a_renewed_consent_has_a_new_subject(self, lot: Lot) -> None:
        """The old pair is over, the new one begins; the plate need not be confirmed again."""
        citizen = await lot.driver()
        await lot.leaves(citizen)
        before = await lot.fetch()
        await lot.city.do("insert into auth.consent_end (consent_id, reason, at) select id, 'superseded', now() "
                          "from auth.consent where citizen_id = :c and purpose like 'share:%'", c=citizen)  # fmt: skip
        await lot.city.share(citizen, LOT, PARK)
        after = await lot.fetch(before.seq)
        assert [one.over for one in after.pairs] == [True, False]
        assert after.pairs[1].subject != before.pairs[0].subject

    async def test_pages_follow_one_another(self, lot: Lot) -> None:
        """Seven pairs three at a time, each once, with an end in between."""
        for _ in range(7):
            digest = secrets.token_bytes(32)
            await lot.leaves(await lot.driver(digest), digest)
        first = await lot.fetch(most=3)
        gone = first.pairs[0].digest
        await lot.city.do("delete from incentives.plate where digest = :d", d=gone)
        second = await lot.fetch(first.seq, 3)
        third = await lot.fetch(second.seq, 3)
        last = await lot.fetch(third.seq, 3)
        told = [*first.pairs, *second.pairs, *third.pairs, *last.pairs]
        assert len({one.digest for one in told if not one.over}) == 7
        assert [one.digest for one in told if one.over] == [gone]
        assert len((await lot.fetch()).pairs) == 6

    async def test_what_was_forgotten_is_said(self, lot: Lot) -> None:
        """The jobs end what nobody fetched and forget it after 45 days; an older number then begins anew."""
        citizen = await lot.driver()
        await lot.leaves(citizen)
        seq = (await lot.fetch()).seq
        await lot.city.do("delete from incentives.plate")
        await lot.city.do("select incentives.forget_plates()")
        assert len(await lot.city.rows("select 1 from incentives.plate_pair where ended is not null")) == 1
        await lot.city.do("update incentives.plate_pair set ended_at = now() - interval '46 days'")
        await lot.city.do("select incentives.forget_plates()")
        assert await lot.city.rows("select 1 from incentives.plate_pair") == []
        with pytest.raises(PairsGone):
            await lot.fetch(seq)
        assert (await lot.fetch()).pairs == []

    async def test_a_dead_token_is_told_nothing(self, lot: Lot) -> None:
        """Neither a list nor a confirmation; a partner without any perk has an empty list."""
        with pytest.raises(TokenDead):
            await lot.fetch(token=bytes(32))
        with pytest.raises(TokenDead):
            await pairs.confirm(lot.gate, token=bytes(32), decision_id=ids.random(), digest=CAR)
        bare = await lot.city.partner("p_bare", perks=())
        assert (await lot.fetch(token=bare)).pairs == []


class TestDoors:
    """Row policies."""

    async def test_a_citizen_types_for_themselves_under_a_live_consent(self, lot: Lot, doors: Doors) -> None:
        """Not confirmed by themselves, not for another, not without consent; and sees their own alone."""
        mine = await lot.driver(b"m" * 32)
        await lot.driver(b"t" * 32)
        _, proof = await lot.city.logged_in(mine)
        wrong = [
            {"citizen_id": mine, "partner_id": OTHER, "confirmed_at": None},
            {"citizen_id": mine, "partner_id": LOT, "confirmed_at": clock.civil()},
            {"citizen_id": ids.new(), "partner_id": LOT, "confirmed_at": None},
        ]
        laid = {"perk_id": PARK, "digest": b"", "sealed": b"", "typed_at": clock.civil()}
        for one in wrong:
            with pytest.raises(ProgrammingError, match="row-level security"):
                async with doors.work("citizen", proof=proof) as session:
                    await session.execute(insert(plate).values(id=ids.new(), **laid, **one))
        async with doors.work("citizen", proof=proof) as session:
            assert (await session.scalars(select(plate.c.digest))).all() == [b"m" * 32]
            with pytest.raises(ProgrammingError, match="permission denied"):
                await session.execute(update(plate).values(confirmed_at=clock.civil()))

    async def test_the_jobs_reach_only_what_no_consent_stands_behind(self, lot: Lot, doors: Doors) -> None:
        """A live one stays, whatever they are asked to delete; the words of none can be read."""
        await lot.driver(b"m" * 32)
        await lot.driver(b"t" * 32, share=False)
        async with doors.work("jobs") as session:
            await session.execute(delete(plate))
        assert [row["digest"] for row in await lot.city.rows("select digest from incentives.plate")] == [b"m" * 32]
