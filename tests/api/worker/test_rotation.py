"""Epochs in their turn: nothing is lost on the way, nothing is left behind, and nothing goes too early."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select, text

from api.deps import House
from api.worker import rotation
from auth import citizens
from auth.accounts import Came
from auth.citizens import Proved
from auth.tables import citizen
from core import audit, clock, epochs, idnumber, ids, keys
from core import rotation as record
from core.errors import NotFound
from core.keys import Keyring
from core.rotation import EpochInUse, EpochYoung
from scoring import holders
from tests.epochsworld import at_home, copied
from tests.scoringworld import City, id_number, water

BY = audit.Actor("system", "operator")
NUMBER = idnumber.complete("99000019900101001")
ANNA = Proved("https://id", "s-1", "安娜", NUMBER, clock.wall())
ANN, BOB = id_number(1), id_number(2)


@pytest_asyncio.fixture
async def house(database: str, ring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A house on a fresh clone with an epochs file of its own."""
    monkeypatch.setattr(rotation, "_HEARD", timedelta(0))  # one process: it hears at once
    async with at_home(database, copied(ring.file, tmp_path)) as made:
        yield made


@pytest_asyncio.fixture
async def city(house: House, database: str) -> City:
    """Two people with records."""
    city = City(house.doors, database)
    await city.publish()
    for ref, who in (("r-ann", ANN), ("r-bob", BOB)):
        await city.join(who)
        assert (await city.push(water(ref, who))).accepted == 1
    return city


async def arrive(house: House, proved: Proved = ANNA) -> uuid.UUID:
    """Somebody logs in."""
    async with house.doors.work("auth") as session:
        return await citizens.arrive(session, house.ring, proved=proved)


async def opens(house: House, city: City, who: str) -> bool:
    """Whether a person's thread leads both ways and their papers open."""
    citizen_id = city.people[who]
    async with house.doors.work("scorer") as session:
        holder = await holders.one(session, house.ring, citizen_id=citizen_id)
        assert holder is not None
        back = await holders.owners(session, house.ring, record_subjects=[holder.record_subject])
    return back == {holder.record_subject: citizen_id}


async def at(house: House) -> dict[str, set[int]]:
    """The epochs that each table hangs on."""
    async with house.doors.work("jobs") as session:
        return {table: set(count) for table, count in (await record.hanging(session)).items()}


