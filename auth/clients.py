"""Registered clients: partners, source bureaus, the city-card operator, staff systems, citizens' apps.

Promises: what is stored was checked once, here: keys of the three algorithms without duplicates, scopes that the role
may have, redirect addresses that are https or a native app's loopback, purposes that a partner may ask citizens for.
Promises no registration by strangers: only the owner and two of the office insert.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import digestkeys
from auth.tables import client
from core import clock, jose
from core.errors import Conflict, FieldError, Invalid
from core.keys import Keyring

SCOPES: Mapping[str, frozenset[str]] = {
    "citizen": frozenset({"me"}),
    "partner": frozenset({"eligibility:check", "orders:write", "recognition"}),
    "source": frozenset({"records:write"}),
    "citycard": frozenset({"citycard"}),
    "staff": frozenset(),
}
DETAILS = "credit_eligibility"
_LISTS = ("scopes", "redirect_uris", "kinds", "perks", "details_types", "purposes")
_PURPOSE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_PURPOSE = 64
_STAFF = re.compile(r"staff:[a-z]+(-[a-z]+)*")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_KEY_BYTES = 16


class ClientExists(Conflict):
    """The client id is taken."""

    code = "client_exists"
    title = "There is a client of this id"


class Client(msgspec.Struct, frozen=True):
    """A registered client that is not disabled. `jwks` are public JWKs; `public` clients have none."""

    client_id: str
    role: str
    name: str
    public: bool
    jwks: tuple[dict[str, Any], ...]
    scopes: frozenset[str]
    redirect_uris: frozenset[str]
    kinds: frozenset[str]
    perks: frozenset[str]
    details_types: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    introspects: bool = False
    contact: str = ""


def may_hold(role: str, scope: str) -> bool:
    """Whether a client of `role` may be registered for `scope`."""
    return scope in SCOPES.get(role, ()) or (role == "staff" and _STAFF.fullmatch(scope) is not None)


async def add(  # noqa: PLR0913  (what a registration holds)
    session: AsyncSession,
    ring: Keyring,
    *,
    client_id: str,
    role: str,
    name: str,
    scopes: Iterable[str],
    jwks: Sequence[Mapping[str, Any]] = (),
    redirect_uris: Iterable[str] = (),
    kinds: Iterable[str] = (),
    perks: Iterable[str] = (),
    digest_key: bytes | None = None,
    purposes: Iterable[str] | None = None,
    introspects: bool = False,
    contact: str = "",
) -> Client:
    """Register a client; `session` is the owner's. A `citizen` client is public, every other proves itself by a key.

    `jwks` may be private JWKs: only the public half is kept. `digest_key` (≥ 16 bytes, for whom `digestkeys.agrees`)
    is sealed. A partner with redirect addresses may ask citizens for `purposes`, by default one a perk (`a.b-c` gives
    `a-b-c`), and citizens read `contact`. Raises Invalid with all faults and ClientExists.
    """
    keys, faults = _keys(jwks)
    redirect_uris, perks = frozenset(redirect_uris), frozenset(perks)
    asks = role == "partner" and bool(redirect_uris)
    made = Client(
        client_id, role, name, role == "citizen", tuple(keys), frozenset(scopes), redirect_uris,
        frozenset(kinds), perks,
        details_types=frozenset({DETAILS}) if asks else frozenset(),
        purposes=frozenset(_usual(perks) if purposes is None and asks else purposes or ()),
        introspects=introspects, contact=contact.strip(),
    )  # fmt: skip
    if faults := [*faults, *_faults(made, digest_key)]:
        raise Invalid("The client cannot be registered as described.", errors=faults)
    await must_be_free(session, client_id)
    row = _row(made) | {"jwks": keys, "sealed_digest_key": digestkeys.seal(ring, client_id, digest_key)}
    await session.execute(insert(client).values(**row))
    return made


def _usual(perks: Iterable[str]) -> set[str]:
    return {perk.replace(".", "-") for perk in perks}


def _row(made: Client) -> dict[str, Any]:
    held = msgspec.structs.asdict(made)
    return held | {name: sorted(held[name]) for name in _LISTS} | {"created_at": clock.wall()}


async def must_be_free(session: AsyncSession, client_id: str) -> None:
    """Raise ClientExists for an id that is taken."""
    if await session.scalar(select(client.c.client_id).where(client.c.client_id == client_id)):
        detail = f"Choose another id than {client_id}."
        raise ClientExists(detail)


async def get(session: AsyncSession, client_id: str) -> Client | None:
    """The client of this id, None when there is none or it is disabled."""
    row = (
        await session.execute(select(client).where(client.c.client_id == client_id, client.c.disabled_at.is_(None)))
    ).one_or_none()
    return None if row is None else from_row(row)


def from_row(row: Row[Any]) -> Client:
    """The client of a row that holds the columns of `auth.client`."""
    return Client(
        client_id=row.client_id,
        role=row.role,
        name=row.name,
        public=row.public,
        jwks=tuple(row.jwks),
        scopes=frozenset(row.scopes),
        redirect_uris=frozenset(row.redirect_uris),
        kinds=frozenset(row.kinds),
        perks=frozenset(row.perks),
        details_types=frozenset(row.details_types),
        purposes=frozenset(row.purposes),
        introspects=row.introspects,
        contact=row.contact,
    )


def public_keys(jwks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The public halves of keys, each with its `kid`. Raises Invalid with one entry per fault."""
    keys, faults = _keys(jwks)
    if faults:
        raise Invalid(errors=faults)
    return keys


