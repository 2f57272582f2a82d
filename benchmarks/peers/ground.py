"""The ground of P3 and P4: partners with real tokens, holders in a real database, servers, signed requests, CPU.

Every request is signed beforehand (access token, fresh DPoP proof); whoever answers is handed the very same bytes.
"""

import asyncio
import hashlib
import itertools
import os
import secrets
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import msgspec
import psutil
from sqlalchemy.ext.asyncio import AsyncSession

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from api.staff import publication
from api.tool.signing import Signer
from auth import clients
from benchmarks.peers.bare import PATH, unb64
from core import clock, db, ids, releases
from core.keys import Keyring
from core.postgres import migrate
from core.postgres.engine import engine_of
from core.settings import ROOT

MASTER = bytes(range(32))
PORTS = {"ours": 18_071, "bare": 18_072, "orm": 18_073, "node": 18_074, "cerbos": 18_075}
PERK = "library.deposit-free"
HOLDERS = 4_000
PARTNERS = 4


def base(which: str) -> str:
    """Where a server answers."""
    return f"http://127.0.0.1:{PORTS[which]}"


async def prepare(url: str, ring: Keyring, jwks: list[dict[str, Any]]) -> None:
    """Migrate, publish the library's perk, register the partners."""
    await migrate.upgrade(url, role_prefix="osmanthus")
    await db.arm(url, ring, "osmanthus")
    engine = engine_of(url)
    async with AsyncSession(engine) as session, session.begin():
        for number, jwk in enumerate(jwks):
            await clients.add(
                session, ring, client_id=f"p{number}", role="partner", name="bench", scopes=["eligibility:check"],
                jwks=[jwk], perks=[PERK],
            )  # fmt: skip
        file = ROOT / "policy" / "perks" / "library.toml"
        drafted = await releases.draft(
            session, kind="perks", name=file.name, body=file.read_text(), effective_on=date(2026, 1, 1), by="a"
        )
        await publication.approve(session, release_id=drafted.id, by="b")
    await engine.dispose()


async def settle(owner: "asyncpg.Connection[asyncpg.Record]") -> dict[str, tuple[int, bool]]:
    """People with a score consent, a standing and a consent with a partner; every second one has the points."""
    now, until = datetime.now(UTC), datetime.now(UTC) + timedelta(days=300)
    consents: list[tuple[object, ...]] = []
    standings: list[tuple[object, ...]] = []
    subjects: dict[str, tuple[int, bool]] = {}
    for number in range(HOLDERS):
        citizen, score, subject, partner = ids.new(), ids.new(), uuid.uuid4(), number % PARTNERS
        grants = number % 2 == 0
        consents.append((score, citizen, "score", False, 1, "d", [], None, now, until, ""))
        purpose = f"share:p{partner}/{PERK}"
        consents.append((ids.new(), citizen, purpose, False, 1, "d", [], subject, now, until, ""))
        standings.append((citizen, score, "d", 1100 if grants else 1099, "铜", False, clock.today(), now))
        subjects[ids.show("su", subject)] = (partner, grants)
    columns = "id citizen_id purpose one_use notice_version notice_digest sources subject given_at expires_at receipt"
    await owner.copy_records_to_table("consent", schema_name="auth", columns=columns.split(), records=consents)
    columns = "citizen_id consent_id scorecard points tier held as_of computed_at"
    await owner.copy_records_to_table("standing", schema_name="scoring", columns=columns.split(), records=standings)
    await owner.execute("analyze")
    return subjects


@asynccontextmanager
async def served(which: str, url: str, epochs: Path, known: dict[str, Any]) -> AsyncGenerator[psutil.Process]:
    """One Python web process, by the program and the protocol that `osmanthus serve` runs, for us and peers alike."""
    env = {
        **os.environ, "DATABASE_URL": url, "OSMANTHUS_MASTER_KEY": MASTER.hex(), "OSMANTHUS_BASE_URL": base("ours"),
        "OSMANTHUS_EPOCHS_FILE": str(epochs), "BENCH_KNOWN": msgspec.json.encode(known).decode(),
    }  # fmt: skip
    factory = "api.app:create" if which == "ours" else f"benchmarks.peers.{which}:app"
    more = ["--port", str(PORTS[which]), "--log-level", "error", "--no-access-log", "--no-proxy-headers"]
    more += ["--no-server-header", "--http", "api.wire:Protocol"]
    async with running(which, [sys.executable, "-m", "uvicorn", "--factory", factory, *more], env) as child:
        yield child


@asynccontextmanager
async def running(which: str, command: list[str], env: dict[str, str]) -> AsyncGenerator[psutil.Process]:
    """A server, from its first answer on."""
    child = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220, S603  (our own server)
    try:
        async with httpx2.AsyncClient(base_url=base(which)) as http:
            while True:
                try:
                    await http.get("/healthz/live")
                    break
                except httpx2.TransportError:
                    await asyncio.sleep(0.1)
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait()


