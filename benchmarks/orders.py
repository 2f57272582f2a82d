"""P5: opening orders through the room's function, beside pgbench with the same SQL; a hot budget row, and none.

    .venv/bin/python benchmarks/orders.py [seconds] [connections]

Ours: `incentives.orders.counter.open` in one Python process over the partner door's pool. Peer: pgbench, prepared, as
the same role with the same gate function on the same database. fsync is on; wall time, since the disk is what both wait
for; rounds alternate and the median counts; neither counts the first second, in which plans are made. Ours and
pgbench's are orders of different people, so many that hardly one comes to hold the three that one may. Checked at the
end: every order has its event, exposure and budget say what the orders say, and all but one in a thousand were opened.
Not here: HTTP (`benchmarks/orders_http.py`).
"""

import asyncio
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import db, embedded, ids
from core.epochs import make_epochs
from core.keys import Keyring
from core.postgres import launcher, migrate
from incentives.eligibility import Gate
from incentives.orders import counter
from incentives.orders.counter import Opening

HOLDERS = 300_000  # one may have three orders at once
OURS = 100_000  # of them: the rest are pgbench's
ROUNDS = 3
TOKEN = b"t" * 32
CITY = """
insert into auth.client (client_id, role, name, public, scopes, kinds, perks, redirect_uris, jwks, created_at)
values ('shop', 'partner', 'shop', false, '{orders:write}', '{}', '{library.hot,library.cold}', '{}', '{}', now());
insert into auth.token (jti_hash, client_id, scope, expires_at)
values (decode(repeat('74', 32), 'hex'), 'shop', 'orders:write', now() + interval '1 day');
insert into core.release (id, kind, name, body, digest, effective_on, drafted_by, drafted_at, approved_by, approved_at)
select uuidv7(), 'perks', p, '', p, '2026-01-01', 'a', now(), 'b', now()
from unnest(array['library.hot', 'library.cold']) p;
insert into incentives.perk (perk_id, release_id, effective_on, approved_at, threshold, cap, over_cap, closed)
select name, id, '2026-01-01', now(), 1000, 30000, 'part', false from core.release where kind = 'perks';
insert into incentives.perk_budget (perk_id, release_id, per, every, count)
select name, id, 'perk', 'day', 100000000 from core.release where name = 'library.hot';
create temporary table who as select uuidv7() as id, n from generate_series(1, 300000) n;
insert into auth.consent (id, citizen_id, purpose, one_use, notice_version, notice_digest, sources, subject, given_at,
  expires_at, receipt)
select uuidv7(), who.id, p.purpose, false, 1, '', '{}', case when p.k > 0 then
  ('00000000-0000-4000-800' || p.k || '-' || lpad(who.n::text, 12, '0'))::uuid end, now(), now() + interval '1 year', ''
from who cross join (values (0, 'score'), (1, 'share:shop/library.hot'), (2, 'share:shop/library.cold')) p (k, purpose);
insert into scoring.standing (citizen_id, consent_id, scorecard, points, tier, held, as_of, computed_at)
select c.citizen_id, c.id, 'd', 1500, '', false, '2026-01-01', now() from auth.consent c where c.purpose = 'score';
"""
# What was filled, and nothing else: of a table that was looked at while empty the planner thinks that it still is.
SETTLED = "vacuum analyze auth.consent, scoring.standing"
# ... and the tables of orders when there are some, as autovacuum does within a minute: a plan that was made without
# knowing them may read all orders of a partner to find one.
LOOKED_AT = "analyze incentives.perk_order, incentives.order_step, incentives.exposure, incentives.event"
_SCRIPT = r"""
\set n random({first}, {last})
select refusal from incentives.open_order(decode(repeat('74', 32), 'hex'), gen_random_uuid()::text, '{{}}',
  gen_random_uuid(), gen_random_uuid()::text, substr(md5(random()::text), 1, 24), '{perk}', null, null,
  ('00000000-0000-4000-800{k}-' || lpad(:n::text, 12, '0'))::uuid, 100, null, null, null, gen_random_uuid(), 'dc_x',
  uuidv7());
"""


