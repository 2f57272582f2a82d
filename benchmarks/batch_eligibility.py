"""P4: a hundred eligibility checks in one request, one receipt, one multi-row access insert, beside Cerbos.

    .venv/bin/python benchmarks/batch_eligibility.py [batches] [concurrency] [peer]

Ours: `POST /v1/partner/eligibility/batch` of the served application, 100 a batch, with DPoP, limits, consent, a
durable decision and access row each, and a signed receipt. `cerbos`: CheckResources, 20 resources a call, which
decides by attributes that it is told and writes nothing. Counted: decisions per CPU-second of the one process that
answers, and CPU of PostgreSQL beside it; fsync is on. Rounds alternate, the median counts. Every answer is checked:
each member is granted exactly when its holder has the points, and every decision left its access row.
"""

import asyncio
import itertools
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import httpx2
import msgspec
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.tool.signing import Signer, fresh_key
from benchmarks.eligibility import Ground
from benchmarks.peers import ground
from benchmarks.peers.ground import PERK, PORTS, Load, base, cpu, post
from core import embedded
from core.epochs import make_epochs
from core.keys import Keyring

PATH = "/v1/partner/eligibility/batch"
ROUNDS = 5
MEMBERS = {"ours": 100, "cerbos": 20}
Request = tuple[bytes, list[bool]]


def ours(load: Load, count: int) -> Iterator[Request]:
    """Whole batches, and what each member must be told. A value comes again after 1,000 others."""
    of_first = itertools.cycle(
        [(subject, grants) for subject, (number, grants) in load.subjects.items() if number == 0]
    )
    for _ in range(count):
        members = list(itertools.islice(of_first, MEMBERS["ours"]))
        checks = [{"perk": PERK, "holder": {"subject": subject}} for subject, _ in members]
        proof = load.signers[0].proof("POST", base("ours") + PATH, access_token=load.tokens[0])
        body = msgspec.json.encode({"checks": checks})
        yield post(PATH, body, Authorization=f"DPoP {load.tokens[0]}", DPoP=proof), [grants for _, grants in members]


def cerbos(_load: Load, count: int) -> Iterator[Request]:
    """One principal and 20 perks, of which every second one is granted."""
    thresholds = [1100 + place % 2 for place in range(MEMBERS["cerbos"])]
    resources = [
        {"actions": ["check"], "resource": {"kind": "perk", "id": f"{place}", "attr": {"threshold": threshold}}}
        for place, threshold in enumerate(thresholds)
    ]
    attributes = {"consented": True, "held": False, "points": 1100}
    principal = {"id": "somebody", "roles": ["holder"], "attr": attributes}
    body = msgspec.json.encode({"principal": principal, "resources": resources})
    for _ in range(count):
        yield post("/api/check/resources", body), [threshold <= 1100 for threshold in thresholds]


def told(body: bytes) -> list[bool]:
    """What a body says of each member."""
    results = msgspec.json.decode(body)["results"]
    return [one.get("result") == "granted" or one.get("actions", {}).get("check") == "EFFECT_ALLOW" for one in results]


async def send(which: str, queue: list[Request], wide: int) -> None:
    """Send the batches over `wide` connections; the answers are checked when all have come."""
    came: list[tuple[bytes, list[bool]]] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORTS[which], limit=2**20)
        while queue:
            request, expected = queue.pop()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
            assert head.startswith(b"HTTP/1.1 200"), (head, body)
            came.append((body, expected))
        writer.close()

    await asyncio.gather(*(connection() for _ in range(wide)))
    assert all(told(body) == expected for body, expected in came)


async def measure(
    run: Ground, which: str, server: psutil.Process, pids: list[psutil.Process], count: int, wide: int
) -> dict[str, float]:
    """One round."""
    await run.load.fresh_nonces()
    queue = list({"ours": ours, "cerbos": cerbos}[which](run.load, count))
    decisions = count * MEMBERS[which]
    before, pg, started = cpu([server]), cpu(pids), time.perf_counter()
    await send(which, queue, wide)
    seconds = time.perf_counter() - started
    return {
        "decisions per CPU-second": decisions / (cpu([server]) - before),
        "µs PostgreSQL a decision": (cpu(pids) - pg) / decisions * 1e6,
        "decisions/s": decisions / seconds,
    }


async def main(count: int, wide: int, peers: tuple[str, ...]) -> None:
    """Run it all."""
    home = Path(tempfile.mkdtemp(prefix="osm-bench-"))
    make_epochs(home / "epochs.json")
    jwks = [fresh_key() for _ in range(ground.PARTNERS)]
    found: dict[str, list[dict[str, float]]] = {}
    with embedded.running(home / "pg") as cluster:
        url = cluster.dsn()
        await ground.prepare(url, Keyring(ground.MASTER, home / "epochs.json"), jwks)
        owner = await asyncpg.connect(url)
        signers = [Signer(jwk, client_id=f"p{number}", issuer=base("ours")) for number, jwk in enumerate(jwks)]
        run = Ground(home, url, home / "epochs.json", Load(signers, await ground.settle(owner)))
        async with AsyncExitStack() as stack:
            servers = {"ours": await run.open(stack, "ours")}
            async with httpx2.AsyncClient(base_url=base("ours")) as http:
                await run.load.fetch_tokens(http)
            for which in peers:
                try:
                    servers[which] = await run.open(stack, which)
                except (OSError, subprocess.SubprocessError, ValueError) as error:
                    print(f"LEFT OUT: {which}: {error}")
            for _ in range(ROUNDS):
                for which, server in servers.items():
                    pids = [psutil.Process(cluster.pid), *psutil.Process(cluster.pid).children(recursive=True)]
                    found.setdefault(which, []).append(await measure(run, which, server, pids, count, wide))
        written = await owner.fetchval("select count(*) from core.audit_entry where action = 'eligibility.check'")
        assert written == ROUNDS * count * MEMBERS["ours"], written
        await owner.close()
    embedded.erase(home / "pg")
    shutil.rmtree(home)
    for which, results in found.items():
        names = results[0]
        print(
            f"{which:6}", "  ".join(f"{name} {statistics.median(one[name] for one in results):,.0f}" for name in names)
        )


if __name__ == "__main__":
    batches, connections = map(int, sys.argv[1:3] or (20, 4))
    asyncio.run(main(batches, connections, tuple(sys.argv[3:]) or ("cerbos",)))
