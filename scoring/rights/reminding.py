"""What a citizen is reminded of about their rights, whenever they look.

A deduction that can be repaired soon, or now, or that has ended; a commitment whose day is near or past; a declaration
that nobody verified. Nothing is sent and no row is kept: it is said whenever the citizen looks, so it is never late and
never stale. A reminder is never a deduction, and it says what to do.
"""

import uuid
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.keys import Keyring
from scoring import records
from scoring.records import Shown
from scoring.rights import chances, commitments, declarations, inforce
from scoring.rights.chances import Chance
from scoring.rights.commitments import Course
from scoring.rights.declarations import Declaration

ENDED_DAYS = 30
_MOST = 50


class Due(msgspec.Struct, frozen=True):
    """One thing to know. `why`: repairable_soon, repairable, ended, commitment_due, commitment_overdue, unverified.

    `prefix` and `about` are the id of the record, commitment or declaration; `on` is the day that matters.
    """

    prefix: str
    about: uuid.UUID
    why: str
    on: date
    text: str


async def of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, today: date) -> list[Due]:
    """What to remind a citizen of today, by day. Raises NotEnrolled, NoRightsInForce."""
    rules = await inforce.repair(session, on=today)
    promises = await inforce.promises(session, on=today)
    ways = await chances.of(session, ring, citizen_id=citizen_id, rules=rules, today=today)
    found = [due for way in ways if (due := _repairable(way, today, rules.remind_days)) is not None]
    for code in sorted(rules.kinds.keys() | rules.others.keys()):
        held = await records.of(session, ring, citizen_id=citizen_id, limit=_MOST, kind=code)
        found += [due for one in held if (due := _ended(one, today)) is not None]
    made = await commitments.of(session, ring, citizen_id=citizen_id)
    found += _promised(made, today, promises.remind_days)
    found += _unverified(await declarations.of(session, ring, citizen_id=citizen_id))
    return sorted(found, key=lambda one: (one.on, one.why))


def _repairable(way: Chance, today: date, days: int) -> Due | None:
    if way.on is None or today < way.on - timedelta(days=days):
        return None
    if today < way.on:
        said = f"“{way.record.label}”从{way.on}起可以申请信用修复，请先准备材料。修复不收费用。"
        return Due("rc", way.record.id, "repairable_soon", way.on, said)
    said = f"“{way.record.label}”现在可以申请信用修复，三个工作日内答复，修复当天停止计分。修复不收费用。"
    return Due("rc", way.record.id, "repairable", way.on, said)


def _ended(one: Shown, today: date) -> Due | None:
    over = one.until_on
    fresh = over is not None and over <= today <= over + timedelta(days=ENDED_DAYS)
    if over is None or not fresh or one.status not in {"active", "repaired"}:
        return None
    how = "已修复" if one.status == "repaired" else "计分期限已满"
    return Due("rc", one.id, "ended", over, f"“{one.label}”{how}，从{over}起不再扣分。")


def _promised(made: list[Course], today: date, days: int) -> Iterator[Due]:
    for one in made:
        day = one.promise.due_on
        if one.state == "overdue":
            said = f"承诺{one.promise.terms.number}的期限{day}已过。请尽快履行并联系对方单位核实；逾期本身不扣分。"
            yield Due("cm", one.promise.id, "commitment_overdue", day, said)
        elif one.state == "made" and today >= day - timedelta(days=days):
            yield Due("cm", one.promise.id, "commitment_due", day, f"承诺{one.promise.terms.number}的期限是{day}。")


def _unverified(declared: list[Declaration]) -> Iterator[Due]:
    again = {one.again_of for one in declared}
    for one in declared:
        if one.state in {"lapsed", "refused"} and one.id not in again:
            said = f"您申报的“{one.said.title}”未经核实，不计分也不扣分。有新的证明材料可以再申报。"
            yield Due("dl", one.id, "unverified", one.lapse_on, said)
