"""Who left cannot be read in any copy: a full dump of before, restored, against every key that remains.

The dump is read first with the epoch of its day, so that the test can fail.
"""

import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from api.deps import House
from api.worker import keydump, rotation
from api.worker.keydump import DumpUnusable
from auth import accounts, citizens
from auth.citizens import Profile, Proved
from core import clock, embedded, epochs, keys, sealed
from core.audit import Actor
from core.errors import NotFound
from core.keys import KeyGone, Keyring
from core.postgres import launcher
from core.sealed import SealBroken
from scoring import holders, staging
from tests.clones import operate
from tests.epochsworld import MASTER, at_home, copied
from tests.scoringworld import City, id_number, penalty

BY = Actor("system", "operator")
LEAVER, STAYER = id_number(301), id_number(302)
NAMES = {LEAVER: "桂离去", STAYER: "桂留下"}
REFS = {LEAVER: "r-left", STAYER: "r-stayed"}
PHONE = "13900001301"
# Every label that a room derives a key for from the master key.
LABELS = ("id-digest", "account", "arrival", "source-digest", "source-feed", "pairwise-sub", "idempotency", "presented",
          "phone", "dpop-nonce", "card-number", "card-pin", "spoken-code")  # fmt: skip
COLUMNS = {
    "profile": ("select id, sealed_profile from auth.citizen where id = $1", "auth.citizen", "sealed_profile"),
    "phone": ("select citizen_id, sealed from auth.phone where citizen_id = $1", "auth.phone", "sealed"),
    "link": ("select citizen_id, sealed from scoring.link where citizen_id = $1", *holders.LINK),
}  # fmt: skip


class Place(msgspec.Struct):
    """The world of before: who is who, and what the leaver's personal keys were."""

    city: City
    people: dict[str, uuid.UUID]
    personal: list[bytes]
    dump: Path
    old_file: Path
    restored: str


async def settle(house: House, city: City, who: str) -> uuid.UUID:
    """Somebody proves who they are, joins, and a record about them with a paper comes."""
    async with house.doors.work("auth") as session:
        proved = Proved("https://id", who, NAMES[who], who, clock.wall())
        citizen_id = await citizens.arrive(session, house.ring, proved=proved)
        await accounts.bind_phone(session, house.ring, citizen_id=citizen_id, number=PHONE)
    await city.join(who, citizen_id=citizen_id)
    assert (await city.push(penalty(REFS[who], who))).accepted == 1
    assert await city.rows("select 1 from scoring.record where ref = $1", REFS[who])
    return citizen_id


