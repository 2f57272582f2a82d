"""The FAPI 2.0 Security Profile (final, 22 February 2025), point by point: one test a point, by our numbers F1 to F39.

The profile is claimed for partners, who are confidential clients. Citizens' apps are public clients, since a phone
keeps no secret that its owner could not read: the deviation is said in docs/decisions, and in the docstrings of F3 and
F9.
"""

import base64
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import text

from api.tool.signing import Signer, fresh_key
from auth import atjwt, authorize, clients, dpop, par
from core import jose
from core.errors import Invalid
from tests.api.identity.app import APP, BASE, LIBRARY, World
from tests.api.identity.client import App, Now, answer_of, detail, submit, timed
from tests.api.identity.walks import app_of, partner, ready, refusal

GRANT = {"grant_type": "client_credentials"}
PERKS = "/v1/partner/perks"
PARTNER: dict[str, Any] = {
    "client_id": "f22", "role": "partner", "name": "f22", "scopes": ["eligibility:check"], "contact": "1"
}  # fmt: skip


async def asked(world: World, assertion: str) -> tuple[int, str]:
    """The refusal of a token request with this assertion and a proof that holds."""
    caller = world.caller("library")
    await caller.nonce()
    form = {**GRANT, **caller.signer.assertion_form(), "client_assertion": assertion}
    proof = {"DPoP": caller.signer.proof("POST", f"{BASE}/oauth/token")}
    return refusal(await caller.http.post("/oauth/token", data=form, headers=proof))


async def decided(asker: App, **changed: str) -> Any:
    """The answer to a yes."""
    return await submit(asker.browser, await asker.page(), decision="allow", **{**asker.yes, **changed})


