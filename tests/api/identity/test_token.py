"""Tokens for clients that act for themselves. F numbers: the FAPI 2.0 Security Profile as testable points."""

import base64
import json
import time
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from api.tool.signing import Signer, fresh_key, public_half
from auth import clients
from auth.assertion import TYPE
from core import clock, jose
from core.shortlived import epoch_began
from tests.api.identity.app import BASE, World
from tests.api.identity.client import Caller, Now, timed

GRANT = {"grant_type": "client_credentials"}


async def ask(world: World, assertion: str, **form: str) -> httpx2.Response:
    """Ask for a token with this very assertion and a proof that holds."""
    caller = world.caller("library")
    await caller.nonce()
    proof = {"DPoP": caller.signer.proof("POST", f"{BASE}/oauth/token")}
    data = {**GRANT, "client_assertion_type": TYPE, "client_assertion": assertion, **form}
    return await caller.http.post("/oauth/token", data=data, headers=proof)


async def with_proof(world: World, proof: str | list[tuple[str, str]]) -> httpx2.Response:
    """Ask for a token with an assertion that holds and these DPoP headers."""
    caller = world.caller("library")
    headers = [("DPoP", proof)] if isinstance(proof, str) else proof
    return await caller.http.post("/oauth/token", data={**GRANT, **caller.signer.assertion_form()}, headers=headers)


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of an OAuth error; every one of them is kept by nobody."""
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


def claims(signer: Signer, **changed: Any) -> dict[str, Any]:
    """The usual claims of an assertion."""
    read = jose.parse(signer.assertion(**timed(changed)))
    return dict(read.claims)


class TestMetadata:
    """What the server says of itself."""

    async def test_f1_issuer_and_endpoints(self, world: World) -> None:
        """F1: the document's issuer is ours, and every endpoint that it names is there."""
        http = world.browser()
        document = (await http.get("/.well-known/oauth-authorization-server")).json()
        assert document["issuer"] == BASE
        for name, address in document.items():
            if name.endswith(("_endpoint", "jwks_uri")):
                assert address.startswith(BASE)
                answers = [await http.get(address), await http.post(address)]
                assert {answer.status_code for answer in answers} != {404}
        assert document["require_pushed_authorization_requests"] is True
        assert "refresh_token" in document["grant_types_supported"]

    async def test_the_keys_are_public_and_distinct(self, world: World) -> None:
        """F39: no private member, no kid twice."""
        keys = (await world.browser().get("/.well-known/jwks.json")).json()["keys"]
        assert len({key["kid"] for key in keys}) == len(keys)
        assert all("d" not in key for key in keys)

    async def test_the_resource_names_its_server(self, world: World) -> None:
        """RFC 9728: the API says where its tokens come from and that they are bound."""
        document = (await world.browser().get("/.well-known/oauth-protected-resource/v1")).json()
        assert document["authorization_servers"] == [BASE]
        assert document["dpop_bound_access_tokens_required"] is True


