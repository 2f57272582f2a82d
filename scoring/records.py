"""What a citizen sees of their own records, and what they may say about them.

Hiding a positive is reversible and stops it from counting; a deduction can't be hidden, it is disputed or repaired
instead. Kinds that they do not want taken are in `scoring.refusals`. Nobody else's record is ever found: absent and not
yours answer alike.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import subjects
from core import clock
from core.errors import Conflict, NotFound
from core.keys import Keyring
from scoring import holders, rulebook, staging, standing, statements
from scoring.book.catalogue import Catalogue
from scoring.book.kinds import Item
from scoring.holders import Holder
from scoring.rulebook import RuleBook
from scoring.standing import NotEnrolled
from scoring.tables import live, record


class NotHideable(Conflict):
    """Only positives can be hidden."""

    code = "not_hideable"
    title = "This record cannot be hidden"


class Shown(msgspec.Struct, frozen=True):
    """One record as its citizen sees it. `status`: active, hidden, disputed, repaired or revoked.

    `label` says in one line what it is; `fields`, `document` and `notice` are what the source sent, empty once erased,
    `repair` the decision that ended a deduction, as its source or the office handed it in;
    `statement` is what the citizen says to it. A deduction counts from `from_on` until the day before `until_on`.
    `item` is the catalogue entry in force when it was taken.
    """

    id: uuid.UUID
    kind: str
    name: str
    label: str
    source: str
    ref: str
    version: int
    positive: bool
    status: str
    occurred_on: date
    received_at: datetime
    item: Item | None
    from_on: date | None
    until_on: date | None
    hideable: bool
    fields: dict[str, Any]
    document: dict[str, Any] | None
    notice: dict[str, Any] | None
    repair: dict[str, Any] | None
    statement: str | None


async def of(
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_id: uuid.UUID,
    limit: int,
    before: uuid.UUID | None = None,
    kind: str | None = None,
) -> list[Shown]:
    """A citizen's records, the latest day first, after the record `before`. Raises NotEnrolled, NotFound."""
    holder = await _holder(session, ring, citizen_id)
    book = await rulebook.current(session, on=clock.today())
    query = _mine(holder).order_by(record.c.occurred_on.desc(), record.c.id.desc()).limit(limit)
    if book.sensitive:
        allowed = (await subjects.sensitive(session, citizen_ids=[citizen_id])).get(citizen_id, frozenset())
        query = query.where(record.c.kind.not_in(book.sensitive - allowed))
    if kind is not None:
        query = query.where(record.c.kind == kind)
    if before is not None:
        last = await _one(session, holder, before)
        query = query.where(tuple_(record.c.occurred_on, record.c.id) < tuple_(last.occurred_on, last.id))
    return await _shown(session, holder, book, (await session.execute(query)).all())


async def get(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, record_id: uuid.UUID) -> Shown:
    """One of the citizen's own records. Raises NotEnrolled, NotFound."""
    holder = await _holder(session, ring, citizen_id)
    book = await rulebook.current(session, on=clock.today())
    return await _show(session, holder, book, record_id)


async def state(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, record_id: uuid.UUID, words: str | None
) -> Shown:
    """Put the citizen's own words beside a record, in place of earlier ones; None takes them back. No point moves.

    Raises NotEnrolled, NotFound, NoWords.
    """
    book = await rulebook.current(session, on=clock.today())
    holder = await _holder(session, ring, citizen_id, locked=True)
    await _one(session, holder, record_id)
    if words is None:
        await statements.erase(session, holder, record_id=record_id)
    else:
        await statements.write(session, holder, record_id=record_id, words=words)
    return await _show(session, holder, book, record_id)


async def hide(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, record_id: uuid.UUID, hidden: bool = True
) -> Shown:
    """Stop a positive from counting, or let it count again (`hidden` False); repeating changes nothing.

    Raises NotEnrolled, NotFound, NotHideable.
    """
    book = await rulebook.current(session, on=clock.today())
    holder = await _holder(session, ring, citizen_id, locked=True)
    row = await _one(session, holder, record_id)
    old, new = ("active", "hidden") if hidden else ("hidden", "active")
    if not _hideable(book.catalogue, row):
        raise NotHideable("扣分记录不能隐藏；如有异议请提出异议，已纠正的请申请信用修复。")
    if row.status == old:
        changed = update(record).where(record.c.id == record_id, record.c.record_subject == holder.record_subject)
        await session.execute(changed.values(status=new, status_at=clock.civil()))
        await _rescore(session, holder, book, "hidden" if hidden else "shown")
    return await _show(session, holder, book, record_id)


async def _holder(session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID, *, locked: bool = False) -> Holder:
    holder = await holders.one(session, ring, citizen_id=citizen_id, locked=locked)
    if holder is None:
        raise NotEnrolled
    return holder


async def _one(session: AsyncSession, holder: Holder, record_id: uuid.UUID) -> Any:
    row = (await session.execute(_mine(holder).where(record.c.id == record_id))).one_or_none()
    if row is None:
        raise NotFound
    return row


def _mine(holder: Holder) -> Any:
    """The holder's records, while the consent lives."""
    return (
        select(record)
        .join(live, live.c.record_subject == record.c.record_subject)
        .where(record.c.record_subject == holder.record_subject, live.c.until > clock.civil())
    )


async def _rescore(session: AsyncSession, holder: Holder, book: RuleBook, cause: str) -> None:
    await standing.rescore(session, [holder], as_of=clock.today(), cause=cause, book=book)


def _hideable(catalogue: Catalogue, row: Any) -> bool:
    return catalogue.kinds[row.kind].positive and row.status in {"active", "hidden"}


async def _show(session: AsyncSession, holder: Holder, book: RuleBook, record_id: uuid.UUID) -> Shown:
    (one,) = await _shown(session, holder, book, [await _one(session, holder, record_id)])
    return one


async def _shown(session: AsyncSession, holder: Holder, book: RuleBook, rows: Sequence[Any]) -> list[Shown]:
    said = await statements.beside(session, holder, [row.id for row in rows])
    items = await rulebook.items(session, [_taken(row) for row in rows])
    return [_read(book.catalogue, holder, row, said.get(row.id), items.get(_taken(row))) for row in rows]


def _taken(row: Any) -> tuple[str, date]:
    return row.kind, clock.day_of(row.received_at)


def _read(catalogue: Catalogue, holder: Holder, row: Any, statement: str | None, item: Item | None) -> Shown:
    kind = catalogue.kinds[row.kind]
    papers = staging.papers(holder, row.id, row.sealed) if row.sealed else staging.Papers({})
    return Shown(
        id=row.id,
        kind=row.kind,
        name=kind.name,
        label=catalogue.label(row.kind, row.occurred_on, row.quantity, row.level),
        source=row.source,
        ref=row.ref,
        version=row.version,
        positive=kind.positive,
        status=row.status,
        occurred_on=row.occurred_on,
        received_at=row.received_at,
        item=item,
        from_on=row.from_on,
        until_on=row.until_on,
        hideable=_hideable(catalogue, row),
        fields=papers.fields,
        document=papers.document,
        notice=papers.notice,
        repair=papers.repair,
        statement=statement,
    )
