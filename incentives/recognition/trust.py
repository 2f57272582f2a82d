"""The trust list 互认名单: which cities are recognised, by which keys, and where they say what was revoked. Pure.

Promises: a list counts when as many of the pinned signers as are needed signed these very bytes (a JWS in JSON, RFC
7515 section 7.2.1), it has not expired, and it is not older than one that was seen: an old list, or another list of the
same number, is refused, so nobody can bring a city back that was taken off. Every city has keys of its own, for its own
issuer and its own status lists alone. Entries are shaped as an OpenID Federation superior would state them (1.1,
section 3), so that this list can give way to one. Does not promise that a city is up: reading is apart from fetching.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

import msgspec

from core import jose

TYPE = "trust-list+jwt"
DAYS = 7
SKEW = 60
_LONGEST = 1_000_000
_MOST_SIGNERS = 16
_MOST_CITIES = 1_000


class Distrusted(Exception):
    """Not a trust list that counts. The message is plain ASCII, for a log and for the office."""


class Keys(msgspec.Struct, frozen=True):
    """A JWK set."""

    keys: tuple[dict[str, Any], ...]


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A city: its code of GB/T 2260, its name, what it issues, and where its status lists are."""

    city: str
    name: str
    vct: str
    map: str
    status_origins: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One city: `sub` is its issuer."""

    sub: str
    jwks: Keys
    about: About


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed: who publishes it, when (unix seconds), which number it has, and the cities."""

    iss: str
    iat: int
    exp: int
    seq: int
    cities: tuple[Entry, ...]


class Seen(msgspec.Struct, frozen=True):
    """The newest list that was accepted before: its number and its payload."""

    seq: int
    payload: str


class TrustList(msgspec.Struct, frozen=True):
    """An accepted list. `payload` is what the next one is compared with."""

    body: Body
    payload: str

    def key(self, issuer: str, kid: str) -> jose.PublicKey | None:
        """The key of a city by its `kid`; None for a stranger."""
        for entry in self.body.cities:
            if entry.sub == issuer:
                found = [jwk for jwk in entry.jwks.keys if jwk.get("kid") == kid]
                return jose.public_key(found[0]) if len(found) == 1 else None
        return None

    def about(self, issuer: str) -> About | None:
        """What is known of a city."""
        return next((entry.about for entry in self.body.cities if entry.sub == issuer), None)

    def publishes(self, issuer: str, uri: str) -> bool:
        """Whether a status list at `uri` may speak for `issuer`: nothing else is ever fetched."""
        about = self.about(issuer)
        return about is not None and any(under(uri, origin) for origin in about.status_origins)


def under(uri: str, origin: str) -> bool:
    """Whether an address is below another: the same scheme, host and port, a path inside, and nothing hidden in it."""
    try:
        inner, outer = urlsplit(uri), urlsplit(origin)
    except ValueError:
        return False
    plain = uri.isascii() and uri.isprintable() and not ({"\\", "%", " "} & set(uri))
    hidden = inner.query or inner.fragment or "@" in inner.netloc or ".." in inner.path.split("/")
    base = outer.path.rstrip("/") + "/"
    return bool(plain and not hidden and inner[:2] == outer[:2] and inner.path.startswith(base))


def read(raw: bytes, signers: Mapping[str, jose.PublicKey], *, needed: int, now: int, seen: Seen | None) -> TrustList:
    """The list in `raw`, when `needed` of `signers` (by `kid`) signed it. Raises Distrusted."""
    if len(raw) > _LONGEST:
        _refuse("longer than a trust list is")
    try:
        form = msgspec.json.decode(raw, type=_Form, strict=True)
        signed = _signed_by(form, signers)
        body = msgspec.convert(jose.unpacked(form.payload), Body, strict=True)
    except (msgspec.MsgspecError, jose.NotSigned, UnicodeDecodeError) as error:
        message = "not a signed trust list"
        raise Distrusted(message) from error
    if signed < needed:
        message = f"signed by {signed} of the signers, {needed} are needed"
        raise Distrusted(message)
    _timely(body, now)
    if seen and (body.seq < seen.seq or (body.seq == seen.seq and form.payload != seen.payload)):
        _refuse("older than a list that was seen, or another of its number")
    _whole(body)
    return TrustList(body, form.payload)


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    protected: str
    signature: str


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    signatures: tuple[_Signature, ...]


