"""P3: an eligibility check with DPoP, consent, durable access row and signed receipt, beside four peers.

    .venv/bin/python benchmarks/eligibility.py [requests] [concurrency] [peer ...]

Ours: the served application. `bare`: a raw ASGI function under the same server program that does the same crypto (ES256
proof against a key and token that it knows, Ed25519 receipt) and the same SQL (`check_once`: replay claim, limit and
gate in one call) on the same database, and nothing else: no routing, no schema, no error paths. `orm`: the same check
as one builds it with FastAPI and SQLAlchemy's ORM. `node`: as bare, with fastify and pg. `cerbos`: one CheckResources
call over HTTP, which decides by attributes that it is told: no proof, no consent, no row, no receipt. Node packages go
to a temporary folder; a peer that cannot be had is said loudly and left out.

Counted: CPU of the one process that answers, and of PostgreSQL beside it; fsync is on; wall time is shown but the
machine is shared. Rounds alternate, the median counts. Answers are checked: all grant exactly the holders who have the
points, and every check of ours, bare, orm and node left its access row.

Where the time goes, taken apart with variants of `bare` beside Cerbos (one busy hour, µs CPU a request, Cerbos 700):
HTTP, JSON and an answer 132; with ES256 verified and Ed25519 signed 407; with one trip to the database 790, two 939,
three 1,160. A process that proves, writes and signs so spends on those three things alone what Cerbos spends in all.
The framework's routing, reading, sending and hooks were a fifth of ours; `api/express` goes past them. Connections are
handed on without a task (`core/relay`: 8 %), head and body leave in one write, for the peers in Python too
(`api/wire`), proofs are verified and receipts written with less around the mathematics: 0.69 to 0.77 of bare and 0.67
to 0.72 of Cerbos on a quiet machine. What was left was the trip: checks that wait for one anyway share it
(`core/batching`: one trip under way, two when half a trip waits). Two trips from the start gave 0.80 to 0.91 of bare,
which makes one each, and 0.79 to 0.87 of Cerbos (six quiet runs), one 0.90 of Cerbos. Of the present rule are runs
on a machine that others slowed down by half and more, where an interpreter loses more than Cerbos does: 0.75 to 1.09 of
bare and 0.56 to 0.92 of Cerbos at eight requests at a time, beside 0.61 to 0.66 of Cerbos with two trips from the start
in the same hour; 1.16 and 0.87 at 64. PostgreSQL's part is less than half of bare's. One at a time has nobody to share
with: 0.73 of bare.

In one process without sockets and database the whole application takes 175 to 190 µs a check, 93 of them mathematics;
uvicorn's part beside it 17 to 26, a log line 8. (py-spy sees where a process waits to be let on again, so it shows
sending to PostgreSQL as a third.)
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import msgspec
import psutil
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.tool.signing import Signer, fresh_key
from benchmarks.peers import ground
from benchmarks.peers.ground import PARTNERS, PORTS, Load, base, cpu, known, running, served
from core import db, embedded
from core.epochs import make_epochs
from core.keys import Keyring

ROUNDS = 5
PEERS = ("bare", "orm", "node", "cerbos")
_POLICY = """apiVersion: api.cerbos.dev/v1
resourcePolicy:
  version: default
  resource: perk
  rules:
    - actions: [check]
      effect: EFFECT_ALLOW
      roles: [holder]
      condition: {match: {all: {of: [
        {expr: P.attr.consented}, {expr: "!P.attr.held"}, {expr: P.attr.points >= R.attr.threshold}]}}}
