"""A city that issues and a wallet that shows: `Wallet.show` does what a holder's app does."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

from core.signed import Signer, epoch_day
from incentives.recognition import credential, sdjwt
from incentives.recognition.credential import Attested, Place

DAY = date(2026, 11, 22)
NOW = epoch_day(DAY) + 40_000
CITY = "https://home.example"
KID = "vc-2026q4"
HERE, NONCE = "https://host.example", "n-0S6_WzA2Mj"
PLACE = Place(f"{CITY}/status-lists/1", 4711)
ATTESTED = Attested(frozenset({110, 120}), "990100", DAY, "sc-2026")
CITY_KEY = ECKey.generate_key("P-256", {"kid": KID}, private=True)
CityKey = Callable[[str, str], Any]


def key_of(issuer: str, kid: str) -> Any:
    """The key of the one city that is trusted."""
    return CITY_KEY if (issuer, kid) == (CITY, KID) else None


def signed(key: ECKey | OKPKey, header: Mapping[str, Any], claims: object) -> str:
    """A compact JWS with any header and claims, as an attacker would make it, too."""
    parts = [json.dumps(one).encode() if not isinstance(one, bytes) else one for one in (header, claims)]
    message = b".".join(base64.urlsafe_b64encode(one).rstrip(b"=") for one in parts)
    signature = JWSRegistry.algorithms[header.get("alg", "ES256")].sign(message, key)
    return (message + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


class Wallet:
    """One copy of a credential and the key that it is bound to."""

    def __init__(self, attested: Attested = ATTESTED, noise: bytes | None = None, place: Place = PLACE) -> None:
        """Have one issued by the city that is trusted."""
        self.key = ECKey.generate_key("P-256", private=True)
        self.text = credential.issue(
            Signer(CITY_KEY, credential.TYPE),
            attested,
            issuer=CITY,
            holder=self.key.as_dict(private=False),
            day=DAY,
            place=place,
            noise=secrets.token_bytes(512) if noise is None else noise,
        )
        self.issued, *self.disclosures, _ = self.text.split("~")

    @property
    def claims(self) -> dict[str, Any]:
        """What is always visible."""
        body = self.issued.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(body + "=="))

    def named(self, *names: str) -> list[str]:
        """The disclosures of some claims."""
        return [one for one in self.disclosures if json.loads(base64.urlsafe_b64decode(one + "=="))[1] in names]

    def show(self, *names: str, issued: str = "", extra: tuple[str, ...] = (), **changes: Any) -> str:
        """Present some claims; what is given by name changes the key binding (`typ`, `key`, `aud` …)."""
        key, header = changes.pop("key", self.key), {"alg": "ES256", "typ": changes.pop("typ", "kb+jwt")}
        bound = sdjwt.join(issued or self.issued, [*self.named(*names), *extra])
        digest = base64.urlsafe_b64encode(hashlib.sha256(bound.encode()).digest()).rstrip(b"=").decode()
        claims = {"iat": NOW, "aud": HERE, "nonce": NONCE, "sd_hash": digest, **changes}
        return bound + signed(key, header, {name: value for name, value in claims.items() if value is not None})

    def altered(
        self, *names: str, key: ECKey = CITY_KEY, header: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        """Present a credential whose visible claims or header are other ones, signed by the city (or `key`)."""
        said = {name: value for name, value in {**self.claims, **claims}.items() if value is not None}
        return self.show(
            *names, issued=signed(key, header or {"alg": "ES256", "kid": KID, "typ": credential.TYPE}, said)
        )
