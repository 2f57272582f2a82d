"""What offices and the clock do about a dispute: the source answers, clerks check and decide, days run out.

Sessions are of the *scorer* door for sources and clerks, of the *jobs* door for the clock. A source sees which record
and what is objected, never who. Nobody gives points: an upheld dispute takes a record away, or the source sends a
right one; what nobody can resolve is noted beside the record in the citizen's own words (CIR article 25).
"""

import uuid
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, ids
from core.audit import Actor
from core.db import Doors
from core.errors import Conflict, Invalid, NotFound
from core.keys import Keyring
from core.lifecycle import By
from scoring import holders, rulebook, statements
from scoring.holders import Holder
from scoring.rights import marks, objections, turning
from scoring.rights.disputing import DISPUTE, NEEDS_A_LINE, OVERDUE
from scoring.rights.marks import Mark
from scoring.rights.objections import Dispute, Look
from scoring.rights.turning import Turn
from scoring.rulebook import RuleBook
from scoring.tables import dispute, record

PREFIX = "dp"
_SOME = 200
Outcome = Literal["upheld", "rejected"]
Act = Literal["forward", "extend", "escalate", "accept", "uphold", "overrule", "note"]


class NeedsALine(Conflict):
    """A positive with a wrong detail can only be put right by its source."""

    code = "needs_correction"
    title = "Only the source can correct this record"


class NotCorrected(Invalid):
    """What was sent as the right line did not become one."""

    code = "not_corrected"
    title = "The correction had no effect"


async def read(session: AsyncSession, ring: Keyring, *, look: Look, dispute_id: uuid.UUID) -> Dispute:
    """One dispute with its words, for a clerk; its citizen reads who looked and why. Raises NotFound."""
    _, key = await objections.key_for(
        session, ring, look=look, dispute_id=dispute_id, act="read", detail=_detail(dispute_id)
    )
    return await _show(session, key, dispute_id)


async def act(
    session: AsyncSession,
    ring: Keyring,
    *,
    look: Look,
    dispute_id: uuid.UUID,
    event: Act,
    reasons: str | None = None,
) -> Dispute:
    """A clerk's step; `reasons` are read by the citizen. Raises NotFound, IllegalTransition, NeedsALine."""
    citizen_id, key = await objections.key_for(
        session, ring, look=look, dispute_id=dispute_id, act=event, detail=_detail(dispute_id)
    )
    book, holder, row = await _held(session, ring, citizen_id, dispute_id)
    DISPUTE.after(row.state, event, by="staff")
    if event == "uphold" and row.reason in NEEDS_A_LINE and book.catalogue.kinds[row.kind].positive:
        raise NeedsALine("Forward it: the source answers with the corrected line.")
    answer = None if reasons is None else objections.seal_answer(key, dispute_id, reasons)
    await turning.turn(session, holder, row, Turn(event, "staff"), book=book, sealed_answer=answer)
    if event == "note" and row.record_id is not None:
        said = objections.words(key, row)
        await statements.note(session, holder, record_id=row.record_id, words=said.words)
    return await _show(session, key, dispute_id)


async def mark(
    session: AsyncSession, ring: Keyring, *, look: Look, dispute_id: uuid.UUID, told: Mark | None
) -> Dispute:
    """A clerk notes that a lawsuit or reconsideration is pending about the disputed record, or is over (None)."""
    done = "decided" if told is None else "pending"
    citizen_id, key = await objections.key_for(
        session, ring, look=look, dispute_id=dispute_id, act=done, detail=_detail(dispute_id)
    )
    book, holder, row = await _held(session, ring, citizen_id, dispute_id)
    if row.record_id is not None:
        await marks.on_record(
            session, ring, citizen_id=holder.citizen_id, record_id=row.record_id, mark=told, told_by=look.clerk,
            book=book,
        )  # fmt: skip
    return await _show(session, key, dispute_id)


async def answerable(session: AsyncSession, ring: Keyring, *, token: bytes, dispute_id: uuid.UUID) -> objections.Told:
    """The dispute that a source is about to answer. Raises NotFound: unknown, another's, closed, not yet forwarded."""
    found = await objections.told(session, ring, token=token, only=dispute_id)
    if not found:
        raise NotFound
    return found[0][0]