def _signed_by(form: _Form, signers: Mapping[str, jose.PublicKey]) -> int:
    """How many different signers signed; one signature that does not hold spoils the list."""
    if len(form.signatures) > _MOST_SIGNERS:
        _refuse("more signatures than signers")
    known = set[str]()
    for one in form.signatures:
        signed = jose.parse(f"{one.protected}.{form.payload}.{one.signature}", longest=_LONGEST)
        kid = signed.header.get("kid")
        if signed.header.get("typ") != TYPE or not isinstance(kid, str):
            _refuse("a signature of another type")
        if kid in signers:  # one who has joined since, or left, proves nothing and spoils nothing
            jose.verify(signed, signers[kid])
            known.add(jose.thumbprint(signers[kid]))
    return len(known)


def _timely(body: Body, now: int) -> None:
    if not body.iat <= now + SKEW or not now < body.exp <= body.iat + DAYS * 86_400:
        _refuse("not yet, no longer, or for longer than a week")


def _whole(body: Body) -> None:
    """No issuer, city or key twice: each is one city's."""
    if len(body.cities) > _MOST_CITIES:
        _refuse("more cities than there are")
    issuers, codes, prints = set[str](), set[str](), set[str]()
    for entry in body.cities:
        keys = [jose.thumbprint(_key(jwk)) for jwk in entry.jwks.keys]
        fresh = entry.sub not in issuers and entry.about.city not in codes and prints.isdisjoint(keys)
        if not fresh or len(set(keys)) != len(keys) or not _kids(entry.jwks.keys):
            _refuse("an issuer, a city or a key comes twice")
        issuers.add(entry.sub)
        codes.add(entry.about.city)
        prints.update(keys)


def _key(jwk: dict[str, Any]) -> jose.PublicKey:
    try:
        return jose.public_key(jwk)
    except jose.NotSigned as error:
        message = "a key of a city is none"
        raise Distrusted(message) from error


def _kids(keys: Sequence[dict[str, Any]]) -> bool:
    kids = [cast("object", jwk.get("kid")) for jwk in keys]
    return all(isinstance(kid, str) for kid in kids) and len(set(kids)) == len(kids)


def sign(body: Body, signatures: Sequence[tuple[str, Any]]) -> bytes:
    """A list as it is published: `signatures` are pairs of `kid` and what signs bytes by ES256."""
    payload = jose.packed(msgspec.to_builtins(body))
    made: list[_Signature] = []
    for kid, by in signatures:
        protected = jose.packed({"alg": "ES256", "kid": kid, "typ": TYPE})
        made.append(_Signature(protected, jose.base64(by(f"{protected}.{payload}".encode()))))
    return json.dumps(msgspec.to_builtins(_Form(payload, tuple(made)))).encode()


def cosign(raw: bytes, kid: str, by: Any) -> bytes:
    """One signature more on a list, by `kid`; `by` signs bytes by ES256. Raises Distrusted for what is no list."""
    body, form = unread(raw), msgspec.json.decode(raw, type=_Form)
    one = msgspec.json.decode(sign(body, [(kid, by)]), type=_Form)
    if one.payload != form.payload:
        _refuse("not written as a trust list is")
    return json.dumps(msgspec.to_builtins(_Form(form.payload, (*form.signatures, *one.signatures)))).encode()


def unread(raw: bytes) -> Body:
    """What a list says, whoever signed it or not: for the eyes of who is to sign. Raises Distrusted."""
    try:
        form = msgspec.json.decode(raw, type=_Form, strict=True)
        return msgspec.convert(jose.unpacked(form.payload), Body, strict=True)
    except (msgspec.MsgspecError, jose.NotSigned) as error:
        message = "not a trust list"
        raise Distrusted(message) from error


def _refuse(message: str) -> NoReturn:
    raise Distrusted(message)
