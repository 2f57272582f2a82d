"""P6: records in over HTTP, consent-checked, sealed, merged, everyone rescored, beside a plain COPY of the same rows.

    .venv/bin/python benchmarks/ingest.py [lines]

Counted: CPU of the one web process, and of PostgreSQL beside it; wall time is shown but the machine is shared. The
embedded server runs with fsync on. Peer: COPY of the same scoring columns and a 200-byte value into a table with the
same keys, with nothing checked, sealed or counted. Answers are checked: every standing equals what the records say.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx2
import msgspec
import psutil
from sqlalchemy.ext.asyncio import AsyncSession

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.releases import rulebook_files
from api.tool.caller import Signed
from api.tool.signing import fresh_key
from auth import clients
from core import clock, db, embedded, ids, releases, sealed
from core.epochs import make_epochs
from core.keys import Keyring
from core.postgres import migrate
from core.postgres.engine import engine_of
from core.settings import ROOT
from scoring import holders
from scoring.holders import Thread

MASTER = bytes(range(32))
PORT = 18_061
BASE = f"http://127.0.0.1:{PORT}"
DIGEST_KEY = b"benchmark digest key, 32 bytes.."
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(order: int) -> str:
    """A made-up ID number with a valid check character."""
    born = date(1950, 1, 1) + timedelta(days=order // 1000)
    body = f"990000{born:%Y%m%d}{order % 1000:03}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


def body(citizens: range, each: int) -> bytes:
    """NDJSON of `each` months of water for each citizen."""
    today = clock.today()
    months = [(today.year * 12 + today.month - 2 - back) for back in range(each)]
    lines = [
        {
            "ref": f"w-{order}-{month}", "version": 1, "kind": "P01", "id_number": id_number(order),
            "occurred_on": f"{month // 12}-{month % 12 + 1:02}-05",
            "fields": {"account": f"a{order}", "period": f"{month // 12}-{month % 12 + 1:02}", "on_time": True},
        }
        for order in citizens for month in months
    ]  # fmt: skip
    return b"\n".join(map(msgspec.json.encode, lines))


async def enrol(owner: asyncpg.Connection, ring: Keyring, citizens: range) -> None:
    """Lay consents, keys and threads for many people at once, as `auth.consent` and `scoring.enrol` would."""
    now, until = datetime.now(UTC), datetime.now(UTC) + timedelta(days=300)
    rows: dict[str, list[tuple[object, ...]]] = {"c": [], "s": [], "k": [], "l": [], "v": []}
    for order in citizens:
        citizen, consent, subject, key = uuid.uuid4(), ids.new(), uuid.uuid4(), os.urandom(32)
        thread = msgspec.msgpack.encode(Thread(subject, date(1990, 1, 1)))
        epoch, back = ring.seal_epoch(citizen.bytes, place=(*holders.OWNER, subject.bytes))
        rows["c"].append((consent, citizen, "score", False, 1, "d", ["bench"], now, until, ""))
        rows["s"].append(("bench", sealed.digest(DIGEST_KEY, id_number(order)), citizen, consent, order, now))
        rows["k"].append((citizen, "records", *ring.wrap(key, owner=citizen, purpose="records")))
        rows["l"].append((citizen, consent, sealed.seal(key, thread, place=(*holders.LINK, citizen.bytes))))
        rows["v"].append((subject, until, epoch, back))
    for schema, table, name, columns in (
        (
            "auth",
            "consent",
            "c",
            "id citizen_id purpose one_use notice_version notice_digest sources given_at expires_at receipt",
        ),
        ("auth", "source_subject", "s", "source digest citizen_id consent_id seq changed_at"),
        ("keys", "person_key", "k", "owner purpose epoch wrapped"),
        ("scoring", "link", "l", "citizen_id consent_id sealed"),
        ("scoring", "live", "v", "record_subject until epoch sealed_owner"),
    ):
        await owner.copy_records_to_table(table, schema_name=schema, columns=columns.split(), records=rows[name])


async def prepare(url: str, ring: Keyring, jwk: dict[str, object]) -> None:
    """Migrate, put the rule book in force, register the source."""
    await migrate.upgrade(url, role_prefix="osmanthus")
    await db.arm(url, ring, "osmanthus")
    engine = engine_of(url)
    async with AsyncSession(engine) as session, session.begin():
        for file in rulebook_files.shipped(ROOT / "policy"):
            if file.kind in {"catalogue", "scorecard"}:
                drafted = await releases.draft(
                    session, kind=file.kind, name=file.name, body=file.body, effective_on=date(2026, 1, 1), by="a"
                )
                await releases.approve(session, release_id=drafted.id, by="b")
        await clients.add(
            session, ring, client_id="bench", role="source", name="bench", scopes=["records:write"],
            jwks=[jwk], kinds=["P01"], digest_key=DIGEST_KEY,
        )  # fmt: skip
    await engine.dispose()


async def _answers(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/healthz/live")).is_success
    except httpx2.TransportError:
        return False


@asynccontextmanager
async def served(url: str, epochs: Path) -> AsyncGenerator[psutil.Process]:
    """One web process, as it is served."""
    env = {
        **os.environ, "DATABASE_URL": url, "OSMANTHUS_MASTER_KEY": MASTER.hex(), "OSMANTHUS_BASE_URL": BASE,
        "OSMANTHUS_EPOCHS_FILE": str(epochs),
    }  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--factory",
        "api.app:create",
        "--port",
        str(PORT),
        "--log-level",
        "error",
    ]
    child = subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: S603, ASYNC220  (our own server)
    try:
        async with httpx2.AsyncClient(base_url=BASE) as http:
            while not await _answers(http):
                assert child.poll() is None, "the server ended: is the checkout whole?"
                await asyncio.sleep(0.1)
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait()


def cpu(processes: list[psutil.Process]) -> float:
    """User and system seconds of processes that live."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
            total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


