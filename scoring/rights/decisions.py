"""Repair decisions that others took: an authority, or 信用中国, handed in by the source or, on paper, by the office.

The effect is that of any repair: the deduction stops the same day, days before stay true. The decision's number is kept
with the sealed papers of the record, where its citizen reads it. Handing the same one in again changes nothing.
"""

from datetime import date
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import db
from core.keys import Keyring
from scoring import sources, staging
from scoring.holders import Holder


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """By which decision a deduction was repaired; `handed_in_by` is the office that did it for the source."""

    no: str
    authority: str
    decided_on: date
    handed_in_by: str | None = None


async def repair(
    session: AsyncSession, ring: Keyring, *, source: str, ref: str, decision: Decision | None, **how: Any
) -> int:
    """End what `source` calls `ref`, with its decision; `how` as in `sources.repair`. Returns how many ended."""
    people = await sources.repair(session, ring, source=source, ref=ref, **how)
    for holder in people if decision is not None else ():
        await _keep(session, holder, source, ref, msgspec.to_builtins(decision))
    return len(people)


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
