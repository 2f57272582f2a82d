"""Clients for tests: one that signs every request as a registered client, and a citizen's browser with an app."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs, urlsplit

import httpx2

from api.tool.citizen_app import _Form as Form
from api.tool.signing import Signer
from core import clock

_EARLY = 30
_MOST_PAGES = 12


class Now:
    """So many seconds from the moment of the test, not of its collection."""

    def __init__(self, seconds: int) -> None:
        """`seconds` from now, back when negative."""
        self.seconds = seconds

    def __repr__(self) -> str:
        """As a test's id."""
        return f"now{self.seconds:+d}"


def timed(claims: dict[str, Any]) -> dict[str, Any]:
    """The claims, each `Now` as unix seconds."""
    return {
        name: int(time.time()) + value.seconds if isinstance(value, Now) else value for name, value in claims.items()
    }


class TokenDenied(Exception):
    """The authorization server gave no token; the message is its own."""


class Caller:
    """An HTTP client that acts as one registered client: gets a token when it needs one and signs every request."""

    def __init__(self, http: httpx2.AsyncClient, signer: Signer, *, scope: str | None = None) -> None:
        """`http` has the server's address as its `base_url`."""
        self.http = http
        self.signer = signer
        self.access_token: str | None = None
        self._scope = scope
        self._until = 0.0

    async def token(self) -> str:
        """An access token that is good for at least half a minute more. Raises TokenDenied."""
        if self.access_token is None or time.time() > self._until - _EARLY:
            form = {"grant_type": "client_credentials"} | ({} if self._scope is None else {"scope": self._scope})
            self.adopt(await self.grant(form))
        return cast("str", self.access_token)

    def adopt(self, given: dict[str, Any]) -> None:
        """Use the token of a token response from now on."""
        self.access_token = given["access_token"]
        self._until = time.time() + given["expires_in"]

    async def grant(self, form: dict[str, str], *, confidential: bool = True) -> dict[str, Any]:
        """Ask the token endpoint; the token response. Raises TokenDenied."""
        response = await self.post_signed("/oauth/token", form, confidential=confidential)
        if response.status_code != 200:
            raise TokenDenied(response.text)
        return response.json()

    async def post_signed(self, path: str, form: dict[str, str], *, confidential: bool = True) -> httpx2.Response:
        """Post a form with a DPoP proof, as a confidential or a public client; once more when a nonce is due."""

        async def once() -> httpx2.Response:
            who = self.signer.assertion_form() if confidential else {"client_id": self.signer.client_id}
            headers = {"DPoP": self.signer.proof("POST", self._url(path))}
            return await self.http.post(path, data={**who, **form}, headers=headers)

        return await self._heeding(once)

    async def request(self, method: str, path: str, **how: Any) -> httpx2.Response:
        """Send a request with token and proof; `how` as httpx2 takes it; once more when a nonce is due."""
        token = await self.token()
        extra = dict(how.pop("headers", {}))

        async def once() -> httpx2.Response:
            proof = self.signer.proof(method, self._url(path), access_token=token)
            headers = {"Authorization": f"DPoP {token}", "DPoP": proof, **extra}
            return await self.http.request(method, path, headers=headers, **how)

        return await self._heeding(once)

    async def get(self, path: str) -> httpx2.Response:
        """`request("GET", path)`."""
        return await self.request("GET", path)

    async def nonce(self) -> str:
        """A nonce of the server, fetched if there is none yet."""
        if self.signer.nonce is None:
            await self.post_signed("/oauth/token", {"grant_type": "client_credentials"})
        return cast("str", self.signer.nonce)

    async def _heeding(self, once: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
        """The answer of `once`, or of a second go when the first was told to use another nonce."""
        response = await once()
        return await once() if self.signer.heed(response) and self.signer.nonce is not None else response

    def _url(self, path: str) -> str:
        return str(self.http.base_url.join(path))


def pkce() -> tuple[str, str]:
    """A verifier and its S256 challenge (RFC 7636)."""
    verifier = secrets.token_urlsafe(48)
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def submit(http: httpx2.AsyncClient, page: httpx2.Response, **filled: str) -> httpx2.Response:
    """Send the first form of a page, with some fields filled in."""
    form = Form(page.text)
    assert form.action is not None, page.text
    return await http.post(page.url.join(form.action), data={**form.fields, **filled})


async def follow(http: httpx2.AsyncClient, response: httpx2.Response) -> httpx2.Response:
    """Follow redirects within the server; stop before one that leaves it."""
    for _ in range(_MOST_PAGES):
        if not response.is_redirect:
            return response
        target = response.url.join(response.headers["location"])
        if not str(target).startswith(str(http.base_url).rstrip("/") + "/"):
            return response
        response = await http.get(target)
    message = f"redirects without end at {response.url}"
    raise AssertionError(message)


async def log_in(http: httpx2.AsyncClient, login: str, return_to: str = "/v1/me") -> httpx2.Response:
    """Walk through the identity provider's form; the page at the end."""
    form = await follow(http, await http.get("/login", params={"return_to": return_to}))
    assert form.status_code == 200, form.text
    answer = await submit(http, form, login=login, password=f"pw-{login.partition('-')[0]}")
    return await follow(http, answer)


def answer_of(response: httpx2.Response) -> dict[str, str]:
    """The parameters of a redirect back to an app."""
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()}


