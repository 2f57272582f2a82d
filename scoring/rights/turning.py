"""One step of a dispute, and what it does to the record: the only place where a dispute's state changes.

The caller holds the citizen's link and the dispute's row, so each effect happens once. The state table decides what is
possible; a dispute that suspends keeps its record from counting exactly while it is open; an upheld one takes the
record away unless its source corrected it; the points follow in the same transaction.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, workdays
from core.lifecycle import By
from core.workdays import Due
from scoring import standing, suspensions
from scoring.book.disputefile import DisputeRules
from scoring.holders import Holder
from scoring.rights import inforce, objections
from scoring.rights.disputing import DISPUTE
from scoring.rulebook import RuleBook
from scoring.tables import dispute, record


class Turn(msgspec.Struct, frozen=True):
    """An event in somebody's hands. `corrected`: the source sent a right line, so the record stays."""

    event: str
    by: By
    corrected: bool = False


async def turn(
    session: AsyncSession, holder: Holder, row: Any, made: Turn, *, book: RuleBook, sealed_answer: bytes | None = None
) -> str:
    """Do it: state, clock, course, effect, points. Returns the new state. Raises IllegalTransition."""
    state = DISPUTE.after(row.state, made.event, by=made.by)
    today = clock.today()
    changed = await _clock(session, row, state, made.event, today)
    if state in DISPUTE.final:
        changed["closed_at"] = clock.civil()
    if made.event == "accept":
        changed["suspends"] = True
    if sealed_answer is not None:
        changed["sealed_answer"] = sealed_answer
    await session.execute(update(dispute).where(dispute.c.id == row.id).values(state=state, **changed))
    due = changed.get("due_on", row.due_on)
    await objections.step(session, dispute_id=row.id, event=made.event, by=made.by, state=state, due_on=due)
    if state in DISPUTE.final or made.event == "accept":
        await _effect(session, holder, row, made, state, book, today)
    return state


async def started(session: AsyncSession, rules: DisputeRules, state: str, on: date) -> dict[str, Any]:
    """The columns of a clock that begins in a state on a day."""
    days = rules.days(state)
    due = await workdays.due(session, start=on, days=days)
    return {"clock_from": on, "clock_days": days, "due_on": due.on, "provisional": due.provisional}


async def recount(session: AsyncSession, row: Any) -> Mapping[str, Any] | None:
    """A provisional day, counted anew where its year is known by now; None where nothing changed."""
    was = Due(row.due_on, row.provisional)
    now = await workdays.settled(session, was=was, start=row.clock_from, days=row.clock_days, owed_by="office")
    return None if now == was else {"due_on": now.on, "provisional": now.provisional}


async def _clock(session: AsyncSession, row: Any, state: str, event: str, today: date) -> dict[str, Any]:
    """A new state has a clock of its own; an extension runs on from the day that was due."""
    if state == row.state or state in DISPUTE.final:
        return {}
    rules = await inforce.disputes_of(session, digest=row.rules)
    return await started(session, rules, state, row.due_on if event == "extend" else today)


async def _effect(
    session: AsyncSession, holder: Holder, row: Any, made: Turn, state: str, book: RuleBook, today: date
) -> None:
    """The record follows the dispute, and the points the record."""
    found = await objections.record_of(session, row.record_id)
    if found is None:
        return
    moved = False
    if state == "upheld" and not made.corrected and found.status not in {"revoked", "repaired"}:
        taken = update(record).where(record.c.id == found.id, record.c.record_subject == holder.record_subject)
        await session.execute(taken.values(status="revoked", status_at=clock.civil()))
        moved = True
    moved |= await suspensions.settle(session, record_id=found.id, on=today)
    if moved:
        await standing.rescore(session, [holder], as_of=today, cause=f"dispute.{made.event}", book=book)
