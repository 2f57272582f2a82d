"""A city served by a process of its own, which a test may kill, and what a test needs to be somebody there."""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2

from api import app
from api.tool import demo_city, registration
from api.tool.signing import Signer
from auth import citizens, realname, sessions
from core import clock
from core.settings import ROOT, Settings, read
from tests.api.conftest import publish
from tests.api.identity.client import Caller
from tests.receiver import Receiver

TOOL = "import sys; from api import cli; sys.exit(cli.main(sys.argv[1:]))"
LIBRARY = "library.deposit-free"


class Deployment:
    """`osmanthus serve` on a free port, over a migrated database whose doors are armed."""

    def __init__(self, database_url: str, epochs: Path, *, log: Path, more: Mapping[str, str] | None = None) -> None:
        """`more` are further environment variables; the process writes its log to `log`."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "REDIS_URL"},
            "DATABASE_URL": database_url, "OSMANTHUS_BASE_URL": self.base_url, "OSMANTHUS_SANDBOX": "1",
            "OSMANTHUS_DEMO_IDP": "1", "OSMANTHUS_MASTER_KEY": bytes(range(32)).hex(),
            "OSMANTHUS_EPOCHS_FILE": str(epochs), "PYTHONPATH": str(ROOT), **(more or {}),
        }  # fmt: skip
        self.settings: Settings = read(self.environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._https: list[httpx2.AsyncClient] = []
        self._serial = 0

    async def start(self) -> None:
        """Serve; back when the process answers."""
        self._process = self._run("serve", "--port", str(self.port))
        async with httpx2.AsyncClient(base_url=self.base_url) as http:
            for _ in range(1200):
                assert self._process.poll() is None, self.log.read_text()
                try:
                    if (await http.get("/healthz/live")).is_success:
                        return
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def work(self) -> None:
        """Have a worker beside it, from now on."""
        self._worker = self._run("worker")

    def works(self) -> bool:
        """Whether the worker is alive."""
        return self._worker is not None and self._worker.poll() is None

    def _run(self, *command: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-c", TOOL, *command], env=self.environment, cwd=ROOT, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """SIGKILL, of the worker, too: no goodbye of any kind."""
        assert self._process is not None
        for process in (self._process, self._worker):
            if process is not None:
                process.kill()
                process.wait(20)

    async def close(self) -> None:
        """Stop politely, and hang up."""
        for http in self._https:
            await http.aclose()
        for process in (self._process, self._worker):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)

    async def publish(self) -> None:
        """Put the shipped rule book in force."""
        house = app.make_house(self.settings)
        await publish(house)
        await asyncio.gather(house.short.close(), house.doors.close())

    async def client(self, client_id: str, role: str, scope: str, **more: Any) -> Caller:
        """A registered client that signs."""
        entry = await registration.add(
            self.settings, client_id=client_id, role=role, name=client_id, scopes=[scope], **more
        )
        return Caller(self.browser(), Signer(entry["jwk"], client_id=client_id, issuer=self.base_url))

    def browser(self, cookies: Mapping[str, str] | None = None) -> httpx2.AsyncClient:
        """A client that is closed with the deployment."""
        http = httpx2.AsyncClient(base_url=self.base_url, timeout=60, cookies=dict(cookies or {}))
        self._https.append(http)
        return http

    async def citizen(self, *, optional: bool = True) -> tuple[httpx2.AsyncClient, str]:
        """Somebody who proved who they are and takes part: their browser and ID number."""
        self._serial += 1
        number = demo_city.id_number(date(1990, 5, 4), self._serial)
        proved = realname.Proved("test", f"s-{self._serial}", "林一", number, clock.wall())
        house = app.make_house(self.settings)
        async with house.doors.work("auth") as session:
            citizen_id = await citizens.arrive(session, house.ring, proved=proved)
            value, csrf = await sessions.begin(session, citizen_id=citizen_id, acr=3, auth_time=proved.at, device="")
        await asyncio.gather(house.short.close(), house.doors.close())
        me = self.browser({"osm_session": value})
        me.headers["X-CSRF-Token"] = csrf
        answer = await self.consent(me, "score", optional=optional)
        assert answer.status_code == 201, answer.text
        return me, number

    async def consent(self, me: httpx2.AsyncClient, purpose: str, *, optional: bool = False) -> httpx2.Response:
        """Give a consent for 300 days."""
        notice = (await me.get(f"/v1/rules/notices/{purpose.partition(':')[0]}/1")).json()
        body = {
            "purpose": purpose,
            "notice": {"version": notice["version"], "digest": notice["digest"]},
            "optional_sources": notice["optional_sources"] if optional else [],
            "expires_on": (clock.today() + timedelta(days=300)).isoformat(),
        }
        return await me.post("/v1/me/consents", json=body)

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        """Read, or change, behind the doors."""
        connection = await asyncpg.connect(self.settings.database_url)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()


async def tell(city: Deployment, partner: Caller, shop: Receiver) -> None:
    """A webhook by which this partner hears of its orders, and a worker that has sent its test."""
    city.work()
    made = await partner.request("POST", "/v1/partner/webhooks", json={"url": shop.url})
    tested = await partner.request("POST", f"/v1/partner/webhooks/{made.json()['webhook']['id']}/test")
    assert tested.is_success, tested.text
    async with asyncio.timeout(60):
        while not shop.got:
            await asyncio.sleep(0.1)


def bill(ref: str, who: str, month: str = "2026-09") -> dict[str, Any]:
    """A water bill kept, as a source line."""
    return {
        "ref": ref, "version": 1, "kind": "P01", "id_number": who, "occurred_on": f"{month}-20",
        "fields": {"account": "A1", "period": month, "on_time": True},
    }  # fmt: skip


def idempotency() -> str:
    """A fresh Idempotency-Key."""
    return secrets.token_urlsafe(12)
