"""The log of acts: who did what, to whose data, why, and what came out. Plain inserts, in the transaction of the act.

Entries that concern a person carry that person as `owner`, and the person reads them as "who looked". Entries never
hold personal data themselves. The sealer (`core.sealer`) seals what was committed; a trigger keeps entries as they are
until their ten years are over.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, db, ids
from core.tables import audit_entry

# What is done to everybody's data at once is one entry without an owner, whose action begins so.
EVERYONE = "everyone."


class Actor(msgspec.Struct, frozen=True):
    """Who acts: `kind` citizen|partner|source|staff|citycard|system|anyone, and the client id (never a name)."""

    kind: str
    id: str


class Entry(msgspec.Struct, frozen=True):
    """One entry as its owner reads it."""

    id: uuid.UUID
    at: datetime
    actor: Actor
    action: str
    purpose: str
    outcome: str
    detail: dict[str, Any]


class Asked(msgspec.Struct, frozen=True):
    """How often somebody read or changed a person's data, and when last."""

    actor: Actor
    times: int
    last_at: datetime


async def write(
    session: AsyncSession,
    *,
    actor: Actor,
    action: str,
    purpose: str,
    outcome: str,
    owner: uuid.UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> uuid.UUID:
    """Append one entry in the caller's transaction; returns its id."""
    entry = ids.new()
    await session.execute(
        audit_entry.insert().values(
            id=entry,
            at=clock.civil(),
            actor_kind=actor.kind,
            actor=actor.id,
            action=action,
            purpose=purpose,
            outcome=outcome,
            owner=owner,
            detail=dict(detail or {}),
        )
    )
    return entry


async def write_each(
    session: AsyncSession, *, actor: Actor, action: str, purpose: str, outcome: str, owners: Mapping[uuid.UUID, Any]
) -> None:
    """Append one entry per owner in one statement; `owners` maps each to the detail of their entry."""
    if not owners:
        return
    connection = await db.raw(session)
    await connection.execute(
        "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail) "
        "select id, $1, $2, $3, $4, $5, $6, owner, detail::jsonb "
        "from unnest($7::uuid[], $8::uuid[], $9::text[]) as each (id, owner, detail)",
        clock.civil(),
        actor.kind,
        actor.id,
        action,
        purpose,
        outcome,
        [ids.new() for _ in owners],
        list(owners),
        [msgspec.json.encode(detail).decode() for detail in owners.values()],
    )


async def about(
    session: AsyncSession, *, owner: uuid.UUID, limit: int, before: uuid.UUID | None = None, own: bool | None = None
) -> list[Entry]:
    """A person's entries, newest first, older than `before`; those about everybody who took part are joined in.

    `own` keeps to what the person did themselves, or to what everybody else did.

    Which of the latter are theirs is the database's word, at the citizen's door: a policy of migration 0021.
    """
    everybody = audit_entry.c.owner.is_(None) & audit_entry.c.action.startswith(EVERYONE)
    query = select(audit_entry).where((audit_entry.c.owner == owner) | everybody)
    query = query.order_by(audit_entry.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit_entry.c.id < before)
    if own is not None:
        query = query.where((audit_entry.c.actor_kind == "citizen") == own)
    return [
        Entry(row.id, row.at, Actor(row.actor_kind, row.actor), row.action, row.purpose, row.outcome, row.detail)
        for row in await session.execute(query)
    ]


async def asked(session: AsyncSession, *, owner: uuid.UUID, since: datetime) -> list[Asked]:
    """Which organisations read or changed a person's data since an instant, who did most first. SH article 34."""
    mine = (audit_entry.c.owner == owner) & (audit_entry.c.at >= since) & (audit_entry.c.outcome != "denied")
    times = func.count()
    query = (
        select(audit_entry.c.actor_kind, audit_entry.c.actor, times, func.max(audit_entry.c.at))
        .where(mine, audit_entry.c.actor_kind.in_(("partner", "source", "staff", "citycard")))
        .group_by(audit_entry.c.actor_kind, audit_entry.c.actor)
        .order_by(times.desc(), audit_entry.c.actor)
    )
    return [Asked(Actor(kind, actor), many, last) for kind, actor, many, last in await session.execute(query)]


_SWEEP = """
  with old as (
    select e.id from core.audit_entry e join core.audit_leaf l on l.entry_id = e.id
    where e.id < uuidv7(core.civil_now() - now() - interval '10 years')
      and e.at < core.civil_now() - interval '10 years'
      and l.seq < (select max(size) from core.audit_head where at < core.civil_now() - interval '10 years')
    order by e.id limit :most
  ), gone as (delete from core.audit_entry e using old where e.id = old.id returning 1)
  select count(*) from gone
"""


async def sweep(session: AsyncSession, *, most: int) -> int:
    """Delete the oldest entries whose ten years are over; their leaves and heads stay. Returns how many.

    Ten years: the longest of the periods for query logs (SZX 45: five years; ZJ 20: ten).
    """
    swept = await session.scalar(text(_SWEEP), {"most": most}) or 0
    if swept:
        actor = Actor("system", "jobs")
        await write(
            session, actor=actor, action="audit.sweep", purpose="retention", outcome="done", detail={"entries": swept}
        )
    return swept