class TestServer:
    """5.3.2.1: the authorization server in general."""

    async def test_f01_metadata(self, world: World) -> None:
        """F1: the metadata document is served where RFC 8414 says, and its issuer is the one in tokens and answers."""
        document = (await world.browser().get("/.well-known/oauth-authorization-server")).json()
        token = jose.parse(await world.caller("library").token()).claims
        assert document["issuer"] == BASE == token["iss"]
        assert document["require_pushed_authorization_requests"] is True
        assert document["authorization_details_types_supported"] == ["credit_eligibility"]

    async def test_f02_no_password_grant(self, world: World) -> None:
        """F2: the password grant is refused, with and without good credentials beside it."""
        form = {"grant_type": "password", "username": "anna", "password": "pw-anna"}
        assert refusal(await world.caller("library").post_signed("/oauth/token", form)) == (
            400, "unsupported_grant_type")  # fmt: skip

    async def test_f03_confidential_clients(self, world: World) -> None:
        """F3: whatever the profile is claimed for needs authentication; naming a partner gives nothing.

        Deviation: citizens' apps are public (PKCE, DPoP, PAR), and may only act for the citizen on that device.
        """
        for path, form in (
            ("/oauth/token", GRANT), ("/oauth/par", {"response_type": "code"}), ("/oauth/introspect", {"token": "x"}),
            ("/oauth/revoke", {"token": "x"}),
        ):  # fmt: skip
            answer = await world.caller("library").post_signed(path, form, confidential=False)
            assert refusal(answer) == (401, "invalid_client"), path
        app = app_of(world)
        assert refusal(await app.caller.post_signed("/oauth/token", GRANT, confidential=False)) == (
            400, "unauthorized_client")  # fmt: skip

    async def test_f04_only_bound_tokens(self, world: World) -> None:
        """F4: every grant's token is bound to the key of its request, and says so."""
        asker, caller = await partner(world), world.caller("rental")
        first = await asker.given()
        for given, signer in (
            (first, asker.caller.signer),
            ((await asker.renew(first["refresh_token"])).json(), asker.caller.signer),
            (await caller.grant(GRANT), caller.signer),
        ):
            assert given["token_type"] == "DPoP"
            assert jose.parse(given["access_token"]).claims["cnf"] == {"jkt": signer.jkt}

    async def test_f05_dpop(self, world: World) -> None:
        """F5: without a proof of possession there is no token."""
        caller = world.caller("library")
        answer = await caller.http.post("/oauth/token", data={**GRANT, **caller.signer.assertion_form()})
        assert refusal(answer) == (400, "invalid_dpop_proof")

    async def test_f06_private_key_jwt(self, world: World) -> None:
        """F6: private_key_jwt is the only authentication; a secret in the body or the header is none."""
        document = (await world.browser().get("/.well-known/oauth-authorization-server")).json()
        assert document["introspection_endpoint_auth_methods_supported"] == ["private_key_jwt"]
        caller = world.caller("library")
        await caller.nonce()
        for form, header in (
            ({"client_id": "library", "client_secret": "secret"}, {}),
            ({}, {"Authorization": "Basic bGlicmFyeTpzZWNyZXQ="}),
        ):
            proof = {"DPoP": caller.signer.proof("POST", f"{BASE}/oauth/token")}
            answer = await caller.http.post("/oauth/token", data={**GRANT, **form}, headers={**proof, **header})
            assert refusal(answer) == (401, "invalid_client")

    async def test_f07_no_open_redirector(self, world: World) -> None:
        """F7: no address in a request moves a browser; without a pushed request there is a page and no redirect."""
        browser = (await ready(world)).browser
        for query in (
            {"client_id": "app", "redirect_uri": "https://evil.example", "response_type": "code"},
            {"client_id": "app", "request_uri": "https://evil.example"},
            {"client_id": "app", "request_uri": "urn:x", "redirect_uri": "https://evil.example"},
        ):
            answer = await browser.get("/oauth/authorize", params=query)
            assert answer.status_code == 400
            assert "location" not in answer.headers

    @pytest.mark.parametrize("aud", [f"{BASE}/oauth/token", [BASE], [BASE, "x"], f"{BASE}/", "", None], ids=repr)
    async def test_f08_the_assertions_audience(self, world: World, aud: Any) -> None:
        """F8: the audience of an assertion is the issuer, as one string."""
        assert await asked(world, world.signer("library").assertion(aud=aud)) == (401, "invalid_client")

    async def test_f09_no_rotation(self, world: World) -> None:
        """F9: a partner's refresh token is not rotated and stays good.

        Deviation: a citizens' app's is turned (RFC 9700, 4.14.2), and the old one is taken again for a lost answer.
        """
        asker, app = await partner(world), await ready(world)
        value = (await asker.given())["refresh_token"]
        for _ in range(2):
            assert "refresh_token" not in (await asker.renew(value)).json()
        turned = (await app.given())["refresh_token"]
        assert (await app.renew(turned)).json()["refresh_token"] == (await app.renew(turned)).json()["refresh_token"]

    async def test_f10_nonces(self, world: World) -> None:
        """F10: a proof without a nonce of ours is answered with one, at the server and at the resource."""
        caller = world.caller("library")
        first = await caller.http.post(
            "/oauth/token", data={**GRANT, **caller.signer.assertion_form()},
            headers={"DPoP": caller.signer.proof("POST", f"{BASE}/oauth/token")},
        )  # fmt: skip
        assert (first.status_code, first.json()["error"]) == (400, "use_dpop_nonce")
        token = await caller.token()
        proof = caller.signer.proof("GET", f"{BASE}{PERKS}", access_token=token, nonce="ours")
        answer = await caller.http.get(PERKS, headers={"Authorization": f"DPoP {token}", "DPoP": proof})
        assert (answer.status_code, answer.json()["code"]) == (401, "use_dpop_nonce")
        assert first.headers["dpop-nonce"]
        assert answer.headers["dpop-nonce"]

    async def test_f11_a_minute(self, world: World) -> None:
        """F11: a code lives 60 seconds at most, and an older one is refused."""
        assert timedelta(seconds=60) >= authorize.LIFE
        asker = await partner(world)
        code = await asker.code()
        late = text("update auth.code set expires_at = now() - interval '1 second' where hash = :hash")
        await world.operate(lambda session: session.execute(late, {"hash": authorize._hash(code)}))
        assert refusal(await asker.redeem(code)) == (400, "invalid_grant")

    async def test_f12_codes_are_bound_to_a_key(self, world: World) -> None:
        """F12: by the header and by `dpop_jkt`; with another key the code is nothing; the two must agree."""
        asker = await partner(world)
        key = Signer(fresh_key(), client_id="library", issuer=BASE)
        asker.detail = detail()
        assert refusal(await asker.push(dpop_jkt=key.jkt)) == (400, "invalid_request")
        form = {
            "response_type": "code", "redirect_uri": LIBRARY, "code_challenge": asker.challenge,
            "code_challenge_method": "S256", "dpop_jkt": key.jkt, **asker.asks(),
            **asker.caller.signer.assertion_form(),
        }  # fmt: skip
        pushed = await asker.browser.post("/oauth/par", data=form)
        assert pushed.status_code == 201, pushed.text
        query = {"client_id": "library", "request_uri": pushed.json()["request_uri"]}
        page = await asker.browser.get("/oauth/authorize", params=query)
        code = answer_of(await submit(asker.browser, page, decision="allow", separate="yes"))["code"]
        assert refusal(await asker.redeem(code)) == (400, "invalid_grant")

    @pytest.mark.parametrize(("ahead", "holds"), [(8, True), (75, False)])
    async def test_f13_clocks(self, world: World, ahead: int, *, holds: bool) -> None:
        """F13: iat and nbf a few seconds ahead are taken, more than a minute ahead are not."""
        caller = world.caller("library")
        await caller.nonce()
        for name in ("iat", "nbf"):
            claims = timed({name: Now(ahead), "exp": Now(ahead + 60)})
            form = {**GRANT, **caller.signer.assertion_form(), "client_assertion": caller.signer.assertion(**claims)}
            proof = caller.signer.proof("POST", f"{BASE}/oauth/token", **timed({"iat": Now(min(ahead, 8))}))
            answer = await caller.http.post("/oauth/token", data=form, headers={"DPoP": proof})
            assert (answer.status_code == 200) is holds, answer.text
        assert dpop.SKEW == 60

    async def test_f14_least_privilege(self, world: World) -> None:
        """F14: a token has the scopes asked for and no others; a grant's token is for one holder and perk."""
        given = await world.caller("library").grant({**GRANT, "scope": "orders:write"})
        assert given["scope"] == jose.parse(given["access_token"]).claims["scope"] == "orders:write"
        asker = await partner(world)
        asker.caller.adopt(await asker.given())
        assert (await asker.caller.get(PERKS)).status_code == 403