class Postgres:
    """The CPU of our own PostgreSQL, all its processes; those that end keep what they had used."""

    def __init__(self, backend: int) -> None:
        """`backend` is the pid of any of its connections."""
        self._master = psutil.Process(backend).parent()
        self._used: dict[int, float] = {}

    def seconds(self) -> float:
        """So far."""
        assert self._master is not None
        for one in (self._master, *self._master.children()):
            self._used[one.pid] = max(cpu([one]), self._used.get(one.pid, 0.0))
        return sum(self._used.values())


async def peak(process: psutil.Process, stop: asyncio.Event) -> int:
    """The highest resident size until `stop`."""
    most = 0
    while not stop.is_set():
        most = max(most, process.memory_info().rss)
        await asyncio.sleep(0.05)
    return most


async def push(
    http: httpx2.AsyncClient, server: psutil.Process, beside: Postgres, data: bytes, count: int, what: str
) -> None:
    """One push, measured."""
    await http.get("/v1/source/subjects?limit=1")
    stop = asyncio.Event()
    watching = asyncio.create_task(peak(server, stop))
    before, pg_before, started = cpu([server]), beside.seconds(), time.perf_counter()
    answer = await http.post("/v1/source/records", content=data, headers={"Content-Type": "application/x-ndjson"})
    seconds = time.perf_counter() - started
    ours, theirs = cpu([server]) - before, beside.seconds() - pg_before
    stop.set()
    assert answer.status_code == 200, answer.text[:500]
    assert answer.json()["accepted"] == count, answer.text[:500]
    print(
        f"{what:34} {count / ours:9,.0f}/s CPU ours {count / (ours + theirs):9,.0f}/s with PostgreSQL "
        f"{count / seconds:9,.0f}/s wall   peak {await watching / 2**20:4.0f} MiB"
    )


_COLUMNS = "select column_name from information_schema.columns where table_name = 'peer' order by ordinal_position"


async def plain_copy(owner: asyncpg.Connection, beside: Postgres, count: int) -> None:
    """The peer: the same columns and keys by COPY."""
    await owner.execute("create table peer (like scoring.record including indexes)")
    now, day, value = datetime.now(UTC), clock.today(), os.urandom(200)
    columns = [row[0] for row in await owner.fetch(_COLUMNS)]
    values = {
        "source": "bench", "version": 1, "kind": "P01", "provider": "bench", "occurred_on": day, "quantity": 1,
        "sealed": value, "status": "active", "batch_id": uuid.uuid4(), "received_at": now, "status_at": now,
    }  # fmt: skip
    rows = [
        tuple(
            {**values, "id": uuid.uuid4(), "record_subject": uuid.uuid4(), "ref": f"r{n}"}.get(name) for name in columns
        )
        for n in range(count)
    ]
    before, started = beside.seconds(), time.perf_counter()
    ours = time.process_time()
    await owner.copy_records_to_table("peer", columns=columns, records=rows)
    seconds, ours = time.perf_counter() - started, time.process_time() - ours
    total = ours + beside.seconds() - before
    print(
        f"{'plain COPY':34} {count / ours:9,.0f}/s CPU ours {count / total:9,.0f}/s with PostgreSQL "
        f"{count / seconds:9,.0f}/s wall"
    )


async def check(owner: asyncpg.Connection, expected: dict[int, int]) -> None:
    """Every standing is what its records say."""
    rows = await owner.fetch("select points, count(*) as people from scoring.standing group by points")
    assert {row["points"]: row["people"] for row in rows} == expected, rows


async def main(lines: int) -> None:
    """Run it all."""
    home = Path(tempfile.mkdtemp(prefix="osm-ingest-"))
    epochs = home / "epochs.json"
    make_epochs(epochs)
    ring = Keyring(MASTER, epochs)
    jwk = fresh_key()
    with embedded.running(home / "pg") as cluster:
        url = cluster.dsn()
        await prepare(url, ring, jwk)
        owner = await asyncpg.connect(url)
        beside = Postgres(owner.get_server_pid())
        one, ten = range(lines), range(lines, lines + lines // 10)
        await enrol(owner, ring, range(lines + lines // 10))
        await owner.execute("analyze")
        signed = Signed(base_url=BASE, issuer=BASE, client_id="bench", jwk=jwk, scope="records:write")
        async with served(url, epochs) as server, httpx2.AsyncClient(base_url=BASE, auth=signed, timeout=600) as http:
            print(f"at rest {server.memory_info().rss / 2**20:.0f} MiB; {lines:,} lines a push")
            await push(http, server, beside, body(range(lines // 10), 1), lines // 10, "warm-up, a tenth")
            await push(http, server, beside, body(one, 1), lines, "one record a citizen")
            await push(http, server, beside, body(ten, 10), lines, "ten records a citizen")
            await push(http, server, beside, body(ten, 10), lines, "ten records a citizen, repeated")
            await push(http, server, beside, body(range(lines * 2, lines * 3), 1), lines, "strangers")
        await check(owner, {1105: lines, 1150: lines // 10})
        await plain_copy(owner, beside, lines)
        await owner.close()
    embedded.erase(home / "pg")
    shutil.rmtree(home)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
