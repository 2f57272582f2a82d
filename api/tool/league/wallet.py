"""A holder's wallet, as the demo plays it: an offer becomes copies of a credential, and a copy answers one question.

OpenID4VCI 1.0 with the pre-authorised code, OpenID4VP 1.0 with `direct_post`. Promises what a wallet owes its holder:
every copy has a key of its own and is shown once; nothing is shown but what was asked; a question is answered only when
whoever asks has signed it, for this moment. Raises WalletError for what it would not do, with the reason.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc.jwk import ECKey

from api.tool.signing import Signer as Dpop
from api.tool.signing import fresh_key
from api.tool.trusting import signing
from core import clock, jose
from core.signed import Signer
from incentives.recognition import sdjwt

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
PROOF = "openid4vci-proof+jwt"
BINDING = "kb+jwt"


class WalletError(Exception):
    """What the wallet would not do, or was not given."""


class Copy:
    """One copy of a credential and its key; shown once."""

    def __init__(self, key: ECKey, text: str) -> None:
        """`text` is the SD-JWT with all its disclosures."""
        self.key = key
        self.issued, *self.disclosures, _ = text.split("~")
        self.used = False

    @property
    def says(self) -> dict[str, Any]:
        """What it can show."""
        return {name: value for _, name, value in (jose.unpacked(one) for one in self.disclosures)}  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]  (a disclosure is a list of three)

    def show(self, names: set[str], *, audience: str, nonce: str) -> str:
        """The presentation of some claims for a question."""
        self.used = True
        shown = [one for one in self.disclosures if jose.unpacked(one)[1] in names]  # pyright: ignore[reportIndexIssue]  (a disclosure is a list of three)
        bound = sdjwt.join(self.issued, shown)
        said = {"iat": int(clock.wall().timestamp()), "aud": audience, "nonce": nonce, "sd_hash": sdjwt.digest(bound)}
        return bound + Signer(self.key, BINDING).sign(said)


class Wallet:
    """One wallet; `http` carries no login."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        """Empty."""
        self.http = http
        self.copies: list[Copy] = []

    async def take(self, offer_uri: str, words: str, count: int) -> None:
        """Redeem an offer with the words that the citizen typed in, for `count` copies."""
        offer = json.loads(parse_qs(urlsplit(offer_uri).query)["credential_offer"][0])
        issuer = offer["credential_issuer"]
        told = (await self.http.get(f"{issuer}/.well-known/openid-credential-issuer")).json()
        dpop = Dpop(fresh_key(), client_id="", issuer=issuer)
        grant = {"pre-authorized_code": offer["grants"][GRANT]["pre-authorized_code"], "tx_code": words}
        token = await self._token(dpop, issuer, {"grant_type": GRANT, **grant})
        nonce = (await self.http.post(told["nonce_endpoint"])).json()["c_nonce"]
        keys = [ECKey.generate_key("P-256", private=True) for _ in range(count)]
        body = {
            "credential_configuration_id": offer["credential_configuration_ids"][0],
            "proofs": {"jwt": [_proof(key, issuer, nonce) for key in keys]},
        }
        url = told["credential_endpoint"]

        async def once() -> httpx2.Response:
            signed = dpop.proof("POST", url, access_token=token)
            return await self.http.post(url, json=body, headers={"DPoP": signed, "Authorization": f"DPoP {token}"})

        given = _must(await _heeding(dpop, once)).json()["credentials"]
        self.copies += [Copy(key, one["credential"]) for key, one in zip(keys, given, strict=True)]

    async def answer(self, uri: str, *, copy: Copy | None = None) -> httpx2.Response:
        """Answer the question behind `openid4vp://…` with a fresh copy, or with `copy`, which a wallet would not do."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(uri).query).items()}
        question = await self._question(asked["request_uri"], asked["client_id"])
        shown = copy or self.fresh()
        wanted, ident = _wanted(question["dcql_query"], shown.says)
        text = shown.show(wanted, audience=question["client_id"], nonce=question["nonce"])
        form = {"vp_token": json.dumps({ident: [text]}), "state": question["state"]}
        return await self.http.post(question["response_uri"], data=form)

    def fresh(self) -> Copy:
        """A copy that was never shown. Raises WalletError when there is none left."""
        for copy in self.copies:
            if not copy.used:
                return copy
        message = "every copy was shown: draw another offer"
        raise WalletError(message)

    async def _question(self, address: str, origin: str) -> dict[str, Any]:
        """The request object, when the key of whoever asks signed it (RFC 9101)."""
        token = _must(await self.http.get(address)).text
        keys = (await self.http.get(f"{origin}/.well-known/jwks.json")).json()["keys"]
        signed = jose.parse(token)
        found = [one for one in keys if one["kid"] == signed.header.get("kid")]
        if not found or signed.header.get("typ") != "oauth-authz-req+jwt":
            raise WalletError("nobody signed this question")
        jose.verify(signed, jose.public_key(found[0]))
        here = str(signed.claims["response_uri"]).startswith(f"{origin}/")
        if signed.claims["client_id"] != origin or not here or signed.claims["exp"] <= clock.wall().timestamp():
            raise WalletError("the question is another one, or over")
        return dict(signed.claims)

    async def _token(self, dpop: Dpop, issuer: str, form: dict[str, str]) -> str:
        meta = (await self.http.get(f"{issuer}/.well-known/oauth-authorization-server")).json()
        url = meta["token_endpoint"]

        async def once() -> httpx2.Response:
            return await self.http.post(url, data=form, headers={"DPoP": dpop.proof("POST", url)})

        return _must(await _heeding(dpop, once)).json()["access_token"]


def _wanted(query: dict[str, Any], says: dict[str, Any]) -> tuple[set[str], str]:
    """What the first credential query that this copy can answer asks for, and its name; nothing, where none fits."""
    for one in query["credentials"]:
        asked = {claim["path"][0]: claim.get("values") for claim in one["claims"]}
        if all(name in says and (values is None or says[name] in values) for name, values in asked.items()):
            return set(asked), one["id"]
    return set(), query["credentials"][0]["id"]


def _proof(key: ECKey, issuer: str, nonce: str) -> str:
    """A proof of a key (OpenID4VCI 1.0, appendix F.1): the key itself stands in the header."""
    head = jose.packed({"alg": "ES256", "typ": PROOF, "jwk": key.as_dict(private=False)})
    body = jose.packed({"aud": issuer, "iat": int(clock.wall().timestamp()), "nonce": nonce})
    return f"{head}.{body}.{jose.base64(signing(key)(f'{head}.{body}'.encode()))}"


async def _heeding(dpop: Dpop, once: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
    """The answer; asked for again where the server wants its nonce (RFC 9449, section 8)."""
    answer = await once()
    return await once() if dpop.heed(answer) else answer


def _must(answer: httpx2.Response) -> httpx2.Response:
    if not answer.is_success:
        message = f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}"
        raise WalletError(message)
    return answer
