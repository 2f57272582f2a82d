"""What auditors may ask of the log: a quarter in numbers, and single entries without whose data it was.

Staff come through gate functions that prove their token (migration 0014). Whoever an entry of a search is about reads
who searched and why; the statement that answers writes that. SZ24 (4 security audits a year), CIR 22, PIPL 54.
"""

import uuid
from datetime import datetime

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import smallcells
from core.smallcells import Cell, Table
from core.tables import audit_head

# Acts of the office and of the machine, about nobody: counted as they are.
_ACTS = (
    "release.", "rehearsal.", "perk.", "everyone.", "client.", "assessment.", "incident.", "epoch.", "keys.",
    "audit.export",
)  # fmt: skip


class Counts(msgspec.Struct, frozen=True):
    """Accesses by (actor kind, purpose, outcome), small cells hidden, and acts about nobody by name."""

    accesses: Table
    acts: dict[str, int]


class Head(msgspec.Struct, frozen=True):
    """A head of the sealed log: how many entries, and the root in hex."""

    size: int
    root: str


class Wanted(msgspec.Struct, frozen=True):
    """What is looked for in [from_at, until_at); None: whoever, whatever."""

    from_at: datetime
    until_at: datetime
    actor: str | None
    action: str | None
    limit: int


class Look(msgspec.Struct, frozen=True):
    """Who looks: SHA-256 of the jti of a live token of scope `staff:audits`, the clerk's number, and why."""

    token: bytes
    clerk: str
    purpose: str


class Hit(msgspec.Struct, frozen=True):
    """An entry without its owner; `actor` is None where it is a citizen or their relative."""

    id: uuid.UUID
    at: datetime
    actor_kind: str
    actor: str | None
    action: str
    purpose: str
    outcome: str
    clerk: str | None
    about_person: bool


async def count(session: AsyncSession, *, token: bytes, begin: datetime, end: datetime) -> Counts:
    """The entries of [begin, end) in numbers that may leave the house."""
    query = text("select * from auth.count_entries(:token, :begin, :end)")
    rows = (await session.execute(query, {"token": token, "begin": begin, "end": end})).all()
    cells = [
        Cell((row.actor_kind, row.purpose, row.outcome), row.entries, row.persons) for row in rows if row.about_persons
    ]
    acts: dict[str, int] = {}
    for row in rows:
        if not row.about_persons and row.action.startswith(_ACTS):
            acts[row.action] = acts.get(row.action, 0) + row.entries
    return Counts(smallcells.publish(cells), dict(sorted(acts.items())))


async def head_at(session: AsyncSession, *, at: datetime) -> Head | None:
    """The newest head signed before an instant; None when there was none yet."""
    query = select(audit_head.c.size, audit_head.c.root).where(audit_head.c.at < at)
    row = (await session.execute(query.order_by(audit_head.c.size.desc()).limit(1))).one_or_none()
    return Head(row.size, row.root.hex()) if row else None


async def search(session: AsyncSession, *, look: Look, wanted: Wanted) -> list[Hit]:
    """Entries, newest first. Everybody whom one of them is about gets an entry that says who searched, and why."""
    query = text(
        "select * from auth.search_entries("
        ":token, :from_at, :until_at, :actor, :action, :limit, :purpose, cast(:detail as jsonb))"
    )
    detail = msgspec.json.encode({"clerk": look.clerk}).decode()
    given = {"token": look.token, "purpose": look.purpose, "detail": detail, **msgspec.structs.asdict(wanted)}
    return [Hit(*row) for row in await session.execute(query, given)]
