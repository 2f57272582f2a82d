"""The relying party against providers that misbehave; the network is replaced, the provider is ours to bend."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from auth import oidc
from auth.realname import NoIdentity, RealNameProvider

ISSUER = "https://id.example.city"
KEY = ECKey.generate_key("P-256", {"kid": "k1"}, private=True)
Claims = dict[str, Any]


class Bent:
    """A provider whose answers a test may change."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
            "authorization_response_iss_parameter_supported": True,
        }
        self.bend: Callable[[Claims], Claims] = lambda claims: claims
        self.token: str | None = None
        self.userinfo: Claims = {}
        self.answer: httpx2.Response | None = None
        self.down = False
        self.nonce = ""
        self.seen: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request."""
        path = request.url.path
        self.seen.append(path)
        if self.down:
            raise httpx2.ConnectError("down", request=request)
        if path == "/token":
            assert request.headers["authorization"].startswith("Basic ")
            return self.answer or httpx2.Response(200, json=self._tokens())
        bodies = {
            "/.well-known/openid-configuration": self.document,
            "/jwks": {"keys": [KEY.as_dict(private=False)]},
            "/userinfo": self.userinfo,
        }
        return httpx2.Response(200, json=bodies[path])

    def _tokens(self) -> dict[str, Any]:
        now = int(time.time())
        claims = self.bend(
            {
                "iss": ISSUER,
                "aud": "city",
                "sub": "s-1",
                "iat": now,
                "exp": now + 300,
                "auth_time": now,
                "nonce": self.nonce,
                "name": "安娜",
                "id_number": "990000199001010010",
            }
        )
        signed = jwt.encode({"alg": "ES256", "kid": "k1"}, claims, KEY, algorithms=["ES256"])
        return {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": self.token or signed}


def party(bent: Bent) -> oidc.RelyingParty:
    """We, at this provider."""
    provider = oidc.Provider(ISSUER, "city", "secret", "https://credit.example.city/login/callback")
    return oidc.RelyingParty(provider, transport=httpx2.MockTransport(bent))


async def run(bent: Bent, *, iss: str | None = ISSUER, anew: bool = False) -> Any:
    """A login from begin to end."""
    here = party(bent)
    begun = await here.begin(anew=anew)
    bent.nonce = bent.nonce or begun.nonce
    return await here.verify(oidc.Returned("c", iss, begun.nonce, begun.verifier, begun.since))


class TestBegin:
    """Where the browser goes."""

    async def test_address(self) -> None:
        """Code flow, PKCE S256, state, nonce, our address; nothing secret in it."""
        begun = await party(Bent()).begin()
        query = {name: value[0] for name, value in parse_qs(urlsplit(begun.address).query).items()}
        assert begun.address.startswith(f"{ISSUER}/authorize?")
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        assert (query["state"], query["nonce"]) == (begun.state, begun.nonce)
        assert begun.verifier not in begun.address

    async def test_anew(self) -> None:
        """A step-up asks with prompt=login and max_age=0; any other login for one of the last eight hours."""
        for anew, expected in ((False, ("28800", None)), (True, ("0", "login"))):
            query = parse_qs(urlsplit((await party(Bent()).begin(anew=anew)).address).query)
            assert (query["max_age"][0], query.get("prompt", [None])[0]) == expected

    async def test_metadata_is_remembered(self) -> None:
        """Discovery is read once in ten minutes."""
        bent = Bent()
        here = party(bent)
        await here.begin()
        await here.begin()
        assert bent.seen.count("/.well-known/openid-configuration") == 1

    async def test_another_issuer(self) -> None:
        """A provider that names another issuer is not the configured one."""
        bent = Bent()
        bent.document["issuer"] = "https://evil.example"
        with pytest.raises(oidc.LoginFailed):
            await party(bent).begin()

    async def test_down(self) -> None:
        """A provider that does not answer is 503, never a refusal."""
        bent = Bent()
        bent.down = True
        with pytest.raises(oidc.ProviderDown):
            await party(bent).begin()


class TestComplete:
    """What a login proves."""

    async def test_a_person(self) -> None:
        """Provider, account, name and ID number."""
        proved = await run(Bent())
        assert (proved.provider, proved.subject, proved.name) == (ISSUER, "s-1", "安娜")

    async def test_audience_as_a_list_of_one(self) -> None:
        """A list with us alone is our audience."""
        bent = Bent()
        bent.bend = lambda claims: claims | {"aud": ["city"], "azp": "city"}
        assert (await run(bent)).subject == "s-1"

    @pytest.mark.parametrize("iss", [None, "", "https://evil.example"])
    async def test_mix_up(self, iss: str | None) -> None:
        """The answer's iss is the configured issuer, and is there when the provider says it sends it (RFC 9207)."""
        with pytest.raises(oidc.LoginFailed):
            await run(Bent(), iss=iss)

    async def test_a_provider_without_iss(self) -> None:
        """A provider that does not promise iss need not send it."""
        bent = Bent()
        del bent.document["authorization_response_iss_parameter_supported"]
        assert (await run(bent, iss=None)).subject == "s-1"

    @pytest.mark.parametrize(
        "changed",
        [
            {"iss": "https://evil.example"},
            {"aud": "other"},
            {"aud": ["city", "other"]},
            {"azp": "other"},
            {"exp": 1},
            {"exp": None},
            {"nonce": "other"},
            {"nonce": None},
            {"sub": None},
        ],
        ids=repr,
    )
    async def test_claims(self, changed: Claims) -> None:
        """Issuer, audience, life, nonce and subject are those of this login."""
        bent = Bent()
        bent.bend = lambda claims: claims | changed
        with pytest.raises(oidc.LoginFailed):
            await run(bent)

    @pytest.mark.parametrize(
        ("anew", "age", "holds"),
        [
            (False, 8 * 3600 - 5, True),
            (False, 9 * 3600, False),
            (True, 0, True),
            (True, 120, False),
            (True, -120, False),
        ],
    )
    async def test_age_of_the_login(self, anew: bool, age: int, holds: bool) -> None:  # noqa: FBT001
        """A provider that did not ask the person as recently as needed, or that lives in the future, proves nothing."""
        bent = Bent()
        bent.bend = lambda claims: claims | {"auth_time": claims["auth_time"] - age}
        if holds:
            assert abs((await run(bent, anew=anew)).at.timestamp() - time.time() + age) < 5
        else:
            with pytest.raises(oidc.LoginFailed):
                await run(bent, anew=anew)

    @pytest.mark.parametrize("at", [None, "now", True])
    async def test_no_time_of_the_login(self, at: object) -> None:
        """auth_time is required once max_age was asked for."""
        bent = Bent()
        bent.bend = lambda claims: claims | {"auth_time": at}
        with pytest.raises(oidc.LoginFailed):
            await run(bent)

    @pytest.mark.parametrize("algorithm", ["none", "HS256"])
    async def test_algorithms(self, algorithm: str) -> None:
        """No signature and HMAC are refused."""
        bent = Bent()
        parts = ({"alg": algorithm, "kid": "k1"}, {"iss": ISSUER, "aud": "city", "sub": "s-1", "exp": 9999999999})
        message = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        bent.token = f"{message}.{'' if algorithm == 'none' else 'AAAA'}"
        with pytest.raises(oidc.LoginFailed):
            await run(bent)

    async def test_another_key(self) -> None:
        """A token signed by another key of the same name is refused."""
        bent = Bent()
        stranger = ECKey.generate_key("P-256", {"kid": "k1"}, private=True)
        bent.token = jwt.encode({"alg": "ES256", "kid": "k1"}, {"sub": "s-1"}, stranger, algorithms=["ES256"])
        with pytest.raises(oidc.LoginFailed):
            await run(bent)

    async def test_no_real_name(self) -> None:
        """A login without verified name and ID number is no identity."""
        bent = Bent()
        bent.bend = lambda claims: {name: value for name, value in claims.items() if name != "id_number"}
        with pytest.raises(NoIdentity):
            await run(bent)

    async def test_a_provider_without_plaintext(self) -> None:
        """A provider of network identities proves one real person and gives neither name nor number."""
        here = party(Bent())
        here.provider = msgspec.structs.replace(here.provider, number_claim=None)
        bent = Bent()
        here._transport = httpx2.MockTransport(bent)
        begun = await here.begin()
        bent.nonce = begun.nonce
        given: RealNameProvider[oidc.Returned] = here
        proved = await given.verify(oidc.Returned("c", ISSUER, begun.nonce, begun.verifier, begun.since))
        assert (proved.subject, proved.name, proved.id_number, proved.level) == ("s-1", None, None, 3)

    async def test_userinfo(self) -> None:
        """Name and ID number may come from userinfo, about the same person."""
        bent = Bent()
        bent.document["userinfo_endpoint"] = f"{ISSUER}/userinfo"
        bent.bend = lambda claims: {name: value for name, value in claims.items() if name not in {"name", "id_number"}}
        bent.userinfo = {"sub": "s-1", "name": "博", "id_number": "990000198505050030"}
        assert (await run(bent)).name == "博"
        bent.nonce, bent.userinfo = "", {**bent.userinfo, "sub": "s-2"}
        with pytest.raises(oidc.LoginFailed):
            await run(bent)

    async def test_refused_and_broken_answers(self) -> None:
        """invalid_grant is a failed login; a broken answer is a provider that is down; no ID token is no login."""
        bent = Bent()
        bent.answer = httpx2.Response(400, json={"error": "invalid_grant"})
        with pytest.raises(oidc.LoginFailed):
            await run(bent)
        bent.answer = httpx2.Response(502, text="bad gateway")
        with pytest.raises(oidc.ProviderDown):
            await run(bent)
        bent.answer = httpx2.Response(200, json={"access_token": "at", "token_type": "Bearer"})
        with pytest.raises(oidc.LoginFailed):
            await run(bent)