class TestLevel:
    """`rotation.begin` and `rotation.level`."""

    async def test_everything_moves_and_still_opens(self, house: House, city: City) -> None:
        """Personal keys, threads and indexes hang on the new epoch alone, and open, with the old key gone."""
        anna = await arrive(house)
        assert await rotation.begin(house, by=BY) == 2
        moved = await rotation.level(house, by=BY)
        assert moved == {
            "personal keys": 3, "threads": 2, "indexes of ID numbers": 1, "indexes of accounts": 1,
        }  # fmt: skip
        assert set().union(*(await at(house)).values()) == {2}
        await rotation.destroy(house, 1, by=BY)
        assert sorted(epochs.read(house.ring.file).keys) == [2]
        assert await opens(house, city, ANN)
        assert await arrive(house) == anna
        async with house.doors.work("auth") as session:
            assert (await citizens.profile(session, house.ring, anna)).id_number == NUMBER

    async def test_a_citizen_is_found_before_their_index_moved(self, house: House) -> None:
        """Look-ups search every living epoch, so a login between the steps makes no second citizen."""
        anna = await arrive(house)
        await rotation.begin(house, by=BY)
        assert await arrive(house) == anna
        await rotation.level(house, by=BY)
        assert await arrive(house) == anna

    async def test_an_account_without_a_name_is_found_through_a_rotation(self, house: House) -> None:
        """Before it moved, after it moved, and when the old key is gone: the same citizen comes."""
        found: list[uuid.UUID] = []
        for step in (rotation.begin, rotation.level, None):
            async with house.doors.work("auth") as session:
                found.append(await citizens.come(session, house.ring, came=Came("wechat", "o-1")))
            if step is not None:
                await step(house, by=BY)
        await rotation.destroy(house, 1, by=BY)
        async with house.doors.work("auth") as session:
            found.append(await citizens.come(session, house.ring, came=Came("wechat", "o-1")))
        assert len(set(found)) == 1

    async def test_cut_in_the_middle_it_goes_on(
        self, house: House, city: City, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What moved stays moved; the rest moves the next time."""
        monkeypatch.setattr(rotation, "_BATCH", 1)
        await rotation.begin(house, by=BY)

        def cut(_kind: str, done: int) -> None:
            if done == 1:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            await rotation.level(house, by=BY, tell=cut)
        assert (await at(house))["keys.person_key"] == {1, 2}
        assert (await rotation.level(house, by=BY))["personal keys"] == 1
        assert (await at(house))["keys.person_key"] == {2}

    async def test_beside_writers_nothing_is_lost(
        self, house: House, city: City, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """People join, leave and log in while two processes rotate three times; everybody who is there opens."""
        monkeypatch.setattr(rotation, "_BATCH", 2)
        newcomers = [id_number(order) for order in range(10, 22)]

        async def rotate() -> None:
            for _ in range(3):
                await rotation.begin(house, by=BY)
                await rotation.level(house, by=BY)

        async def join() -> None:
            for order, who in enumerate(newcomers):
                await city.join(who)
                await arrive(house, Proved("https://id", str(order), "安娜", who, clock.wall()))

        await asyncio.gather(rotate(), rotate(), join(), city.leave(BOB))
        await rotation.level(house, by=BY)
        for number in range(1, house.ring.epoch):
            await rotation.destroy(house, number, by=BY)
        for who in (ANN, *newcomers):
            assert await opens(house, city, who)

    async def test_a_row_that_a_writer_holds_is_left_for_the_next_time(self, house: House, city: City) -> None:
        """Moving waits for nobody."""
        await rotation.begin(house, by=BY)
        async with house.doors.work("jobs") as session:
            held = text("select 1 from keys.person_key where owner = :owner for update")
            await session.execute(held, {"owner": city.people[ANN]})
            assert (await rotation.level(house, by=BY))["personal keys"] == 1
        assert (await rotation.level(house, by=BY))["personal keys"] == 1

    async def test_it_is_one_entry_in_the_log(self, house: House, city: City) -> None:
        """A run over everyone is one entry with numbers; it names nobody."""
        await rotation.begin(house, by=BY)
        await rotation.level(house, by=BY)
        rows = await city.rows("select action, owner, detail from core.audit_entry where action like 'epoch.%'")
        assert [(row["action"], row["owner"]) for row in rows] == [("epoch.begin", None), ("epoch.level", None)]


class TestDestroy:
    """`rotation.destroy`."""

    async def test_the_database_refuses_while_anything_hangs_on_it(self, house: House, city: City) -> None:
        """The key stays in the file, and everything opens."""
        await rotation.begin(house, by=BY)
        with pytest.raises(EpochInUse, match=r"still hangs on epoch 1"):
            await rotation.destroy(house, 1, by=BY)
        assert sorted(epochs.read(house.ring.file).keys) == [1, 2]
        assert await opens(house, city, ANN)

    async def test_a_writer_who_comes_late_is_refused_and_loses_nothing(self, house: House) -> None:
        """A process that did not hear of the end cannot store what nobody could ever open."""
        late = Keyring(bytes(range(32)), house.ring.file)
        await rotation.begin(house, by=BY)
        await rotation.destroy(house, 1, by=BY)
        with pytest.raises(Exception, match="fk_person_key_epoch"):
            async with house.doors.work("auth") as session:
                await keys.make(session, late, owner=ids.new(), purpose="identity")

    async def test_too_early_is_refused(self, database: str, house: House) -> None:
        """Before the grace is over, and never for the current epoch."""
        async with at_home(database, house.ring.file, epoch_grace_days=2) as careful:
            await rotation.begin(careful, by=BY)
            for number in (1, 2):
                with pytest.raises(EpochYoung):
                    await rotation.destroy(careful, number, by=BY)

    async def test_it_is_recorded(self, house: House, city: City) -> None:
        """Number, beginning, end and by whom, in a table that no door can change and in the log; once."""
        await rotation.begin(house, by=BY)
        await rotation.level(house, by=BY)
        await rotation.destroy(house, 1, by=BY)
        async with house.doors.work("jobs") as session:
            (one,) = await record.destroyed(session)
            assert [alive.number for alive in await record.living(session)] == [2]
        assert (one.number, one.destroyed_by) == (1, "system:operator")
        assert await city.rows("select 1 from core.audit_entry where action = 'epoch.destroy'")
        with pytest.raises(NotFound):
            await rotation.destroy(house, 1, by=BY)

    async def test_a_crash_before_the_commit_is_finished_by_the_next_call(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The key is gone from the file, the record is not there: destroying again completes it."""
        await rotation.begin(house, by=BY)
        epochs.remove(house.ring.file, 1)
        await rotation.destroy(house, 1, by=BY)
        async with house.doors.work("jobs") as session:
            assert [one.number for one in await record.destroyed(session)] == [1]


class TestTurn:
    """`rotation.turn`, a round of the jobs."""

    async def test_an_epoch_has_its_days(self, house: House, city: City, database: str) -> None:
        """Young: nothing. After its days another begins, everything moves, and the old one goes after the grace."""
        await rotation.turn(house)
        assert house.ring.epoch == 1
        await city.rows("update keys.epoch set began_at = now() - interval '14 days'")
        await rotation.turn(house)
        assert house.ring.epoch == 2
        assert (await at(house))["keys.person_key"] == {1}
        await rotation.turn(house)
        assert sorted(house.ring.epochs) == [2]
        assert await opens(house, city, ANN)
        await rotation.turn(house)
        assert house.ring.epoch == 2

    async def test_what_cannot_move_keeps_its_epoch_and_the_jobs_go_on(self, house: House, city: City) -> None:
        """An index without its identity key is said to hang there; nothing is destroyed under it."""
        anna = await arrive(house)
        await city.rows(f"delete from keys.person_key where owner = '{anna}'")
        await rotation.begin(house, by=BY)
        await rotation.turn(house)
        assert sorted(house.ring.epochs) == [1, 2]
        async with house.doors.work("jobs") as session:
            assert await session.scalar(select(citizen.c.index_epoch).where(citizen.c.id == anna)) == 1

    async def test_an_operator_may_do_it_alone(self, database: str, house: House, city: City) -> None:
        """With 0 days nothing begins by itself."""
        await city.rows("update keys.epoch set began_at = now() - interval '1000 days'")
        async with at_home(database, house.ring.file, epoch_days=0) as by_hand:
            await rotation.turn(by_hand)
            assert by_hand.ring.epoch == 1
