"""P5 over HTTP: opening orders on one hot budget row through the served application, beside pgbench with the same SQL.

    .venv/bin/python benchmarks/orders_http.py [seconds] [connections]

Ours: `POST /v1/partner/orders` by a standing consent, of one web process: DPoP proof, replay id, limits, the gate
function, its row, event and entry, in one trip. Peer: pgbench, prepared, as the partner's role with the same gate
function on the same database and the same hot row; it proves, parses and encodes nothing, and its first second, in
which plans are made, does not count. fsync is on. Counted: orders a second of wall time, as both wait for one row and
one disk, and the CPU of the one web process and of PostgreSQL. The requests are signed beforehand and sent by this
process, which shares the cores. Rounds alternate, the median counts; before them two warm up. Every answer is
checked: 201, and `open`; pgbench's orders, of other people, were opened too.
"""

import asyncio
import itertools
import secrets
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx2
import msgspec
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.tool.signing import Signer, fresh_key
from auth import clients
from benchmarks import orders
from benchmarks.peers.ground import MASTER, PORTS, Load, base, cpu, post, served
from core import db, embedded, ids
from core.epochs import make_epochs
from core.keys import Keyring
from core.postgres import migrate

PATH, PERK = "/v1/partner/orders", "library.hot"
ROUNDS = 5
_KEYED = "update auth.client set jwks = $1::jsonb, scopes = '{orders:write}' where client_id = 'shop'"


def requests(load: Load, numbers: Iterator[int], count: int) -> list[bytes]:
    """Whole HTTP requests, each another holder's."""
    made: list[bytes] = []
    for number in itertools.islice(numbers, count):
        proof = load.signers[0].proof("POST", base("ours") + PATH, access_token=load.tokens[0])
        holder = {"subject": ids.show("su", orders.subject_of(1, number))}
        asked = {"out_order_no": secrets.token_hex(12), "perk": PERK, "holder": holder, "deposit": 100}
        named = {"DPoP": proof, "Idempotency-Key": secrets.token_hex(12)}
        made.append(post(PATH, msgspec.json.encode(asked), Authorization=f"DPoP {load.tokens[0]}", **named))
    return made


async def send(queue: list[bytes], wide: int) -> None:
    """Send them over `wide` connections; every order must be open."""

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORTS["ours"])
        while queue:
            writer.write(queue.pop())
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
            assert head.startswith(b"HTTP/1.1 201"), (head, body)
            assert b'"status":"open"' in body, body
        writer.close()

    await asyncio.gather(*(connection() for _ in range(wide)))


async def main(seconds: int, wide: int) -> None:
    """Run it all."""
    home = Path(tempfile.mkdtemp(prefix="osm-bench-"))
    make_epochs(home / "epochs.json")
    ring, jwk = Keyring(MASTER, home / "epochs.json"), fresh_key()
    signer = Signer(jwk, client_id="shop", issuer=base("ours"))
    found: dict[str, list[float]] = {"ours /s": [], "pgbench /s": [], "ours µs CPU": [], "µs PostgreSQL": []}
    with embedded.running(home / "pg") as cluster:
        url = cluster.dsn()
        await migrate.upgrade(url, role_prefix="osmanthus")
        await db.arm(url, ring, "osmanthus")
        owner = await asyncpg.connect(url)
        await owner.execute(orders.CITY)
        await owner.execute(_KEYED, msgspec.json.encode(clients.public_keys([jwk])).decode())
        await owner.execute(orders.SETTLED)
        load, numbers = Load([signer], {}), iter(range(1, orders.OURS))
        async with served("ours", url, home / "epochs.json", {}) as web:
            async with httpx2.AsyncClient(base_url=base("ours")) as http:
                await load.fetch_tokens(http)
            for turn in range(ROUNDS + 2):
                await load.fresh_nonces()
                queue = requests(load, numbers, 200 * seconds)
                postgres = [psutil.Process(cluster.pid), *psutil.Process(cluster.pid).children(recursive=True)]
                count, before, pg, started = len(queue), cpu([web]), cpu(postgres), asyncio.get_running_loop().time()
                await send(queue, wide)
                took = asyncio.get_running_loop().time() - started
                spent = (cpu([web]) - before) / count * 1e6, (cpu(postgres) - pg) / count * 1e6
                rate = await orders.peer(db.door_url(url, ring, "osmanthus", "partner"), home, PERK, 1, seconds, wide)
                if not turn:
                    await owner.execute(orders.LOOKED_AT)
                elif turn > 1:
                    for name, value in zip(found, (count / took, rate, *spent), strict=True):
                        found[name].append(value)
        print(await orders.checked(owner))
        await owner.close()
    middle = {name: statistics.median(values) for name, values in found.items()}
    print("  ".join(f"{name} {value:,.0f}" for name, value in middle.items()))
    ratio = middle["ours /s"] / middle["pgbench /s"]
    core = 1e6 / middle["ours µs CPU"] / middle["pgbench /s"]
    print(f"hot row, over HTTP : pgbench {ratio:.2f} by wall time; a core full of the web process : pgbench {core:.2f}")


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(int(given[0]) if given else 3, int(given[1]) if len(given) > 1 else 16))
