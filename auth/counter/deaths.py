"""What an office records of a death, and what a citizen wished for then (PIPL article 49).

Promises: one person of an office records and another approves; from the approval on no session, token or login of the
deceased is alive. Documents' numbers are sealed under the deceased's identity key, and go with it. Does not promise
what ends and who may look: `api.staff.deceased` does that.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.counter.tables import death, last_wish
from core import clock, ids, keys, sealed
from core.errors import Conflict, Forbidden, NotFound
from core.keys import Keyring

LOOK = timedelta(days=90)


class Closed(Forbidden):
    """The citizen's death was recorded; nobody acts as them any more."""

    code = "account_closed"
    title = "This account is closed"


class SecondPerson(Conflict):
    """Whoever recorded cannot approve."""

    code = "second_person_needed"
    title = "A second person of the office must approve"


class Death(msgspec.Struct, frozen=True):
    """A recorded death; `done` when everything that ends with it has ended."""

    id: uuid.UUID
    citizen_id: uuid.UUID
    relative_id: uuid.UUID | None
    recorded_by: str
    approved_by: str | None
    done: bool


class Listed(msgspec.Struct, frozen=True):
    """A recorded death as its office lists it: never whose. `may_erase`: a relative may ask for it."""

    id: uuid.UUID
    recorded_by: str
    recorded_at: datetime
    approved_by: str | None
    may_erase: bool


def over(citizen_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether an approved death closes this citizen."""
    return exists().where(death.c.citizen_id == citizen_id, death.c.approved_at.is_not(None))


async def must_live(session: AsyncSession, citizen_id: uuid.UUID) -> None:
    """Raise Closed after an approved death."""
    if await session.scalar(
        select(death.c.id).where(death.c.citizen_id == citizen_id, death.c.approved_at.is_not(None))
    ):
        raise Closed("Relatives turn to the office's counter.")


async def record(
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_id: uuid.UUID,
    papers: bytes,
    relative_id: uuid.UUID | None,
    relation: str | None,
    client_id: str,
    by: str,
) -> Death:
    """Record a death for approval; `papers` names the documents."""
    made = ids.new()
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="identity")
    await session.execute(
        insert(death).values(
            id=made,
            citizen_id=citizen_id,
            sealed_document=sealed.seal(key, papers, place=("auth.death", "sealed_document", made.bytes)),
            relative_id=relative_id,
            relation=relation,
            client_id=client_id,
            recorded_by=by,
            recorded_at=clock.civil(),
        )
    )
    return Death(made, citizen_id, relative_id, by, None, done=False)


async def of(session: AsyncSession, *, client_id: str) -> list[Listed]:
    """What an office recorded: everything that waits, and what a relative may still act on; the newest first."""
    since = clock.civil() - LOOK
    rows = await session.execute(
        select(death)
        .where(death.c.client_id == client_id, or_(death.c.done_at.is_(None), death.c.done_at > since))
        .order_by(death.c.recorded_at.desc(), death.c.id)
    )
    return [
        Listed(
            row.id, row.recorded_by, row.recorded_at, row.approved_by,
            row.done_at is not None and row.relative_id is not None,
        )
        for row in rows
    ]  # fmt: skip


async def approve(session: AsyncSession, *, death_id: uuid.UUID, client_id: str, by: str) -> Death:
    """Approve as a second person of the same office; approving again changes nothing. Raises NotFound, SecondPerson."""
    mine = (death.c.id == death_id) & (death.c.client_id == client_id)
    row = (await session.execute(select(death).where(mine).with_for_update())).one_or_none()
    if row is None:
        raise NotFound
    if by == row.recorded_by:
        raise SecondPerson("Let a colleague look at the documents and approve.")
    if row.approved_at is None:
        await session.execute(update(death).where(mine).values(approved_by=by, approved_at=clock.civil()))
    return Death(
        row.id, row.citizen_id, row.relative_id, row.recorded_by, row.approved_by or by, row.done_at is not None
    )


async def relative(session: AsyncSession, *, death_id: uuid.UUID, client_id: str) -> Death:
    """A death whose relative may act now: approved, within 90 days, and not against a wish. Raises NotFound."""
    mine = (death.c.id == death_id) & (death.c.client_id == client_id) & death.c.relative_id.is_not(None)
    row = (await session.execute(select(death).where(mine, death.c.done_at > clock.civil() - LOOK))).one_or_none()
    if row is None or await closed_wish(session, citizen_id=row.citizen_id):
        raise NotFound
    return Death(row.id, row.citizen_id, row.relative_id, row.recorded_by, row.approved_by, done=True)


async def done(session: AsyncSession, *, death_id: uuid.UUID) -> None:
    """Note that everything that ends with a death has ended."""
    await session.execute(update(death).where(death.c.id == death_id).values(done_at=clock.civil()))


async def closed_wish(session: AsyncSession, *, citizen_id: uuid.UUID) -> bool:
    """Whether the citizen said that nobody shall look."""
    return await session.scalar(select(last_wish.c.at).where(last_wish.c.citizen_id == citizen_id)) is not None


async def wish(session: AsyncSession, *, citizen_id: uuid.UUID, nobody: bool) -> None:
    """Keep what a citizen wishes for."""
    if nobody:
        said = insert(last_wish).values(citizen_id=citizen_id, at=clock.civil())
        await session.execute(said.on_conflict_do_nothing())
    else:
        await session.execute(delete(last_wish).where(last_wish.c.citizen_id == citizen_id))
