"""Attacks on the authorization server, each with its exact answer. Those on one token or proof are beside its tests."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from api.tool.signing import Signer, fresh_key
from tests.api.identity.app import APP, BASE, LIBRARY, RENTAL, World
from tests.api.identity.client import Caller, Now, answer_of, detail, submit, timed
from tests.api.identity.walks import app_of, partner, ready, refusal

GRANT = {"grant_type": "client_credentials"}
Attack = Callable[[World], Awaitable[httpx2.Response]]


async def with_assertion(world: World, signer: Signer, form: dict[str, str], **claims: Any) -> httpx2.Response:
    """A token request with an assertion whose claims are changed, and a proof that holds."""
    caller = Caller(world.browser(), signer)
    await caller.nonce()
    said = {**GRANT, **signer.assertion_form(), "client_assertion": signer.assertion(**timed(claims)), **form}
    proof = {"DPoP": signer.proof("POST", f"{BASE}/oauth/token")}
    return await caller.http.post("/oauth/token", data=said, headers=proof)


def claimed(**claims: Any) -> Attack:
    """The library's assertion with other claims."""
    return lambda world: with_assertion(world, world.signer("library"), {}, **claims)


async def signed_by_another(world: World) -> httpx2.Response:
    """The rental's key speaks for the library."""
    return await with_assertion(world, world.signer("rental"), {}, iss="library", sub="library")


async def for_a_public_client(world: World) -> httpx2.Response:
    """A partner's key speaks for a citizens' app."""
    return await with_assertion(world, world.signer("rental"), {}, iss="app", sub="app")


async def across_endpoints(world: World) -> httpx2.Response:
    """An assertion that was used at the introspection endpoint comes to the token endpoint."""
    caller = world.caller("library")
    await caller.nonce()
    form = caller.signer.assertion_form()
    assert (await caller.http.post("/oauth/introspect", data={"token": "x", **form})).status_code == 200
    proof = {"DPoP": caller.signer.proof("POST", f"{BASE}/oauth/token")}
    return await caller.http.post("/oauth/token", data={**GRANT, **form}, headers=proof)


async def assertion_as_a_public_client(world: World) -> httpx2.Response:
    """The assertion is left out and the client named, as an app would."""
    return await world.caller("library").post_signed("/oauth/token", GRANT, confidential=False)


def pushed(name: str = "library", **changed: str | None) -> Attack:
    """A partner's request with another parameter."""

    async def attack(world: World) -> httpx2.Response:
        return await (await partner(world, name, login=None)).push(**changed)

    return attack


async def code_of_another_partner(world: World) -> httpx2.Response:
    """The rental redeems what the library was given."""
    asker, thief = await partner(world), await partner(world, "rental", login=None)
    code = await asker.code()
    thief.verifier = asker.verifier
    return await thief.redeem(code, redirect_uri=LIBRARY)


async def partners_code_by_an_app(world: World) -> httpx2.Response:
    """A citizens' app redeems a partner's code."""
    asker, thief = await partner(world), app_of(world)
    code = await asker.code()
    thief.verifier = asker.verifier
    return await thief.redeem(code, redirect_uri=LIBRARY)


async def challenge_as_verifier(world: World) -> httpx2.Response:
    """PKCE as if it were `plain`: the challenge itself is sent."""
    asker = await partner(world)
    return await asker.redeem(await asker.code(), code_verifier=asker.challenge)


async def without_verifier(world: World) -> httpx2.Response:
    """PKCE left out at the end."""
    asker = await partner(world)
    return await asker.redeem(await asker.code(), code_verifier="")


async def without_redirect(world: World) -> httpx2.Response:
    """The address left out at the end."""
    asker = await partner(world)
    return await asker.redeem(await asker.code(), redirect_uri="")


async def refresh_token_as_code(world: World) -> httpx2.Response:
    """One secret in the place of another."""
    asker = await partner(world)
    return await asker.redeem((await asker.given())["refresh_token"])


async def code_as_refresh_token(world: World) -> httpx2.Response:
    """The other way round."""
    asker = await partner(world)
    return await asker.renew(await asker.code())


async def apps_refresh_token_by_a_partner(world: World) -> httpx2.Response:
    """A partner renews what an app was given."""
    app, thief = await ready(world), await partner(world, login=None)
    return await thief.renew((await app.given())["refresh_token"])