class TestGrant:
    """The client_credentials grant."""

    async def test_f4_f5_tokens_are_bound_to_the_key(self, world: World) -> None:
        """F4, F5: type DPoP, five minutes, cnf.jkt of the proof's key, one audience, nothing personal."""
        caller = world.caller("library")
        given = await caller.grant(GRANT)
        said = jose.parse(given["access_token"])
        assert (given["token_type"], given["expires_in"]) == ("DPoP", 300)
        assert said.header["typ"] == "at+jwt"
        assert said.claims["cnf"] == {"jkt": caller.signer.jkt}
        assert said.claims["aud"] == f"{BASE}/v1"
        assert said.claims["sub"] == said.claims["client_id"] == "library"
        assert given["scope"] == said.claims["scope"] == "eligibility:check orders:write"

    async def test_f2_no_password_grant(self, world: World) -> None:
        """F2: a password grant is unknown here."""
        answer = await world.caller("library").post_signed("/oauth/token", {"grant_type": "password"})
        assert refusal(answer) == (400, "unsupported_grant_type")

    async def test_f14_a_part_of_the_scopes(self, world: World) -> None:
        """F14: a client may ask for less than it is registered for, and gets no more than it asked for."""
        given = await world.caller("library").grant({**GRANT, "scope": "orders:write"})
        assert given["scope"] == "orders:write"

    @pytest.mark.parametrize("scope", ["records:write", "orders:write me", "staff:releases", "nonsense"])
    async def test_scopes_of_others(self, world: World, scope: str) -> None:
        """A scope that is not registered for the client is refused whole."""
        answer = await world.caller("library").post_signed("/oauth/token", {**GRANT, "scope": scope})
        assert refusal(answer) == (400, "invalid_scope")

    async def test_resource(self, world: World) -> None:
        """RFC 8707: our API may be named, another resource may not."""
        caller = world.caller("library")
        assert await caller.grant({**GRANT, "resource": f"{BASE}/v1"})
        answer = await caller.post_signed("/oauth/token", {**GRANT, "resource": "https://elsewhere.example"})
        assert refusal(answer) == (400, "invalid_target")

    async def test_a_public_client_cannot_act_for_itself(self, world: World) -> None:
        """F3: client_credentials is for confidential clients."""
        caller = Caller(world.browser(), Signer(fresh_key(), client_id="app", issuer=BASE))
        answer = await caller.post_signed("/oauth/token", GRANT, confidential=False)
        assert refusal(answer) == (400, "unauthorized_client")

    async def test_a_code_is_not_for_a_source(self, world: World) -> None:
        """The authorization_code grant is for citizens' apps and for partners."""
        form = {"grant_type": "authorization_code", "code": "x", "code_verifier": "x" * 43, "redirect_uri": "x"}
        answer = await world.caller("water").post_signed("/oauth/token", form)
        assert refusal(answer) == (400, "unauthorized_client")

    @pytest.mark.parametrize("kind", ["EdDSA", "Ed25519", "PS256"])
    async def test_f35_the_other_algorithms(self, world: World, kind: str) -> None:
        """F35: PS256 and Ed25519 (under both names) are as good as ES256, for assertions and for proofs."""
        native: Any = rsa.generate_private_key(65537, 2048) if kind == "PS256" else ed25519.Ed25519PrivateKey.generate()
        key: Any = (RSAKey if kind == "PS256" else OKPKey).import_key(native)
        name = f"partner-{kind.lower()}"

        async def register(session: Any) -> None:
            await clients.add(
                session,
                world.house.ring,
                client_id=name,
                role="partner",
                name=name,
                jwks=[key.as_dict(private=False)],
                scopes=["orders:write"],
            )

        await world.operate(register)
        signer = Signer(fresh_key(), client_id=name, issuer=BASE)
        caller = world.caller("library")
        nonce = await caller.nonce()
        assertion = _signed(key, {"typ": "JWT", "alg": kind}, claims(signer))
        body = {"htm": "POST", "htu": f"{BASE}/oauth/token", "iat": int(time.time()), "jti": name, "nonce": nonce}
        proof = _signed(key, {"typ": "dpop+jwt", "alg": kind, "jwk": key.as_dict(private=False)}, body)
        data = {**GRANT, "client_assertion_type": TYPE, "client_assertion": assertion}
        answer = await caller.http.post("/oauth/token", data=data, headers={"DPoP": proof})
        assert answer.status_code == 200, answer.text


