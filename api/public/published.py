"""Public documents: exact bytes with an ETag, a digest and a signature, made once for what they are made of.

`Repr-Digest` (RFC 9530) and a detached JWS over the very bytes (RFC 7515, appendix F: header and signature with nothing
between, payload = the body) in `X-JWS-Signature`, ES256 by the key that `/.well-known/jwks.json` publishes as
`rules-1`. A copy kept by anybody can be checked years later. Nothing here depends on who asks.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Collection, Hashable
from typing import Any, cast

import msgspec
from joserfc import jws
from joserfc.jwk import ECKey
from litestar import Response

from api.deps import HttpRequest
from core.keys import Keyring
from scoring.book.basis import Basis

KID = "rules-1"
TYPE = "osmanthus-rules+jws"
CACHE = "public, max-age=60, must-revalidate"
_KEPT = 256


class Document(msgspec.Struct, frozen=True):
    """The bytes and what is said of them."""

    body: bytes
    headers: dict[str, str]


class Press:
    """Makes each document once. `key` says what it is made of: other releases, another document."""

    def __init__(self, ring: Keyring) -> None:
        """Signs with the ring's rules key."""
        self._signer: ECKey = ring.es256(KID)
        self._made: dict[Hashable, Document] = {}

    def holds(self, key: Hashable) -> bool:
        """Whether the document is made already."""
        return key in self._made

    def document(self, key: Hashable, make: Callable[[], object]) -> Document:
        """The document kept under `key`, made at first use."""
        if (found := self._made.get(key)) is None:
            if len(self._made) >= _KEPT:
                self._made.clear()
            found = self._made[key] = self._sign(msgspec.json.encode(make()))
        return found

    def _sign(self, body: bytes) -> Document:
        header = {"alg": "ES256", "kid": KID, "typ": TYPE}
        protected, _, signature = jws.serialize_compact(header, body, self._signer, algorithms=["ES256"]).split(".")
        digest = hashlib.sha256(body).digest()
        return Document(
            body,
            {
                "ETag": f'"{digest.hex()}"',
                "Repr-Digest": f"sha-256=:{b64encode(digest).decode()}:",
                "X-JWS-Signature": f"{protected}..{signature}",
                "Cache-Control": CACHE,
            },
        )


def answer(request: HttpRequest, document: Document) -> Response[Any]:
    """The document, or 304 when the caller has it (RFC 9110, section 13.1.2)."""
    if holds(request, document.headers["ETag"]):
        return Response(None, status_code=304, headers=document.headers)
    return Response(document.body, media_type="application/json", headers=document.headers)


def holds(request: HttpRequest, tag: str) -> bool:
    """Whether the caller says that they have what an ETag names; compared weakly (RFC 9110, section 8.8.3.2)."""
    held = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    return bool(held & {tag.removeprefix("W/"), "*"})


def plain(value: object, *, tenths: Collection[str] = ()) -> Any:
    """A rule book's values as JSON: members named in `tenths` become decimals; a basis says what it rests on.

    A value that no city adopted says 示范规则，未经任何城市采用.
    """
    if isinstance(value, Basis):
        return {"kind": value.kind, "cite": value.shown()}
    if isinstance(value, msgspec.Struct):
        return {
            name: round(one / 10, 1) if name in tenths else plain(one, tenths=tenths)
            for name, one in msgspec.structs.asdict(value).items()
            if name != "claims"
        }
    if isinstance(value, dict):
        return {name: plain(one, tenths=tenths) for name, one in cast("dict[str, object]", value).items()}
    if isinstance(value, tuple | list):
        return [plain(one, tenths=tenths) for one in cast("list[object]", value)]
    return value
