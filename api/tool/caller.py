"""A client of our own API: signs what a partner, source or staff system must sign. For `osmanthus call` and the seed.

    async with httpx2.AsyncClient(base_url=kit["base_url"], auth=signed(kit, "city-library")) as http:
        await http.post("/v1/partner/eligibility", json={...})

Promises: a fresh `private_key_jwt` assertion (RFC 7523) for each token, a DPoP proof (RFC 9449) for each request, a
token kept until it is nearly over, one repeat when the server wants its nonce. Does not promise to repeat a stream:
pass bytes.
"""

import time
from collections.abc import Generator, Mapping
from typing import Any

import httpx2

from api.tool.citizen_app import Bound, signed_in
from api.tool.signing import Signer

_MARGIN = 20


class TokenRefusedError(Exception):
    """The token endpoint said no; the message is its status and its words."""


class NoAnswerError(Exception):
    """The server could not be reached."""


class Signed(httpx2.Auth):
    """What one registered client adds to its requests."""

    requires_response_body = True

    def __init__(self, *, base_url: str, issuer: str, client_id: str, jwk: Mapping[str, Any], scope: str) -> None:
        """`jwk` is the private key as in kit.json; `issuer` the audience of assertions; `scope` space-separated."""
        self._signer = Signer(dict(jwk), client_id=client_id, issuer=issuer)
        self._endpoint = f"{base_url}/oauth/token"
        self._scope = scope
        self._bound: Bound | None = None
        self._until = 0.0

    def holding(self, access_token: str) -> Bound:
        """Sends another token that is bound to this client's key: that of an assisted session."""
        return Bound(self._signer, access_token)

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Get a token if need be, then send the request with its proof; once more with the server's nonce."""
        if self._bound is None or time.monotonic() > self._until:
            given = yield self._token_request()
            if self._signer.heed(given):
                given = yield self._token_request()
            self._bound = self._keep(given)
        yield from self._bound.auth_flow(request)

    def _token_request(self) -> httpx2.Request:
        """Client credentials (RFC 6749, section 4.4) with an assertion that is used once."""
        form = {"grant_type": "client_credentials", "scope": self._scope, **self._signer.assertion_form()}
        proof = self._signer.proof("POST", self._endpoint)
        return httpx2.Request("POST", self._endpoint, data=form, headers={"DPoP": proof})

    def _keep(self, given: httpx2.Response) -> Bound:
        """Keep the token until shortly before its end. Raises TokenRefusedError."""
        if not given.is_success:
            message = f"The token endpoint answered {given.status_code}: {given.text}"
            raise TokenRefusedError(message)
        body = given.json()
        self._until = time.monotonic() + body["expires_in"] - _MARGIN
        return Bound(self._signer, body["access_token"])


def signed(kit: Mapping[str, Any], name: str) -> Signed:
    """The client called `name` in a kit (kit.json), with all its scopes. Raises KeyError for an unknown name."""
    one = kit["clients"][name]
    return Signed(
        base_url=kit["base_url"],
        issuer=kit["issuer"],
        client_id=one["client_id"],
        jwk=one["jwk"],
        scope=" ".join(one["scopes"]),
    )


def names(kit: Mapping[str, Any]) -> list[str]:
    """Everybody that `once` can act as: the kit's clients, and the logins of its citizens."""
    return [*kit["clients"], *(one["login"] for one in kit["citizens"] if one["login"])]


async def once(
    kit: Mapping[str, Any], name: str, method: str, path: str, *, content: bytes | None, headers: Mapping[str, str]
) -> httpx2.Response:
    """One request as a client or a citizen of the kit; its answer, good or bad.

    Raises TokenRefusedError, LostOnTheWayError, NoAnswerError.
    """
    try:
        if name in kit["clients"]:
            async with httpx2.AsyncClient(base_url=kit["base_url"], auth=signed(kit, name), timeout=60) as http:
                return await http.request(method, path, content=content, headers=dict(headers))
        person = next(one for one in kit["citizens"] if one["login"] == name)
        who = {"login": name, "password": person["password"]}
        async with signed_in(kit["base_url"], kit["citizen_client"], **who) as http:
            return await http.request(method, path, content=content, headers=dict(headers))
    except httpx2.TransportError as error:
        message = f"no answer from {kit['base_url']} ({type(error).__name__}): is the server running?"
        raise NoAnswerError(message) from error
