"""Published files of the rule book: drafted by one person, put in force by another, kept for ever.

In force on a day is, per kind and name, the approved release with the latest effective date that has come. Files in
the repository are drafts and rule nothing.
"""

import hashlib
import uuid
from datetime import date, datetime

import msgspec
from sqlalchemy import RowMapping, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids
from core.errors import Conflict, NotFound
from core.tables import release


class SecondPersonNeeded(Conflict):
    """The drafter may not approve."""

    code = "second_person_needed"
    title = "A release takes two persons"


class AlreadyApproved(Conflict):
    """The release is approved."""

    code = "already_approved"
    title = "This release is already approved"


class Release(msgspec.Struct, frozen=True):
    """One release: `body` is the file's text, `digest` its SHA-256 in hex."""

    id: uuid.UUID
    kind: str
    name: str
    body: str
    digest: str
    effective_on: date
    drafted_by: str
    drafted_at: datetime
    approved_by: str | None
    approved_at: datetime | None


def digest(body: str) -> str:
    """SHA-256 of the file's UTF-8 bytes, in hex."""
    return hashlib.sha256(body.encode()).hexdigest()


def _read(row: RowMapping) -> Release:
    return Release(**row)


async def draft(session: AsyncSession, *, kind: str, name: str, body: str, effective_on: date, by: str) -> Release:
    """Keep a draft; the same bytes again return the release that they already are."""
    values = {
        "id": ids.new(),
        "kind": kind,
        "name": name,
        "body": body,
        "digest": digest(body),
        "effective_on": effective_on,
        "drafted_by": by,
        "drafted_at": clock.wall(),
    }
    await session.execute(insert(release).values(**values).on_conflict_do_nothing())
    query = select(release).where(release.c.kind == kind, release.c.name == name, release.c.digest == values["digest"])
    return _read((await session.execute(query)).mappings().one())


async def get(session: AsyncSession, *, release_id: uuid.UUID) -> Release:
    """One release, approved or not; NotFound."""
    row = (await session.execute(select(release).where(release.c.id == release_id))).mappings().one_or_none()
    if row is None:
        raise NotFound
    return _read(row)


async def approve(session: AsyncSession, *, release_id: uuid.UUID, by: str) -> Release:
    """Put a draft in force from its effective date. Raises NotFound, SecondPersonNeeded, AlreadyApproved."""
    found = await get(session, release_id=release_id)
    if found.drafted_by == by:
        detail = "Somebody other than the drafter must approve."
        raise SecondPersonNeeded(detail)
    done = await session.execute(
        update(release)
        .where(release.c.id == release_id, release.c.approved_at.is_(None))
        .values(approved_by=by, approved_at=clock.wall())
        .returning(release)
    )
    row = done.mappings().one_or_none()
    if row is None:
        detail = "Draft a new release to change it."
        raise AlreadyApproved(detail)
    return _read(row)


async def in_force(session: AsyncSession, *, on: date, kind: str | None = None) -> list[Release]:
    """What is in force on a day, one release per kind and name, by kind and name."""
    query = (
        select(release)
        .ext(distinct_on(release.c.kind, release.c.name))
        .where(release.c.approved_at.is_not(None), release.c.effective_on <= on)
        .order_by(release.c.kind, release.c.name, release.c.effective_on.desc(), release.c.approved_at.desc())
    )
    if kind is not None:
        query = query.where(release.c.kind == kind)
    return [_read(row) for row in (await session.execute(query)).mappings()]


async def everything(session: AsyncSession, *, kind: str | None = None) -> list[Release]:
    """Every release, drafts too, newest first."""
    query = select(release).order_by(release.c.id.desc())
    if kind is not None:
        query = query.where(release.c.kind == kind)
    return [_read(row) for row in (await session.execute(query)).mappings()]
