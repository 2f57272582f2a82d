"""A wallet's proofs of its keys 持有者密钥证明 (OpenID4VCI 1.0, section 7.2.1.1 and appendix F.1). Pure.

Promises: every proof is an object of its own type, signed by ES256 with the key that it shows, made for this issuer
within the last minutes, and all carry one nonce; no key comes twice, so no two copies are bound to one. Of a key only
the numbers are kept: nothing else that a wallet wrote into it gets into a credential. Does not promise that the nonce
is ours, or fresh: whoever gave it out knows.
"""

from collections.abc import Sequence
from typing import Any, NoReturn, cast

import msgspec

from core import jose

TYPE = "openid4vci-proof+jwt"
SKEW = 60
FRESH = 300
_LONGEST = 4096
_NUMBERS = ("kty", "crv", "x", "y")


class NotProved(Exception):
    """Not proofs that this issuer takes; the message is plain ASCII and says what to mend."""


class Proved(msgspec.Struct, frozen=True):
    """The public keys that were proved, in the order of their proofs, and the nonce that all of them carry."""

    keys: tuple[dict[str, str], ...]
    nonce: str


def read(proofs: Sequence[str], *, audience: str, now: int, most: int) -> Proved:
    """The keys behind one to `most` proofs made for `audience` at the unix second `now`. Raises NotProved."""
    if not 0 < len(proofs) <= most:
        _refuse(f"send 1 to {most} proofs")
    try:
        each = [_one(proof, audience, now) for proof in proofs]
    except jose.NotSigned as error:
        raise NotProved(str(error)) from error
    if len({jose.thumbprint(key) for key, _ in each}) != len(each):
        _refuse("a key comes twice; each copy has a key of its own")
    if len({nonce for _, nonce in each}) != 1:
        _refuse("the proofs carry several nonces")
    return Proved(tuple(_numbers(key) for key, _ in each), each[0][1])


def _one(proof: str, audience: str, now: int) -> tuple[jose.PublicKey, str]:
    """The key and the nonce of one proof."""
    signed = jose.parse(proof, longest=_LONGEST)
    if signed.header.get("typ") != TYPE or signed.header["alg"] != "ES256":
        _refuse(f"a proof is not of type {TYPE}, signed by ES256")
    if not {"kid", "trust_chain"}.isdisjoint(signed.header):
        _refuse("a proof shows its key by jwk alone")
    key = jose.public_key(signed.header.get("jwk"))
    jose.verify(signed, key)
    claims = signed.claims
    if claims.get("aud") not in (audience, [audience]):
        _refuse("aud is not this issuer")
    issued, until = jose.number(claims, "iat"), jose.number(claims, "exp")
    if issued is None or not now - FRESH <= issued <= now + SKEW or (until is not None and until <= now):
        _refuse("iat is missing, or the proof is too old or of the future")
    return key, jose.text(claims, "nonce", 128)


def _numbers(key: jose.PublicKey) -> dict[str, str]:
    shown = cast("dict[str, Any]", key.as_dict(private=False))
    return {name: shown[name] for name in _NUMBERS}


def _refuse(message: str) -> NoReturn:
    raise NotProved(message)