def _signed(key: Any, header: dict[str, Any], body: dict[str, Any]) -> str:
    """A compact JWS by any algorithm, made by hand: joserfc warns of some."""
    message = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, body))
    signature = jose.JWSRegistry.algorithms[header["alg"]].sign(message, key)
    return (message + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


class TestClientAuthentication:
    """F6: private_key_jwt, and what is not one. A stranger learns `invalid_client` and no more."""

    async def test_f6_f18_without_an_assertion(self, world: World) -> None:
        """F6, F18: naming a confidential client is not being it."""
        caller = world.caller("library")
        answer = await caller.post_signed("/oauth/token", {**GRANT, "client_id": "library"}, confidential=False)
        assert refusal(answer) == (401, "invalid_client")

    @pytest.mark.parametrize(
        "changed",
        [
            {"aud": f"{BASE}/oauth/token"},
            {"aud": [BASE]},
            {"aud": [BASE, "https://elsewhere.example"]},
            {"aud": f"{BASE}/"},
            {"iss": "rental"},
            {"sub": "rental"},
            {"sub": "nobody", "iss": "nobody"},
            {"sub": "app", "iss": "app"},
            {"sub": 7},
            {"exp": Now(-60)},
            {"exp": Now(900)},
            {"exp": None},
            {"exp": "soon"},
            {"exp": True},
            {"jti": None},
            {"jti": ""},
            {"jti": "x" * 300},
            {"iat": Now(120)},
            {"nbf": Now(120)},
        ],
        ids=repr,
    )
    async def test_f8_claims(self, world: World, changed: dict[str, Any]) -> None:
        """F8 and RFC 7523: aud is the issuer as one string; iss and sub are the client; a short life; a jti."""
        assert refusal(await ask(world, world.signer("library").assertion(**timed(changed)))) == (401, "invalid_client")

    async def test_f13_a_clock_that_runs_a_little_fast(self, world: World) -> None:
        """F13: iat and nbf up to ten seconds ahead are taken."""
        ahead = int(time.time()) + 9
        answer = await ask(world, world.signer("library").assertion(iat=ahead, nbf=ahead))
        assert answer.status_code == 200, answer.text

    async def test_replay(self, world: World) -> None:
        """An assertion is good once."""
        assertion = world.signer("library").assertion()
        assert (await ask(world, assertion)).status_code == 200
        assert refusal(await ask(world, assertion)) == (401, "invalid_client")

    async def test_older_than_our_memory(self, world: World) -> None:
        """An assertion made before the store of used ones began might have been used: it is refused."""
        began = int(epoch_began(await world.house.short.epoch()))
        assert refusal(await ask(world, world.signer("library").assertion(iat=began - 2)))[1] == "invalid_client"

    async def test_another_clients_key(self, world: World) -> None:
        """Signed by rental, in the name of library."""
        signer = Signer(world.keys["rental"], client_id="library", issuer=BASE)
        assert refusal(await ask(world, signer.assertion())) == (401, "invalid_client")

    async def test_f36_none(self, world: World) -> None:
        """F36: `alg: none` is nothing."""
        body = claims(world.signer("library"))
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in ({"alg": "none", "typ": "JWT"}, body)
        ]
        for signature in ("", "AA"):
            assert refusal(await ask(world, ".".join([*parts, signature]))) == (401, "invalid_client")

    async def test_f34_hmac_with_the_public_key(self, world: World) -> None:
        """F34, RFC 8725 2.1: the public key in PEM is no HMAC secret."""
        pem = ECKey.import_key(public_half(_bare(world.keys["library"]))).as_pem(private=False)
        for secret in (pem, json.dumps(public_half(world.keys["library"])).encode()):
            body = claims(world.signer("library"))
            key: Any = (
                OctKey.import_key(base64.urlsafe_b64encode(secret).decode())
                if secret is pem
                else OctKey.import_key(secret)
            )
            assertion = _signed(key, {"alg": "HS256", "typ": "JWT", "kid": world.keys["library"]["kid"]}, body)
            assert refusal(await ask(world, assertion)) == (401, "invalid_client")

    @pytest.mark.parametrize(
        "header",
        [
            {"jku": "http://127.0.0.1:1/keys"},
            {"x5u": "http://127.0.0.1:1/cert"},
            {"jwk": {}},
            {"x5c": []},
            {"kid": "../../etc/passwd"},
            {"kid": "http://127.0.0.1:1/key"},
            {"kid": 7},
            {"typ": "at+jwt"},
            {"typ": "dpop+jwt"},
            {"crit": ["exp"], "exp": 1},
            {"crit": []},
            {"b64": True},
            {"alg": "RS256"},
            {"alg": "ES384"},
            {"alg": "PS256"},
            {"alg": None},
        ],
        ids=repr,
    )
    async def test_headers_that_point_elsewhere(self, world: World, header: dict[str, Any]) -> None:
        """Keys come from the registration: nothing is fetched, no extension is obeyed, the algorithm fits the key."""
        key = ECKey.import_key(_bare(world.keys["library"]))
        full = {"alg": "ES256", "typ": "JWT", "kid": world.keys["library"]["kid"], **header}
        message = b".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
            for part in (full, claims(world.signer("library")))
        )
        signature = jose.JWSRegistry.algorithms["ES256"].sign(message, key)
        assertion = (message + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()
        assert refusal(await ask(world, assertion)) == (401, "invalid_client")

    @pytest.mark.parametrize("typ", ["client-authentication+jwt", "jwt", None])
    async def test_kinds_of_type(self, world: World, typ: str | None) -> None:
        """The type may be absent, JWT, or the one that rfc7523bis gives."""
        key = ECKey.import_key(_bare(world.keys["library"]))
        header = {"alg": "ES256"} | ({} if typ is None else {"typ": typ})
        answer = await ask(world, _signed(key, header, claims(world.signer("library"))))
        assert answer.status_code == 200, answer.text

    async def test_the_form_agrees_with_the_assertion(self, world: World) -> None:
        """A client_id beside the assertion is the assertion's; the type is the one that RFC 7523 names."""
        signer = world.signer("library")
        assert (await ask(world, signer.assertion(), client_id="library")).status_code == 200
        assert refusal(await ask(world, signer.assertion(), client_id="rental")) == (401, "invalid_client")
        assert refusal(await ask(world, signer.assertion(), client_assertion_type="other"))[1] == "invalid_client"

    async def test_a_disabled_client(self, world: World) -> None:
        """A disabled client is nobody, and its live tokens are dead."""
        key = fresh_key()

        async def register(session: Any) -> None:
            await clients.add(
                session, world.house.ring, client_id="gone", role="partner", name="gone", jwks=[key],
                scopes=["eligibility:check"],
            )  # fmt: skip

        async def disable(session: Any) -> None:
            await session.execute(
                clients.client.update().where(clients.client.c.client_id == "gone").values(disabled_at=clock.wall())
            )

        await world.operate(register)
        caller = Caller(world.browser(), Signer(key, client_id="gone", issuer=BASE))
        assert (await caller.get("/v1/partner/perks")).status_code == 200
        await world.operate(disable)
        assert (await caller.get("/v1/partner/perks")).status_code == 401
        assert refusal(await caller.post_signed("/oauth/token", GRANT)) == (401, "invalid_client")


def _bare(jwk: dict[str, Any]) -> dict[str, Any]:
    return {name: jwk[name] for name in ("kty", "crv", "x", "y", "d") if name in jwk}


class TestProof:
    """DPoP at the token endpoint: 400 with the named code."""

    async def test_f33_without_a_proof(self, world: World) -> None:
        """F5: no proof, no token."""
        assert refusal(await with_proof(world, [])) == (400, "invalid_dpop_proof")

    async def test_two_proofs(self, world: World) -> None:
        """Two DPoP headers are none (RFC 9449, section 4.3)."""
        caller = world.caller("library")
        await caller.nonce()
        proofs = [("DPoP", caller.signer.proof("POST", f"{BASE}/oauth/token")) for _ in range(2)]
        assert refusal(await with_proof(world, proofs)) == (400, "invalid_dpop_proof")

    @pytest.mark.parametrize("nonce", [None, "made-up", "", 7, "gémeau"])
    async def test_f10_nonces_are_ours(self, world: World, nonce: Any) -> None:
        """F10: a missing or foreign nonce is answered with one of ours."""
        caller = world.caller("library")
        answer = await with_proof(world, caller.signer.proof("POST", f"{BASE}/oauth/token", nonce=nonce))
        assert refusal(answer) == (400, "use_dpop_nonce")
        assert answer.headers["dpop-nonce"]

    async def test_a_missing_nonce_spends_nothing(self, world: World) -> None:
        """The assertion of a request without nonce is good for the repeat."""
        caller = world.caller("library")
        form = {**GRANT, **caller.signer.assertion_form()}
        url = f"{BASE}/oauth/token"
        first = await caller.http.post(url, data=form, headers={"DPoP": caller.signer.proof("POST", url)})
        assert caller.signer.heed(first)
        second = await caller.http.post(url, data=form, headers={"DPoP": caller.signer.proof("POST", url)})
        assert second.status_code == 200, second.text

    @pytest.mark.parametrize(
        "changed",
        [
            {"htm": "GET"},
            {"htm": "post"},
            {"htm": None},
            {"htu": f"{BASE}/oauth/par"},
            {"htu": "https://elsewhere.example/oauth/token"},
            {"htu": "http://127.0.0.1:8001/oauth/token"},
            {"htu": "http://[::1"},
            {"htu": 1},
            {"iat": Now(-120)},
            {"iat": Now(120)},
            {"iat": None},
            {"iat": "now"},
            {"jti": None},
            {"jti": "x" * 200},
        ],
        ids=repr,
    )
    async def test_claims(self, world: World, changed: dict[str, Any]) -> None:
        """htm, htu, iat and jti are those of this request."""
        caller = world.caller("library")
        await caller.nonce()
        proof = caller.signer.proof("POST", f"{BASE}/oauth/token", **timed(changed))
        assert refusal(await with_proof(world, proof)) == (400, "invalid_dpop_proof")

    async def test_htu_is_compared_as_an_address(self, world: World) -> None:
        """Case of the host, query and fragment do not count (RFC 9449, section 4.3)."""
        caller = world.caller("library")
        await caller.nonce()
        proof = caller.signer.proof("POST", f"{BASE}/oauth/token", htu="HTTP://127.0.0.1:8000/oauth/token?x=1#y")
        assert (await with_proof(world, proof)).status_code == 200

    async def test_replay(self, world: World) -> None:
        """A proof is good once."""
        caller = world.caller("library")
        await caller.nonce()
        proof = caller.signer.proof("POST", f"{BASE}/oauth/token")
        assert (await with_proof(world, proof)).status_code == 200
        assert refusal(await with_proof(world, proof)) == (400, "invalid_dpop_proof")

    @pytest.mark.parametrize(
        "header",
        [
            {"typ": "JWT"},
            {"typ": None},
            {"jwk": None},
            {"jwk": {"kty": "oct", "k": "AAAA"}},
            {"jwk": {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}},
            {"jwk": {"kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA"}},
            {"jwk": {"kty": "OKP", "crv": "Ed448", "x": "AAAA"}},
            {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}},
            {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
            {"jwk": {"kty": "EC"}},
            {"jwk": {"kty": ["EC"]}},
        ],
        ids=repr,
    )
    async def test_headers(self, world: World, header: dict[str, Any]) -> None:
        """The type is dpop+jwt, the key a public one that we use, and it made the signature."""
        caller = world.caller("library")
        await caller.nonce()
        good = jose.parse(caller.signer.proof("POST", f"{BASE}/oauth/token"))
        key = ECKey.import_key(_bare(world.keys["library"]))
        proof = _signed(key, {**good.header, **header}, dict(good.claims))
        assert refusal(await with_proof(world, proof)) == (400, "invalid_dpop_proof")

    async def test_a_private_key_in_the_header(self, world: World) -> None:
        """A proof that shows its private key is refused."""
        caller = world.caller("library")
        await caller.nonce()
        good = jose.parse(caller.signer.proof("POST", f"{BASE}/oauth/token"))
        bare = _bare(world.keys["library"])
        proof = _signed(ECKey.import_key(bare), {**good.header, "jwk": bare}, dict(good.claims))
        assert refusal(await with_proof(world, proof)) == (400, "invalid_dpop_proof")

    async def test_a_weak_rsa_key(self, world: World) -> None:
        """F37: RSA below 2048 bits is refused."""
        caller = world.caller("library")
        await caller.nonce()
        good = jose.parse(caller.signer.proof("POST", f"{BASE}/oauth/token"))
        weak = base64.urlsafe_b64encode(b"\xff" * 128).rstrip(b"=").decode()
        header = {"typ": "dpop+jwt", "alg": "PS256", "jwk": {"kty": "RSA", "n": weak, "e": "AQAB"}}
        key: Any = RSAKey.import_key(rsa.generate_private_key(65537, 2048))
        proof = _signed(key, header, dict(good.claims))
        assert refusal(await with_proof(world, proof)) == (400, "invalid_dpop_proof")

    async def test_another_curve(self, world: World) -> None:
        """ES384 is not among the algorithms."""
        key: Any = ECKey.import_key(ec.generate_private_key(ec.SECP384R1()))
        proof = _signed(key, {"typ": "dpop+jwt", "alg": "ES384", "jwk": key.as_dict(private=False)}, {})
        assert refusal(await with_proof(world, proof)) == (400, "invalid_dpop_proof")


class TestForm:
    """How parameters arrive (RFC 6749, section 3.2)."""

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (b"grant_type=client_credentials&grant_type=client_credentials", "application/x-www-form-urlencoded"),
            (b"grant_type=client_credentials", "text/plain"),
            (b'{"grant_type": "client_credentials"}', "application/json"),
            (b"grant_type=%ff%fe", "application/x-www-form-urlencoded"),
            (b"\xff\xfe", "application/x-www-form-urlencoded"),
            (b"&".join(b"a%d=1" % number for number in range(60)), "application/x-www-form-urlencoded"),
            (b"grant_type=", "application/x-www-form-urlencoded"),
            (b"", "application/x-www-form-urlencoded"),
        ],
    )
    async def test_refused(self, world: World, content: bytes, kind: str) -> None:
        """Twice, of another type, of another encoding, too many, or absent: invalid_request."""
        answer = await world.browser().post("/oauth/token", content=content, headers={"Content-Type": kind})
        assert refusal(answer) == (400, "invalid_request")

    async def test_too_large(self, world: World) -> None:
        """More than 64 KiB is too much."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await world.browser().post("/oauth/token", content=b"a=" + b"b" * 70_000, headers=kind)
        assert answer.status_code == 413


class TestLimits:
    """A published limit is a 429 with Retry-After."""

    async def test_tokens(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A client that keeps asking for tokens is told to keep them."""
        monkeypatch.setattr("api.identity.oauth._TOKENS_A_MINUTE", 0)
        answer = await world.caller("rental").post_signed("/oauth/token", GRANT)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0

    async def test_pushes(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """An address that keeps pushing requests is slowed down."""
        monkeypatch.setattr("api.identity.oauth._PUSHES_A_MINUTE", 0)
        assert (await world.browser().post("/oauth/par", data={"client_id": "app"})).status_code == 429


class TestRevoke:
    """RFC 7009."""

    async def test_ones_own(self, world: World) -> None:
        """A revoked token is dead at the next request."""
        caller = world.caller("library")
        token = await caller.token()
        assert (await caller.get("/v1/partner/perks")).status_code == 200
        assert (await caller.post_signed("/oauth/revoke", {"token": token})).status_code == 200
        answer = await caller.get("/v1/partner/perks")
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]

    async def test_anothers_and_nonsense(self, world: World) -> None:
        """Another client's token stays alive; nonsense answers alike."""
        caller, other = world.caller("library"), world.caller("rental")
        token = await caller.token()
        assert (await other.post_signed("/oauth/revoke", {"token": token})).status_code == 200
        assert (await other.post_signed("/oauth/revoke", {"token": "nonsense"})).status_code == 200
        assert (await caller.get("/v1/partner/perks")).status_code == 200
        assert refusal(await caller.post_signed("/oauth/revoke", {})) == (400, "invalid_request")


class TestIntrospect:
    """RFC 7662."""

    async def test_ones_own(self, world: World) -> None:
        """A client learns about its own live token."""
        caller = world.caller("library")
        said = (await caller.post_signed("/oauth/introspect", {"token": await caller.token()})).json()
        assert said["active"] is True
        assert said["cnf"] == {"jkt": caller.signer.jkt}

    async def test_anothers_and_dead_ones(self, world: World) -> None:
        """A third client, a revoked token, nonsense: inactive, and nothing else is said."""
        caller, other = world.caller("library"), world.caller("rental")
        token = await caller.token()
        for asker, asked in ((other, token), (caller, "nonsense"), (caller, f"{token}x")):
            assert (await asker.post_signed("/oauth/introspect", {"token": asked})).json() == {"active": False}
        await caller.post_signed("/oauth/revoke", {"token": token})
        assert (await caller.post_signed("/oauth/introspect", {"token": token})).json() == {"active": False}
        assert refusal(await caller.post_signed("/oauth/introspect", {})) == (400, "invalid_request")

    async def test_a_stranger(self, world: World) -> None:
        """Nobody asks without authentication."""
        answer = await world.browser().post("/oauth/introspect", data={"token": "x"})
        assert refusal(answer) == (401, "invalid_client")
