"""DPoP (RFC 9449): proof that the sender of a request holds a private key, for this request and this moment only.

Promises: method, address, time (60 s either way), a nonce of ours not older than two minutes, the access token's hash
where there is one; a proof is taken once per key (whoever uses `read` takes it, by `Proof.once`, before it causes
anything). Nonces are stateless, and bound to the epoch of the short-lived
store: a store that forgot which proofs it had seen makes every older proof fail. Does not promise anything about the
key: whoever asks compares `jkt` with what the key is bound to.
"""

import base64
import hashlib
import hmac
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import msgspec

from auth.refusals import NonceWanted, ProofRefused
from core import clock, jose
from core.keys import Keyring
from core.shortlived import Store

SKEW = 60
WINDOW = 60
REMEMBERED = 130
_PORTS = {"http": 80, "https": 443}


class Proof(msgspec.Struct, frozen=True):
    """A proof that held: the thumbprint of its key, and the nonce to send along (None while the used one is fresh).

    `once`: the key under which the store remembers, for REMEMBERED seconds, that it was used.
    """

    jkt: str
    next_nonce: str | None
    once: str


class Nonces:
    """Makes and knows the nonces of this deployment: a window number and its MAC under the store's epoch."""

    def __init__(self, ring: Keyring, short: Store) -> None:
        """`ring` and `short` are the deployment's."""
        self._key = ring.derive("dpop-nonce")
        self._short = short
        self._made: dict[tuple[int, str], str] = {}  # the two that hold, by window and epoch

    async def current(self) -> str:
        """The nonce of now; good for 60 to 120 seconds."""
        return self._make(_window(), await self._short.epoch())

    async def check(self, nonce: object) -> str | None:
        """None for the nonce of now, the next one for the nonce before; raises NonceWanted for anything else."""
        epoch, window = await self._short.epoch(), _window()
        now = self._make(window, epoch)
        if isinstance(nonce, str) and nonce.isascii():
            if hmac.compare_digest(nonce, now):
                return None
            if hmac.compare_digest(nonce, self._make(window - 1, epoch)):
                return now
        raise NonceWanted(now)

    def _make(self, window: int, epoch: str) -> str:
        if (held := self._made.get((window, epoch))) is None:
            mac = hmac.digest(self._key, f"{window}|{epoch}".encode(), "sha256")[:18]
            held = base64.urlsafe_b64encode(mac).decode()
            fresh = {at: made for at, made in self._made.items() if at[0] >= window - 1 and at[1] == epoch}
            self._made = fresh | {(window, epoch): held}
        return held


def _window() -> int:
    return int(clock.wall().timestamp()) // WINDOW


async def check(
    proofs: list[str], *, method: str, url: str, nonces: Nonces, short: Store, access_token: str | None = None
) -> Proof:
    """Check the one DPoP header of a request as `read` does, and spend it. Raises ProofRefused and NonceWanted."""
    proof = await read(proofs, method=method, url=url, nonces=nonces, access_token=access_token)
    if not await short.claim(proof.once, REMEMBERED):
        raise used()
    return proof


async def read(proofs: list[str], *, method: str, url: str, nonces: Nonces, access_token: str | None = None) -> Proof:
    """The one DPoP header of a request, held against its method, address and access token (RFC 9449, section 4.3).

    `proofs` are all values of the header, `url` is our public address of the endpoint. The proof is not spent: see the
    module. Raises ProofRefused and NonceWanted.
    """
    if len(proofs) != 1:
        raise ProofRefused("Send exactly one DPoP header.")
    try:
        signed, key, jkt = _read(proofs[0])
        jti = _bound(signed, method, url, access_token)
        jose.verify(signed, key)
    except jose.NotSigned as error:
        detail = f"The DPoP proof is refused: {error}."
        raise ProofRefused(detail) from error
    next_nonce = await nonces.check(signed.claims.get("nonce"))
    return Proof(jkt, next_nonce, f"dpop:{jkt}:{hashlib.sha256(jti.encode()).hexdigest()}")


def used() -> ProofRefused:
    """The refusal of a proof that was spent before."""
    return ProofRefused("This DPoP proof was used before; make one for each request.")


def _read(proof: str) -> tuple[jose.Signed, jose.PublicKey, str]:
    signed = jose.parse(proof)
    if signed.header.get("typ") != "dpop+jwt":
        detail = "typ is not dpop+jwt"
        raise jose.NotSigned(detail)
    return signed, *_holder(signed.head)


@lru_cache(maxsize=1024)
def _holder(head: str) -> tuple[jose.PublicKey, str]:
    """The key that a header shows, and its thumbprint; a client sends the same header with every proof."""
    key = jose.public_key(jose.header(head).get("jwk"))
    return key, jose.thumbprint(key)


def _bound(signed: jose.Signed, method: str, url: str, access_token: str | None) -> str:
    """The proof's `jti` when htm, htu, iat and ath are those of this request; raises NotSigned."""
    claims = signed.claims
    if claims.get("htm") != method:
        message = "htm is another method"
        raise jose.NotSigned(message)
    if _address(jose.text(claims, "htu", 2048)) != _address(url):
        message = "htu is another address"
        raise jose.NotSigned(message)
    issued = jose.number(claims, "iat")
    if issued is None or abs(clock.wall().timestamp() - issued) > SKEW:
        message = "iat is missing or more than 60 s away from our clock"
        raise jose.NotSigned(message)
    if access_token is not None and claims.get("ath") != token_hash(access_token):
        message = "ath is missing or of another access token"
        raise jose.NotSigned(message)
    return jose.text(claims, "jti", 128)


@lru_cache(maxsize=1024)
def _address(url: str) -> tuple[str, str, int | None, str] | None:
    """Scheme, host, port and path, normalised (RFC 3986, section 6.2); query and fragment do not count."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), port or _PORTS.get(scheme), unquote(parts.path) or "/"


def token_hash(access_token: str) -> str:
    """The `ath` of an access token (RFC 9449, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()).rstrip(b"=").decode()
