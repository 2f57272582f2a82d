"""Signed JOSE objects, read strictly (RFC 7515, RFC 7519, RFC 8725), and public keys of others (RFC 7517).

Promises: three algorithms (ES256, PS256, Ed25519 under its two names) and no others, so neither `none` nor HMAC can be
meant; canonical base64url; JSON without duplicate members, NaN or infinity; no critical extension is accepted and no
key is ever fetched or taken from a header that says where a key is. Does not promise anything about claims: whoever
reads an object checks its `typ` and every claim.
"""

import binascii
import json
from base64 import urlsafe_b64encode as base64url
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from types import MappingProxyType
from typing import Any, NoReturn, cast

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

PublicKey = ECKey | RSAKey | OKPKey

ALGORITHMS = ("ES256", "PS256", "EdDSA", "Ed25519")
_LONGEST = 8192
_RSA_BITS = range(2048, 4097)  # larger ones, and odd exponents, cost us more than they prove
_RSA_EXPONENT = "AQAB"
_FAMILY = {"EC": ("ES256",), "RSA": ("PS256",), "OKP": ("EdDSA", "Ed25519")}
_MEMBERS = {"EC": ("crv", "x", "y"), "RSA": ("n", "e"), "OKP": ("crv", "x")}
_CURVES = {"EC": "P-256", "OKP": "Ed25519"}
_NUMBER = 32
_USUAL = bytes.maketrans(b"-_+/=", b"+/   ")  # base64url as base64, and what is only in base64 as nothing that is
_LAST = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
_ES256 = ECDSA(SHA256())
_ELSEWHERE = {"jku", "x5u", "x5c", "crit", "b64", "zip", "enc"}


class NotSigned(Exception):
    """Not a signed object that we read, or its signature does not hold; the message is plain ASCII."""


class Signed(msgspec.Struct, frozen=True):
    """A parsed object whose signature is *not yet* checked: see `verify`. `head` is the header's own text."""

    head: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    message: bytes
    signature: bytes


def parse(token: str, *, longest: int = _LONGEST) -> Signed:
    """Take a compact JWS of at most `longest` characters apart. Raises NotSigned."""
    parts = token.split(".")
    if len(token) > longest or len(parts) != 3:  # noqa: PLR2004  (RFC 7515, section 7.1)
        _refuse("not a compact JWS")
    return Signed(
        head=parts[0],
        header=header(parts[0]),
        claims=_object(parts[1]),
        message=f"{parts[0]}.{parts[1]}".encode(),
        signature=_bytes(parts[2]),
    )


def verify(signed: Signed, key: PublicKey) -> None:
    """Check the signature with a key whose kind must fit the algorithm. Raises NotSigned."""
    algorithm = signed.header["alg"]
    if algorithm not in _FAMILY[key.key_type]:
        _refuse("the key does not fit the algorithm")
    if isinstance(key, ECKey):  # by far the most: every proof and every token
        _verify_es256(signed, key)
    elif not JWSRegistry.algorithms[algorithm].verify(signed.message, signed.signature, key):
        _refuse("the signature does not hold")


def _verify_es256(signed: Signed, key: ECKey) -> None:
    """ECDSA on P-256, the only curve that `public_key` lets in, by two numbers of 32 bytes (RFC 7518, section 3.4)."""
    pair = signed.signature
    if len(pair) != 2 * _NUMBER:
        _refuse("the signature does not hold")
    der = encode_dss_signature(int.from_bytes(pair[:_NUMBER]), int.from_bytes(pair[_NUMBER:]))
    try:
        key.public_key.verify(der, signed.message, _ES256)
    except InvalidSignature:
        _refuse("the signature does not hold")


def public_key(jwk: object) -> PublicKey:
    """A public key from its JWK: P-256, Ed25519 or RSA of 2048 to 4096 bits (FAPI 2.0, 5.4). Raises NotSigned."""
    if not isinstance(jwk, Mapping):
        _refuse("the key is not a JWK")
    held = cast("Mapping[str, object]", jwk)
    kind = held.get("kty")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        _refuse("the key is of a kind that is not used here")
    if "d" in held or "k" in held:
        _refuse("a private key was sent; replace it, it is no secret any more")
    members = {name: held.get(name) for name in _MEMBERS[kind]}
    if not all(isinstance(value, str) for value in members.values()):
        _refuse("the key lacks a member")
    return _imported(kind, {"kty": kind, **members})