def _keys(jwks: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[FieldError]]:
    """The public halves with their `kid`, and what is wrong with them (no duplicate kid: FAPI 2.0, 5.4)."""
    keys: list[dict[str, Any]] = []
    faults: list[FieldError] = []
    for place, jwk in enumerate(jwks):
        try:
            key = jose.public_key({name: value for name, value in jwk.items() if name != "d"})
        except jose.NotSigned as error:
            faults.append(FieldError(f"/jwks/{place}", "bad_key", f"{error}: use P-256, Ed25519 or RSA of 2048 bits."))
            continue
        kid = jwk.get("kid") or jose.thumbprint(key)
        if any(kid == other["kid"] for other in keys):
            faults.append(FieldError(f"/jwks/{place}/kid", "duplicate_kid", "Give each key a kid of its own."))
        keys.append({**key.as_dict(private=False), "kid": kid})
    return keys, faults


def _faults(made: Client, digest_key: bytes | None) -> list[FieldError]:
    faults: list[FieldError] = []

    def need(holds: object, pointer: str, code: str, detail: str) -> None:
        if not holds:
            faults.append(FieldError(pointer, code, detail))

    need(_ID.fullmatch(made.client_id), "/client_id", "bad_id", "2 to 64 of a-z 0-9 . _ -, a letter or digit first.")
    need(made.role in SCOPES, "/role", "unknown_role", f"One of {', '.join(SCOPES)}.")
    need(made.name.strip(), "/name", "missing", "Citizens read this name: give the organisation's.")
    need(made.scopes, "/scopes", "missing", "A client without a scope can do nothing.")
    for scope in sorted(made.scopes):
        need(may_hold(made.role, scope), "/scopes", "scope_not_for_role", f"{scope} is not for the role {made.role}.")
    need(made.public != bool(made.jwks), "/jwks", "keys", "A citizens' app has no key; every other client has one.")
    asks = made.public or (made.role == "partner" and bool(made.redirect_uris))
    need(asks == bool(made.redirect_uris), "/redirect_uris", "redirect", "A citizens' app has one, a partner may.")
    for address in sorted(made.redirect_uris):
        need(_safe_redirect(address), "/redirect_uris", "redirect", f"{address}: https, or loopback; no fragment.")
    need(not made.kinds or made.role == "source", "/kinds", "not_for_role", "Only sources send records.")
    need(not made.perks or made.role in {"partner", "citycard"}, "/perks", "not_for_role", "Only partners have perks.")
    for purpose in sorted(made.purposes):
        fits = len(purpose) <= _LONGEST_PURPOSE and _PURPOSE.fullmatch(purpose)
        need(fits, "/purposes", "bad_purpose", "Up to 64 of a-z 0-9, joined by single hyphens.")
    need(not made.purposes or made.details_types, "/purposes", "not_for_role", "For partners with a redirect_uri.")
    told = made.contact or not made.details_types
    need(told, "/contact", "missing", "Citizens read whom to reach before they agree (PIPL article 23).")
    keyed = digestkeys.agrees(made.role, made.perks)
    need(digest_key is None or keyed, "/digest_key", "not_for_role", "Only sources and car parks have one.")
    need(digest_key is None or len(digest_key) >= _KEY_BYTES, "/digest_key", "too_short", "At least 16 random bytes.")
    return faults


def _safe_redirect(address: str) -> bool:
    """Whether codes may be sent there: https, or http to the device itself (FAPI 2.0; RFC 8252, section 7.3)."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    plain = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return plain and bool(parts.hostname) and not parts.fragment and "@" not in parts.netloc and address.isascii()


async def names(session: AsyncSession, client_ids: Iterable[str]) -> dict[str, str]:
    """The public names behind client ids, disabled clients too; ids of nobody are left out."""
    rows = await session.execute(select(client.c.client_id, client.c.name).where(client.c.client_id.in_(client_ids)))
    return {row.client_id: row.name for row in rows}
