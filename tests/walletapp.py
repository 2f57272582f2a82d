"""A citizen's wallet, as an issuer meets it: reads an offer, redeems it, proves keys and gets copies.

`Wallet.copies` walks the whole way; each step takes what an attacker would change.
"""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey

from api.tool.signing import Signer, fresh_key

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
CONFIGURATION = "points-reached"


def offered(uri: str) -> dict[str, Any]:
    """The offer in the address that a picture holds."""
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("openid-credential-offer", "")
    return json.loads(parse_qs(parts.query)["credential_offer"][0])


def holder_key() -> ECKey:
    """A fresh key for one copy."""
    return ECKey.generate_key("P-256", private=True)


def proof(key: ECKey, audience: str, nonce: object, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A proof of a key (OpenID4VCI 1.0, appendix F.1); `header` and claims replace the usual members."""
    said = {"aud": audience, "iat": int(time.time()), "nonce": nonce, **claims}
    usual = {"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    kept = {name: value for name, value in said.items() if value is not None}
    head = {name: value for name, value in {**usual, **(header or {})}.items() if value is not None}
    return jws.serialize_compact(head, json.dumps(kept), key, algorithms=["ES256"])


class Wallet:
    """One wallet, with a DPoP key of its own."""

    def __init__(self, http: httpx2.AsyncClient, base_url: str) -> None:
        """`http` has no login: a wallet is nobody that the city knows."""
        self.http = http
        self.base_url = base_url
        self.signer = Signer(fresh_key(), client_id="", issuer=base_url)
        self.token = ""

    async def redeem(self, uri: str, words: str, **changed: str | None) -> httpx2.Response:
        """Ask for the token of an offer; keeps it."""
        code = offered(uri)["grants"][GRANT]["pre-authorized_code"]
        form = {"grant_type": GRANT, "pre-authorized_code": code, "tx_code": words, **changed}
        kept = {name: value for name, value in form.items() if value is not None}

        async def once() -> httpx2.Response:
            url = f"{self.base_url}/oauth/token"
            return await self.http.post(url, data=kept, headers={"DPoP": self.signer.proof("POST", url)})

        answer = await self._heeding(once)
        if answer.status_code == 200:
            self.token = answer.json()["access_token"]
        return answer

    async def nonce(self) -> str:
        """A nonce for proofs."""
        answer = await self.http.post(f"{self.base_url}/oid4vci/nonce")
        assert answer.status_code == 200, answer.text
        self.signer.heed(answer)
        return answer.json()["c_nonce"]

    async def ask(self, jwts: list[str], **changed: Any) -> httpx2.Response:
        """The credential request with these proofs."""
        body = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": jwts}, **changed}

        async def once() -> httpx2.Response:
            url = f"{self.base_url}/oid4vci/credential"
            signed = self.signer.proof("POST", url, access_token=self.token)
            headers = {"DPoP": signed, "Authorization": f"DPoP {self.token}"}
            return await self.http.post(url, json=body, headers=headers)

        return await self._heeding(once)

    async def take(self, keys: list[ECKey]) -> httpx2.Response:
        """Copies for these keys, with a fresh nonce."""
        nonce = await self.nonce()
        return await self.ask([proof(key, self.base_url, nonce) for key in keys])

    async def copies(self, uri: str, words: str, count: int) -> list[tuple[ECKey, str]]:
        """The whole way from an offer to `count` copies, each with its key."""
        redeemed = await self.redeem(uri, words)
        assert redeemed.status_code == 200, redeemed.text
        keys = [holder_key() for _ in range(count)]
        given = await self.take(keys)
        assert given.status_code == 200, given.text
        return [(key, one["credential"]) for key, one in zip(keys, given.json()["credentials"], strict=True)]

    async def _heeding(self, once: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
        """The answer, asked for again where the server wants a DPoP nonce."""
        answer = await once()
        return await once() if self.signer.heed(answer) else answer
