"""Who is let in: tokens with proofs (F29 to F34), cookies with CSRF tokens, and the partner's hot path."""

import base64
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api.tool.signing import Signer, fresh_key
from core import clock, jose
from tests.api.identity.app import APP, BASE, World
from tests.api.identity.client import App, Caller, Now, log_in, timed

PERKS = "/v1/partner/perks"
REFUSED = "www-authenticate"


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Move protocol time forwards for this test."""
    now = clock.wall
    monkeypatch.setattr(clock, "wall", lambda: now() + timedelta(seconds=seconds))


async def send(caller: Caller, *, token: str | None = None, **claims: Any) -> httpx2.Response:
    """One request with a proof whose claims are changed, without a second go."""
    access = token or await caller.token()
    proof = caller.signer.proof("GET", f"{BASE}{PERKS}", access_token=access, **claims)
    return await caller.http.get(PERKS, headers={"Authorization": f"DPoP {access}", "DPoP": proof})


@pytest_asyncio.fixture
async def caller(world: World) -> AsyncIterator[Caller]:
    """The library, with a token and a nonce."""
    made = world.caller("library")
    await made.token()
    yield made
    await made.http.aclose()


class TestTokens:
    """A DPoP-bound token in the Authorization header."""

    async def test_f32_scope_and_role(self, world: World, caller: Caller) -> None:
        """F32: another role's door, and a token without the scope: 403 naming the scope."""
        answer = await caller.get("/v1/source/subjects")
        assert answer.status_code == 403
        assert answer.json()["code"] == "insufficient_scope"
        assert 'error="insufficient_scope"' in answer.headers[REFUSED]
        assert 'scope="records:write"' in answer.headers[REFUSED]
        narrow = world.caller("library", scope="orders:write")
        assert (await narrow.get(PERKS)).status_code == 403
        assert (await narrow.get("/v1/partner/hot")).status_code == 403
        assert (await caller.get("/v1/me")).status_code == 403

    async def test_nobody(self, world: World) -> None:
        """Nothing sent: 401 with the scheme and no error code (RFC 6750, section 3.1)."""
        answer = await world.browser().get(PERKS)
        assert answer.status_code == 401
        assert answer.headers[REFUSED].startswith("DPoP algs=")
        assert "error=" not in answer.headers[REFUSED]

    async def test_f29_f30_header_only(self, caller: Caller) -> None:
        """F29, F30: a token in the address is refused, whatever else comes with it."""
        answer = await caller.request("GET", f"{PERKS}?access_token={caller.access_token}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

    async def test_bearer(self, caller: Caller) -> None:
        """A bound token sent as Bearer is refused."""
        answer = await caller.http.get(PERKS, headers={"Authorization": f"Bearer {caller.access_token}"})
        assert answer.status_code == 401
        assert answer.headers[REFUSED].startswith('DPoP error="invalid_token"')

    async def test_two_authorization_headers(self, caller: Caller) -> None:
        """Two Authorization headers are refused."""
        headers = [("Authorization", f"DPoP {caller.access_token}")] * 2
        assert (await caller.http.get(PERKS, headers=headers)).status_code == 400

    async def test_f31_tampered(self, caller: Caller) -> None:
        """F31: any altered part kills the token."""
        parts = (await caller.token()).split(".")
        for place in range(3):
            part = parts[place]
            flipped = [*parts]
            flipped[place] = part[:5] + ("A" if part[5] != "A" else "B") + part[6:]
            answer = await send(caller, token=".".join(flipped))
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")

    @pytest.mark.parametrize(
        ("header", "claims"),
        [
            ({"typ": "JWT"}, {}),
            ({"kid": "other"}, {}),
            ({}, {"iss": "https://elsewhere.example"}),
            ({}, {"aud": "https://elsewhere.example/v1"}),
            ({}, {"aud": [f"{BASE}/v1"]}),
            ({}, {"exp": 1_700_000_000}),
        ],
        ids=repr,
    )
    async def test_f31_claims(
        self, world: World, caller: Caller, header: dict[str, Any], claims: dict[str, Any]
    ) -> None:
        """F31: our signature alone is not enough: type, issuer, audience and expiry count (RFC 9068, section 4)."""
        good = jose.parse(await caller.token())
        parts = ({**good.header, **header}, {**good.claims, **claims})
        message = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
        key = world.house.ring.es256(good.header["kid"])
        signature = jose.JWSRegistry.algorithms["ES256"].sign(message, key)
        token = (message + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()
        answer = await send(caller, token=token)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")

    async def test_f34_none_and_hmac(self, caller: Caller) -> None:
        """F34, F36: `none` and HMAC with the published key are no signatures."""
        good = jose.parse(await caller.token())
        for algorithm in ("none", "HS256"):
            parts = ({**good.header, "alg": algorithm}, dict(good.claims))
            message = ".".join(
                base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
            )
            assert (await send(caller, token=f"{message}.")).status_code == 401
            assert (await send(caller, token=f"{message}.AAAA")).status_code == 401

    async def test_f31_expired(self, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        """F31: after five minutes the token is dead, also one seen before."""
        assert (await caller.get(PERKS)).status_code == 200
        later(monkeypatch, 301)
        answer = await send(caller, iat=int(time.time()) + 301)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")

    async def test_anothers_key(self, world: World, caller: Caller) -> None:
        """A's token with B's proof is refused."""
        other = world.caller("rental")
        await other.nonce()
        answer = await send(other, token=await caller.token())
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")

    async def test_the_hot_path_leaves_the_row_to_the_gate(self, caller: Caller) -> None:
        """partner_hot remembers a live token for a minute at most, and forgets one revoked in this process."""
        assert (await caller.get("/v1/partner/hot")).json() == ["library.deposit-free"]
        assert (await caller.get("/v1/partner/hot")).json() == ["library.deposit-free"]
        await caller.post_signed("/oauth/revoke", {"token": await caller.token()})
        assert (await caller.get("/v1/partner/hot")).status_code == 401


class TestProofs:
    """F33: the proof that comes with a token."""

    @pytest.mark.parametrize(
        "changed",
        [
            {"ath": None},
            {"ath": "other"},
            {"htm": "POST"},
            {"htu": f"{BASE}/v1/partner/hot"},
            {"htu": f"https://elsewhere.example{PERKS}"},
            {"iat": Now(-90)},
            {"iat": Now(90)},
            {"jti": None},
        ],
        ids=repr,
    )
    async def test_f33_claims(self, caller: Caller, changed: dict[str, Any]) -> None:
        """F33: method, address, time, token hash and id are those of this request; 401 with the scheme."""
        answer = await send(caller, **timed(changed))
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_dpop_proof")
        assert answer.headers[REFUSED].startswith('DPoP error="invalid_dpop_proof"')

    async def test_f33_replay(self, caller: Caller) -> None:
        """F33: a proof is good once, also for the same request."""
        token = await caller.token()
        headers = {"Authorization": f"DPoP {token}"}
        headers["DPoP"] = caller.signer.proof("GET", f"{BASE}{PERKS}", access_token=token)
        assert (await caller.http.get(PERKS, headers=headers)).status_code == 200
        assert (await caller.http.get(PERKS, headers=headers)).status_code == 401

    async def test_f33_missing(self, caller: Caller) -> None:
        """F33: a token without a proof is refused."""
        answer = await caller.http.get(PERKS, headers={"Authorization": f"DPoP {await caller.token()}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_dpop_proof")

    async def test_f10_nonce(self, caller: Caller) -> None:
        """F10: without our nonce, 401 with one of ours, in both headers' words."""
        answer = await send(caller, nonce=None)
        assert (answer.status_code, answer.json()["code"]) == (401, "use_dpop_nonce")
        assert answer.headers[REFUSED].startswith('DPoP error="use_dpop_nonce"')
        assert answer.headers["dpop-nonce"]

    async def test_an_ageing_nonce_is_replaced_in_time(self, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        """The nonce before the present one still holds, and the answer brings the next; the one before that fails."""
        old = await caller.nonce()
        later(monkeypatch, 60)
        answer = await send(caller, iat=int(time.time()) + 60, nonce=old)
        assert answer.status_code == 200
        assert answer.headers["dpop-nonce"] not in {"", old}
        later(monkeypatch, 60)
        answer = await send(caller, iat=int(time.time()) + 120, nonce=old)
        assert answer.json()["code"] == "use_dpop_nonce"


class TestCookies:
    """The citizens' page: a session cookie, and a CSRF token for whatever is unsafe."""

    async def test_a_cookie_lets_in(self, world: World) -> None:
        """A session is a citizen with CSRF token and no client."""
        browser = world.browser()
        said = (await log_in(browser, "anna")).json()
        assert said["client_id"] is None
        assert said["csrf"] == browser.cookies["osm_csrf"]
        assert said["acr"] == 3

    @pytest.mark.parametrize("value", ["", "made-up", "x" * 3000])
    async def test_no_session(self, world: World, value: str) -> None:
        """A made-up cookie is nobody."""
        answer = await world.browser().get("/v1/me", headers={"Cookie": f"osm_session={value}"})
        assert answer.status_code == 401

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 200),
            ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
            ({"Sec-Fetch-Site": "none"}, 200),
            ({"Origin": BASE}, 200),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Origin": "https://evil.example"}, 403),
        ],
    )
    async def test_unsafe_methods(self, world: World, headers: dict[str, str], status: int) -> None:
        """With the CSRF token, from our own pages; another site is refused even with the token."""
        browser = world.browser()
        await log_in(browser, "anna")
        token = {"X-CSRF-Token": browser.cookies["osm_csrf"]}
        assert (await browser.post("/v1/me/act", headers={**headers, **token})).status_code == status

    async def test_without_the_csrf_token(self, world: World) -> None:
        """No token, another session's token, a token in a JSON body: 403 csrf_failed."""
        browser, other = world.browser(), world.browser()
        await log_in(browser, "anna")
        await log_in(other, "bo")
        foreign = other.cookies["osm_csrf"]
        own = browser.cookies["osm_csrf"]
        for how in ({}, {"headers": {"X-CSRF-Token": foreign}}, {"json": {"csrf": own}}, {"data": {"csrf": foreign}}):
            answer = await browser.post("/v1/me/act", **how)
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")

    async def test_the_form_field(self, world: World) -> None:
        """A plain form sends the token as a field."""
        browser = world.browser()
        await log_in(browser, "anna")
        assert (await browser.post("/v1/me/act", data={"csrf": browser.cookies["osm_csrf"]})).status_code == 200

    async def test_idle_and_absolute_life(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Used sessions live on, to eight hours; unused ones end after 30 minutes."""
        used, unused = world.browser(), world.browser()
        await log_in(used, "anna")
        await log_in(unused, "anna")
        for _ in range(19):
            later(monkeypatch, 25 * 60)
            assert (await used.get("/v1/me")).status_code == 200
        assert (await unused.get("/v1/me")).status_code == 401
        later(monkeypatch, 10 * 60)
        assert (await used.get("/v1/me")).status_code == 401


class TestAppsOfCitizens:
    """A citizen through an app."""

    async def test_a_token_is_a_citizen(self, world: World) -> None:
        """The same person by token and by cookie; no CSRF token is asked for, since no cookie is used."""
        app = App(world.browser(), Signer(fresh_key(), client_id="app", issuer=BASE), APP)
        by_cookie = (await log_in(app.browser, "bo")).json()
        app.caller.adopt((await app.redeem(await app.code())).json())
        app.browser.cookies.clear()
        by_token = (await app.caller.get("/v1/me")).json()
        assert by_token["id"] == by_cookie["id"]
        assert (by_token["client_id"], by_token["csrf"], by_token["acr"]) == ("app", None, 3)
        assert (await app.caller.request("POST", "/v1/me/act")).status_code == 200
        assert (await app.caller.get(PERKS)).status_code == 403

    async def test_sub_is_pairwise(self, world: World) -> None:
        """Two apps see two names for one citizen, and neither is an id of ours."""
        seen = set[str]()
        for client_id, address in (("app", APP), ("other-app", "http://127.0.0.1:9999/back?from=city")):
            app = App(world.browser(), Signer(fresh_key(), client_id=client_id, issuer=BASE), address)
            await log_in(app.browser, "bo")
            given = (await app.redeem(await app.code())).json()
            seen.add(jose.parse(given["access_token"]).claims["sub"])
        assert len(seen) == 2

    async def test_a_citizen_who_left(self, world: World) -> None:
        """When the citizen's row is gone, tokens and sessions are dead."""
        app = App(world.browser(), Signer(fresh_key(), client_id="app", issuer=BASE), APP)
        await log_in(app.browser, "kid")
        app.caller.adopt((await app.redeem(await app.code())).json())
        assert (await app.browser.get("/v1/me")).status_code == 200

        async def leave(session: Any) -> None:
            from auth.tables import citizen

            found = (await app.caller.get("/v1/me")).json()["id"]
            await session.execute(citizen.delete().where(citizen.c.id == found))

        await world.operate(leave)
        assert (await app.caller.get("/v1/me")).status_code == 401
        assert (await app.browser.get("/v1/me")).status_code == 401
