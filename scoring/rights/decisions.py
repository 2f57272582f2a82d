"""Repair decisions that others took: an authority, or 信用中国, handed in by the source or, on paper, by the office.

The effect is that of any repair: the deduction stops the same day, days before stay true. The decision's number is kept
with the sealed papers of the record, where its citizen reads it. Handing the same one in again changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from core import db
from core.keys import Keyring
from scoring import ending, staging
from scoring.holders import Holder
from scoring.rulebook import RuleBook


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """By which decision a deduction was repaired; `handed_in_by` is the office that did it for the source."""

    no: str
    authority: str
    decided_on: date
    handed_in_by: str | None = None


async def repair(
    session: AsyncSession, ring: Keyring, *, source: str, ref: str, decision: Decision | None, **how: Any
) -> int:
    """End what `source` calls `ref`, with its decision; `how` as in `ending.repair`. Returns how many ended."""
    people = await ending.repair(session, ring, source=source, ref=ref, **how)
    for holder in people if decision is not None else ():
        await _keep(session, holder, source, ref, msgspec.to_builtins(decision))
    return len(people)


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One decision on paper: about what `source` calls `ref`."""

    source: Annotated[str, Meta(min_length=1, max_length=64)]
    ref: Annotated[str, Meta(min_length=1, max_length=64)]
    decision_no: Annotated[str, Meta(min_length=1, max_length=100)]
    authority: Annotated[str, Meta(min_length=1, max_length=100)]
    decided_on: date
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None


class Refused(msgspec.Struct, frozen=True):
    """A line that was not well-formed, counted from 1."""

    line: int
    code: str
    detail: str


class Receipt(msgspec.Struct, frozen=True):
    """What was taken; the same whether a ref is known or not."""

    received: int
    accepted: int
    rejected: list[Refused]


async def hand_in(
    session: AsyncSession, ring: Keyring, *, lines: Sequence[Mapping[str, Any]], by: str, book: RuleBook, as_of: date
) -> Receipt:
    """Take decisions on paper, handed in by the office `by` for the sources; harmless to repeat.

    Everybody who is concerned is locked first, so that offices may hand in the same people in any order at once.
    """
    taken, rejected = _judged(lines, as_of)
    await ending.hold(session, ring, {(line.source, line.ref) for line in taken})
    # By source, of whose numbers one row is written; lines about the same record stay in their order.
    for line in sorted(taken, key=lambda one: one.source):
        told = Decision(line.decision_no, line.authority, line.decided_on, by)
        how = {"version": line.version, "book": book, "as_of": as_of}
        await repair(session, ring, source=line.source, ref=line.ref, decision=told, **how)
    return Receipt(len(lines), len(taken), rejected)


def _judged(lines: Sequence[Mapping[str, Any]], as_of: date) -> tuple[list[Line], list[Refused]]:
    """Each line by itself: those that are taken, and what is wrong with the others."""
    taken: list[Line] = []
    rejected: list[Refused] = []
    for number, given in enumerate(lines, 1):
        try:
            line = msgspec.convert({name: value for name, value in given.items() if value != ""}, Line, strict=False)
        except msgspec.ValidationError as error:
            rejected.append(Refused(number, "malformed", f"{error}. Correct the line and send it again."))
            continue
        if line.decided_on > as_of:
            rejected.append(Refused(number, "future_date", "decided_on is a day to come. Correct it."))
        else:
            taken.append(line)
    return taken, rejected


async def _keep(session: AsyncSession, holder: Holder, source: str, ref: str, told: dict[str, Any]) -> None:
    connection = await db.raw(session)
    row = await connection.fetchrow(_PAPERS, holder.record_subject, source, ref)
    if row is not None and row["sealed"]:
        held = msgspec.structs.replace(staging.papers(holder, row["id"], row["sealed"]), repair=told)
        await connection.execute(_RESEAL, holder.record_subject, row["id"], staging.closed(holder, row["id"], held))


_PAPERS = """
select r.id, r.sealed from scoring.record r
join scoring.live l on l.record_subject = r.record_subject and l.until > (select core.civil_now())
where r.record_subject = $1 and r.source = $2 and r.ref = $3
"""

_RESEAL = "update scoring.record set sealed = $3 where record_subject = $1 and id = $2"
