"""Read another city's credential (SD-JWT VC, RFC 9901), trust lists and status lists: needs `cryptography` alone.

For `osmanthus_visitor.py` beside it. Strict: two algorithms (ES256, and Ed25519 for a holder), canonical base64url, JSON
without a member that comes twice, a disclosure only where the city signed its digest, and every claim is looked at.
Whatever is not exactly so raises one of `BROKEN`. Public domain.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from math import isfinite
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey as P256
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

VCT = "urn:osmanthus:credential:points-reached:1"
SKEW, FRESH, WEEK, LIFE = 60, 300, 7 * 86_400, 31 * 86_400
LONGEST, MOST, MOST_BITS, HIGHEST = 16_384, 64, 1 << 22, 1 << 24
PREDICATE = re.compile(r"over_[1-9][0-9]{0,3}")
FACTS = {"city", "as_of", "scorecard"}
ELSEWHERE = {"jku", "x5u", "x5c", "crit", "b64", "zip", "enc"}
Jwk = Mapping[str, Any]
Key = P256 | Ed25519PublicKey
BROKEN = (ValueError, KeyError, TypeError)
KeyOf = Callable[[str, str], Jwk | None]


class Shown(NamedTuple):
    """What holds: the city's issuer, what was reached, which facts were shown, and where its status is."""

    issuer: str
    reached: frozenset[str]
    facts: dict[str, str]
    uri: str
    idx: int
    until: float


def refuse(why: str) -> Any:
    raise ValueError(why)


def part(text: str) -> bytes:
    """Canonical base64url without padding."""
    raw = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    return raw if base64url(raw) == text else refuse("not canonical base64url")


