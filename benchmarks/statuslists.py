"""A status list of 1,000,000 places, a full list of the shipped size, and 1,048,576 copies in 16 full lists, served.

    .venv/bin/python benchmarks/statuslists.py [ended]

The large one is built in memory from `ended` places (by default 10,000). The full one is half claimed, as a list is
when it is closed: 65,536 copies, 20 of each consent; what ended is found by the gate function, on a PostgreSQL with
fsync, first when 100 people have just withdrawn, then when nothing happened. Then 16 such lists are fetched one after
the other from a served city, over HTTP, and once more with the tag of what one has. Answers are checked: every place
that ended is read as invalid, and what else is are decoys.
"""

import asyncio
import random
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx2
from joserfc.jwk import ECKey

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.peers import ground
from core import clock, db, embedded, ids, jose
from core.epochs import make_epochs
from core.keys import Keyring
from core.postgres import migrate
from core.signed import Signer
from incentives.credentials import keys, lists
from incentives.recognition import statuslist

PLACES, PREFIX, EACH, GONE, MANY = 1_000_000, "osmanthus", 20, 100, 16
LISTS = [uuid.UUID(int=number << 64) for number in range(1, MANY + 1)]
LIST = LISTS[0]
URI, CITY, KID = "https://home.example/status-lists/1", "https://home.example", "cred-1"
_LAID = """
insert into auth.consent
    (id, citizen_id, purpose, one_use, notice_version, notice_digest, sources, given_at, expires_at, receipt)
  select md5(p || n)::uuid, md5('c' || n)::uuid, p, false, 1, '', '{}', now(), now() + interval '1 year', ''
  from generate_series(:first, :last) n, unnest(array['score', 'recognise:990100']) p;
insert into scoring.standing (citizen_id, consent_id, scorecard, points, tier, held, as_of, computed_at)
  select md5('c' || n)::uuid, md5('score' || n)::uuid, 'd', 1210, 'x', false, '2026-01-01', now()
  from generate_series(:first, :last) n;
insert into incentives.status_list (id, claimed, closed_at) values (':list', :copies, now());
insert into incentives.credential_copy (list_id, place, consent_id, reached, until)
  select ':list', 2 * k, md5('recognise:990100' || :first + k % :people)::uuid, 120, now() + interval '9 days'
  from generate_series(0, :copies - 1) k;
"""
_GONE = """
insert into auth.consent_end (consent_id, reason, at)
  select md5('recognise:990100' || n)::uuid, 'withdrawn', now() from generate_series(1, :gone) n
"""


@contextmanager
def timed(what: str) -> Generator[None]:
    """Print milliseconds of the wall's clock and of this process's CPU."""
    wall, ours = time.perf_counter(), time.process_time()
    yield
    wall, ours = time.perf_counter() - wall, time.process_time() - ours
    print(f"{what:58} {wall * 1000:9,.1f} ms {ours * 1000:9,.1f} ms CPU of this process")


def large(ended: int) -> None:
    """A list of a million places."""
    key = ECKey.generate_key("P-256", {"kid": KID}, private=True)
    signer, now = Signer(key, statuslist.TYPE), int(time.time())
    gone = random.Random(7).sample(range(PLACES), ended)  # noqa: S311  (no secret)
    with timed(f"{PLACES:,} places, {ended:,} ended: composed"):
        held = lists.compose(gone, PLACES)
    with timed("  packed and signed"):
        token = statuslist.make(signer, held, uri=URI, now=now)
    print(f"{'  bytes of the token':58} {len(token):9,}")
    with timed("  a host reads and checks it"):
        read = statuslist.read(token, issuer=CITY, uri=URI, now=now, key_of=lambda _issuer, _kid: key)
    assert set(read.held.ones()) == set(gone)


