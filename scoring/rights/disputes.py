"""What citizens do about a record that they say is wrong (异议): object, look, withdraw. SZX 50-51, PIPL 46, CIR 25.

Opening a dispute about a deduction suspends it at once, once per version of the record; a second one about the same
version suspends only when a person has accepted its new evidence. Disputes about positives change no point while they
are open. Nobody else's record or dispute is ever found: absent and not yours answer alike. No partner learns of any.
"""

import uuid
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids, keys
from core.errors import Conflict, NotFound
from core.keys import Keyring
from scoring import holders, rulebook, standing, suspensions
from scoring.holders import Holder
from scoring.rights import inforce, objections, turning
from scoring.rights.disputing import DISPUTE, OPEN, Reason
from scoring.rights.objections import Dispute, Said
from scoring.rights.turning import Turn
from scoring.standing import NotEnrolled
from scoring.tables import dispute, live, record

MOST_OPEN = 20
MOST_PER_VERSION = 5
LONGEST_WORDS = 500
LONGEST_EVIDENCE = 2000
ENDED = frozenset({"revoked", "repaired"})  # a record of these statuses counts no more


class NotDisputable(Conflict):
    """The record counts no more, so there is nothing to object to."""

    code = "not_disputable"
    title = "This record cannot be disputed"


class AlreadyDisputed(Conflict):
    """A dispute about this record is open."""

    code = "already_disputed"
    title = "A dispute about this record is open"


class TooManyDisputes(Conflict):
    """Many disputes wait for an answer, or many were about this version of the record."""

    code = "too_many_disputes"
    title = "Too many disputes"


async def open(  # noqa: A001  the field's word; always called as `disputes.open`
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, record_id: uuid.UUID, reason: Reason, said: Said
) -> Dispute:
    """Object to one of the citizen's own records; a deduction stops counting in the same transaction.

    Raises NotEnrolled, NotFound, NotDisputable, AlreadyDisputed, TooManyDisputes.
    """
    book = await rulebook.current(session, on=clock.today())
    holder = await _holder(session, ring, citizen_id, locked=True)
    row = await _record(session, holder, record_id)
    before = await _before(session, holder, row)
    key = await keys.make(session, ring, owner=citizen_id, purpose="cases")
    dispute_id, today = ids.random(), clock.today()  # the source sees the id, so it tells no order
    suspends = not book.catalogue.kinds[row.kind].positive and not before
    rules = await inforce.disputes(session, on=today)
    started = await turning.started(session, rules, DISPUTE.start, today)
    about = {"record_id": row.id, "version": row.version, "source": row.source, "ref": row.ref, "kind": row.kind}
    about["rules"] = rules.digest
    await session.execute(
        insert(dispute).values(
            id=dispute_id, citizen_id=citizen_id, **about, reason=reason, state=DISPUTE.start, suspends=suspends,
            opened_at=clock.civil(), **started, sealed_words=objections.seal_words(key, dispute_id, said),
        )
    )  # fmt: skip
    due = started["due_on"]
    await objections.step(session, dispute_id=dispute_id, event="open", by="citizen", state=DISPUTE.start, due_on=due)
    if suspends and await suspensions.settle(session, record_id=row.id, on=today):
        await standing.rescore(session, [holder], as_of=today, cause="dispute.open", book=book)
    return await get(session, ring, citizen_id=citizen_id, dispute_id=dispute_id)


async def of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> list[Dispute]:
    """A citizen's disputes, newest first; none without a live consent."""
    query = select(dispute).where(dispute.c.citizen_id == citizen_id).order_by(dispute.c.opened_at.desc(), dispute.c.id)
    rows = (await session.execute(query)).all()
    if not rows:
        return []
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="cases")
    return await objections.opened(session, key, rows)


async def get(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, dispute_id: uuid.UUID) -> Dispute:
    """One of the citizen's own disputes; NotFound for anybody else's."""
    query = select(dispute).where(dispute.c.id == dispute_id, dispute.c.citizen_id == citizen_id)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFound
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="cases")
    (one,) = await objections.opened(session, key, [row])
    return one


async def withdraw(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, dispute_id: uuid.UUID) -> Dispute:
    """Take an objection back: the record counts again from today. Raises NotEnrolled, NotFound, IllegalTransition."""
    book = await rulebook.current(session, on=clock.today())
    holder = await _holder(session, ring, citizen_id, locked=True)
    row = await objections.locked(session, dispute_id=dispute_id)
    if row.citizen_id != citizen_id:
        raise NotFound
    await turning.turn(session, holder, row, Turn("withdraw", "citizen"), book=book)
    return await get(session, ring, citizen_id=citizen_id, dispute_id=dispute_id)


async def _holder(session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID, *, locked: bool) -> Holder:
    holder = await holders.one(session, ring, citizen_id=citizen_id, locked=locked)
    if holder is None:
        raise NotEnrolled
    return holder


async def _record(session: AsyncSession, holder: Holder, record_id: uuid.UUID) -> Any:
    """The holder's record that can be disputed, while the consent lives."""
    query = (
        select(record)
        .join(live, live.c.record_subject == record.c.record_subject)
        .where(record.c.record_subject == holder.record_subject, live.c.until > clock.civil(), record.c.id == record_id)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFound
    if row.status in ENDED:
        raise NotDisputable("这条记录已经撤销或修复，不再计分，不需要提出异议。")
    return row


async def _before(session: AsyncSession, holder: Holder, row: Any) -> bool:
    """Whether this version of the record was suspended by a dispute before; refuses one dispute too many."""
    mine = select(func.count()).where(dispute.c.citizen_id == holder.citizen_id)
    about = mine.where(dispute.c.record_id == row.id)
    if await session.scalar(about.where(dispute.c.state.in_(OPEN))):
        raise AlreadyDisputed("这条记录的异议正在核实；有结果之后，如有新的证据可以再提。")
    if (await session.scalar(mine.where(dispute.c.state.in_(OPEN))) or 0) >= MOST_OPEN:
        detail = f"您有{MOST_OPEN}项异议正在核实；有结果之后可以再提。"
        raise TooManyDisputes(detail)
    versions = about.where(dispute.c.version == row.version)
    if (await session.scalar(versions) or 0) >= MOST_PER_VERSION:
        raise TooManyDisputes("对这条记录的异议次数已满；您还可以要求人工复核，或者留下说明。")
    return bool(await session.scalar(versions.where(dispute.c.suspends)))