def base64url(raw: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def value(segment: str) -> Any:
    """The JSON in a part: UTF-8, no member twice, finite numbers."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(pairs) if len(dict(pairs)) == len(pairs) else refuse("a member comes twice")

    def finite(text: str) -> float:
        return float(text) if isfinite(float(text)) else refuse("not a finite number")

    try:
        held = json.loads(part(segment).decode(), object_pairs_hook=members, parse_constant=refuse, parse_float=finite)
    except RecursionError:
        refuse("too deep")
    json.dumps(held, ensure_ascii=False).encode()  # halves of characters raise
    return held


def members(segment: str) -> dict[str, Any]:
    """The same, of an object."""
    held = value(segment)
    return held if isinstance(held, dict) else refuse("no object")


def key(jwk: Any) -> Key:
    """A public key, P-256 or Ed25519."""
    if not isinstance(jwk, dict) or "d" in jwk or "k" in jwk or not isinstance(jwk.get("x"), str):
        refuse("no public key")
    if (jwk.get("kty"), jwk.get("crv")) == ("OKP", "Ed25519"):
        return Ed25519PublicKey.from_public_bytes(part(jwk["x"]))
    if (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256") or not isinstance(jwk.get("y"), str):
        refuse("a key of another kind")
    point = [int.from_bytes(part(jwk[name])) for name in ("x", "y")]
    return EllipticCurvePublicNumbers(*point, SECP256R1()).public_key()


def parsed(token: str, typ: str, algorithms: Iterable[str] = ("ES256",), longest: int = LONGEST) -> tuple[dict, dict]:
    """Header and claims of a compact JWS; its signature is not checked yet."""
    if len(token) > longest or token.count(".") != 2:
        refuse("not a compact JWS")
    header, claims = (members(one) for one in token.split(".")[:2])
    if header.get("typ") != typ or header.get("alg") not in algorithms or not ELSEWHERE.isdisjoint(header):
        refuse(f"not {typ}, or by another algorithm")
    return header, claims


def verify(token: str, by: Key) -> None:
    """The signature of a compact JWS."""
    signed, _, signature = token.rpartition(".")
    raw, edwards = part(signature), isinstance(by, Ed25519PublicKey)
    if len(raw) != 64 or edwards is (members(token.partition(".")[0])["alg"] == "ES256"):
        refuse("the key does not fit")
    try:
        if edwards:
            by.verify(raw, signed.encode())
        else:
            der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
            by.verify(der, signed.encode(), ECDSA(SHA256()))
    except InvalidSignature:
        refuse("the signature does not hold")


def trusted(raw: bytes, signers: Mapping[str, Jwk], needed: int, now: float, seen: Mapping[str, Any] | None) -> dict:
    """The trust list, when enough of the pinned signers signed these bytes and it is not older than what was `seen`."""
    if len(raw) > 1_000_000:
        refuse("longer than a trust list is")
    form, known = json.loads(raw), set()
    for one in form["signatures"][:17]:
        token = f"{one['protected']}.{form['payload']}.{one['signature']}"
        kid = parsed(token, "trust-list+jwt", longest=len(raw))[0].get("kid")
        if kid in signers:
            verify(token, key(signers[kid]))
            known.add(json.dumps([signers[kid][name] for name in ("x", "y")]))
    if len(known) < needed:
        refuse(f"signed by {len(known)} of the signers, {needed} are needed")
    body = members(form["payload"])
    if not body["iat"] <= now + SKEW or not now < body["exp"] <= body["iat"] + WEEK:
        refuse("the trust list is not of this week")
    if seen and (body["seq"] < seen["seq"] or (body["seq"] == seen["seq"] and body != seen)):
        refuse("older than a trust list that was seen, or another of its number")
    points = [jwk["x"] for city in body["cities"] for jwk in city["jwks"]["keys"]]
    issuers, codes = {city["sub"] for city in body["cities"]}, {city["about"]["city"] for city in body["cities"]}
    if len(set(points)) != len(points) or not len(issuers) == len(codes) == len(body["cities"]):
        refuse("an issuer, a city or a key comes twice")
    return body


def under(uri: str, origin: str) -> bool:
    """Whether an address is below another, and hides nothing."""
    inner, outer = urlsplit(uri), urlsplit(origin)
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set("\\%?#@ ") and ".." not in uri.split("/")
    return plain and inner[:2] == outer[:2] and inner.path.startswith(outer.path.rstrip("/") + "/")


def statuses(token: str, issuer: str, uri: str, now: float, key_of: KeyOf) -> tuple[bytes, float]:
    """The packed statuses, two bits each, that the issuer signed for this address, and until when they may be believed."""
    header, said = parsed(token, "statuslist+jwt", longest=8 << 20)
    verify(token, _known(key_of, issuer, header))
    held = said["status_list"]
    if said["sub"] != uri or said["iat"] > now + SKEW or held["bits"] != 2:
        refuse("the list of another address or time")
    reader = zlib.decompressobj()
    bits = reader.decompress(part(held["lst"]), MOST_BITS + 1)
    if len(bits) > MOST_BITS or not reader.eof or reader.unused_data:
        refuse("larger than a status list is")
    return bits, said.get("exp", said["iat"] + 86_400)


def presentation(text: str, audience: str, nonce: Callable[[str], bool], now: float, key_of: KeyOf) -> Shown:
    """What a presentation proves to whoever asked with this audience and a nonce that `nonce` knows."""
    if len(text) > LONGEST or not text.isascii() or "~" not in text:
        refuse("not a presentation")
    issued, *disclosed, binding = text.split("~")
    if not all((issued, *disclosed, binding)) or len(disclosed) > MOST or len(set(disclosed)) < len(disclosed):
        refuse("not a presentation with a key binding")
    header, claims = parsed(issued, "dc+sd-jwt")
    verify(issued, _known(key_of, claims.get("iss"), header))
    _timely(claims, now)
    _bound(claims, binding, text[: len(text) - len(binding)], audience, nonce, now)
    reached, facts = _said(claims, disclosed)
    place = claims["status"]["status_list"]
    whole = set(claims["status"]) == {"status_list"} and set(place) == {"idx", "uri"} and type(place["uri"]) is str
    if not whole or type(place["idx"]) is not int or not 0 <= place["idx"] < HIGHEST:
        refuse("no place in a status list")
    return Shown(claims["iss"], reached, facts, **place, until=claims["exp"])


def _known(key_of: KeyOf, issuer: Any, header: Mapping[str, Any]) -> Key:
    kid = header.get("kid")
    jwk = key_of(issuer, kid) if isinstance(issuer, str) and isinstance(kid, str) else None
    return key(jwk) if jwk else refuse("no trusted city has this key")


def _timely(claims: Mapping[str, Any], now: float) -> None:
    if claims.get("vct") != VCT or claims.get("_sd_alg", "sha-256") != "sha-256":
        refuse("another type of credential")
    if not {"iss", "vct", "iat", "nbf", "exp", "cnf", "status", "_sd", "_sd_alg"}.issuperset(claims):
        refuse("a member that a credential does not have")
    if re.search(r'"(_sd|\.\.\.)', json.dumps([claims[name] for name in ("iss", "cnf", "status")])):
        refuse("something hidden where a credential hides nothing")
    issued, since, until = (_number(claims, name) for name in ("iat", "nbf", "exp"))
    if max(issued, since) > now + SKEW or not now < until <= issued + LIFE:
        refuse("not yet or no longer, or for too long")


def _number(claims: Mapping[str, Any], name: str) -> float:
    held = claims.get(name)
    return held if isinstance(held, int | float) and not isinstance(held, bool) else refuse(f"{name} is no number")


def _bound(claims: Mapping[str, Any], token: str, bound: str, audience: str, nonce: Any, now: float) -> None:
    """The holder signed, for this question, just now (RFC 9901, section 7.3)."""
    held = claims.get("cnf")
    if not isinstance(held, dict) or set(held) != {"jwk"}:
        refuse("no key of a holder")
    _, said = parsed(token, "kb+jwt", ("ES256", "EdDSA", "Ed25519"), 8192)
    if said.get("aud") != audience or not isinstance(said.get("nonce"), str) or not nonce(said["nonce"]):
        refuse("for another question")
    if not now - FRESH <= _number(said, "iat") <= now + SKEW:
        refuse("the key binding is not of now")
    if said.get("sd_hash") != base64url(sha256(bound.encode()).digest()):
        refuse("the key binding is about something else")
    verify(token, key(held["jwk"]))


def _said(claims: Mapping[str, Any], disclosed: list[str]) -> tuple[frozenset[str], dict[str, str]]:
    """Predicates that are true and facts, each behind a digest that the city signed; nothing else."""
    digests = claims.get("_sd", [])
    if not isinstance(digests, list) or not all(type(one) is str and digests.count(one) == 1 for one in digests):
        refuse("no digests, or one that comes twice")
    reached, facts = set(), {}
    for one in disclosed:
        held = value(one)
        if base64url(sha256(one.encode()).digest()) not in digests:
            refuse("a disclosure that the city did not sign")
        if not isinstance(held, list) or len(held) != 3 or not all(isinstance(text, str) for text in held[:2]):
            refuse("a disclosure of another form")
        name, said = held[1:]
        if name in reached or name in facts:
            refuse("a name comes twice")
        if PREDICATE.fullmatch(name) and said is True:
            reached.add(name)
        elif name in FACTS and isinstance(said, str):
            facts[name] = said
        else:
            refuse("something that a credential does not say")
    return frozenset(reached), facts
