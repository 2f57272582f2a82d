"""A day of rides, uploaded in pieces, twice, out of order, by two gates at once: every ride counted once.

    .venv/bin/python benchmarks/citycard_rides.py [rides]

Lines go through the room (`incentives.rides.receive`) and the city card's door into the embedded server, fsync on. The
perk has a limit a citizen and month, so every ride is weighed against its card's. Counted: rides a second the first
time and again, and what the process grew by. Answers are checked: the sums are those of one ride each.
"""

import asyncio
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import clock, db, embedded, ids
from core.epochs import make_epochs
from core.keys import Keyring
from core.postgres import migrate
from incentives import codes
from incentives.citycard.entrance import Entrance
from incentives.rides import receive
from incentives.rides.receive import Operator

PERK, CARDS, PIECE = "transit.discount", 200_000, 50_000
AT = (clock.wall() - timedelta(hours=1)).replace(microsecond=0)
_LAY = """
insert into auth.client (client_id, role, name, public, scopes, kinds, perks, redirect_uris, jwks, created_at)
values ('metro', 'citycard', 'metro', false, '{citycard}', '{}', '{transit.discount}', '{}', '[]', now());
insert into core.release (id, kind, name, body, digest, effective_on, drafted_by, drafted_at, approved_by, approved_at)
values ('%(id)s', 'perks', 'x', '', 'x', '2026-01-01', 'a', now(), 'b', now());
insert into incentives.perk
  (perk_id, release_id, effective_on, approved_at, threshold, cap, over_cap, closed, kind, percent)
values ('transit.discount', '%(id)s', '2026-01-01', now(), 1100, 100, 'part', false, 'discount', 10);
insert into incentives.perk_budget values ('transit.discount', '%(id)s', 'citizen', 'month', 60, null);
insert into incentives.entitlement_list
values ('metro', 'transit.discount', 1, decode(repeat('ff', %(bytes)s), 'hex'), now());
"""


async def lay(url: str) -> bytes:
    """An operator with a live token, a perk in force, a list; returns the hash of the token."""
    owner, token = await asyncpg.connect(url), secrets.token_bytes(32)
    await owner.execute(_LAY % {"id": ids.new(), "bytes": CARDS // 8})
    await owner.execute(
        "insert into auth.token (jti_hash, client_id, scope, expires_at) values ($1, 'metro', 'citycard', $2)",
        token, clock.wall() + timedelta(hours=2),
    )  # fmt: skip
    await owner.close()
    return token


async def body(rides: list[int]) -> AsyncGenerator[bytes]:
    """Lines as they come over the wire."""
    for start in range(0, len(rides), 500):
        yield b"".join(
            msgspec.json.encode({
                "ride": f"r{one}", "index": one * 7 % CARDS, "perk": PERK, "gate": f"g{one % 400}", "fare": 300,
                "at": (AT - timedelta(seconds=one % 36_000)).isoformat(), "discount": 30,
            }) + b"\n"
            for one in rides[start : start + 500]
        )  # fmt: skip


async def uploads(entrance: Entrance, by: Operator, mint: codes.Mint, pieces: list[list[int]]) -> None:
    """One gate's uploads, one after another."""
    for piece in pieces:
        told = await receive.receive(entrance, mint, by=by, body=body(piece))
        if told.accepted != len(piece):
            raise SystemExit(told.rejected[:3])


async def run(url: str, ring: Keyring, count: int) -> None:
    """Upload everything twice, and print the figures."""
    await migrate.upgrade(url, role_prefix="osmanthus")
    await db.arm(url, ring, "osmanthus")
    by = Operator("metro", await lay(url), {PERK}, b"secret")
    doors, mint, me = db.Doors(url, ring, "osmanthus"), codes.mint(ring, "990000", 0), psutil.Process()
    entrance = Entrance(await doors.pool("citycard"))
    chance, rides = random.Random(7), list(range(count))  # noqa: S311  (the order of uploads is no secret)
    chance.shuffle(rides)
    pieces = [rides[at : at + PIECE] for at in range(0, count, PIECE)]
    await uploads(entrance, by, mint, [[-1]])
    before = me.memory_info().rss
    for name in ("first", "again"):
        chance.shuffle(pieces)
        begun = time.perf_counter()
        await asyncio.gather(*(uploads(entrance, by, mint, pieces[gate::2]) for gate in (0, 1)))
        taken = time.perf_counter() - begun
        grown = (me.memory_info().rss - before) / 2**20
        print(f"{name}: {count:,} rides in {taken:.0f} s, {count / taken:,.0f} a second, {grown:+.0f} MiB")
    owner = await asyncpg.connect(url)
    (row,) = await owner.fetch("select sum(rides)::int as rides, sum(discount)::int as fen from incentives.ride_total")
    size = await owner.fetchval(
        "select pg_total_relation_size('incentives.ride') / (select count(*) from incentives.ride)"
    )
    await owner.close()
    await doors.close()
    print(f"counted {row['rides']:,}, {row['fen']:,} fen; {size} bytes a ride on disk")
    if (row["rides"], row["fen"]) != (count + 1, (count + 1) * 30):
        raise SystemExit("not every ride counted once")


def main() -> None:
    """In a database of its own."""
    home = Path(tempfile.mkdtemp(prefix="osm-bench-"))
    make_epochs(home / "epochs.json")
    try:
        with embedded.running(home / "pg") as cluster:
            count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
            asyncio.run(run(cluster.dsn(), Keyring(bytes(32), home / "epochs.json"), count))
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