"""


class Ground:
    """One run: the database, the epochs file, the load, and a temporary folder."""

    def __init__(self, home: Path, url: str, epochs: Path, load: Load) -> None:
        """`home` is removed afterwards."""
        self.home, self.url, self.epochs, self.load = home, url, epochs, load
        self.ring = Keyring(ground.MASTER, epochs)
        self.told: dict[str, Any] = {"tokens": {}, "keys": {}, "terms": {}}

    async def open(self, stack: AsyncExitStack, which: str) -> psutil.Process:
        """Start a server."""
        if which in {"ours", "bare", "orm"}:
            return await stack.enter_async_context(served(which, self.url, self.epochs, self.told))
        command, more = {"node": self._node, "cerbos": self._cerbos}[which]()
        return await stack.enter_async_context(running(which, command, {**os.environ, **more}))

    def _node(self) -> tuple[list[str], dict[str, str]]:
        private: Any = self.ring.ed25519("rcpt-1").private_key
        return [str(shutil.which("node")), "benchmarks/peers/fastify.cjs"], {
            "NODE_PATH": str(_packages(self.home, "fastify", "pg")),
            "BENCH_KNOWN": msgspec.json.encode(self.told).decode(),
            "PORT": str(PORTS["node"]),
            "GATE_URL": db.door_url(self.url, self.ring, "osmanthus", "partner"),
            "SHORT_URL": db.door_url(self.url, self.ring, "osmanthus", "auth"),
            "RECEIPT_KEY": private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        }

    def _cerbos(self) -> tuple[list[str], dict[str, str]]:
        policies = self.home / "policies"
        policies.mkdir()
        (policies / "perk.yaml").write_text(_POLICY)
        sets = {
            "server.httpListenAddr": f"127.0.0.1:{PORTS['cerbos']}",
            "server.grpcListenAddr": f"127.0.0.1:{PORTS['cerbos'] + 1}",
            "storage.driver": "disk", "storage.disk.directory": str(policies), "telemetry.disabled": "true",
        }  # fmt: skip
        (binary,) = _packages(self.home, "cerbos").glob("@cerbos/cerbos-*/cerbos*")
        return [
            str(binary),
            "server",
            "--log-level=error",
            *(f"--set={name}={value}" for name, value in sets.items()),
        ], {}


def _packages(home: Path, *names: str) -> Path:
    """Node packages in a folder of this run. Raises where there is no npm or no registry."""
    command = [shutil.which("npm") or "npm", "i", "--no-audit", "--no-fund", "--no-package-lock", "--silent", *names]
    subprocess.run(command, cwd=home, check=True, timeout=180)  # noqa: S603  (names of ours)
    return home / "node_modules"


async def measure(
    run: Ground, which: str, server: psutil.Process, pids: list[psutil.Process], count: int, wide: int
) -> dict[str, float]:
    """One round; requests are signed beforehand."""
    await run.load.fresh_nonces()
    queue = list(run.load.plain(count) if which == "cerbos" else run.load.requests(count))
    before, pg, started = cpu([server]), cpu(pids), time.perf_counter()
    times = sorted(await run.load.send(which, queue, wide))
    seconds = time.perf_counter() - started
    return {
        "µs CPU": (cpu([server]) - before) / count * 1e6,
        "µs PostgreSQL": (cpu(pids) - pg) / count * 1e6,
        "requests/s": count / seconds,
        "p50 ms": times[len(times) // 2] * 1e3,
        "p99 ms": times[len(times) * 99 // 100] * 1e3,
    }


async def main(count: int, wide: int, peers: tuple[str, ...]) -> None:
    """Run it all."""
    home = Path(tempfile.mkdtemp(prefix="osm-bench-"))
    epochs = home / "epochs.json"
    make_epochs(epochs)
    jwks = [fresh_key() for _ in range(PARTNERS)]
    with embedded.running(home / "pg") as cluster:
        url = cluster.dsn()
        await ground.prepare(url, Keyring(ground.MASTER, epochs), jwks)
        owner = await asyncpg.connect(url)
        signers = [Signer(jwk, client_id=f"p{number}", issuer=base("ours")) for number, jwk in enumerate(jwks)]
        run = Ground(home, url, epochs, Load(signers, await ground.settle(owner)))
        async with AsyncExitStack() as stack:
            servers = {"ours": await run.open(stack, "ours")}
            async with httpx2.AsyncClient(base_url=base("ours")) as http:
                await run.load.fetch_tokens(http)
            run.told = known(run.load, jwks)
            for which in peers:
                try:
                    servers[which] = await run.open(stack, which)
                except (OSError, subprocess.SubprocessError, ValueError) as error:
                    print(f"LEFT OUT: {which}: {error}")
            found = await rounds(run, servers, psutil.Process(cluster.pid), count, wide)
        written = await owner.fetchval("select count(*) from core.audit_entry where action = 'eligibility.check'")
        assert written == len(servers.keys() - {"cerbos"}) * (ROUNDS + 1) * count, written
        await owner.close()
    embedded.erase(home / "pg")
    shutil.rmtree(home)
    report(found)


async def rounds(
    run: Ground, servers: dict[str, psutil.Process], postmaster: psutil.Process, count: int, wide: int
) -> dict[str, list[dict[str, float]]]:
    """A warm-up and the rounds, taking turns."""
    found: dict[str, list[dict[str, float]]] = {which: [] for which in servers}
    for turn in range(ROUNDS + 1):
        for which, server in servers.items():
            pids = [postmaster, *postmaster.children(recursive=True)]
            result = await measure(run, which, server, pids, count, wide)
            if turn:
                found[which].append(result)
    return found


def report(found: dict[str, list[dict[str, float]]]) -> None:
    """The medians and the ratios."""
    middle = {
        which: {name: statistics.median(one[name] for one in results) for name in results[0]}
        for which, results in found.items()
    }
    for which, values in middle.items():
        print(f"{which:6}", "  ".join(f"{name} {value:,.1f}" for name, value in values.items()))
    ours = middle.pop("ours")
    for which, values in middle.items():
        ratio, tail = values["µs CPU"] / ours["µs CPU"], ours["p99 ms"] / values["p99 ms"]
        print(f"requests per CPU second, ours : {which}  {ratio:.2f};  p99, ours : {which}  {tail:.2f}")


if __name__ == "__main__":
    requests, connections = map(int, sys.argv[1:3] or (1000, 8))
    asyncio.run(main(requests, connections, tuple(sys.argv[3:]) or PEERS))
