"""The desk where a person checks and decides applications for repair.

Staff come through gate functions that prove their live token of scope `staff:repairs` and write the entry which the
citizen reads (migration 0018). The queue shows numbers and days. A decision is taken on the scorer's door, so that the
deduction ends, the points move and the reasons are there in one transaction: approved means stopped, the same day
(Order 36, article 3; HN 43). Nothing here can write a point, and nothing can end a record for which
its citizen did not apply.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Boolean, Date, LargeBinary, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, db, ids, sealed, workdays
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.keys import KeyGone, Keyring
from core.lifecycle import IllegalTransition
from core.workdays import Due
from scoring import holders, rulebook, standing, suspensions
from scoring.rights import inforce, repairs
from scoring.rights.courses import REPAIR
from scoring.rights.repairs import Repair

PREFIX = "rp"
CAUSE = "records.repair"


class ConditionsMissing(Conflict):
    """Not every condition was found met; `missing` says which."""

    code = "conditions_missing"
    title = "Not every condition is met"


class UnknownCondition(Invalid):
    """A condition that this application does not have."""

    code = "unknown_condition"
    title = "This is no condition of the application"


class Look(msgspec.Struct, frozen=True):
    """Who looks: SHA-256 of the jti of a live token of scope `staff:repairs`, the clerk's number, and why."""

    token: bytes
    clerk: str
    purpose: str


class Waiting(msgspec.Struct, frozen=True):
    """An application as the queue shows it: nothing of what its citizen said, and not who they are."""

    id: uuid.UUID
    kind: str
    route: str | None
    state: str
    opened_at: datetime
    decide_by: date
    provisional: bool


class Case(msgspec.Struct, frozen=True):
    """An application as a clerk opened it, with the key under which the answer is sealed. Never log it."""

    repair: Repair
    citizen_id: uuid.UUID
    key: bytes


async def waiting(session: AsyncSession, *, token: bytes, limit: int, after: uuid.UUID | None = None) -> list[Waiting]:
    """What waits for a decision, the oldest first; nothing for a token without the scope. Leaves no entry."""
    query = text("select * from scoring.waiting_repairs(:token, :after, :limit)")
    return [Waiting(*row) for row in await session.execute(query, {"token": token, "after": after, "limit": limit})]


async def read(session: AsyncSession, ring: Keyring, *, look: Look, repair_id: uuid.UUID) -> Case:
    """One application with its words; its citizen reads who looked and why. Raises NotFound."""
    query = text("select * from scoring.read_repair(:token, :id, :purpose, cast(:detail as jsonb))")
    given = {"token": look.token, "id": repair_id, "purpose": look.purpose, "detail": _detail(look, repair_id)}
    row = (await session.execute(query, given)).mappings().one_or_none()
    if row is None:
        raise NotFound
    try:
        key = ring.unwrap(row["wrapped"], epoch=row["epoch"], owner=row["citizen_id"], purpose="cases")
    except KeyGone as gone:
        raise NotFound from gone
    return Case(repairs.opened(key, row, settled=row["settled"], history=[]), row["citizen_id"], key)


async def check(session: AsyncSession, *, case: Case, look: Look, met: Sequence[str]) -> Case:
    """Write down which conditions a person found met; `session` is of the scorer's door. Returns how it stands then.

    Raises IllegalTransition, UnknownCondition.
    """
    _must_know(case.repair, met)
    case, _ = await _turn(session, look, case, "check", met=met)
    return case


async def extend(session: AsyncSession, *, case: Case, look: Look, reasons: str) -> Case:
    """Take three working days more, once, with reasons that the citizen reads. Returns how it stands then.

    Raises IllegalTransition.
    """
    rules = await inforce.repair_of(session, digest=case.repair.rules)
    due = await workdays.due(session, start=case.repair.decide_by, days=rules.extension_days)
    case, _ = await _turn(session, look, case, "extend", reasons=reasons, due=due)
    return case


async def refuse(session: AsyncSession, *, case: Case, look: Look, reasons: str, missing: Sequence[str]) -> Case:
    """Refuse with reasons and with what is missing; the citizen may apply again at any time. Returns how it stands.

    Raises IllegalTransition, UnknownCondition.
    """
    _must_know(case.repair, missing)
    case, _ = await _turn(session, look, case, "refuse", reasons=reasons, missing=missing)
    return case