def _imported(kind: str, jwk: dict[str, Any]) -> PublicKey:
    if jwk.get("crv") != _CURVES.get(kind):
        _refuse("the key is on a curve that is not used here")
    if kind == "RSA" and (int.from_bytes(_bytes(jwk["n"])).bit_length() not in _RSA_BITS or jwk["e"] != _RSA_EXPONENT):
        _refuse("RSA keys have 2048 to 4096 bits and the exponent 65537")
    try:
        key = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}[kind].import_key(jwk)
        _ = key.public_key  # joserfc reads the numbers lazily: a point off the curve shows here
    except (JoseError, ValueError, TypeError, binascii.Error, OverflowError) as error:
        message = "the key is not a public key of its kind"
        raise NotSigned(message) from error
    return key


def thumbprint(key: PublicKey) -> str:
    """The SHA-256 thumbprint of a key, base64url (RFC 7638)."""
    return key.thumbprint()


def number(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate claim (RFC 7519, section 2), None when absent. Raises NotSigned for anything but a number."""
    value = claims.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        _refuse(f"{name} is not a number")
    return value


def text(claims: Mapping[str, Any], name: str, longest: int = 256) -> str:
    """A claim that must be a non-empty string of at most `longest` characters. Raises NotSigned."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        _refuse(f"{name} is missing or not a string of 1 to {longest} characters")
    return value


@lru_cache(maxsize=1024)
def header(segment: str) -> Mapping[str, Any]:
    """A header, by its text: callers send the same bytes again and again. Raises NotSigned."""
    read = _object(segment)
    if read.get("alg") not in ALGORITHMS:
        _refuse("the algorithm is none of ES256, PS256, EdDSA")
    if not _ELSEWHERE.isdisjoint(read):
        _refuse("the header names a key elsewhere or an extension")
    return MappingProxyType(read)


def base64(raw: bytes) -> str:
    """Base64url without padding (RFC 7515, appendix C)."""
    return base64url(raw).rstrip(b"=").decode()


def raw(segment: str) -> bytes:
    """The bytes of canonical base64url without padding (RFC 7515, section 2). Raises NotSigned."""
    return _bytes(segment)


def packed(value: object) -> str:
    """A JSON value as a part."""
    return base64(msgspec.json.encode(value))


def unpacked(segment: str) -> object:
    """The JSON value in a part: canonical base64url of UTF-8, no member twice, finite numbers. Raises NotSigned."""
    try:
        text = _bytes(segment).decode()  # json would guess UTF-16, too, and let halves of characters pass
        held = _strict.decode(text)
        if "\\ud" in text.lower():  # half of a pair, written as an escape, is text that nobody can write down again
            json.dumps(held, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        message = "a part is not JSON"
        raise NotSigned(message) from error
    return held


def _object(segment: str) -> dict[str, Any]:
    read = unpacked(segment)
    if not isinstance(read, dict):
        _refuse("a part is not a JSON object")
    return cast("dict[str, Any]", read)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse("a JSON member comes twice")
    return members


def _constant(_name: str) -> NoReturn:
    _refuse("a number is not finite")


def _finite(text: str) -> float:
    """A number as Python has it: of `1e999` it would make infinity."""
    return value if isfinite(value := float(text)) else _constant(text)


_strict = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_constant, parse_float=_finite)


def _bytes(segment: str) -> bytes:
    """Canonical base64url without padding (RFC 7515, section 2): bits that the last letter has too many are zero."""
    try:
        usual = segment.encode("ascii").translate(_USUAL) + b"===="[: -len(segment) % 4]
        raw = binascii.a2b_base64(usual, strict_mode=True)
    except ValueError as error:  # of which binascii's own is one
        message = "a part is not base64url"
        raise NotSigned(message) from error
    if (over := len(segment) % 4) and segment[-1] not in _LAST[over]:
        _refuse("a part is not canonical base64url")
    return raw


def _refuse(message: str) -> NoReturn:
    raise NotSigned(message)