class TestAuthorization:
    """5.3.2.2: the authorization code flow."""

    @pytest.mark.parametrize("kind", ["token", "code id_token", "id_token", "none", "code code"])
    async def test_f15_code_only(self, world: World, kind: str) -> None:
        """F15: response_type is code and nothing else."""
        asker = await partner(world, login=None)
        assert refusal(await asker.push(response_type=kind)) == (400, "unsupported_response_type")

    async def test_f16_par(self, world: World) -> None:
        """F16: requests are pushed by an authenticated client."""
        answer = await (await partner(world, login=None)).push()
        assert answer.status_code == 201
        assert answer.json()["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")

    async def test_f17_nothing_without_par(self, world: World) -> None:
        """F17: the parameters of a whole request in the address are refused."""
        asker = await partner(world)
        query = {"client_id": "library", "response_type": "code", "redirect_uri": LIBRARY, "scope": "eligibility:check",
                 "code_challenge": asker.challenge, "code_challenge_method": "S256"}  # fmt: skip
        answer = await asker.browser.get("/oauth/authorize", params=query)
        assert answer.status_code == 400
        assert "location" not in answer.headers

    async def test_f18_par_without_authentication(self, world: World) -> None:
        """F18: a partner's request without its assertion is refused."""
        asker = await partner(world, login=None)
        asker.confidential = False
        assert refusal(await asker.push()) == (401, "invalid_client")

    @pytest.mark.parametrize(
        "changed", [{"code_challenge": None}, {"code_challenge_method": "plain"}, {"code_challenge_method": None}]
    )
    async def test_f19_pkce(self, world: World, changed: dict[str, Any]) -> None:
        """F19: PKCE with S256, also for confidential clients; a wrong verifier gives nothing."""
        assert refusal(await (await partner(world, login=None)).push(**changed)) == (400, "invalid_request")
        asker = await partner(world)
        assert refusal(await asker.redeem(await asker.code(), code_verifier="x" * 43)) == (400, "invalid_grant")

    @pytest.mark.parametrize("address", [None, APP, f"{LIBRARY}?x", LIBRARY.upper(), "https://evil.example"])
    async def test_f20_redirect_uri(self, world: World, address: str | None) -> None:
        """F20: redirect_uri is required, and compared letter by letter with those registered."""
        answer = await (await partner(world, login=None)).push(redirect_uri=address)
        assert refusal(answer) == (400, "invalid_request")

    async def test_f21_iss(self, world: World) -> None:
        """F21: the answer names its issuer, for a yes and for a no (RFC 9207)."""
        asker = await partner(world)
        assert answer_of(await decided(asker))["iss"] == BASE
        no = await submit(asker.browser, await asker.page(), decision="deny")
        assert answer_of(no)["iss"] == BASE

    @pytest.mark.parametrize("address", ["http://library.example/", "ftp://x.example/", "javascript:1", "//x.example"])
    async def test_f22_no_plain_http(self, world: World, address: str) -> None:
        """F22: an address that is neither https nor loopback is not registered."""
        with pytest.raises(Invalid):
            await world.operate(
                lambda session: clients.add(
                    session, world.house.ring, jwks=[fresh_key()], redirect_uris=[address], **PARTNER
                )
            )

    async def test_f23_once(self, world: World) -> None:
        """F23: a code is good once; when it comes again, its tokens die, the refresh token too."""
        asker = await partner(world)
        code = await asker.code()
        given = (await asker.redeem(code)).json()
        assert refusal(await asker.redeem(code)) == (400, "invalid_grant")
        assert await asker.introspect(given["access_token"]) == {"active": False}
        assert refusal(await asker.renew(given["refresh_token"])) == (400, "invalid_grant")

    async def test_f24_never_307(self, world: World) -> None:
        """F24: no answer on the way is a 307 or 308."""
        asker = await partner(world, login=None)
        query = {"client_id": "library", "request_uri": (await asker.push()).json()["request_uri"]}
        answer = await asker.browser.get("/oauth/authorize", params=query)
        assert answer.status_code == 303
        assert urlsplit(answer.headers["location"]).path == "/login"

    async def test_f25_303(self, world: World) -> None:
        """F25: the browser is sent on by 303, so that a form is never sent on; for a yes and for a no."""
        asker = await partner(world)
        assert (await decided(asker)).status_code == 303
        assert (await submit(asker.browser, await asker.page(), decision="deny")).status_code == 303

    async def test_f26_ten_minutes(self, world: World) -> None:
        """F26: a pushed request lives less than 600 seconds."""
        answer = await (await partner(world, login=None)).push()
        assert 0 < answer.json()["expires_in"] == par.LIFE < 600

    async def test_f27_the_page_says_who_and_what(self, world: World) -> None:
        """F27: the page names the client and what it asks for."""
        page = (await (await partner(world)).page()).text
        assert re.search(r"<h1>让“library”知道您能不能免押金借书吗？</h1>", page)

    async def test_f28_a_nonce(self, world: World) -> None:
        """F28: a nonce of 64 characters is taken."""
        assert (await (await partner(world, login=None)).push(nonce="n" * 64)).status_code == 201