def run(program: str, *arguments: str) -> None:
    """A program of the PostgreSQL that the tests run on."""
    command = [str(launcher.binaries() / program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=launcher.environment())
    assert done.returncode == 0, done.stderr


@asynccontextmanager
async def emptied(cluster: embedded.Cluster) -> AsyncIterator[str]:
    """A new empty database; yields its DSN."""
    name = f"r_{uuid.uuid4().hex}"
    await operate(cluster, f"create database {name}")
    try:
        yield cluster.dsn(name)
    finally:
        await operate(cluster, f"drop database {name} with (force)")


@pytest_asyncio.fixture
async def house(database: str, ring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A house on a fresh clone with an epochs file of its own."""
    monkeypatch.setattr(rotation, "_HEARD", timedelta(0))
    async with at_home(database, copied(ring.file, tmp_path)) as made:
        yield made


@pytest_asyncio.fixture
async def world(house: House, database: str, cluster: embedded.Cluster, tmp_path: Path) -> AsyncIterator[Place]:
    """Two people, a full dump, the epochs file of that day, and the dump restored beside."""
    city = City(house.doors, database)
    await city.publish()
    people = {who: await settle(house, city, who) for who in (LEAVER, STAYER)}
    async with house.doors.work("jobs") as session:
        personal = [
            await keys.fetch(session, house.ring, owner=people[LEAVER], purpose=purpose)
            for purpose in ("identity", "records")
        ]
    dump, old_file = tmp_path / "full.sql", copied(house.ring.file, tmp_path, "old.json")
    run("pg_dump", "--dbname", database, "--file", str(dump))
    async with emptied(cluster) as restored:
        run("psql", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", restored, "--file", str(dump))
        yield Place(city, people, personal, dump, old_file, restored)


async def leave(house: House, world: Place) -> None:
    """The leaver leaves: personal keys and rows go, as `DELETE /v1/me` has it."""
    await world.city.leave(LEAVER)
    async with house.doors.work("jobs") as session:
        await keys.destroy(session, owner=world.people[LEAVER], purpose="identity")
    await world.city.rows("delete from auth.citizen where id = $1", world.people[LEAVER])


async def end_epoch(house: House) -> None:
    """The next epoch begins, the living move, the old one is destroyed."""
    await rotation.begin(house, by=BY)
    await rotation.level(house, by=BY)
    await rotation.destroy(house, 1, by=BY)


async def read(database: str, file: Path, who: uuid.UUID) -> tuple[Profile, str | None]:
    """Who somebody is, and the number, once the thread led both ways; by an epochs file. Raises KeyGone."""
    async with at_home(database, file) as house:
        async with house.doors.work("auth") as session:
            profile = await citizens.profile(session, house.ring, who)
            phone = await accounts.phone_of(session, house.ring, citizen_id=who)
        async with house.doors.work("scorer") as session:
            holder = await holders.one(session, house.ring, citizen_id=who)
            assert holder is not None
            back = await holders.owners(session, house.ring, record_subjects=[holder.record_subject])
        assert back == {holder.record_subject: who}
        return profile, phone


async def values(database: str, who: uuid.UUID) -> list[tuple[bytes, tuple[str, str, bytes]]]:
    """Every sealed value of a person in a database, with the place it was sealed for: keys, profile, link, threads."""
    connection = await asyncpg.connect(database)
    try:
        found = [
            (value, (table, column, row.bytes))
            for query, table, column in COLUMNS.values()
            for row, value in await connection.fetch(query, who)
        ]
        came = await connection.fetch("select digest, sealed from auth.account where citizen_id = $1", who)
        found += [(row["sealed"], ("auth.account", "sealed", row["digest"])) for row in came]
        papers = await connection.fetch("select id, sealed from scoring.record where ref = $1", REFS[LEAVER])
        found += [(row["sealed"], (*staging.SEALED, row["id"].bytes)) for row in papers]
        wrapped = await connection.fetch("select purpose, wrapped from keys.person_key where owner = $1", who)
        found += [(row["wrapped"], ("keys.person_key", row["purpose"], who.bytes)) for row in wrapped]
        for row in await connection.fetch("select record_subject, sealed_owner from scoring.live"):
            found.append((row["sealed_owner"], (*holders.OWNER, row["record_subject"].bytes)))
        return found
    finally:
        await connection.close()


async def remaining(house: House) -> Iterator[bytes]:
    """Every key that is left: master, derived, epochs, and the personal keys of the living."""
    found = [MASTER, *(house.ring.derive(label) for label in LABELS), *epochs.read(house.ring.file).keys.values()]
    connection = await asyncpg.connect(house.settings.database_url)
    for row in await connection.fetch("select owner, purpose, epoch, wrapped from keys.person_key"):
        named = {"owner": row["owner"], "purpose": row["purpose"]}
        found.append(house.ring.unwrap(row["wrapped"], epoch=row["epoch"], **named))
    await connection.close()
    return iter(found)


class TestLeft:
    """A citizen who left, in a dump of before."""

    async def test_no_key_that_remains_reads_the_dump(self, house: House, world: Place) -> None:
        """Readable with the epoch of its day; then with no key: name, number, telephone, account, papers, link."""
        profile, phone = await read(world.restored, world.old_file, world.people[LEAVER])
        assert (profile.name, profile.id_number, phone) == (NAMES[LEAVER], LEAVER, PHONE)
        await leave(house, world)
        await end_epoch(house)
        for file in (house.ring.file, copied(house.ring.file, house.ring.file.parent, "copy.json")):
            with pytest.raises(KeyGone):
                await read(world.restored, file, world.people[LEAVER])
        sealed_values = await values(world.restored, world.people[LEAVER])
        assert len(sealed_values) == 3 + 2 + 2 + 2  # profile, phone, link; account, papers; wrapped keys; threads back
        tried = 0
        for key in await remaining(house):
            for value, place in sealed_values:
                with pytest.raises(SealBroken):
                    sealed.unseal(key, value, place=place)
                tried += 1
        assert tried > 100

    async def test_the_number_cannot_be_guessed_through_the_index(self, house: House, world: Place) -> None:
        """Whoever tries every ID number on the dump's index finds the leaver with the old epoch, and not after."""
        connection = await asyncpg.connect(world.restored)
        held = await connection.fetchval("select id_digest from auth.citizen where id = $1", world.people[LEAVER])
        await connection.close()
        assert held in citizens.id_digests(Keyring(MASTER, world.old_file), LEAVER)
        await leave(house, world)
        await end_epoch(house)
        assert held not in citizens.id_digests(house.ring, LEAVER)
        for key in await remaining(house):
            assert held not in sealed.blind(key, 1, "auth.citizen.id_digest", LEAVER)

    async def test_nothing_of_a_person_is_plain_in_the_dump_or_in_the_data_directory(
        self, house: House, world: Place, cluster: embedded.Cluster
    ) -> None:
        """Neither names, numbers and papers, nor an unwrapped personal key, nor an epoch key, in any byte of either."""
        connection = await asyncpg.connect(house.settings.database_url)
        await connection.execute("checkpoint")
        folder = cluster.data / "base" / str(await connection.fetchval(
            "select oid from pg_database where datname = current_database()"))  # fmt: skip
        await connection.close()
        texts = [*NAMES.values(), LEAVER, STAYER, PHONE, "告1号"]
        secrets = [*(one.encode() for one in texts), *world.personal, *epochs.read(house.ring.file).keys.values()]
        assert b"osmanthus" in (copy := world.dump.read_bytes()), "the dump is read"
        for secret in secrets:
            assert secret not in copy
            assert secret.hex().encode() not in copy
        for file in folder.iterdir():
            stored = file.read_bytes()
            assert not [secret for secret in secrets if secret in stored], file

    async def test_whoever_stays_opens(self, house: House, world: Place) -> None:
        """The one who stayed is read under the new epoch, the one who left is nobody."""
        await leave(house, world)
        await end_epoch(house)
        profile, phone = await read(house.settings.database_url, house.ring.file, world.people[STAYER])
        assert (profile.id_number, phone) == (STAYER, PHONE)
        with pytest.raises(NotFound):
            await read(house.settings.database_url, house.ring.file, world.people[LEAVER])


class TestRestored:
    """`osmanthus keys restore`: the dump of before, brought to the newest keys."""

    async def test_who_stayed_is_back_and_who_left_is_not(self, house: House, world: Place) -> None:
        """Old rows, newest dump of keys, newest file: one is read, logs in and has points; of the other no row is."""
        await leave(house, world)
        await end_epoch(house)
        await keydump.write(house, newest := world.dump.with_name("keys.ndjson"))
        stayer, leaver = world.people[STAYER], world.people[LEAVER]
        async with at_home(world.restored, house.ring.file) as again:
            found = await keydump.restore(again, newest, by=BY)
            assert (found.kept, found.gone, found.records) == (1, 1, 1)
            assert (await read(world.restored, house.ring.file, stayer))[0].id_number == STAYER
            async with again.doors.work("auth") as session:
                proved = Proved("https://id", STAYER, NAMES[STAYER], STAYER, clock.wall())
                assert await citizens.arrive(session, again.ring, proved=proved) == stayer
        restored = City(house.doors, world.restored)
        assert await restored.rows("select 1 from scoring.standing where citizen_id = $1", stayer)
        for table in ("scoring.standing", "scoring.link", "scoring.standing_change", "auth.account", "auth.phone"):
            assert not await restored.rows(f"select 1 from {table} where citizen_id = $1", leaver)
        live = "select 1 from auth.live_consent where citizen_id = $1"
        assert (len(await restored.rows(live, leaver)), len(await restored.rows(live, stayer))) == (0, 1)
        assert [row["number"] for row in await restored.rows("select number from keys.destroyed_epoch")] == [1]
        assert [row["number"] for row in await restored.rows("select number from keys.epoch")] == [2]

    async def test_half_a_dump_changes_nothing(self, house: House, world: Place) -> None:
        """A dump that was cut, or whose epoch the file does not hold, is refused before anything is done."""
        await keydump.write(house, dump := world.dump.with_name("keys.ndjson"))
        lines = dump.read_bytes().splitlines(keepends=True)
        count = "select count(*) from keys.person_key"
        before = await City(house.doors, world.restored).rows(count)
        await end_epoch(house)
        async with at_home(world.restored, house.ring.file) as again:
            with pytest.raises(DumpUnusable, match="epoch 1"):
                await keydump.restore(again, dump, by=BY)
            for cut in (lines[:-1], lines[1:], []):
                dump.write_bytes(b"".join(cut))
                with pytest.raises(DumpUnusable, match="last line"):
                    await keydump.restore(again, dump, by=BY)
        assert await City(house.doors, world.restored).rows(count) == before

    async def test_who_left_after_the_dump_of_keys_is_found_by_nothing_older(self, house: House, world: Place) -> None:
        """A key that the dump read just before it was destroyed is destroyed again."""
        await keydump.write(house, dump := world.dump.with_name("keys.ndjson"))
        lines = dump.read_bytes().splitlines(keepends=True)
        await leave(house, world)
        await keydump.write(house, dump)
        ends = dump.read_bytes().splitlines(keepends=True)
        mixed = [*(line for line in lines if b'["key"' in line), *(line for line in ends if b'["key"' not in line)]
        mixed[-1] = msgspec.json.encode(keydump.Whole(clock.wall() - timedelta(minutes=1), len(mixed) - 1))
        dump.write_bytes(b"".join(mixed))
        async with at_home(world.restored, house.ring.file) as again:
            await keydump.restore(again, dump, by=BY)
        with pytest.raises(NotFound):
            await read(world.restored, house.ring.file, world.people[LEAVER])
