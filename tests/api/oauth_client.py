"""A client for tests of the API: signs every request as one registered client, and walks a citizen through the forms."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx2

from api.signing import Signer

_EARLY = 30


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
            given = await self.grant(form)
            self.adopt(given)
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

    async def post_signed(self, path: str, form: dict[str, str], *, confidential: bool) -> httpx2.Response:
        """Post a form with a DPoP proof, as a confidential or a public client; once more when a nonce is due."""

        async def once() -> httpx2.Response:
            who = self.signer.assertion_form() if confidential else {"client_id": self.signer.client_id}
            headers = {"DPoP": self.signer.proof("POST", self._url(path))}
            return await self.http.post(path, data={**form, **who}, headers=headers)

        return await self._heeding(once)

    async def request(self, method: str, path: str, **how: Any) -> httpx2.Response:  # noqa: ANN401
        """Send a request with token and proof; `how` as httpx2 takes it; once more when a nonce is due."""
        token = await self.token()
        extra = dict(how.pop("headers", {}))

        async def once() -> httpx2.Response:
            proof = self.signer.proof(method, self._url(path), access_token=token)
            headers = {**extra, "Authorization": f"DPoP {token}", "DPoP": proof}
            return await self.http.request(method, path, headers=headers, **how)

        return await self._heeding(once)

    async def _heeding(self, once: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
        """The answer of `once`, or of a second go when the first was told to use another nonce."""
        response = await once()
        return await once() if self.signer.heed(response) and self.signer.nonce is not None else response

    def _url(self, path: str) -> str:
        return str(self.http.base_url.join(path))