class TestResource:
    """5.3.4: the API."""

    async def test_f29_header_only(self, world: World) -> None:
        """F29: the token comes in the Authorization header; in a form it is not looked for."""
        caller = world.caller("library")
        proof = caller.signer.proof("GET", f"{BASE}{PERKS}", access_token=await caller.token())
        answer = await caller.http.request(
            "GET", PERKS, content=f"access_token={caller.access_token}",
            headers={"DPoP": proof, "Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert answer.status_code == 401

    async def test_f30_not_in_the_address(self, world: World) -> None:
        """F30: a token in the address is refused, whatever else comes."""
        caller = world.caller("library")
        answer = await caller.get(f"{PERKS}?access_token={await caller.token()}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

    @pytest.mark.parametrize("how", ["revoked", "expired", "tampered", "foreign"])
    async def test_f31_it_must_hold(self, world: World, how: str) -> None:
        """F31: revoked, expired, altered, or signed by somebody else: 401 invalid_token."""
        caller = world.caller("library")
        token = await caller.token()
        if how == "revoked":
            await caller.post_signed("/oauth/revoke", {"token": token})
        elif how == "expired":
            issuer = atjwt.issuer(BASE, world.house.ring)
            caller.access_token = issuer.sign({**jose.parse(token).claims, **timed({"exp": Now(-1)})})
        elif how == "tampered":
            caller.access_token = token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:]
        else:
            key: Any = ECKey.import_key({n: v for n, v in fresh_key().items() if n in {"kty", "crv", "x", "y", "d"}})
            header = dict(jose.parse(token).header)
            caller.access_token = jwt.encode(header, dict(jose.parse(token).claims), key, algorithms=["ES256"])
        answer = await caller.get(PERKS)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")

    async def test_f32_authorization(self, world: World) -> None:
        """F32: a token without the scope, or of another role, is refused with the scope's name."""
        answer = await world.caller("library").get("/v1/source/subjects")
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
        assert 'scope="records:write"' in answer.headers["www-authenticate"]

    async def test_f33_the_proof_is_checked(self, world: World) -> None:
        """F33: another's key, another token's hash, another method or address: 401."""
        caller, thief = world.caller("library"), world.caller("rental")
        token = await caller.token()
        thief.signer.nonce = await caller.nonce()
        for signer, method, path, over in (
            (thief.signer, "GET", PERKS, token), (caller.signer, "POST", PERKS, token),
            (caller.signer, "GET", "/v1/partner/hot", token), (caller.signer, "GET", PERKS, token + "x"),
        ):  # fmt: skip
            proof = signer.proof(method, f"{BASE}{path}", access_token=over)
            answer = await caller.http.get(PERKS, headers={"Authorization": f"DPoP {token}", "DPoP": proof})
            assert answer.status_code == 401


class TestCryptography:
    """5.4: keys and algorithms."""

    async def test_f34_jwt_best_practice(self, world: World) -> None:
        """F34 (RFC 8725): one kind of token is not taken for another: a proof or an access token is no assertion."""
        caller = world.caller("library")
        token = await caller.token()
        proof = caller.signer.proof("POST", f"{BASE}/oauth/token")
        for other in (token, proof):
            assert await asked(world, other) == (401, "invalid_client")

    async def test_f35_algorithms(self, world: World) -> None:
        """F35: PS256, ES256 and EdDSA are known, and no others."""
        document = (await world.browser().get("/.well-known/oauth-authorization-server")).json()
        assert set(document["token_endpoint_auth_signing_alg_values_supported"]) == {
            "PS256", "ES256", "EdDSA", "Ed25519"}  # fmt: skip
        assert document["dpop_signing_alg_values_supported"] == list(jose.ALGORITHMS)
        native: Any = ECKey.import_key(ec.generate_private_key(ec.SECP384R1()))
        claims = dict(jose.parse(world.signer("library").assertion()).claims)
        forged = jwt.encode({"alg": "ES384"}, claims, native, algorithms=["ES384"])
        assert await asked(world, forged) == (401, "invalid_client")

    async def test_f36_none(self, world: World) -> None:
        """F36: `none`, and HMAC with the public key, are no signatures."""
        head, body, _ = world.signer("library").assertion().split(".")
        public = (world.keys["library"]["x"] * 2).encode()
        hmac = jws.serialize_compact(
            {"alg": "HS256"}, jose._bytes(body), OctKey.import_key(public), algorithms=["HS256"]
        )
        none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode() + f".{body}."
        for forged in (f"{head}.{body}.", none, hmac):
            assert await asked(world, forged) == (401, "invalid_client")

    async def test_f37_key_sizes(self, world: World) -> None:
        """F37: RSA below 2048 bits is not registered; curves are P-256 and Ed25519."""
        modulus = base64.urlsafe_b64encode(b"\xff" * 128).rstrip(b"=").decode()
        small: Any = ECKey.import_key(ec.generate_private_key(ec.SECP384R1()))
        for jwk in ({"kty": "RSA", "n": modulus, "e": "AQAB"}, small.as_dict(private=False)):
            with pytest.raises(Invalid):
                await world.operate(
                    lambda session, jwk=jwk: clients.add(session, world.house.ring, jwks=[jwk], **PARTNER)
                )

    async def test_f38_secrets_are_long(self, world: World) -> None:
        """F38: codes, request_uris and refresh tokens have at least 128 random bits, no two alike."""
        asker = await partner(world)
        uri = (await asker.push()).json()["request_uri"].rpartition(":")[2]
        code = await asker.code()
        value = (await asker.redeem(code)).json()["refresh_token"]
        for secret in (uri, code, value):
            assert len(secret) * 6 >= 256
        assert len({await asker.code() for _ in range(3)} | {code}) == 4

    async def test_f39_jwks(self, world: World) -> None:
        """F39: no kid twice, no private member; the document is where the metadata says (TLS is the proxy's)."""
        document = (await world.browser().get("/.well-known/oauth-authorization-server")).json()
        assert document["jwks_uri"] == f"{BASE}/.well-known/jwks.json"
        keys = (await world.browser().get(document["jwks_uri"])).json()["keys"]
        assert len({key["kid"] for key in keys}) == len(keys) >= 4
        assert all("d" not in key for key in keys)


def test_every_point_has_its_test() -> None:
    """F1 to F39 each have a test named by the number."""
    tests = [name for kind in (TestServer, TestAuthorization, TestResource, TestCryptography) for name in dir(kind)]
    assert {int(name[6:8]) for name in tests if name.startswith("test_f")} == set(range(1, 40))
