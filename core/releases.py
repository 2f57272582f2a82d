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
from core.lifecycle import Event, IllegalTransition, Machine, State
from core.tables import release

COURSE = Machine(
    name="release",
    title="规则发布",
    states=(
        State("draft", "草稿"),
        State("approved", "已批准，等待生效"),
        State("in_force", "生效中"),
        State("past", "已被后来的规则取代", final=True),
        State("withdrawn", "已撤下", final=True),
    ),
    events=(
        Event("rehearse", "预演", ("staff",)),
        Event("approve", "另一人批准", ("staff",)),
        Event("withdraw", "撤下", ("staff",)),
        Event("begin", "生效日到", ("clock",)),
        Event("replace", "后来的规则生效", ("clock",)),
    ),
    moves=(
        ("draft", "rehearse", "draft"),
        ("draft", "approve", "approved"),
        ("draft", "withdraw", "withdrawn"),
        ("approved", "withdraw", "withdrawn"),
        ("approved", "begin", "in_force"),
        ("in_force", "replace", "past"),
    ),
)


class SecondPersonNeeded(Conflict):
    """The drafter may not approve."""

    code = "second_person_needed"
    title = "A release takes two persons"


class AlreadyApproved(Conflict):
    """The release is approved."""

    code = "already_approved"
    title = "This release is already approved"


class AnotherWaits(Conflict):
    """Another approved release of the same place waits for its day; none is replaced in silence."""

    code = "another_waits"
    title = "Another approved release waits for its day"


class Release(msgspec.Struct, frozen=True):
    """One release: `body` is the file's text, `digest` its SHA-256 in hex.

    `rehearsal` is the digest of the report that its approver saw; None where none was needed.
    """

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
    rehearsal: str | None = None
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None


def state(one: Release, *, ruling: bool = True) -> str:
    """Where a release stands today by `COURSE`; `ruling`: whether `in_force` gives it, once its day has come."""
    if one.withdrawn_at is not None:
        return "withdrawn"
    if one.approved_at is None:
        return "draft"
    if one.effective_on > clock.today():
        return "approved"
    return "in_force" if ruling else "past"


def same_person(one: str, other: str) -> bool:
    """Whether two names may be one person's: `<system>/<clerk>` names a clerk, `<system>` anybody of that system."""
    both_clerks = "/" in one and "/" in other
    return one == other if both_clerks else one.partition("/")[0] == other.partition("/")[0]


def digest(body: str) -> str:
    """SHA-256 of the file's UTF-8 bytes, in hex."""
    return hashlib.sha256(body.encode()).hexdigest()


def _read(row: RowMapping) -> Release:
    return Release(**row)


async def draft(session: AsyncSession, *, kind: str, name: str, body: str, effective_on: date, by: str) -> Release:
    """Keep a draft; the same bytes for the same day return the release that they already are."""
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
    query = select(release).where(
        release.c.kind == kind, release.c.name == name, release.c.digest == values["digest"],
        release.c.effective_on == effective_on, release.c.withdrawn_at.is_(None),
    )  # fmt: skip
    return _read((await session.execute(query)).mappings().one())


async def get(session: AsyncSession, *, release_id: uuid.UUID) -> Release:
    """One release, approved or not; NotFound."""
    row = (await session.execute(select(release).where(release.c.id == release_id))).mappings().one_or_none()
    if row is None:
        raise NotFound
    return _read(row)


async def approve(
    session: AsyncSession, *, release_id: uuid.UUID, by: str, rehearsal: str | None = None, alone: bool = True
) -> Release:
    """Put a draft in force from its effective date, having seen the report of that digest.

    `alone`: its kind has one release in force, whatever its name. Raises NotFound, SecondPersonNeeded, AlreadyApproved,
    AnotherWaits, IllegalTransition.
    """
    found = await get(session, release_id=release_id)
    if found.approved_at is not None:
        raise AlreadyApproved("Draft a new release to change it.")
    COURSE.after(state(found), "approve")
    if same_person(found.drafted_by, by):
        detail = "Somebody other than the drafter must approve."
        raise SecondPersonNeeded(detail)
    await _must_be_first(session, found, alone=alone)
    done = await session.execute(
        update(release)
        .where(release.c.id == release_id, release.c.approved_at.is_(None), release.c.withdrawn_at.is_(None))
        .values(approved_by=by, approved_at=clock.wall(), rehearsal=rehearsal)
        .returning(release)
    )
    row = done.mappings().one_or_none()
    if row is None:
        detail = "Draft a new release to change it."
        raise AlreadyApproved(detail)
    return _read(row)


async def _must_be_first(session: AsyncSession, one: Release, *, alone: bool) -> None:
    """An approved release that waits in the same place was judged against what ruled then: it goes first, or away."""
    for other in await waiting(session, kind=one.kind):
        if other.id != one.id and (alone or other.name == one.name):
            detail = (
                f"{ids.show('rl', other.id)} ({other.name}) rules from {other.effective_on} on. "
                "Withdraw it first, or draft this one when it rules."
            )
            raise AnotherWaits(detail)


async def withdraw(session: AsyncSession, *, release_id: uuid.UUID, by: str) -> Release:
    """Take back a draft, or an approved release before its day. Raises NotFound, IllegalTransition."""
    COURSE.after(state(await get(session, release_id=release_id)), "withdraw")
    done = await session.execute(
        update(release)
        .where(release.c.id == release_id, release.c.withdrawn_at.is_(None))
        .values(withdrawn_by=by, withdrawn_at=clock.wall())
        .returning(release)
    )
    row = done.mappings().one_or_none()
    if row is None:
        raise IllegalTransition(state="withdrawn", event="withdraw", allowed=())
    return _read(row)


async def waiting(session: AsyncSession, *, kind: str | None = None) -> list[Release]:
    """Every approved release whose day has not come, the next one first."""
    query = select(release).where(
        release.c.approved_at.is_not(None), release.c.withdrawn_at.is_(None), release.c.effective_on > clock.today()
    )
    if kind is not None:
        query = query.where(release.c.kind == kind)
    found = await session.execute(query.order_by(release.c.effective_on, release.c.approved_at))
    return [_read(row) for row in found.mappings()]


async def in_force(
    session: AsyncSession, *, on: date, kind: str | None = None, without: uuid.UUID | None = None
) -> list[Release]:
    """What is in force on a day, one release per kind and name, by kind and name; or would be without one of them."""
    query = (
        select(release)
        .ext(distinct_on(release.c.kind, release.c.name))
        .where(release.c.approved_at.is_not(None), release.c.withdrawn_at.is_(None), release.c.effective_on <= on)
        .order_by(release.c.kind, release.c.name, release.c.effective_on.desc(), release.c.approved_at.desc())
    )
    if kind is not None:
        query = query.where(release.c.kind == kind)
    if without is not None:
        query = query.where(release.c.id != without)
    return [_read(row) for row in (await session.execute(query)).mappings()]


async def everything(session: AsyncSession, *, kind: str | None = None) -> list[Release]:
    """Every release, drafts too, newest first."""
    query = select(release).order_by(release.c.id.desc())
    if kind is not None:
        query = query.where(release.c.kind == kind)
    return [_read(row) for row in (await session.execute(query)).mappings()]
