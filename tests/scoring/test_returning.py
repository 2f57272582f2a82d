"""Who renews while something is done about a record from before: it is done for them, and their points say so.

For thirty days after a consent its records lie unseen by the scorer's door, which acts on them through functions.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from auth.consent import ledger
from core import clock, ids
from scoring import ending, merge, retention
from scoring.feeds import withdrawing
from scoring.rights import decisions
from tests.scoring.meanwhile import holding, lapse, renew, renewing, stuck, subject
from tests.scoring.test_merge import staged
from tests.scoringworld import TODAY, City, id_number, penalty, water

ANN, BEN, CY = id_number(1), id_number(2), id_number(3)
Act = Callable[[], Awaitable[object]]


def ends(verb: Any) -> Any:
    """The source ends its record of Ann."""

    async def prepare(city: City) -> Act:
        await city.push(penalty("n1", ANN), penalty("n2", BEN))
        book = await city.book()

        async def act() -> None:
            async with city.doors.work("scorer") as session:
                await verb(session, city.ring, source="utilities", ref="n1", version=None, book=book, as_of=TODAY)

        return act

    return prepare


async def hands_in(city: City) -> Act:
    """The office hands in decisions about the records of Ann and Ben."""
    await city.push(penalty("n1", ANN), penalty("n2", BEN))
    book = await city.book()
    lines = [
        {"source": "utilities", "ref": ref, "decision_no": "1", "authority": "信用中国", "decided_on": str(TODAY)}
        for ref in ("n1", "n2")
    ]

    async def act() -> None:
        async with city.doors.work("scorer") as session:
            await decisions.hand_in(session, city.ring, lines=lines, by="desk", book=book, as_of=TODAY)

    return act


async def moves(city: City) -> Act:
    """The source corrects whom its records are about: Cy, not Ann and Ben."""
    await city.join(CY)
    await city.push(water("w1", ANN), water("w2", BEN))
    batch, book = await staged(city, water("w1", CY, version=2), water("w2", CY, version=2)), await city.book()

    async def act() -> None:
        async with city.doors.work("scorer") as session:
            await merge.merge(session, city.ring, pushed=batch, book=book, as_of=clock.today())

    return act


async def withdraws(city: City, people: tuple[str, ...] = (ANN, BEN)) -> Act:
    """The source takes a whole batch back."""
    lines = [water(f"w{number}", who) for number, who in enumerate(people, 1)]
    pushed, book = await city.push(*lines), await city.book()
    batch_id = ids.read("ba", pushed.batch_id)

    async def act() -> None:
        async with city.doors.work("scorer") as session:
            await withdrawing.withdraw(
                session, city.ring, source="utilities", batch_id=batch_id, book=book, as_of=clock.today()
            )

    return act


RECORD = "select 1 from scoring.record where ref like '%1' for update"
ROW = "select 1 from scoring.live where record_subject = $1 for update"
LINK = "select 1 from scoring.link where citizen_id = $1 for update"


class TestRenewal:
    """A consent that ran out, renewed beside a source's act."""

    @pytest.mark.parametrize(
        "prepare", [ends(ending.revoke), ends(ending.repair), hands_in, moves, withdraws],
        ids=["revoke", "repair", "hand_in", "move", "withdraw"],
    )  # fmt: skip
    async def test_begun_before(self, city: City, prepare: Any) -> None:
        """The act waits for a renewal that is under way, and takes its person in."""
        await city.join(ANN)
        await city.join(BEN)
        act = await prepare(city)
        await lapse(city, ANN)
        async with renewing(city, ANN):
            acting = asyncio.create_task(act())
            await stuck(city, acting)
        await acting
        assert await city.points(ANN) == 1100
        assert (await city.score(ANN)).points == 1100

    @pytest.mark.parametrize("prepare", [ends(ending.revoke), moves, withdraws], ids=["revoke", "move", "withdraw"])
    async def test_begun_before_and_again(self, city: City, prepare: Any) -> None:
        """Who waited for a renewal has nothing of its person when the next one begins, which asks for link and row."""
        await city.join(ANN)
        await city.join(BEN)
        act = await prepare(city)
        found = await lapse(city, ANN)

        async def again() -> None:
            async with holding(city, LINK, city.people[ANN]) as link:
                await link.fetch(ROW, found)

        async with renewing(city, ANN):
            tasks = [asyncio.create_task(act())]
            await stuck(city, *tasks)
            tasks.append(asyncio.create_task(again()))
            await stuck(city, *tasks)
        await asyncio.gather(*tasks)
        assert await city.points(ANN) == 1100

    @pytest.mark.parametrize("prepare", [hands_in, moves, withdraws])
    async def test_begun_in_the_middle(self, city: City, prepare: Any) -> None:
        """A renewal waits for an act that is under way, and counts what it has left."""
        await city.join(ANN)
        await city.join(BEN)
        act = await prepare(city)
        await lapse(city, ANN)
        async with holding(city, LINK, city.people[BEN]):
            acting = asyncio.create_task(act())
            await stuck(city, acting)
            renewing = asyncio.create_task(renew(city, ANN))
            await stuck(city, acting, renewing)
        await asyncio.gather(acting, renewing)
        assert await city.points(ANN) == 1100
        assert (await city.score(ANN)).points == 1100


