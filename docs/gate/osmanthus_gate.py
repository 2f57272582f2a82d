"""Read credit codes (CC1) at a gate that has no line: one file, the standard library and `cryptography` (Ed25519).

    gate = Gate.of(jwks, statement, perk="transit.ride-first", partner="p_metro")  # what you fetched beforehand
    try:
        gate.admit(scanned)          # granted, and this code is never admitted here again
    except Refused as no:
        print(no.reason)             # code_expired, code_used or code_not_for_you: as the online answer says it

A code is admitted when the city's key signed it, it is not older than its life, it is for this perk and for this
partner (or for whoever offers the perk), and was not shown here before. README.md beside this file says what a gate
without a line cannot know. Take it, change it: public domain.
"""

from __future__ import annotations

import json
import struct
import threading
import time
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PREFIX, DOMAIN, SKEW, LONGEST = "CC1:", b"CC1\x00", 10, 60
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
Keys = dict[tuple[int, int], Ed25519PublicKey]  # by city and the byte in a code
Clock = Callable[[], float]
LAYOUT = struct.Struct(">BBI8sIBHI")  # version, key, city, jti, issued, life, perk, audience: 25 bytes, then 64 signed


class Refused(Exception):
    """This code opens nothing here. `reason` is for the person, `why` for your log."""

    def __init__(self, reason: str, why: str) -> None:
        """Keep both."""
        super().__init__(f"{reason}: {why}")
        self.reason, self.why = reason, why


class Code(NamedTuple):
    """What a code says; `issued` is a unix second, `life` seconds."""

    key: int
    city: int
    perk: int
    audience: int
    issued: int
    life: int
    jti: bytes


def base45(text: str) -> bytes:
    """The bytes of RFC 9285; raises ValueError for what no encoder writes."""
    found = bytearray()
    for at in range(0, len(text), 3):
        part = [ALPHABET.index(letter) for letter in text[at : at + 3]]
        if len(part) == 1:
            raise ValueError("one letter alone")
        value = sum(digit * 45**place for place, digit in enumerate(part))
        found += value.to_bytes(len(part) - 1, "big")  # OverflowError: more than its bytes hold
    return bytes(found)


def read(text: str) -> tuple[Code, bytes, bytes]:
    """What a code says, the signed bytes and the signature; nothing is checked yet."""
    text = text.strip().upper()
    try:
        raw = base45(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else b""
    except (ValueError, OverflowError):
        raw = b""
    if len(raw) != LAYOUT.size + 64 or raw[0] != 1:
        raise Refused("code_expired", "not a CC1 code")
    _, key, city, jti, issued, life, perk, audience = LAYOUT.unpack(raw[: LAYOUT.size])
    return Code(key, city, perk, audience, issued, life, jti), DOMAIN + raw[: LAYOUT.size], raw[LAYOUT.size :]


def keys(jwks: dict[str, Any], city: int) -> Keys:
    """The Ed25519 keys named `cc-<byte>` of a city's `/.well-known/jwks.json`. Merge several cities' with `|`."""
    return {
        (city, int(one["kid"][3:])): Ed25519PublicKey.from_public_bytes(decoded(one["x"]))
        for one in jwks["keys"]
        if one.get("crv") == "Ed25519" and one.get("kid", "").startswith("cc-")
    }


def opened(statement: str, jwks: dict[str, Any]) -> dict[str, Any]:
    """What the `statement` of `/v1/rules/credit-codes` says, once its signature holds (key `rcpt-1`)."""
    signed, _, signature = statement.rpartition(".")
    (key,) = [one for one in jwks["keys"] if one.get("kid") == "rcpt-1" and one.get("crv") == "Ed25519"]
    Ed25519PublicKey.from_public_bytes(decoded(key["x"])).verify(decoded(signature), signed.encode())
    head, body = (json.loads(decoded(part)) for part in signed.split("."))
    if (head["alg"], head["typ"]) != ("EdDSA", "credit-codes+jwt"):
        raise ValueError("not the numbers of credit codes")
    return body


def decoded(text: str) -> bytes:
    """Base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Gate:
    """One gate, for one perk. It remembers each code while that lives; its clock must be right within ten seconds."""

    def __init__(
        self, known: Keys, perk: int, audiences: Iterable[int], clock: Clock = time.time, since: float | None = None
    ) -> None:
        """`known`: see `keys`; `perk` and `audiences`: numbers. A code drawn before `since` is not admitted.

        By default that is now: a gate that was off may have forgotten whom it admitted; its visitor draws another.
        """
        self.keys, self.perk, self.audiences, self.clock = known, perk, frozenset(audiences) - {0}, clock
        self.since = int(clock()) if since is None else since  # codes tell whole seconds
        self._shown: OrderedDict[tuple[int, bytes], float] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, jwks: dict[str, Any], statement: str, *, perk: str, partner: str) -> Gate:
        """A gate by names; KeyError for a perk or partner that the city does not know."""
        told = opened(statement, jwks)
        number = {one["perk"]: one["number"] for one in told["perks"]}[perk]
        audience = {(one["kind"], one["name"]): one["number"] for one in told["audiences"]}
        mine = {audience["partner", partner], audience["programme", perk]}
        return cls(keys(jwks, told["city"]), number, mine)

    def admit(self, text: str) -> Code:
        """What the code says, once. Raises Refused."""
        (code, message, signature), now = read(text), self.clock()
        try:
            self.keys[code.city, code.key].verify(signature, message)
        except KeyError:
            raise Refused("code_expired", "a city or key that this gate does not know") from None
        except InvalidSignature:
            raise Refused("code_expired", "not signed by the city") from None
        if not 0 < code.life <= LONGEST or code.issued > now + SKEW or now > code.issued + code.life + SKEW:
            raise Refused("code_expired", "not of this minute")
        if code.issued < self.since:
            raise Refused("code_expired", "drawn before this gate was switched on")
        if code.perk != self.perk or code.audience not in self.audiences:
            raise Refused("code_not_for_you", f"for perk {code.perk}, audience {code.audience}")
        with self._lock:
            while self._shown and next(iter(self._shown.values())) < now:
                self._shown.popitem(last=False)
            if (code.city, code.jti) in self._shown:
                raise Refused("code_used", "shown here before")
            self._shown[code.city, code.jti] = now + LONGEST + 2 * SKEW + 1
        return code
