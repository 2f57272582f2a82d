"""What this room holds about one citizen, for their own archive (PIPL article 45).

Ways in and what they opened: every table of this room whose rows carry the citizen's id is read, so that a new one is
in the archive without anybody thinking of it. What is left out: digests and sealed bytes (the words behind them come
from the verbs that may open them) and what proves a session, which is nobody's but its browser's.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import LargeBinary, Table, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tables import citizen, consent, matter, source_subject
from core.tables import metadata

# Read by their own verbs, on the citizen's door.
APART = frozenset({"consent", "matter", "source_subject"})
_PERSON = ("citizen_id", "proxy_id")  # whose row it is; a proxy is also about who may look
_SECRET = frozenset({"csrf", "challenge", "jkt", *_PERSON})


class Drawn(msgspec.Struct, frozen=True):
    """A consent that lay in drawing a one-use code."""

    purpose: str
    given_at: datetime
    expires_at: datetime


class Known(msgspec.Struct, frozen=True):
    """A source that may send about the citizen, since when; the digest that it knows them by is agreed with it."""

    source: str
    since: datetime


def tables() -> list[Table]:
    """The tables of this room whose rows carry a citizen's id, but for those read by verbs of their own."""
    here = [table for table in metadata.tables.values() if table.schema == "auth" and "citizen_id" in table.c]
    return [citizen, *sorted((table for table in here if table.name not in APART), key=lambda table: table.name)]


async def ways_in(session: AsyncSession, *, citizen_id: uuid.UUID) -> Mapping[str, list[dict[str, Any]]]:
    """The plain columns of every row of `tables`, by table. `session` is of the auth door."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in tables():
        columns = [one for one in table.c if not isinstance(one.type, LargeBinary) and one.name not in _SECRET]
        whose = [table.c[name] for name in _PERSON if name in table.c] or [table.c.id]
        rows = (await session.execute(select(*columns).where(or_(*(one == citizen_id for one in whose))))).mappings()
        found[table.name] = [msgspec.to_builtins(dict(row)) for row in rows]
    return found


async def counts(session: AsyncSession, *, citizen_id: uuid.UUID) -> dict[str, int]:
    """How many matters a citizen has, by table; `session` is of the citizen door."""
    found = select(func.count()).select_from(matter).where(matter.c.citizen_id == citizen_id)
    return {matter.fullname: await session.scalar(found) or 0}


async def drawn(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Drawn]:
    """The one-use consents of a citizen, oldest first."""
    query = select(consent.c.purpose, consent.c.given_at, consent.c.expires_at).order_by(consent.c.given_at)
    rows = await session.execute(query.where(consent.c.citizen_id == citizen_id, consent.c.one_use))
    return [Drawn(row.purpose, row.given_at, row.expires_at) for row in rows]


async def sources(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Known]:
    """The sources that know the citizen now."""
    query = select(source_subject.c.source, source_subject.c.changed_at).order_by(source_subject.c.source)
    rows = await session.execute(query.where(source_subject.c.citizen_id == citizen_id))
    return [Known(row.source, row.changed_at) for row in rows]
