"""Joining, and moving an enrolment to a renewed consent."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from core import epochs, keys
from core.keys import Keyring
from scoring import holders
from tests.scoringworld import City, id_number, water

ANN = id_number(1)


class TestOpen:
    """`enrol.open`."""

    async def test_a_clean_adult_starts_in_bronze(self, city: City) -> None:
        """Points are there on day one."""
        await city.join(ANN)
        rows = await city.rows("select points, tier, held from scoring.standing")
        assert [tuple(row) for row in rows] == [(1100, "铜", False)]

    async def test_nothing_links_the_person_to_the_records(self, city: City) -> None:
        """No plain column holds citizen and record subject together."""
        citizen_id = await city.join(ANN)
        await city.push(water("r1", ANN))
        (row,) = await city.rows("select record_subject from scoring.record")
        subject = str(row["record_subject"])
        holding = [line for line in (await city.dump()).splitlines() if subject in line]
        assert holding
        assert not [line for line in holding if str(citizen_id) in line]

    async def test_the_thread_leads_both_ways(self, city: City) -> None:
        """Forth with the citizen's key, back with the epoch's."""
        citizen_id = await city.join(ANN)
        async with city.doors.work("scorer") as session:
            holder = await holders.one(session, city.ring, citizen_id=citizen_id)
            assert holder is not None
            found = await holders.owners(session, city.ring, record_subjects=[holder.record_subject])
        assert found == {holder.record_subject: citizen_id}

    async def test_a_destroyed_epoch_cuts_the_way_back(self, city: City, tmp_path: Path) -> None:
        """What an epoch sealed is nobody's once the epoch is gone."""
        citizen_id = await city.join(ANN)
        async with city.doors.work("scorer") as session:
            holder = await holders.one(session, city.ring, citizen_id=citizen_id)
            assert holder is not None
            (file := tmp_path / "epochs.json").write_bytes(city.ring.file.read_bytes())
            epochs.add(file)
            epochs.remove(file, 1)
            later = Keyring(bytes(range(32)), file)
            assert await holders.owners(session, later, record_subjects=[holder.record_subject]) == {}
            with pytest.raises(keys.KeyGone):
                await holders.one(session, later, citizen_id=citizen_id)

    async def test_renewal_keeps_the_records(self, city: City) -> None:
        """A new consent takes the place of the old one; records and points stay."""
        citizen_id = await city.join(ANN)
        await city.push(water("r1", ANN))
        await city.join(ANN, citizen_id=citizen_id, days=300)
        assert await city.points(ANN) == 1105
        assert len(await city.rows("select 1 from scoring.live")) == 1

    async def test_twice_at_once(self, city: City) -> None:
        """Two enrolments of one person at once: one wins, and there is one thread."""
        citizen_id = await city.join(ANN)
        await city.leave(ANN)
        answers = await asyncio.gather(
            *(city.join(ANN, citizen_id=citizen_id) for _ in range(2)), return_exceptions=True
        )
        assert all(one == citizen_id or isinstance(one, IntegrityError) for one in answers)
        assert len(await city.rows("select 1 from scoring.live")) == 1
