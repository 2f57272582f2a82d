"""P4: the token endpoint, and a DPoP-checked call, beside the bare handler.

    .venv/bin/python benchmarks/tokens.py [requests] [concurrency]

Ours: the served application: `POST /oauth/token` (client_credentials: assertion and proof checked, two replay claims, a
row, a signed token), and `GET /v1/partner/perks` with its token and proof. Peer: a bare ASGI function under the same
server program that answers the same number of bytes and does nothing at all, so the ratio is the whole price of the
protocol with its database. Counted: CPU of the one web process and of PostgreSQL; wall time is shown but the machine is
shared. Rounds take turns, the median counts. Answers are checked: every token differs and reads as ours, every call is
let in, and each token has its row.
"""

import asyncio
import itertools
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx2
import msgspec
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.tool.signing import Signer, fresh_key
from benchmarks.eligibility import PARTNERS, base, cpu, served
from benchmarks.peers.ground import MASTER, prepare
from core import embedded
from core.epochs import make_epochs
from core.keys import Keyring

ROUNDS = 5
TOKEN, PERKS, NOTHING = "/oauth/token", "/v1/partner/perks", "/nothing"
FORM = "application/x-www-form-urlencoded"
Made = Callable[[Signer, str], bytes]


def post_token(signer: Signer, _token: str) -> bytes:
    """A whole token request."""
    body = urlencode({"grant_type": "client_credentials", **signer.assertion_form()}).encode()
    proof = signer.proof("POST", base("ours") + TOKEN)
    head = f"POST {TOKEN} HTTP/1.1\r\nHost: 127.0.0.1\r\nDPoP: {proof}\r\nContent-Type: {FORM}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get_perks(signer: Signer, token: str) -> bytes:
    """A whole call with token and proof."""
    proof = signer.proof("GET", base("ours") + PERKS, access_token=token)
    head = f"GET {PERKS} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: DPoP {token}\r\nDPoP: {proof}\r\n\r\n"
    return head.encode()


def get_nothing(_signer: Signer, _token: str) -> bytes:
    """A call of the bare handler."""
    return f"GET {NOTHING} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


async def fresh(signers: list[Signer]) -> list[str]:
    """The nonce of the moment and an access token for every partner."""
    tokens: list[str] = []
    async with httpx2.AsyncClient(base_url=base("ours")) as http:
        for signer in signers:
            answer = await ask(http, signer)
            if signer.heed(answer):
                answer = await ask(http, signer)
            tokens.append(answer.raise_for_status().json()["access_token"])
    return tokens


async def ask(http: httpx2.AsyncClient, signer: Signer) -> httpx2.Response:
    """One token request as everybody sends it."""
    form = {"grant_type": "client_credentials", **signer.assertion_form()}
    return await http.post(TOKEN, data=form, headers={"DPoP": signer.proof("POST", base("ours") + TOKEN)})


async def send(port: int, queue: list[bytes], wide: int) -> list[bytes]:
    """Send the requests over `wide` connections; the bodies, each of a 200."""
    bodies: list[bytes] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while queue:
            writer.write(queue.pop())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            bodies.append(await reader.readexactly(length))
            assert head.startswith(b"HTTP/1.1 200"), (head, bodies[-1])
        writer.close()

    await asyncio.gather(*(connection() for _ in range(wide)))
    return bodies


class Bench:
    """Two servers, their database, and who asks."""

    def __init__(self, servers: dict[str, psutil.Process], postmaster: psutil.Process, signers: list[Signer]) -> None:
        """`servers`: the web process of each."""
        self.servers = servers
        self.postmaster = postmaster
        self.signers = signers
        self.given = 0

    async def measure(self, what: str, count: int, wide: int) -> dict[str, float]:
        """One round of one kind; requests are signed beforehand."""
        which, port, make = {
            "token": ("ours", base("ours"), post_token),
            "call": ("ours", base("ours"), get_perks),
            "bare": ("bare", base("bare"), get_nothing),
        }[what]
        queue = list(self._requests(make, await fresh(self.signers), count))
        pids = [self.postmaster, *self.postmaster.children(recursive=True)]
        web, database = cpu([self.servers[which]]), cpu(pids)
        bodies = await send(int(port.rpartition(":")[2]), queue, wide)
        spent = {
            "µs CPU": (cpu([self.servers[which]]) - web) / count * 1e6,
            "µs PostgreSQL": (cpu(pids) - database) / count * 1e6,
        }
        self._check(what, bodies, count)
        return spent

    def _requests(self, make: Made, tokens: list[str], count: int) -> Iterator[bytes]:
        pairs = itertools.cycle(list(zip(self.signers, tokens, strict=True)))
        return (make(*pair) for pair in itertools.islice(pairs, count))

    def _check(self, what: str, bodies: list[bytes], count: int) -> None:
        self.given += PARTNERS + (count if what == "token" else 0)
        if what == "token":
            assert len({msgspec.json.decode(body)["access_token"] for body in bodies}) == count
        elif what == "call":
            assert all(b"library.deposit-free" in body for body in bodies)


async def main(count: int, wide: int) -> None:
    """Run it all."""
    home = Path(tempfile.mkdtemp(prefix="osm-bench-"))
    epochs = home / "epochs.json"
    make_epochs(epochs)
    jwks = [fresh_key() for _ in range(PARTNERS)]
    signers = [Signer(jwk, client_id=f"p{n}", issuer=base("ours")) for n, jwk in enumerate(jwks)]
    known: dict[str, Any] = {"tokens": {}, "keys": {}, "terms": {}}
    with embedded.running(home / "pg") as cluster:
        url = cluster.dsn()
        await prepare(url, Keyring(MASTER, epochs), jwks)
        async with served("ours", url, epochs, known) as ours, served("bare", url, epochs, known) as bare:
            bench = Bench({"ours": ours, "bare": bare}, psutil.Process(cluster.pid), signers)
            found: dict[str, list[dict[str, float]]] = {"bare": [], "call": [], "token": []}
            for turn in range(ROUNDS + 1):
                for what, results in found.items():
                    result = await bench.measure(what, count, wide)
                    if turn:
                        results.append(result)
        owner = await asyncpg.connect(url)
        written = await owner.fetchval("select count(*) from auth.token")
        assert written == bench.given, (written, bench.given)
        await owner.close()
    embedded.erase(home / "pg")
    report(found)


def report(found: dict[str, list[dict[str, float]]]) -> None:
    """The medians and the ratios."""
    middle = {
        what: {name: statistics.median(one[name] for one in results) for name in results[0]}
        for what, results in found.items()
    }
    for what, values in middle.items():
        print(f"{what:6}", "  ".join(f"{name} {value:,.1f}" for name, value in values.items()))
    nothing = middle["bare"]["µs CPU"]
    for what in ("call", "token"):
        print(f"{what}: {middle[what]['µs CPU'] / nothing:.1f} times the web process's CPU of a bare handler")


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:3] or (300, 8))))
