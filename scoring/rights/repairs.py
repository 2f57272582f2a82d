"""A citizen's applications for credit repair (信用修复), from applying to what was decided.

Repair is a right and free (Order 36; SZX articles 81-82). The machine counts the minimum display time before it takes
an application; whether the other conditions are met is for a person to see (`scoring.rights.repairdesk`), within three
working days. Words and reasons are sealed under the citizen's *cases* key, together with what the record says, so that
a clerk needs to open nothing else. What its source repairs or revokes meanwhile, or what runs out, settles the matter.
"""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids, keys, sealed, workdays
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.keys import Keyring
from scoring import holders, records
from scoring.book.repairfile import RepairRules
from scoring.records import Shown
from scoring.rights import chances, inforce, steps
from scoring.rights.chances import Chance
from scoring.rights.courses import REPAIR
from scoring.rights.steps import Step
from scoring.righttables import repair
from scoring.standing import NotEnrolled

OPEN = tuple(one.name for one in REPAIR.states if not one.final)


class NotRepairable(Conflict):
    """The record takes no points away, or its effect ends in another way."""

    code = "not_repairable"
    title = "This record cannot be repaired by an application"


class TooEarly(Conflict):
    """The minimum display time is not over; `repairable_on` is the first day."""

    code = "too_early"
    title = "The minimum display time is not over"


class AlreadyOpen(Conflict):
    """There is an application for this record that waits for its decision."""

    code = "already_open"
    title = "An application for this record is open"


class BadApplication(Invalid):
    """The way or the pledge does not fit the rules in force."""

    code = "bad_application"
    title = "The application does not fit the rules in force"


class Application(msgspec.Struct, frozen=True):
    """What is sealed of an application: what the record says, what the citizen says, which pledge they gave."""

    label: str
    source: str
    document: dict[str, Any] | None
    repairable_on: date
    words: str
    evidence: str
    pledge: int


class Repair(msgspec.Struct, frozen=True):
    """One application. `needed`, `met` and `missing` are ids of conditions under the rules of digest `rules`."""

    id: uuid.UUID
    record_id: uuid.UUID
    kind: str
    route: str | None
    rules: str
    needed: list[str]
    met: list[str]
    missing: list[str]
    state: str
    opened_at: datetime
    changed_at: datetime
    decide_by: date
    provisional: bool
    application: Application
    reasons: str | None
    history: list[Step]


async def apply(
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_id: uuid.UUID,
    record_id: uuid.UUID,
    route: str | None,
    pledge: int,
    words: str,
    evidence: str,
) -> Repair:
    """Apply for the repair of one's own deduction; `pledge` is the version of the public pledge that was given.

    Raises NotEnrolled, NotFound, NotRepairable, TooEarly, AlreadyOpen, BadApplication, NoRightsInForce.
    """
    today = clock.today()
    rules = await inforce.repair(session, on=today)
    if await holders.one(session, ring, citizen_id=citizen_id, locked=True) is None:
        raise NotEnrolled
    chance = _possible(rules, await records.get(session, ring, citizen_id=citizen_id, record_id=record_id), today)
    _must_fit(rules, chance, route, pledge)
    if await session.scalar(select(repair.c.id).where(repair.c.record_id == record_id, repair.c.state.in_(OPEN))):
        raise AlreadyOpen("这条记录的修复申请正在办理，有结果之后可以再申请。")
    due = await workdays.due(session, start=today, days=rules.decide_days)
    said = Application(
        chance.record.label, chance.record.source, chance.record.document, chance.on or today, words, evidence, pledge
    )
    matter_id, now = ids.new(), clock.civil()
    key = await keys.make(session, ring, owner=citizen_id, purpose="cases")
    row = {
        "record_version": chance.record.version, "kind": chance.record.kind, "route": route, "rules": rules.digest,
        "needed": list(rules.needed(chance.record.kind, route)), "met": [], "missing": [], "state": REPAIR.start,
        "opened_at": now, "changed_at": now, "decide_by": due.on, "provisional": due.provisional,
        "sealed_words": sealed.seal(key, msgspec.json.encode(said), place=words_of(matter_id)),
    }  # fmt: skip
    await session.execute(insert(repair).values(id=matter_id, citizen_id=citizen_id, record_id=record_id, **row))
    await _step(session, citizen_id, matter_id, "apply", REPAIR.start)
    return await get(session, ring, citizen_id=citizen_id, repair_id=matter_id)


async def of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> list[Repair]:
    """A citizen's applications, newest first. Raises NotEnrolled."""
    return await _read(session, ring, citizen_id, None)


async def get(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, repair_id: uuid.UUID) -> Repair:
    """One of the citizen's own applications. Raises NotEnrolled, NotFound."""
    found = await _read(session, ring, citizen_id, repair_id)
    if not found:
        raise NotFound
    return found[0]


