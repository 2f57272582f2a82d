"""What happened to a matter, step by step: which event, the state after it, by whose act. Nothing that anybody said."""

import uuid
from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids
from core.lifecycle import By
from scoring.righttables import right_event


class Step(msgspec.Struct, frozen=True):
    """One step of a course."""

    at: datetime
    event: str
    state: str
    by: str


async def note(
    session: AsyncSession, *, citizen_id: uuid.UUID, matter_id: uuid.UUID, event: str, state: str, by: By
) -> None:
    """Write one step down, in the transaction of its effect."""
    row = {"citizen_id": citizen_id, "matter_id": matter_id, "event": event, "state": state, "by": by}
    await session.execute(right_event.insert().values(id=ids.new(), at=clock.civil(), **row))


async def of(session: AsyncSession, matters: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Step]]:
    """The steps of each matter, in their order."""
    query = select(right_event).where(right_event.c.matter_id.in_(list(matters))).order_by(right_event.c.id)
    found: dict[uuid.UUID, list[Step]] = {}
    for row in await session.execute(query):
        found.setdefault(row.matter_id, []).append(Step(row.at, row.event, row.state, row.by))
    return found