async def partners_refresh_token_by_an_app(world: World) -> httpx2.Response:
    """A partner's refresh token, sent with the partner's name and no assertion."""
    asker = await partner(world)
    value = (await asker.given())["refresh_token"]
    asker.confidential = False
    return await asker.renew(value)


async def wider_grant(world: World) -> httpx2.Response:
    """A grant's refresh token asks for the client's other scope."""
    asker = await partner(world)
    return await asker.renew((await asker.given())["refresh_token"], scope="eligibility:check orders:write")


def grant_type(name: str) -> Attack:
    """A grant that we do not have."""
    return lambda world: world.caller("library").post_signed("/oauth/token", {"grant_type": name})


async def proof_of_par_at_token(world: World) -> httpx2.Response:
    """A proof made for one endpoint comes to another."""
    caller = world.caller("library")
    await caller.nonce()
    proof = {"DPoP": caller.signer.proof("POST", f"{BASE}/oauth/par")}
    return await caller.http.post("/oauth/token", data={**GRANT, **caller.signer.assertion_form()}, headers=proof)


async def parameter_twice(world: World) -> httpx2.Response:
    """One address that is checked and one that is used."""
    asker = await partner(world, login=None)
    await asker.caller.nonce()
    body = httpx2.QueryParams({**asker.asks(), **asker.caller.signer.assertion_form()})
    content = f"{body}&redirect_uri={LIBRARY}&redirect_uri=https://evil.example"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return await asker.browser.post("/oauth/par", content=content, headers=kind)


class TestRefused:
    """At the endpoints for clients."""

    @pytest.mark.parametrize(
        ("attack", "status", "code"),
        [
            (claimed(iss="rental"), 401, "invalid_client"),
            (claimed(sub="rental"), 401, "invalid_client"),
            (claimed(sub=["library"]), 401, "invalid_client"),
            (claimed(sub={"library": 1}), 401, "invalid_client"),
            (claimed(jti=None), 401, "invalid_client"),
            (claimed(jti={}), 401, "invalid_client"),
            (claimed(jti="x" * 300), 401, "invalid_client"),
            (claimed(exp=True), 401, "invalid_client"),
            (claimed(exp=str(10**10)), 401, "invalid_client"),
            (claimed(exp=Now(3600)), 401, "invalid_client"),
            (claimed(exp=Now(-60)), 401, "invalid_client"),
            (claimed(iat=Now(-3600)), 401, "invalid_client"),
            (claimed(nbf=Now(300)), 401, "invalid_client"),
            (claimed(aud={"issuer": BASE}), 401, "invalid_client"),
            (signed_by_another, 401, "invalid_client"),
            (for_a_public_client, 401, "invalid_client"),
            (across_endpoints, 401, "invalid_client"),
            (assertion_as_a_public_client, 401, "invalid_client"),
            (pushed(redirect_uri=RENTAL), 400, "invalid_request"),
            (pushed(redirect_uri=f"{LIBRARY}#x"), 400, "invalid_request"),
            (pushed(redirect_uri=f"{LIBRARY}/../evil"), 400, "invalid_request"),
            (pushed(redirect_uri="https://library.example.city@evil.example/back"), 400, "invalid_request"),
            (pushed(code_challenge=None), 400, "invalid_request"),
            (pushed(code_challenge_method="plain"), 400, "invalid_request"),
            (pushed(request_uri="urn:ietf:params:oauth:request_uri:x"), 400, "invalid_request"),
            (pushed(request="eyJhbGciOiJub25lIn0.e30."), 400, "invalid_request"),
            (pushed(resource=f"{BASE}/v1/"), 400, "invalid_target"),
            (pushed(resource="https://elsewhere.example"), 400, "invalid_target"),
            (pushed(response_mode="fragment"), 400, "unsupported_response_type"),
            (pushed(authorization_details='[{"type":"payment"}]'), 400, "invalid_authorization_details"),
            (pushed(authorization_details=json.dumps([detail(purpose="x")])), 400, "invalid_authorization_details"),
            (pushed(authorization_details=json.dumps([detail(min_points=150)])), 400, "invalid_authorization_details"),
            (parameter_twice, 400, "invalid_request"),
            (code_of_another_partner, 400, "invalid_grant"),
            (partners_code_by_an_app, 400, "invalid_grant"),
            (challenge_as_verifier, 400, "invalid_grant"),
            (without_verifier, 400, "invalid_request"),
            (without_redirect, 400, "invalid_grant"),
            (refresh_token_as_code, 400, "invalid_grant"),
            (code_as_refresh_token, 400, "invalid_grant"),
            (apps_refresh_token_by_a_partner, 400, "invalid_grant"),
            (partners_refresh_token_by_an_app, 401, "invalid_client"),
            (wider_grant, 400, "invalid_scope"),
            (grant_type("implicit"), 400, "unsupported_grant_type"),
            (grant_type("urn:ietf:params:oauth:grant-type:token-exchange"), 400, "unsupported_grant_type"),
            (grant_type("urn:ietf:params:oauth:grant-type:jwt-bearer"), 400, "unsupported_grant_type"),
            (grant_type("urn:ietf:params:oauth:grant-type:device_code"), 400, "unsupported_grant_type"),
            (grant_type("client_credentials "), 400, "unsupported_grant_type"),
            (proof_of_par_at_token, 400, "invalid_dpop_proof"),
        ],
    )
    async def test_each(self, world: World, attack: Attack, status: int, code: str) -> None:
        """The named error, and nothing besides."""
        answer = await attack(world)
        assert refusal(answer) == (status, code)
        assert set(answer.json()) == {"error", "error_description"}


