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
    members = {name: value for name, value in msgspec.structs.asdict(answer).items() if value is not msgspec.UNSET}
    return by.sign({"iss": issuer, "aud": partner, "iat": issued, **members})
