"""A presentation 出示: a credential of a city that is trusted, shown by its holder, here, for this question. Pure.

Promises: whatever is not exactly that is `Untrusted`, with the reason for a log and none for the counter: another type,
algorithm, city, key, audience, nonce or time, anything that was not signed, anything disclosed that a credential does
not have. Bounded before it is parsed. Does not promise that the credential was not revoked: `Shown.place` says where
its issuer publishes that. Reads the libraries' known leniences as attacks: see the tests.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NoReturn

import msgspec

from core import jose
from incentives.recognition import sdjwt
from incentives.recognition.credential import DAYS, FACTS, TYPE, VCT, Place

SKEW = 60
FRESH = 300
_LONGEST_LIFE = (DAYS + 1) * 86_400
_PREDICATE = re.compile(r"over_[1-9][0-9]{0,3}")
_VISIBLE = {"iss", "vct", "iat", "nbf", "exp", "cnf", "status"}
_HIGHEST_INDEX = 1 << 24

KeyOf = Callable[[str, str], jose.PublicKey | None]


class Untrusted(Exception):
    """Not a presentation that counts. The message is plain ASCII, for a log; the holder is told one sentence."""


class Asked(msgspec.Struct, frozen=True):
    """What was asked: `audience` and `nonce` of the request, and `now` as a unix second."""

    audience: str
    nonce: str
    now: int


class Shown(msgspec.Struct, frozen=True):
    """What holds: by whom it is attested, what of it was shown, where its status is, and which key showed it."""

    issuer: str
    reached: frozenset[str]
    facts: Mapping[str, str]
    place: Place
    until: int
    thumbprint: str


def read(text: str, asked: Asked, key_of: KeyOf) -> Shown:
    """What a presentation proves; `key_of` gives the key of an issuer by its `kid`, or None. Raises Untrusted."""
    try:
        parts = sdjwt.split(text)
        issued = jose.parse(parts.issued, longest=sdjwt.LONGEST)
        issuer = _issued(issued, asked.now, key_of)
        thumbprint = _bound(parts, issued.claims, asked)
        opened = sdjwt.reveal(issued.claims, parts.disclosures)
    except (jose.NotSigned, sdjwt.NotRevealed) as error:
        raise Untrusted(str(error)) from error
    reached, facts = _said(opened, issued.claims)
    return Shown(issuer, reached, facts, _place(opened.get("status")), int(issued.claims["exp"]), thumbprint)


def _issued(issued: jose.Signed, now: int, key_of: KeyOf) -> str:
    """The issuer, when type, signature and times hold (SD-JWT VC, section 2.4)."""
    claims = issued.claims
    if issued.header.get("typ") != TYPE or issued.header["alg"] != "ES256":
        _refuse("not a credential signed by ES256")
    issuer = jose.text(claims, "iss", 200)
    kid = issued.header.get("kid")
    key = key_of(issuer, kid) if isinstance(kid, str) else None
    if key is None:
        _refuse("no trusted city has this key")
    jose.verify(issued, key)
    if claims.get("vct") != VCT or not _VISIBLE.issuperset(name for name in claims if name not in {"_sd", "_sd_alg"}):
        _refuse("another type of credential, or a member that it does not have")
    issued_at, since, until = (jose.number(claims, name) for name in ("iat", "nbf", "exp"))
    if issued_at is None or since is None or until is None:
        _refuse("a time is missing")
    if not (since <= now + SKEW and issued_at <= now + SKEW and now < until <= issued_at + _LONGEST_LIFE):
        _refuse("not yet or no longer, or for too long")
    return issuer


def _bound(parts: sdjwt.Parts, claims: Mapping[str, Any], asked: Asked) -> str:
    """The thumbprint of the holder's key, when it signed for this question (RFC 9901, section 7.3)."""
    if not parts.binding:
        _refuse("no key binding")
    try:
        confirmed = msgspec.convert(claims.get("cnf"), _Confirmed, strict=True).jwk
    except msgspec.ValidationError as error:
        message = "no key of a holder"
        raise Untrusted(message) from error
    key, thumbprint = _holder(msgspec.json.encode(confirmed, order="deterministic"))
    binding = jose.parse(parts.binding)
    said = binding.claims
    if binding.header.get("typ") != "kb+jwt":
        _refuse("the key binding is of another type")
    if said.get("aud") != asked.audience or said.get("nonce") != asked.nonce:
        _refuse("for another question")
    signed_at = jose.number(said, "iat")
    if signed_at is None or not asked.now - FRESH <= signed_at <= asked.now + SKEW:
        _refuse("the key binding is not of now")
    if said.get("sd_hash") != sdjwt.digest(parts.bound):
        _refuse("the key binding is about something else")
    jose.verify(binding, key)
    return thumbprint


@lru_cache(maxsize=1024)
def _holder(jwk: bytes) -> tuple[jose.PublicKey, str]:
    key = jose.public_key(msgspec.json.decode(jwk))
    return key, jose.thumbprint(key)


def _said(opened: Mapping[str, Any], claims: Mapping[str, Any]) -> tuple[frozenset[str], Mapping[str, str]]:
    """What was disclosed: predicates that are true, and facts; anything else has no business there."""
    reached, facts = set[str](), dict[str, str]()
    for name, value in opened.items():
        if name in claims:
            continue
        if _PREDICATE.fullmatch(name) and value is True:
            reached.add(name)
        elif name in FACTS and isinstance(value, str):
            facts[name] = value
        else:
            _refuse("something is disclosed that a credential does not say")
    if "as_of" in facts:
        try:
            date.fromisoformat(facts["as_of"])
        except ValueError:
            _refuse("as_of is no date")
    return frozenset(reached), facts


def _place(status: object) -> Place:
    """Where the status is (Token Status List, section 6.2)."""
    try:
        held = msgspec.convert(status, _Status, strict=True).status_list
    except msgspec.ValidationError as error:
        message = "no place in a status list"
        raise Untrusted(message) from error
    if not 0 <= held.idx < _HIGHEST_INDEX:
        _refuse("a place that no status list has")
    return Place(held.uri, held.idx)


class _Confirmed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    jwk: dict[str, Any]


class _Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    idx: int
    uri: str


class _Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    status_list: _Listed


def _refuse(message: str) -> NoReturn:
    raise Untrusted(message)