class App:
    """A citizens' app (a public client) beside the citizen's browser."""

    confidential = False
    yes: ClassVar[dict[str, str]] = {}

    def __init__(self, http: httpx2.AsyncClient, signer: Signer, redirect_uri: str) -> None:
        """`http` is the browser, logged in or not."""
        self.browser = http
        self.caller = Caller(http, signer)
        self.redirect_uri = redirect_uri
        self.verifier, self.challenge = pkce()
        self.state = secrets.token_urlsafe(8)

    async def push(self, **changed: str | None) -> httpx2.Response:
        """Push the authorization request; a parameter given as None is left out."""
        form: dict[str, str | None] = {
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            **self.asks(),
            "state": self.state,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **changed,
        }
        kept = {name: value for name, value in form.items() if value is not None}
        return await self.caller.post_signed("/oauth/par", kept, confidential=self.confidential)

    def asks(self) -> dict[str, str | None]:
        """What it asks for."""
        return {"scope": "me"}

    async def page(self, **changed: str) -> httpx2.Response:
        """The page that asks the citizen, who is logged in."""
        pushed = await self.push()
        assert pushed.status_code == 201, pushed.text
        query = {"client_id": self.caller.signer.client_id, "request_uri": pushed.json()["request_uri"], **changed}
        return await follow(self.browser, await self.browser.get("/oauth/authorize", params=query))

    async def code(self) -> str:
        """The code after the citizen's yes."""
        return answer_of(await submit(self.browser, await self.page(), decision="allow", **self.yes))["code"]

    async def redeem(self, code: str, **changed: str) -> httpx2.Response:
        """Send a code to the token endpoint."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            **changed,
        }
        return await self.caller.post_signed("/oauth/token", form, confidential=self.confidential)

    async def given(self) -> dict[str, Any]:
        """The token response of a whole walk."""
        answer = await self.redeem(await self.code())
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def renew(self, refresh_token: str, **changed: str) -> httpx2.Response:
        """Send a refresh token to the token endpoint."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **changed}
        return await self.caller.post_signed("/oauth/token", form, confidential=self.confidential)

    async def introspect(self, token: str) -> dict[str, Any]:
        """What the server says of a token."""
        answer = await self.caller.post_signed("/oauth/introspect", {"token": token}, confidential=self.confidential)
        assert answer.status_code == 200, answer.text
        return answer.json()


def detail(**changed: Any) -> dict[str, Any]:
    """What a library asks for; a member given as None is left out."""
    usual: dict[str, Any] = {
        "type": "credit_eligibility",
        "purpose": "library-deposit-free",
        "perk": "library.deposit-free",
        "locations": ["http://127.0.0.1:8000/v1"],
        "actions": ["verify"],
        "frequency": {"max": 3, "per": "P1D"},
        "expires_at": f"{clock.today() + timedelta(days=200)}T00:00:00+08:00",
        "retention": "P7D",
    }
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


class Partner(App):
    """A partner (a confidential client) that asks for a standing consent, beside the citizen's browser."""

    confidential = True
    yes: ClassVar[dict[str, str]] = {"separate": "yes"}
    detail: dict[str, Any] | None = None

    def asks(self) -> dict[str, str | None]:
        """One detail of its own perk."""
        return {"authorization_details": json.dumps([self.detail or detail()])}
