"""Sealing in bulk: each row under its own person's key, beside a plain COPY of the same rows; and an epoch's rotation.

    .venv/bin/python benchmarks/sealing.py [rows]

Counted: CPU of this one process, and wall time with PostgreSQL beside it (fsync on). Every row unwraps its owner's key
and seals 200 bytes for its own place. Peer: COPY of the same rows unsealed. Answers are checked: rows read back from
the table open to what went in, and after the rotation every key opens under the new epoch.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import db, embedded, epochs, rotation, sealed
from core.audit import Actor
from core.keys import Keyring
from core.postgres import migrate

MASTER = bytes(range(32))
VALUE = os.urandom(200)
PLACE = ("peer", "value")
Rows = list[tuple[uuid.UUID, bytes]]
Wrapped = list[tuple[uuid.UUID, int, bytes]]


@contextmanager
def timed(what: str, rows: int) -> Generator[None]:
    """Print rows a CPU-second of this process, and a second of the wall's clock."""
    wall, ours = time.perf_counter(), time.process_time()
    yield
    wall, ours = time.perf_counter() - wall, time.process_time() - ours
    print(f"{what:44} {rows / ours:10,.0f}/s CPU {rows / wall:10,.0f}/s wall")


def wrapped_keys(ring: Keyring, rows: int) -> Wrapped:
    """A person each with a random key."""
    people = [uuid.uuid4() for _ in range(rows)]
    return [(owner, *ring.wrap(os.urandom(32), owner=owner, purpose="records")) for owner in people]


def seal_each(ring: Keyring, keys: Wrapped) -> Rows:
    """Each value under its person's key."""
    made: Rows = []
    for owner, epoch, wrapped in keys:
        key = ring.unwrap(wrapped, epoch=epoch, owner=owner, purpose="records")
        made.append((owner, sealed.seal(key, VALUE, place=(*PLACE, owner.bytes))))
    return made


def open_each(ring: Keyring, keys: Wrapped, rows: dict[uuid.UUID, bytes]) -> None:
    """Every value opens to what went in."""
    for owner, epoch, wrapped in keys:
        key = ring.unwrap(wrapped, epoch=epoch, owner=owner, purpose="records")
        assert sealed.unseal(key, rows[owner], place=(*PLACE, owner.bytes)) == VALUE


async def copy(owner: asyncpg.Connection, rows: Rows) -> None:
    """COPY into an empty table."""
    await owner.execute("truncate peer")
    await owner.copy_records_to_table("peer", records=rows)


async def suite(name: str, owner: asyncpg.Connection, ring: Keyring, rows: int) -> None:
    """One suite: seal, seal and store, open."""
    sealed.choose(name)
    keys = wrapped_keys(ring, rows)
    with timed(f"{name}: unwrap and seal", rows):
        seal_each(ring, keys)
    with timed(f"{name}: unwrap, seal and COPY", rows):
        await copy(owner, seal_each(ring, keys))
    stored = {row["owner"]: row["value"] for row in await owner.fetch("select owner, value from peer")}
    with timed(f"{name}: unwrap and open", rows):
        open_each(ring, keys, stored)


async def rotate(owner: asyncpg.Connection, doors: db.Doors, ring: Keyring, rows: int) -> None:
    """Wrap every key anew on the jobs door, in the batches that the jobs take."""
    sealed.choose("aes")
    records = [(person, "records", epoch, wrapped) for person, epoch, wrapped in wrapped_keys(ring, rows)]
    await owner.copy_records_to_table("person_key", schema_name="keys", records=records)
    async with doors.work("jobs") as session:
        number = await rotation.announce(session, ring, by=Actor("system", "bench"))
    epochs.add(ring.file, number)
    ring.look()
    with timed("rotation: fetch, wrap anew, update", rows):
        moved = 1
        while moved:
            async with doors.work("jobs") as session:
                moved = await rotation.rewrap(session, ring, limit=2000)
    for row in await owner.fetch("select owner, epoch, wrapped from keys.person_key"):
        assert row["epoch"] == number
        ring.unwrap(row["wrapped"], epoch=number, owner=row["owner"], purpose="records")


async def main(rows: int) -> None:
    """Run it all."""
    home = Path(tempfile.mkdtemp(prefix="osm-sealing-"))
    epochs.make_epochs(home / "epochs.json")
    ring = Keyring(MASTER, home / "epochs.json")
    with embedded.running(home / "pg") as cluster:
        url = cluster.dsn()
        await migrate.upgrade(url, role_prefix="osmanthus")
        await db.arm(url, ring, "osmanthus")
        owner, doors = await asyncpg.connect(url), db.Doors(url, ring, "osmanthus")
        await owner.execute("create table peer (owner uuid, value bytea)")
        plain = [(uuid.uuid4(), VALUE) for _ in range(rows)]
        await copy(owner, plain)
        with timed("plain COPY", rows):
            await copy(owner, plain)
        for name in ("aes", "sm"):
            await suite(name, owner, ring, rows)
        await rotate(owner, doors, ring, rows)
        await doors.close()
        await owner.close()
    embedded.erase(home / "pg")
    shutil.rmtree(home)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