class Load:
    """Partners that sign their requests beforehand, and keep-alive connections that send them."""

    def __init__(self, signers: list[Signer], subjects: dict[str, tuple[int, bool]]) -> None:
        """`subjects`: partner and expected answer of each."""
        self.signers = signers
        self.subjects = subjects
        self.tokens: list[str] = []
        self._next = itertools.cycle(subjects)

    async def fetch_tokens(self, http: httpx2.AsyncClient) -> None:
        """One access token a partner, from the real endpoint."""
        for signer in self.signers:
            answer = await self._token(http, signer)
            if signer.heed(answer):
                answer = await self._token(http, signer)
            assert answer.is_success, answer.text
            self.tokens.append(answer.json()["access_token"])

    async def _token(self, http: httpx2.AsyncClient, signer: Signer) -> httpx2.Response:
        form = {"grant_type": "client_credentials", **signer.assertion_form()}
        proof = signer.proof("POST", f"{base('ours')}/oauth/token")
        return await http.post("/oauth/token", data=form, headers={"DPoP": proof})

    async def fresh_nonces(self) -> None:
        """The nonce of the moment for every partner."""
        async with httpx2.AsyncClient(base_url=base("ours")) as http:
            for signer, token in zip(self.signers, self.tokens, strict=True):
                signer.nonce = None
                proof = signer.proof("GET", base("ours") + "/v1/partner/perks", access_token=token)
                headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
                signer.heed(await http.get("/v1/partner/perks", headers=headers))

    def requests(self, count: int) -> Iterator[tuple[bytes, bool]]:
        """Whole HTTP requests and whether each must be granted."""
        for _ in range(count):
            subject = next(self._next)
            number, grants = self.subjects[subject]
            token = self.tokens[number]
            proof = self.signers[number].proof("POST", base("ours") + PATH, access_token=token)
            body = msgspec.json.encode({"perk": PERK, "holder": {"subject": subject}})
            yield post(PATH, body, Authorization=f"DPoP {token}", DPoP=proof), grants

    def plain(self, count: int) -> Iterator[tuple[bytes, bool]]:
        """The same questions for a server that is told everything: CheckResources of Cerbos."""
        for _ in range(count):
            subject = next(self._next)
            _, grants = self.subjects[subject]
            attributes = {"consented": True, "held": False, "points": 1100 if grants else 1099}
            body = {
                "principal": {"id": subject, "roles": ["holder"], "attr": attributes},
                "resources": [
                    {"actions": ["check"], "resource": {"kind": "perk", "id": PERK, "attr": {"threshold": 1100}}}
                ],
            }
            yield post("/api/check/resources", msgspec.json.encode(body)), grants

    async def send(self, which: str, queue: list[tuple[bytes, bool]], wide: int) -> list[float]:
        """Send the requests over `wide` connections; seconds of each. Every answer is checked."""
        times: list[float] = []

        async def connection() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", PORTS[which])
            while queue:
                request, grants = queue.pop()
                started = time.perf_counter()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                times.append(time.perf_counter() - started)
                assert head.startswith(b"HTTP/1.1 200"), (head, body)
                assert (b'"granted"' in body or b"EFFECT_ALLOW" in body) == grants, body
            writer.close()

        await asyncio.gather(*(connection() for _ in range(wide)))
        return times


def post(path: str, body: bytes, **headers: str) -> bytes:
    """A whole HTTP request."""
    named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{named}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def cpu(processes: list[psutil.Process]) -> float:
    """Seconds on a processor of processes that live: by the scheduler's own account, else by ticks."""
    total = 0.0
    for process in processes:
        try:
            total += _scheduled(process.pid) if sys.platform == "linux" else sum(process.cpu_times()[:2])
        except (psutil.NoSuchProcess, OSError):
            continue
    return total


def _scheduled(pid: int) -> float:
    """Nanoseconds of each thread (the kernel's `sched-stats`), in seconds."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def known(load: Load, jwks: list[dict[str, Any]]) -> dict[str, Any]:
    """What the peer need not find out: tokens, keys and terms."""
    claims = [msgspec.json.decode(unb64(token.split(".")[1].encode())) for token in load.tokens]
    numbers = [[unb64(jwk[axis].encode()).hex() for axis in "xy"] for jwk in jwks]
    return {
        "tokens": {
            token: [claim["client_id"], hashlib.sha256(claim["jti"].encode()).hexdigest()]
            for token, claim in zip(load.tokens, claims, strict=True)
        },
        "keys": dict(zip(load.tokens, numbers, strict=True)),
        "terms": {"text": secrets.token_hex(200)},
    }
