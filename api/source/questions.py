"""A question that we ask a source: signed, so that it knows who asks, and that not a byte was changed on the way.

`Authorization: Bearer` holds a JWT (RFC 7519, EdDSA, the key `ask-1` of `/.well-known/jwks.json`) of a minute's life:
`iss` is this service, `aud` the very address, `jti` is used once, `digest` is the SHA-256 of the body in the words of
`Content-Digest` (RFC 9530). A source checks the signature, the audience, the time, the digest, and that it has not seen
the `jti` before. Nothing of a question or its answer is logged.
"""

import hashlib
import secrets
from base64 import b64encode
from contextlib import AbstractAsyncContextManager

import msgspec

from api.deps import House
from core import clock, outbound
from core.outbound import Answer
from core.signed import Signer

KID, TYPE = "ask-1", "osmanthus-question+jwt"
_SECONDS = 60


def ask(
    house: House, address: str, question: msgspec.Struct, *, most: int, seconds: float
) -> AbstractAsyncContextManager[Answer]:
    """Ask; the answer's bytes are read inside the block. Raises NotReached."""
    body = msgspec.json.encode(question)
    digest = f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"
    now = int(clock.wall().timestamp())
    token = Signer(house.ring.ed25519(KID), TYPE).sign(
        {"iss": house.settings.base_url, "aud": address, "iat": now, "exp": now + _SECONDS,
         "jti": secrets.token_urlsafe(16), "digest": digest}
    )  # fmt: skip
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Digest": digest,
        "Content-Type": "application/json",
        "Accept": "application/x-ndjson, application/json",
    }
    return outbound.post(
        address, body=body, headers=headers, sandbox=house.settings.sandbox, most=most, seconds=seconds
    )