async def answer(
    session: AsyncSession,
    ring: Keyring,
    *,
    token: bytes,
    dispute_id: uuid.UUID,
    outcome: Outcome,
    reasons: str,
    corrects: int | None = None,
) -> None:
    """A source's answer: rejected, the deduction counts again from today; upheld, its record is taken away.

    `corrects`: the version in place of which the source has just sent the right line, so that the record stays.
    Raises NotFound, IllegalTransition, NotCorrected.
    """
    found = await objections.told(session, ring, token=token, only=dispute_id)
    if not found:
        raise NotFound
    ((told, key),) = found
    citizen_id = await session.scalar(select(dispute.c.citizen_id).where(dispute.c.id == told.id))
    book, holder, row = await _held(session, ring, citizen_id, dispute_id)
    right = None if corrects is None else await objections.record_of(session, row.record_id)
    if corrects is not None and right is not None and right.version <= corrects:
        raise NotCorrected("The correction does not fit the stored line; send members that do, or none.")
    made = Turn("uphold" if outcome == "upheld" else "reject", "source", corrected=corrects is not None)
    body = objections.seal_answer(key, dispute_id, reasons)
    await turning.turn(session, holder, row, made, book=book, sealed_answer=body)
    await audit.write(
        session, actor=Actor("source", row.source), action="dispute.answer", purpose="dispute", outcome="done",
        owner=citizen_id, detail=_detail(dispute_id),
    )  # fmt: skip


async def keep(doors: Doors) -> int:
    """What days do: settle what has no record left, move on what is overdue, recount provisional days.

    Part of the jobs' round; safe to repeat at any time. Returns how many disputes moved. Each moves in a transaction of
    its own: whoever holds two people's links in another order than all others would wait for ever.
    """
    late = select(dispute).where(dispute.c.closed_at.is_(None), dispute.c.due_on < clock.today())
    open_ones = select(dispute).where(dispute.c.closed_at.is_(None), dispute.c.provisional)
    async with doors.work("jobs") as session:
        moot = (await session.execute(_MOOT.limit(_SOME))).all()
        overdue = (await session.execute(late.where(dispute.c.state.in_(OVERDUE)).limit(_SOME))).all()
        for row in (await session.execute(open_ones.limit(_SOME))).all():
            if (changed := await turning.recount(session, row)) is not None:
                await session.execute(update(dispute).where(dispute.c.id == row.id).values(**changed))
    due = [(row, "settle") for row in moot] + [(row, OVERDUE[row.state]) for row in overdue]
    moved = 0
    for row, event in due:
        async with doors.work("jobs") as session:
            moved += await _by_clock(session, doors.ring, row, event)
    return moved


_ENDED = select(record.c.id).where(record.c.id == dispute.c.record_id, record.c.status.not_in(("revoked", "repaired")))
_MOOT = select(dispute).where(dispute.c.closed_at.is_(None), ~_ENDED.exists())


async def _by_clock(session: AsyncSession, ring: Keyring, seen: Any, event: str) -> bool:
    """One step by itself, if it is still due once the citizen's link is held."""
    try:
        book, holder, row = await _held(session, ring, seen.citizen_id, seen.id)
    except NotFound:  # the consent ended meanwhile, and the dispute went with it
        return False
    if row.state != seen.state or row.due_on != seen.due_on:
        return False
    by: By = "clock"
    await turning.turn(session, holder, row, Turn(event, by), book=book)
    await audit.write(
        session, actor=Actor("system", "jobs"), action=f"dispute.{event}", purpose="dispute", outcome="done",
        owner=row.citizen_id, detail=_detail(row.id),
    )  # fmt: skip
    return True


async def _held(
    session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID | None, dispute_id: uuid.UUID
) -> tuple[RuleBook, Holder, Any]:
    """The rule book, the holder locked, then the dispute locked: always in this order. NotFound."""
    book = await rulebook.current(session, on=clock.today())
    holder = None if citizen_id is None else await holders.one(session, ring, citizen_id=citizen_id, locked=True)
    if holder is None:
        raise NotFound
    return book, holder, await objections.locked(session, dispute_id=dispute_id)


async def _show(session: AsyncSession, key: bytes, dispute_id: uuid.UUID) -> Dispute:
    row = (await session.execute(select(dispute).where(dispute.c.id == dispute_id))).one()
    (one,) = await objections.opened(session, key, [row])
    return one


def _detail(dispute_id: uuid.UUID) -> dict[str, str]:
    return {"dispute": ids.show(PREFIX, dispute_id)}