async def ours(gate: Gate, perk: str, k: int, seconds: float, wide: int) -> float:
    """Openings per second through the room's function."""
    end, done = time.perf_counter() + seconds, 0

    async def one() -> None:
        nonlocal done
        while time.perf_counter() < end:
            number = secrets.randbelow(OURS) + 1
            subject = ids.show("su", subject_of(k, number))
            asked = Opening(secrets.token_hex(12), perk, subject=subject, deposit=100)
            await counter.open(gate, token=TOKEN, key=secrets.token_hex(12), asked=asked)
            done += 1

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(wide)))
    return done / (time.perf_counter() - started)


def subject_of(k: int, number: int) -> uuid.UUID:
    """The pairwise subject of a holder, for the first perk or the second."""
    return uuid.UUID(f"00000000-0000-4000-800{k}-{number:012d}")


async def peer(url: str, home: Path, perk: str, k: int, seconds: float, wide: int) -> float:
    """The same by pgbench, without its first second, in which each of its connections makes its plans."""
    script = home / f"{perk}.sql"
    script.write_text(_SCRIPT.format(perk=perk, k=k, first=OURS + 1, last=HOLDERS))
    command = [
        str(launcher.binaries() / "pgbench"), "-n", "-M", "prepared", "-c", str(wide), "-j", "1",
        "-T", str(int(seconds) + 1), "-P", "1", "-f", str(script), url,
    ]  # fmt: skip
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True, env=os.environ)
    return statistics.mean(map(float, re.findall(r"progress: .* s, ([0-9.]+) tps", ran.stderr)[1:]))


async def main(seconds: float, wide: int) -> None:
    """Run it all."""
    home = Path(tempfile.mkdtemp(prefix="osm-bench-"))
    make_epochs(home / "epochs.json")
    ring = Keyring(bytes(range(32)), home / "epochs.json")
    with embedded.running(home / "pg") as cluster:
        url = cluster.dsn()
        await migrate.upgrade(url, role_prefix="osmanthus")
        await db.arm(url, ring, "osmanthus")
        owner = await asyncpg.connect(url)
        await owner.execute(CITY)
        await owner.execute(SETTLED)
        doors = db.Doors(url, ring, "osmanthus", size=wide)
        gate = Gate(await doors.pool(), b"k" * 32)
        for k, perk in ((1, "library.hot"), (2, "library.cold")):
            told: dict[str, list[float]] = {"ours": [], "pgbench": []}
            door = db.door_url(url, ring, "osmanthus", "partner")
            await ours(gate, perk, k, 1, wide)
            await owner.execute(LOOKED_AT)
            await ours(gate, perk, k, 1, wide)  # makes its plans, too
            for _ in range(ROUNDS):
                told["ours"].append(await ours(gate, perk, k, seconds, wide))
                told["pgbench"].append(await peer(door, home, perk, k, seconds, wide))
            mid = {name: statistics.median(found) for name, found in told.items()}
            print(
                f"{perk}: ours {mid['ours']:.0f}/s, pgbench {mid['pgbench']:.0f}/s: {mid['ours'] / mid['pgbench']:.2f}"
            )
        print(await checked(owner))
        await doors.close()
        await owner.close()


async def checked(owner: "asyncpg.Connection[asyncpg.Record]") -> str:
    """Whether the books agree with the orders."""
    rows = await owner.fetchrow(
        "select (select count(*) from incentives.perk_order where status = 'open') as open, "
        "(select sum(orders) from incentives.exposure) as held, (select count(*) from incentives.perk_order) as all, "
        "(select count(*) from incentives.event) as told, (select sum(orders) from incentives.budget_use) as used, "
        "(select count(*) from incentives.perk_order where status = 'open' and perk_id = 'library.hot') as hot, "
        "(select count(*) from incentives.perk_order where status = 'standard_route') as refused"
    )
    if rows is None or (rows["open"], rows["all"], rows["used"]) != (rows["held"], rows["told"], rows["hot"]):
        message = f"the books do not agree: {rows}"
        raise AssertionError(message)
    if rows["refused"] * 1000 > rows["all"]:
        message = f"{rows['refused']} of {rows['all']} orders went the standard route, a shorter way: not the same work"
        raise AssertionError(message)
    told = f"{rows['refused']} on the standard route"
    return f"checked: {rows['all']} orders ({told}), each with its event; exposure and budget agree"


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(float(given[0]) if given else 4.0, int(given[1]) if len(given) > 1 else 16))
