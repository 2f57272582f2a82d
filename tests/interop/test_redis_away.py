"""Redis as the short-lived store goes away, comes back, and forgets: fail closed, then go on; nothing is replayed."""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from redis import Redis

from core import embedded
from core.keys import Keyring
from tests.api.contract import fault
from tests.clones import clone
from tests.faults.deployment import LIBRARY, Deployment
from tests.redisserver import ABSENT

pytestmark = pytest.mark.interop


class OwnRedis:
    """A redis-server of this test's own, on a socket, which may stop and start."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds its socket."""
        self.channel = folder / "redis.sock"
        self.url = f"unix://{self.channel}"
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve, empty."""
        options = ["--port", "0", "--unixsocket", str(self.channel), "--save", "", "--appendonly", "no"]
        program = shutil.which("redis-server")
        assert program is not None, ABSENT
        self._server = subprocess.Popen(
            [program, *options, "--dir", str(self.channel.parent)], stdout=subprocess.DEVNULL
        )
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(Exception):
                Redis.from_url(self.url).ping()
                return
            time.sleep(0.02)
        raise AssertionError(ABSENT)

    def stop(self) -> None:
        """End it; whatever it held is gone."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(10)

    def flush(self) -> None:
        """FLUSHALL."""
        with contextlib.closing(Redis.from_url(self.url)) as client:
            client.flushall()


@pytest.fixture
def memory() -> Iterator[OwnRedis]:
    """A running Redis; its absence is a failure."""
    with tempfile.TemporaryDirectory(prefix="osm-redis-") as folder:
        redis = OwnRedis(Path(folder))
        redis.start()
        yield redis
        redis.stop()


@pytest_asyncio.fixture
async def city(
    cluster: embedded.Cluster, city_template: str, ring: Keyring, tmp_path: Path, memory: OwnRedis
) -> AsyncIterator[Deployment]:
    """A city that remembers in that Redis."""
    async with clone(cluster, city_template) as url:
        made = Deployment(url, ring.file, log=tmp_path / "server.log", more={"REDIS_URL": memory.url})
        await made.start()
        yield made
        await made.close()


class TestStopped:
    """No Redis."""

    async def test_tokens_and_proofs_fail_closed_and_come_back(self, city: Deployment, memory: OwnRedis) -> None:
        """503 `store_unavailable` for whatever needs its memory; the page by cookie lives; then all is well again."""
        partner = await city.client("library", "partner", "eligibility:check", perks=[LIBRARY])
        me, _ = await city.citizen()
        assert (await partner.get("/v1/partner/perks")).status_code == 200
        await asyncio.to_thread(memory.stop)
        closed = [
            await partner.get("/v1/partner/perks"),
            await partner.post_signed("/oauth/token", {"grant_type": "client_credentials"}),
            await me.post("/oauth/par", data={"client_id": "x"}),
            await me.get("/healthz/ready"),
        ]
        for answer in closed:
            assert (answer.status_code, fault(answer)) == (503, None), answer.request.url
            assert int(answer.headers["retry-after"]) >= 1
        assert (await me.get("/healthz/live")).status_code == 200
        assert (await me.get("/v1/me/score")).status_code == 200
        await asyncio.to_thread(memory.start)
        assert (await me.get("/healthz/ready")).status_code == 200
        assert (await partner.get("/v1/partner/perks")).status_code == 200
        given = await partner.post_signed("/oauth/token", {"grant_type": "client_credentials"})
        assert given.status_code == 200


class TestForgot:
    """FLUSHALL."""

    async def test_older_proofs_nonces_and_assertions_are_refused(self, city: Deployment, memory: OwnRedis) -> None:
        """What was used before cannot be used again, although nobody remembers it: the epoch has changed."""
        partner = await city.client("library", "partner", "eligibility:check", perks=[LIBRARY])
        await partner.get("/v1/partner/perks")
        token, nonce = await partner.token(), partner.signer.nonce
        url = f"{city.base_url}/v1/partner/perks"
        headers = {
            "Authorization": f"DPoP {token}",
            "DPoP": partner.signer.proof("GET", url, access_token=token),
        }
        form = {"grant_type": "client_credentials", **partner.signer.assertion_form()}
        endpoint = f"{city.base_url}/oauth/token"
        async with httpx2.AsyncClient(base_url=city.base_url) as http:
            assert (await http.get("/v1/partner/perks", headers=headers)).status_code == 200
            first = await http.post(endpoint, data=form, headers={"DPoP": partner.signer.proof("POST", endpoint)})
            assert first.status_code == 200
            await asyncio.sleep(1.01 - time.time() % 1)  # assertions count whole seconds
            await asyncio.to_thread(memory.flush)

            replayed = await http.get("/v1/partner/perks", headers=headers)
            assert (replayed.status_code, replayed.json()["code"]) == (401, "use_dpop_nonce")
            assert replayed.headers["dpop-nonce"] != nonce
            partner.signer.nonce = replayed.headers["dpop-nonce"]
            old = await http.post(endpoint, data=form, headers={"DPoP": partner.signer.proof("POST", endpoint)})
            assert (old.status_code, old.json()["error"]) == (401, "invalid_client")
        assert (await partner.get("/v1/partner/perks")).status_code == 200