async def withdraw(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, repair_id: uuid.UUID) -> Repair:
    """Take an application back; another one may follow. Raises NotEnrolled, NotFound, IllegalTransition."""
    mine = (repair.c.id == repair_id) & (repair.c.citizen_id == citizen_id)
    await session.execute(select(repair.c.id).where(mine).with_for_update())  # a clerk may be deciding
    found = await get(session, ring, citizen_id=citizen_id, repair_id=repair_id)
    to = REPAIR.after(found.state, "withdraw", by="citizen")
    await session.execute(update(repair).where(mine).values(state=to, changed_at=clock.civil()))
    await _step(session, citizen_id, repair_id, "withdraw", to)
    return await get(session, ring, citizen_id=citizen_id, repair_id=repair_id)


def opened(key: bytes, row: Mapping[Any, Any], *, settled: bool, history: list[Step]) -> Repair:
    """A row with its words and reasons, opened by its citizen's *cases* key."""
    said = sealed.unseal(key, row["sealed_words"], place=words_of(row["id"]))
    told = row["sealed_reasons"]
    reasons = None if told is None else sealed.unseal(key, told, place=reasons_of(row["id"])).decode()
    names = set(Repair.__struct_fields__) - {"application", "reasons", "history", "state"}
    return Repair(
        state=REPAIR.after(row["state"], "settle") if settled and row["state"] in OPEN else row["state"],
        application=msgspec.json.decode(said, type=Application),
        reasons=reasons,
        history=history,
        **{name: row[name] for name in names},
    )


def words_of(matter_id: uuid.UUID) -> tuple[str, str, bytes]:
    """Where the words are sealed."""
    return "scoring.repair", "sealed_words", matter_id.bytes


def reasons_of(matter_id: uuid.UUID) -> tuple[str, str, bytes]:
    """Where the reasons are sealed."""
    return "scoring.repair", "sealed_reasons", matter_id.bytes


def _possible(rules: RepairRules, one: Shown, today: date) -> Chance:
    """The record's chance, if there is one today."""
    if one.positive:
        raise NotRepairable("这条记录不扣分，不需要修复。")
    if not chances.counts(one, today):
        raise NotRepairable("这条记录已经不扣分，不需要修复。")
    chance = chances.chance(rules, one)
    if chance.on is None:
        raise NotRepairable(chance.how or "这类记录不能申请修复；如有异议请提出异议。")
    if today < chance.on:
        detail = f"最短公示期到{chance.on}届满，从这一天起可以申请。"
        raise TooEarly(detail, repairable_on=chance.on.isoformat())
    return chance


def _must_fit(rules: RepairRules, chance: Chance, route: str | None, pledge: int) -> None:
    """The way is one of those offered, and the pledge is the one in force."""
    faults: list[FieldError] = []
    if (route is None) is bool(chance.one_of) or (route is not None and route not in chance.one_of):
        advice = f"One of: {', '.join(chance.one_of)}." if chance.one_of else "Leave it out for this kind."
        faults.append(FieldError("/route", "wrong_route", advice))
    if pledge != rules.pledge.version:
        advice = f"The pledge in force is version {rules.pledge.version}: GET /v1/rules/repair."
        faults.append(FieldError("/pledge", "outdated_pledge", advice))
    if faults:
        raise BadApplication(errors=faults)


async def _read(session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID, one: uuid.UUID | None) -> list[Repair]:
    if await holders.one(session, ring, citizen_id=citizen_id) is None:
        raise NotEnrolled
    query = select(repair).where(repair.c.citizen_id == citizen_id).order_by(repair.c.id.desc())
    query = query if one is None else query.where(repair.c.id == one)
    rows = (await session.execute(query)).mappings().all()
    if not rows:
        return []
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="cases")
    told = await steps.of(session, [row["id"] for row in rows])
    return [
        opened(
            key, row, settled=await _settled(session, ring, citizen_id, row), history=told.get(row["id"], [])
        ) for row in rows
    ]  # fmt: skip


async def _settled(session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID, row: Mapping[Any, Any]) -> bool:
    """Whether the record came to its end without us: repaired, revoked or corrected by its source, or run out."""
    if row["state"] not in OPEN:
        return False
    one = await records.get(session, ring, citizen_id=citizen_id, record_id=row["record_id"])
    return one.version != row["record_version"] or not chances.counts(one, clock.today())


async def _step(session: AsyncSession, citizen_id: uuid.UUID, matter_id: uuid.UUID, event: str, state: str) -> None:
    await steps.note(session, citizen_id=citizen_id, matter_id=matter_id, event=event, state=state, by="citizen")
