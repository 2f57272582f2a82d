"""The database is killed and forgets what it had seen used: whatever was used once is still refused, byte for byte.

The short-lived store lies in UNLOGGED tables, which PostgreSQL empties after a crash. So nothing but the epoch stands
between a proof seen yesterday and a second use of it: a nonce belongs to the epoch in which it was given, an assertion
must be younger than the epoch. Codes, refresh tokens and sessions are remembered in tables that survive.
"""

import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio

from api.tool import registration
from api.tool.signing import Signer, fresh_key
from core import db, embedded
from core.keys import Keyring
from core.postgres import migrate
from tests.api.identity.client import App, Caller, submit
from tests.conftest import FAST, PREFIX
from tests.faults.deployment import LIBRARY, Deployment, idempotency

Again = Callable[[], Awaitable[httpx2.Response]]
BACK = "https://app.example.city/callback"
PERKS, TOKEN, CHECK, ME = "/v1/partner/perks", "/oauth/token", "/v1/partner/eligibility", "/v1/me"
GRANT = {"grant_type": "client_credentials"}


class Ground(msgspec.Struct):
    """A served city and the server under it."""

    home: Path
    under: embedded.Running
    city: Deployment

    async def crash(self) -> None:
        """SIGKILL the postmaster, start it again, and wait until the city, which was not restarted, is ready."""
        await asyncio.sleep(1.01 - time.time() % 1)  # assertions count whole seconds: let the next epoch begin later
        self.under.server.send_signal(signal.SIGKILL)
        await asyncio.to_thread(embedded.stop, self.under)
        self.under = await asyncio.to_thread(lambda: embedded.start(self.home, options=FAST))
        browser = self.city.browser()
        async with asyncio.timeout(30):
            while not (await browser.get("/healthz/ready")).is_success:
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module")
async def ground(ring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """A city over an embedded server of its own, which each test crashes once more."""
    home = Path(tempfile.mkdtemp(prefix="osm-"))
    made = Ground(home, embedded.start(home, options=FAST), None)  # type: ignore[arg-type]  (made up by the test)
    try:
        url = made.under.cluster.dsn()
        await migrate.upgrade(url, role_prefix=PREFIX, sandbox=True)
        await db.arm(url, ring, PREFIX)
        made.city = Deployment(url, ring.file, log=tmp_path_factory.mktemp("city") / "server.log")
        await made.city.publish()
        await made.city.start()
        yield made
        await made.city.close()
    finally:
        embedded.stop(made.under)
        embedded.erase(home)
        shutil.rmtree(home, ignore_errors=True)


def told(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code, of a problem or of an OAuth error."""
    body = answer.json()
    return answer.status_code, body.get("code") or body.get("error", "")


class Partner:
    """A library's requests, each made once and sent whenever it is called."""

    def __init__(self, city: Deployment, caller: Caller) -> None:
        """`caller` holds its key."""
        self.city = city
        self.caller = caller
        self.signer = caller.signer
        self.http = city.browser()

    async def call(self) -> Again:
        """A call with its token and a proof of now."""
        token = await self.caller.token()
        proof = self.signer.proof("GET", self.city.base_url + PERKS, access_token=token)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        return lambda: self.http.get(PERKS, headers=headers)

    def authenticated(self) -> tuple[dict[str, str], Again]:
        """An assertion of now, and a token request that carries it with whatever proof holds then."""
        form = {**GRANT, **self.signer.assertion_form()}
        return form, lambda: self.ask(form)

    async def ask(self, form: dict[str, str]) -> httpx2.Response:
        """A token request with a proof of now; once more when a nonce is due."""

        async def once() -> httpx2.Response:
            proof = self.signer.proof("POST", self.city.base_url + TOKEN)
            return await self.http.post(TOKEN, data=form, headers={"DPoP": proof})

        answer = await once()
        return await once() if self.signer.heed(answer) else answer


async def partner(city: Deployment, name: str) -> Partner:
    """A library, with a token and the nonce of the moment."""
    made = Partner(city, await city.client(name, "partner", "eligibility:check", perks=[LIBRARY]))
    assert (await made.caller.get(PERKS)).status_code == 200
    return made


async def app(city: Deployment) -> App:
    """A citizens' app beside the browser of somebody who takes part."""
    await registration.add(
        city.settings, client_id="app", role="citizen", name="app", scopes=["me"], redirect_uris=[BACK]
    )
    me, _ = await city.citizen()
    return App(me, Signer(fresh_key(), client_id="app", issuer=city.base_url), BACK)


class TestProofs:
    """Proofs of possession and assertions, which only the short-lived store remembers."""

    async def test_used_and_unused_ones_are_refused(self, ground: Ground) -> None:
        """Used before the crash: refused. So is one never used, since nobody knows any more that it was not.

        The store came back empty, so a proof that was used and one that was not look the same to us. Therefore whatever
        was made in the old epoch is refused, and its sender makes another one; they need not know of the crash.
        """
        city, library = ground.city, await partner(ground.city, "proving")
        used, (_, assertion) = await library.call(), library.authenticated()
        assert (await used()).status_code == 200
        assert told(await used()) == (401, "invalid_dpop_proof")
        assert (await assertion()).status_code == 200
        assert told(await assertion()) == (401, "invalid_client")
        unused, (_, kept) = await library.call(), library.authenticated()
        nonce = library.signer.nonce

        await ground.crash()

        for again in (used, unused):
            answer = await again()
            assert told(answer) == (401, "use_dpop_nonce")
            assert answer.headers["dpop-nonce"] != nonce
        for again in (assertion, kept):
            answer = await again()
            assert told(answer) == (401, "invalid_client")
            assert "older than our memory" in answer.json()["error_description"]
        assert (await library.caller.get(PERKS)).status_code == 200
        assert (await library.ask(library.authenticated()[0])).status_code == 200
        assert await city.rows("select 1 from core.short_epoch")

    async def test_only_the_epoch_stands_between(self, ground: Ground) -> None:
        """The crash really empties the store: the claim on a used proof is free again, and the epoch is another."""
        library = await partner(ground.city, "claiming")
        assert (await (await library.call())()).status_code == 200
        held = "select key from core.short_claim where key like 'dpop:%'"
        epoch = "select epoch from core.short_epoch"
        before = await ground.city.rows(epoch)
        assert await ground.city.rows(held)
        await ground.crash()
        assert await ground.city.rows(held) == []
        await library.caller.get(PERKS)
        assert await ground.city.rows(epoch) != before


class TestOAuth:
    """What a citizens' app was given."""

    async def test_codes_and_tokens(self, ground: Ground) -> None:
        """A redeemed code, a turned refresh token and a decided request_uri stay used; the next walk works."""
        walk = await app(ground.city)
        pushed = (await walk.push()).json()["request_uri"]
        query = {"client_id": "app", "request_uri": pushed}
        page = await walk.browser.get("/oauth/authorize", params=query)
        assert page.status_code == 200, page.text
        answer = await submit(walk.browser, page, decision="allow")
        code = httpx2.QueryParams(answer.headers["location"].partition("?")[2])["code"]
        first = (await walk.redeem(code)).json()
        second = (await walk.renew(first["refresh_token"])).json()
        third = (await walk.renew(second["refresh_token"])).json()

        await ground.crash()

        assert (await walk.browser.get("/oauth/authorize", params=query)).status_code == 400
        decided = await submit(walk.browser, page, decision="allow")
        assert (decided.status_code, "location" in decided.headers) == (400, False)
        walk.caller.adopt(third)
        assert (await walk.caller.get(ME)).status_code == 200  # a live token outlives the crash
        assert told(await walk.renew(first["refresh_token"])) == (400, "invalid_grant")
        assert told(await walk.renew(third["refresh_token"])) == (400, "invalid_grant")  # its family ended with that
        given = await walk.given()
        assert told(await walk.redeem(code)) == (400, "invalid_grant")
        walk.caller.adopt(given)
        assert (await walk.caller.get(ME)).status_code == 200


class TestCitizen:
    """What a citizen showed or ended."""

    async def test_credit_code(self, ground: Ground) -> None:
        """A code that was shown is `code_used` for another question, and the same key hears the same decision."""
        library = await partner(ground.city, "library")
        me, _ = await ground.city.citizen()
        spent = await self._drawn(me)
        key = {"Idempotency-Key": idempotency()}
        first = await library.caller.request("POST", CHECK, json=spent, headers=key)
        assert first.json()["result"] == "granted", first.text

        await ground.crash()

        again = await library.caller.request("POST", CHECK, json=spent)
        assert (again.json()["result"], again.json()["reason"]) == ("standard_route", "code_used")
        same = await library.caller.request("POST", CHECK, json=spent, headers=key)
        assert (same.json()["result"], same.headers["idempotent-replayed"]) == ("granted", "true")
        fresh = await library.caller.request("POST", CHECK, json=await self._drawn(me))
        assert fresh.json()["result"] == "granted", fresh.text

    async def _drawn(self, me: httpx2.AsyncClient) -> dict[str, Any]:
        drawn = await me.post("/v1/me/credit-code", json={"perk": LIBRARY})
        assert drawn.status_code in {200, 201}, drawn.text
        return {"perk": LIBRARY, "holder": {"code": drawn.json()["code"]}, "amount": 10000}

    async def test_session(self, ground: Ground) -> None:
        """A cookie that was logged out stays out; one that was not stays in."""
        (gone, _), (stays, _) = await ground.city.citizen(), await ground.city.citizen()
        stolen = ground.city.browser({"osm_session": gone.cookies["osm_session"]})
        assert (await stolen.get(ME)).status_code == 200
        left = await gone.post("/logout", data={"csrf": gone.headers["X-CSRF-Token"]})
        assert left.status_code == 303, left.text

        await ground.crash()

        assert told(await stolen.get(ME)) == (401, "unauthenticated")
        assert (await stays.get(ME)).status_code == 200
