"""Changes of clients by the office: one asks, another agrees, and a live impact assessment stands behind who goes live.

What may be asked: a partner, source or city-card operator registered, its keys replaced (two may overlap while it
changes over), a disabled one enabled, an address given to a source where it answers what it is asked. Disabling takes
one person and is done at once.
"""

import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth import clients, digestkeys
from auth.tables import client, client_change
from core import assessments, clock, ids
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.keys import Keyring
from core.releases import SecondPersonNeeded, same_person

Kind = Literal["register", "keys", "enable", "address"]
ROLES = ("partner", "source", "citycard")
MOST_KEYS = 2


class AlreadyApproved(Conflict):
    """The change is made."""

    code = "already_approved"
    title = "This change is already approved"


class Change(msgspec.Struct, frozen=True):
    """A change that was asked for; `body` is what `kind` needs."""

    id: uuid.UUID
    client_id: str
    kind: Kind
    body: dict[str, Any]
    assessment_id: uuid.UUID | None
    drafted_by: str
    drafted_at: datetime
    approved_by: str | None
    approved_at: datetime | None


class Registered(msgspec.Struct, frozen=True):
    """A client as the office sees it."""

    client_id: str
    role: str
    name: str
    scopes: list[str]
    kinds: list[str]
    perks: list[str]
    jwks: list[dict[str, Any]]
    created_at: datetime
    disabled_at: datetime | None
    assessment_id: uuid.UUID | None
    addresses: dict[str, str]


async def ask(session: AsyncSession, *, client_id: str, kind: Kind, body: Mapping[str, Any], by: str) -> Change:
    """Keep what one of the office asks for. Raises Invalid, NotFound, ClientExists, AssessmentMissing."""
    kept = dict(body)
    if kind == "register":
        if kept["role"] not in ROLES:
            raise Invalid(errors=[FieldError("/role", "unknown_role", f"One of {', '.join(ROLES)}.")])
        await clients.must_be_free(session, client_id)
    else:
        found = await one(session, client_id=client_id)
        if kind == "address" and found.role != "source":
            raise Invalid(errors=[FieldError("", "no_source", "Sources alone have addresses where they are asked.")])
    if kind in {"register", "keys"}:
        kept["jwks"] = clients.public_keys(kept["jwks"])
        if not 1 <= len(kept["jwks"]) <= MOST_KEYS:
            raise Invalid(errors=[FieldError("/jwks", "out_of_range", "One key, or two while they change over.")])
    behind = (
        None
        if kind in {"keys", "address"}
        else await assessments.need(session, subject_kind="partner", subject=client_id)
    )
    values = {
        "id": ids.new(), "client_id": client_id, "kind": kind, "body": kept, "drafted_by": by,
        "assessment_id": behind.id if behind else None, "drafted_at": clock.wall(),
    }  # fmt: skip
    made = await session.execute(client_change.insert().values(**values).returning(client_change))
    return Change(**made.mappings().one())


async def approve(
    session: AsyncSession, ring: Keyring, *, change_id: uuid.UUID, by: str
) -> tuple[Change, bytes | None]:
    """Make a change; with it, once, the digest key of a source or car park that was registered.

    Raises NotFound, SecondPersonNeeded, AlreadyApproved, AssessmentMissing, ClientExists, Invalid.
    """
    found = await session.execute(select(client_change).where(client_change.c.id == change_id).with_for_update())
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound
    asked = Change(**row)
    if same_person(asked.drafted_by, by):
        raise SecondPersonNeeded("Somebody other than the one who asked must approve.")
    if asked.approved_at is not None:
        raise AlreadyApproved("Ask for a new change.")
    if asked.kind in {"register", "enable"}:
        await assessments.need(session, subject_kind="partner", subject=asked.client_id)
    digest_key = await _make(session, ring, asked)
    done = await session.execute(
        update(client_change)
        .where(client_change.c.id == change_id)
        .values(approved_by=by, approved_at=clock.wall())
        .returning(client_change)
    )
    return Change(**done.mappings().one()), digest_key


async def _make(session: AsyncSession, ring: Keyring, asked: Change) -> bytes | None:
    if asked.kind == "register":
        keyed = digestkeys.agrees(asked.body["role"], asked.body.get("perks", ()))
        digest_key = secrets.token_bytes(32) if keyed else None
        await clients.add(session, ring, client_id=asked.client_id, digest_key=digest_key, **asked.body)
        await stand(session, client_id=asked.client_id, assessment_id=asked.assessment_id, live=True)
        return digest_key
    changed: dict[str, Any] = {"disabled_at": None, "assessment_id": asked.assessment_id}
    if asked.kind == "keys":
        changed = {"jwks": asked.body["jwks"]}
    elif asked.kind == "address":
        changed = {"addresses": await _addresses(session, asked)}
    await session.execute(update(client).where(client.c.client_id == asked.client_id).values(**changed))
    return None


async def _addresses(session: AsyncSession, asked: Change) -> dict[str, str]:
    """A source's addresses with the one that was asked for, or without it when that is none."""
    held = dict((await one(session, client_id=asked.client_id)).addresses)
    purpose, address = asked.body["purpose"], asked.body["address"]
    held.pop(purpose, None)
    return held if address is None else held | {purpose: address}


async def stand(session: AsyncSession, *, client_id: str, assessment_id: uuid.UUID | None, live: bool) -> None:
    """Say on which assessment a client stands, and whether it is let in."""
    values = {"assessment_id": assessment_id, "disabled_at": None if live else clock.wall()}
    await session.execute(update(client).where(client.c.client_id == client_id).values(**values))


async def disable(session: AsyncSession, *, client_id: str) -> Registered:
    """Shut a client out at once: its next request is refused. Raises NotFound."""
    await one(session, client_id=client_id)
    await session.execute(
        update(client)
        .where(client.c.client_id == client_id, client.c.disabled_at.is_(None))
        .values(disabled_at=clock.wall())
    )
    return await one(session, client_id=client_id)


_SEEN = [client.c[name] for name in Registered.__struct_fields__]


async def one(session: AsyncSession, *, client_id: str) -> Registered:
    """One client of the three roles, disabled or not. Raises NotFound."""
    query = select(*_SEEN).where(client.c.client_id == client_id, client.c.role.in_(ROLES))
    row = (await session.execute(query)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Registered(**row)


async def everybody(session: AsyncSession) -> list[Registered]:
    """Every client of the three roles, by id."""
    query = select(*_SEEN).where(client.c.role.in_(ROLES)).order_by(client.c.client_id)
    return [Registered(**row) for row in (await session.execute(query)).mappings()]


async def waiting(session: AsyncSession) -> list[Change]:
    """What waits for a second person, oldest first."""
    query = select(client_change).where(client_change.c.approved_at.is_(None)).order_by(client_change.c.id)
    return [Change(**row) for row in (await session.execute(query)).mappings()]


async def addresses(session: AsyncSession, *, purpose: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Per live source that answers questions of this purpose: where, and the kinds agreed with it."""
    query = select(client.c.client_id, client.c.addresses, client.c.kinds).where(
        client.c.role == "source", client.c.disabled_at.is_(None), client.c.addresses.has_key(purpose)
    )
    return {row.client_id: (row.addresses[purpose], frozenset(row.kinds)) for row in await session.execute(query)}