class TestErasure:
    """Somebody is erased for good beside a source's act: neither of the two has what the other one needs."""

    @pytest.mark.parametrize("prepare", [ends(ending.revoke), moves, withdraws], ids=["revoke", "move", "withdraw"])
    async def test_begun_before(self, city: City, prepare: Any) -> None:
        """The act waits, and finds nothing."""
        await city.join(ANN)
        await city.join(BEN)
        act = await prepare(city)
        await lapse(city, ANN)
        async with holding(city, RECORD):
            erasing = asyncio.create_task(city.leave(ANN))
            await stuck(city, erasing)
            acting = asyncio.create_task(act())
            await stuck(city, erasing, acting)
        await asyncio.gather(erasing, acting)
        assert await city.rows("select 1 from scoring.standing where citizen_id = $1", city.people[ANN]) == []

    @pytest.mark.parametrize("prepare", [ends(ending.revoke), moves, withdraws], ids=["revoke", "move", "withdraw"])
    async def test_half_done(self, city: City, prepare: Any) -> None:
        """The same where one kind of records has gone, and the rest is about to."""
        await city.join(ANN)
        await city.join(BEN)
        act = await prepare(city)
        await lapse(city, ANN)
        citizen_id = city.people[ANN]
        async with city.as_citizen(citizen_id) as session:
            await ledger.withdraw(session, city.ring, citizen_id=citizen_id, consent_id=city.consents[ANN])
            for kind in ("N01", "P01"):
                await retention.erase_kind(session, city.ring, citizen_id=citizen_id, kind=kind)
            acting = asyncio.create_task(act())
            await stuck(city, acting)
            await retention.erase(session, city.ring, citizen_id=citizen_id)
        await acting
        assert await city.rows("select 1 from scoring.standing where citizen_id = $1", citizen_id) == []

    async def test_of_several(self, city: City) -> None:
        """The sweep goes through people in the order in which they are held, not in that of their own numbers."""
        subjects: list[uuid.UUID] = []
        while subjects[-2:] == sorted(subjects[-2:]):  # until the last two lie the other way round
            who = id_number(len(subjects) + 1)
            await city.join(who, citizen_id=uuid.UUID(int=len(subjects) + 1))
            subjects.append(await subject(city, who))
        pair = id_number(len(subjects) - 1), id_number(len(subjects))
        act = await withdraws(city, pair)
        for who in pair:
            await lapse(city, who, days=31)

        async def sweep() -> None:
            async with city.doors.work("jobs") as session:
                await retention.sweep(session, city.ring)

        async with holding(city, "select 1 from scoring.record for update"):
            sweeping = asyncio.create_task(sweep())
            await stuck(city, sweeping)
            acting = asyncio.create_task(act())
            await stuck(city, sweeping, acting)
        await asyncio.gather(sweeping, acting)
        assert await city.rows("select 1 from scoring.record") == []
