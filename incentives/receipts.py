"""Signed decision receipts: a partner can show later what it was told, and anybody can check it offline.

A receipt is a compact JWS (`core.signed`) with `typ` `decision-receipt+jwt`, by the Ed25519 key that
`/.well-known/jwks.json` publishes as `rcpt-1`. It repeats the answer and adds who answered (`iss`), whom (`aud`) and
when (`iat`). The same decision has the same bytes, so nothing is stored to repeat it. It names no person and no cause
that is personal.
"""

import msgspec

from core.keys import Keyring
from core.signed import Signer

KID = "rcpt-1"
TYPE = "decision-receipt+jwt"


def signer(ring: Keyring) -> Signer:
    """The signer of this deployment's receipts; made once."""
    return Signer(ring.ed25519(KID), TYPE)


def sign(by: Signer, answer: msgspec.Struct, *, issuer: str, partner: str, issued: int) -> str:
    """The receipt over the members of `answer`, for `partner`, issued at unix second `issued`."""
    return _over(by, msgspec.json.encode(answer), issuer, partner, issued).decode()


def answered(by: Signer, answer: msgspec.Struct, *, issuer: str, partner: str, issued: int) -> bytes:
    """`answer` as JSON with its receipt as the last member: what is sent is what was signed, written once."""
    told = msgspec.json.encode(answer)
    return b'%b,"receipt":"%b"}' % (told[:-1], _over(by, told, issuer, partner, issued))


def _over(by: Signer, told: bytes, issuer: str, partner: str, issued: int) -> bytes:
    """The receipt over a JSON object with at least one member."""
    said = msgspec.json.encode({"iss": issuer, "aud": partner, "iat": issued})
    return by.sign_bytes(said[:-1] + b"," + told[1:])