async def approve(session: AsyncSession, ring: Keyring, *, case: Case, look: Look, reasons: str) -> Case:
    """End the deduction from today on and rescore its citizen, in this transaction of the scorer's door.

    Days before today stay as they were. Returns how it stands then. Raises IllegalTransition, ConditionsMissing.
    """
    found = case.repair
    if found.state in repairs.OPEN and (missing := [one for one in found.needed if one not in found.met]):
        detail = f"Not found met: {', '.join(missing)}. Check them first, or refuse and say what is missing."
        raise ConditionsMissing(detail, missing=missing)
    # The link before the matter, as in a withdrawal, which takes both: else the two could wait for each other.
    holder = await holders.one(session, ring, citizen_id=case.citizen_id, locked=True)
    case, version = await _turn(session, look, case, "approve", reasons=reasons)
    connection = await db.raw(session)
    today = clock.today()
    if holder is None or not await connection.fetchval(
        _END, holder.record_subject, found.record_id, version, clock.civil(), today
    ):  # its source was faster
        raise IllegalTransition(state="settled", event="approve", allowed=())
    await suspensions.settle(session, record_id=found.record_id, on=today)
    book = await rulebook.current(session, on=today)
    await standing.rescore(session, [holder], as_of=today, cause=CAUSE, book=book)
    return case


async def _turn(
    session: AsyncSession,
    look: Look,
    case: Case,
    event: str,
    *,
    met: Sequence[str] | None = None,
    missing: Sequence[str] | None = None,
    reasons: str | None = None,
    due: Due | None = None,
) -> tuple[Case, int]:
    """Take one step from the state that was read; what is None stays. Returns the case then and the record's version.

    Raises IllegalTransition.
    """
    found = case.repair
    to = REPAIR.after(found.state, event, by="staff")
    place = repairs.reasons_of(found.id)
    given = {
        "token": look.token, "id": found.id, "purpose": look.purpose, "detail": _detail(look, found.id), "event": event,
        "was": found.state, "to": to, "by": due and due.on, "provisional": due and due.provisional,
        "body": None if reasons is None else sealed.seal(case.key, reasons.encode(), place=place),
        "met": met if met is None else list(met), "missing": missing if missing is None else list(missing),
    }  # fmt: skip
    row = (await session.execute(_TURN, given)).one_or_none()
    if row is None:
        raise IllegalTransition(state="changed", event=event, allowed=())
    told: dict[str, Any] = {"met": given["met"], "missing": given["missing"], "reasons": reasons}
    told |= {"decide_by": given["by"], "provisional": given["provisional"]}
    news = {name: value for name, value in told.items() if value is not None}
    then = msgspec.structs.replace(
        case, repair=msgspec.structs.replace(found, state=to, changed_at=clock.civil(), **news)
    )
    return then, row.record_version


def _must_know(found: Repair, named: Sequence[str]) -> None:
    if unknown := sorted(set(named) - set(found.needed)):
        advice = f"This application has: {', '.join(found.needed)}."
        raise UnknownCondition(errors=[FieldError("/conditions", "unknown_condition", f"{unknown[0]}: {advice}")])


def _detail(look: Look, repair_id: uuid.UUID) -> str:
    return msgspec.json.encode({"matter": ids.show(PREFIX, repair_id), "clerk": look.clerk}).decode()


_TURN = text(
    "select citizen_id, record_id, record_version from scoring.turn_repair(:token, :id, :purpose, "
    "cast(:detail as jsonb), :event, :was, :to, :met, :missing, :body, :by, :provisional)"
).bindparams(
    bindparam("met", type_=ARRAY(Text)), bindparam("missing", type_=ARRAY(Text)), bindparam("by", type_=Date),
    bindparam("body", type_=LargeBinary), bindparam("provisional", type_=Boolean),
)  # fmt: skip

_END = """
update scoring.record r set status = 'repaired', status_at = $4, until_on = least(r.until_on, greatest(r.from_on, $5))
from scoring.live l
where r.record_subject = $1 and r.id = $2 and r.version = $3 and r.status in ('active', 'disputed') and r.kind like 'N%'
  and l.record_subject = r.record_subject and l.until > (select core.civil_now())
returning true
"""