class TestBrowser:
    """At the page."""

    async def test_another_partners_request(self, world: World) -> None:
        """A request_uri under another client's name is a page, and stays where it is."""
        asker = await partner(world)
        uri = (await asker.push()).json()["request_uri"]
        as_other = await asker.browser.get("/oauth/authorize", params={"client_id": "rental", "request_uri": uri})
        assert as_other.status_code == 400
        own = await asker.browser.get("/oauth/authorize", params={"client_id": "library", "request_uri": uri})
        assert own.status_code == 200

    async def test_anothers_decision(self, world: World) -> None:
        """A form without the session's own CSRF token, or from another site, decides nothing."""
        asker, other = await partner(world), await ready(world, "bo")
        page = await asker.page()
        assert (await submit(other.browser, page, decision="allow", separate="yes")).status_code == 403
        assert (await submit(world.browser(), page, decision="allow", separate="yes")).status_code == 401
        asker.browser.headers["sec-fetch-site"] = "cross-site"
        assert (await submit(asker.browser, page, decision="allow", separate="yes")).status_code == 403
        asker.browser.headers["sec-fetch-site"] = "same-origin"
        assert (await submit(asker.browser, page, decision="allow", separate="yes")).status_code == 303

    async def test_what_comes_back_is_encoded(self, world: World) -> None:
        """A state with line breaks, quotes and markup comes back as it was and breaks no header and no page."""
        asker = await partner(world)
        asker.state = 'a\r\nSet-Cookie: x=1\r\n\r\n<script>"&iss=evil#'
        page = await asker.page()
        assert "<script>&quot;" not in page.text
        assert "Set-Cookie: x" not in page.text
        answer = await submit(asker.browser, page, decision="allow", separate="yes")
        assert "x" not in answer.cookies
        given = answer_of(answer)
        assert (given["state"], given["iss"]) == (asker.state, BASE)

    async def test_mixing_up_servers(self, world: World) -> None:
        """The answer names us, so that a client with two servers knows whose code it holds (RFC 9207)."""
        app = await ready(world)
        answer = await submit(app.browser, await app.page(), decision="allow")
        assert answer.headers["location"].startswith(APP)
        assert answer_of(answer)["iss"] == BASE

    async def test_racing_redemptions(self, world: World) -> None:
        """Of 64 redemptions of a partner's code one wins, and the others take its tokens back."""
        asker = await partner(world)
        code = await asker.code()
        answers = await asyncio.gather(*(asker.redeem(code) for _ in range(64)))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 63
        (won,) = [answer.json() for answer in answers if answer.status_code == 200]
        assert await asker.introspect(won["access_token"]) == {"active": False}
        assert refusal(await asker.renew(won["refresh_token"])) == (400, "invalid_grant")

    async def test_a_thiefs_app_with_a_registered_name(self, world: World) -> None:
        """Who names a citizens' app and holds no session gets a login page, never an answer."""
        app = app_of(world)
        app.caller.signer = Signer(fresh_key(), client_id="app", issuer=BASE)
        page = await app.page()
        assert "/idp/" in str(page.url)
