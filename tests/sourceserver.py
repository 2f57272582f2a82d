"""A server with OAuth and the source's door over real HTTP, and sources that sign like real ones."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import uvicorn
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from api import deps, guards, problems
from api.deps import House
from api.identity import oauth
from api.requests import Envelope
from api.source import records, subjects
from api.tool import signing
from auth import clients
from core import db, shortlived
from core.db import Doors
from core.settings import ROOT, Settings
from tests.api.identity.client import Caller
from tests.scoringworld import ALL_KINDS, City, ndjson

NDJSON = {"Content-Type": "application/x-ndjson"}
RECORDS = "/v1/source/records"


class Bureau:
    """A running server, its city, and the sources registered with it."""

    def __init__(self, city: City, base_url: str) -> None:
        """`base_url` is where it answers."""
        self.city, self.base_url = city, base_url
        self._callers: dict[str, Caller] = {}
        self._https: list[httpx2.AsyncClient] = []

    async def register(self, name: str, kinds: frozenset[str] = ALL_KINDS) -> Caller:
        """A source with a key of its own."""
        jwk = signing.fresh_key()
        async with self.city.owner() as session:
            await clients.add(
                session, self.city.ring, client_id=name, role="source", name=name, scopes=["records:write"],
                jwks=[jwk], kinds=kinds, digest_key=self.city.source(name).digest_key,
            )  # fmt: skip
        http = httpx2.AsyncClient(base_url=self.base_url, timeout=60)
        self._https.append(http)
        self._callers[name] = Caller(http, signing.Signer(jwk, client_id=name, issuer=self.base_url))
        return self._callers[name]

    async def push(
        self, *lines: Any, source: str = "utilities", headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        """Push lines as a registered source."""
        return await self.send(ndjson(*lines), source=source, headers=headers)

    async def send(
        self, body: bytes | AsyncIterator[bytes], *, source: str = "utilities", headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        """Push bytes as they are."""
        await self.ready(source)
        return await self._callers[source].request("POST", RECORDS, content=body, headers={**NDJSON, **(headers or {})})

    async def verb(
        self, verb: str, *, source: str = "utilities", key: str | None = None, **given: Any
    ) -> httpx2.Response:
        """`revoke`, `repair` or `correct`."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self._callers[source].request("POST", f"{RECORDS}/{verb}", json=given, headers=headers)

    async def get(self, path: str, *, source: str = "utilities") -> httpx2.Response:
        """Read something as a source."""
        return await self._callers[source].request("GET", path)

    async def ready(self, source: str) -> None:
        """Fetch token and nonce first: a streamed body can't be sent twice."""
        await self.get("/v1/source/subjects", source=source)

    async def signed_headers(self, source: str = "utilities") -> dict[str, str]:
        """The headers of one push, for a test that writes to the socket itself."""
        await self.ready(source)
        caller = self._callers[source]
        token = await caller.token()
        proof = caller.signer.proof("POST", self.base_url + RECORDS, access_token=token)
        return {
            **NDJSON,
            "Authorization": f"DPoP {token}",
            "DPoP": proof,
            "Host": self.base_url.removeprefix("http://"),
        }

    async def close(self) -> None:
        """Hang up."""
        for http in self._https:
            await http.aclose()


def application(house: House) -> Envelope:
    """The app of these tests."""
    app = Litestar(
        [*oauth.handlers, *records.handlers, *subjects.handlers],
        dependencies={"house": Provide(deps.provide_house)},
        exception_handlers={Exception: problems.answer},
        before_send=[guards.send_nonce],
        state=State({"house": house}),
        request_max_body_size=1_000_000,
        openapi_config=None,
    )
    return Envelope(app)


@asynccontextmanager
async def serving(city: City, doors: Doors) -> AsyncGenerator[Bureau]:
    """The server on a free port for the length of a block, `utilities` registered."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each answer waits 40 ms for an ACK
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = Settings(
        base_url=base_url, database_url=city.owner_url, master_key=bytes(range(32)),
        epochs_file=ROOT / "unused", sandbox=True, demo_idp=True,
    )  # fmt: skip
    short = shortlived.connect(
        redis_url=None, postgres_url=db.door_url(city.owner_url, doors.ring, settings.role_prefix, "auth"), size=4
    )
    app = application(House(settings, doors.ring, doors, short))
    running = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    running.install_signal_handlers = lambda: None  # type: ignore[method-assign]
    task = asyncio.create_task(running.serve(sockets=[listener]))
    while not running.started:
        await asyncio.sleep(0.01)
    bureau = Bureau(city, base_url)
    try:
        await bureau.register("utilities")
        yield bureau
    finally:
        await bureau.close()
        running.should_exit = True
        await task
        await short.close()