async def full(doors: db.Doors, owner: asyncpg.Connection, ring: Keyring) -> None:
    """A list as it is served, whole."""
    await lay(owner, 0)
    await owner.execute("vacuum analyze")
    press = lists.Press(CITY, ring)
    with timed(f"{lists.ROOM:,} copies in a list of {lists.SIZE:,}: first fetch"):
        await press.newest(doors, LIST)
    await owner.execute(_filled(_GONE))
    await _later()
    with timed(f"  a fetch when {GONE} holders had withdrawn"):
        made = await press.newest(doors, LIST)
    await _later()
    with timed("  a fetch when nothing happened"):
        same = await press.newest(doors, LIST)
    with timed("  another one within the second"):
        assert (await press.newest(doors, LIST)).tag == same.tag == made.tag
    print(f"{'  bytes of the token':58} {len(made.token):9,}")
    known = {one["kid"]: jose.public_key(one) for one in keys.of(ring).published(clock.wall())}
    said = statuslist.read(
        made.token, issuer=CITY, uri=press.uri(LIST), now=int(time.time()), key_of=lambda _issuer, kid: known.get(kid)
    )
    rows = await owner.fetch("select place from incentives.credential_copy where ended_at is not null")
    assert len(rows) >= GONE * EACH
    assert set(said.held.ones()) == {row["place"] for row in rows} | lists.decoys(ring, LIST)


async def served(url: str, owner: asyncpg.Connection, epochs: Path) -> None:
    """All lists, by a city over HTTP."""
    for number in range(1, MANY):
        await lay(owner, number)
    await owner.execute("vacuum analyze")
    paths = [f"/status-lists/{ids.show('sl', one)}" for one in LISTS]
    async with ground.served("ours", url, epochs, {}), httpx2.AsyncClient(base_url=ground.base("ours")) as http:
        with timed(f"{MANY} lists of {lists.ROOM:,} copies each, fetched over HTTP"):
            came = [await http.get(path) for path in paths]
        assert {one.status_code for one in came} == {200}
        tags = [one.headers["etag"] for one in came]
        await _later()
        with timed("  the same again, with their tags"):
            again = [
                await http.get(path, headers={"If-None-Match": tag}) for path, tag in zip(paths, tags, strict=True)
            ]
        assert {one.status_code for one in again} == {304}
        print(f"{'  bytes of all':58} {sum(len(one.content) for one in came):9,}")


async def lay(owner: asyncpg.Connection, number: int) -> None:
    """A list of copies, and the people behind them."""
    for statement in _LAID.split(";\n"):
        if statement.strip():
            await owner.execute(_filled(statement, number))


def _filled(statement: str, number: int = 0) -> str:
    """A statement with our numbers in it."""
    people = lists.ROOM // EACH
    first = 1 + number * people
    numbers = {
        ":people": people, ":copies": people * EACH, ":list": LISTS[number], ":gone": GONE, ":first": first,
        ":last": first + people - 1,
    }  # fmt: skip
    for name, value in numbers.items():
        statement = statement.replace(name, str(value))
    return statement


async def _later() -> None:
    """Wait until a list that was made is not kept any more."""
    await asyncio.sleep(1.1)


async def main(ended: int) -> None:
    """Build, measure, check."""
    large(ended)
    home = Path(tempfile.mkdtemp(prefix="osm-bench-"))
    make_epochs(home / "epochs.json")
    ring = Keyring(bytes(range(32)), home / "epochs.json")
    with embedded.running(home / "pg", durable=True) as cluster:
        owner = await asyncpg.connect(cluster.dsn())
        await migrate.upgrade(cluster.dsn(), role_prefix=PREFIX)
        await db.arm(cluster.dsn(), ring, PREFIX)
        doors = db.Doors(cluster.dsn(), ring, PREFIX, size=2)
        await full(doors, owner, ring)
        await doors.close()
        await served(cluster.dsn(), owner, home / "epochs.json")
        await owner.close()
    embedded.erase(home / "pg")
    shutil.rmtree(home)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
