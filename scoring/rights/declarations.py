"""What citizens declare about themselves (自主申报), until a bureau that may send such records verified it.

A declaration counts nothing: only the bureau's record does, and it takes the way of every record (Liaoyuan 2020,
articles 1 and 5). What is not verified takes nothing away, says why, and can be declared again with other evidence.
Words are sealed under the *records* key, since the bureau reads them by the citizen's own consent. Days pass by
themselves: `standing_of` says how a row stands today.
"""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids, sealed, workdays
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.keys import Keyring
from scoring import holders, refusals, rulebook
from scoring.book.promisefile import PromiseRules
from scoring.holders import Holder
from scoring.rights import inforce, steps
from scoring.rights.courses import DECLARATION
from scoring.rights.steps import Step
from scoring.righttables import declaration
from scoring.standing import NotEnrolled

MOST_OPEN = 10
WAITING = tuple(one.name for one in DECLARATION.states if not one.final)


class NotDeclarable(Invalid):
    """The kind, bureau or pledge does not fit; `errors` says which."""

    code = "not_declarable"
    title = "This cannot be declared so"


class KindRefused(Conflict):
    """The citizen does not want records of this kind taken."""

    code = "kind_refused"
    title = "You refused this kind of record"


class TooManyDeclared(Conflict):
    """Many declarations wait for their bureau."""

    code = "too_many_open"
    title = "Too many declarations wait for an answer"


class SameEvidence(Conflict):
    """The declaration was refused with this very evidence."""

    code = "same_evidence"
    title = "Nothing new was said"


class Said(msgspec.Struct, frozen=True):
    """What is sealed of a declaration: what happened when, by which paper, and how it can be seen."""

    title: str
    happened_on: date
    evidence: str
    document_no: str | None
    pledge: int


class Declaration(msgspec.Struct, frozen=True):
    """One declaration; `state` as it stands today. `ref` is the record that verified it, as the bureau calls it."""

    id: uuid.UUID
    source: str
    kind: str
    rules: str
    state: str
    opened_at: datetime
    answer_by: date
    lapse_on: date
    provisional: bool
    again_of: uuid.UUID | None
    ref: str | None
    said: Said
    reasons: str | None
    history: list[Step]


async def declare(
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_id: uuid.UUID,
    source: str,
    permitted: frozenset[str],
    kind: str,
    said: Said,
    again_of: uuid.UUID | None = None,
) -> Declaration:
    """Declare something; `permitted` are the kinds that `source`, named by the live consent, may send (none otherwise).

    Raises NotEnrolled, NotFound, NotDeclarable, KindRefused, TooManyDeclared, SameEvidence, NoRightsInForce.
    """
    today = clock.today()
    rules = await inforce.promises(session, on=today)
    holder = await holders.one(session, ring, citizen_id=citizen_id, locked=True)
    if holder is None:
        raise NotEnrolled
    _must_fit(rules, kind, permitted & (await rulebook.current(session, on=today)).kinds, said, today)
    if kind in {one.kind for one in await refusals.refused(session, citizen_id=citizen_id)}:
        raise KindRefused("您设定了不收取这类信息；取消设定后可以申报。")
    earlier = await of(session, ring, citizen_id=citizen_id)
    if sum(one.state in WAITING for one in earlier) >= MOST_OPEN:
        detail = f"您有{MOST_OPEN}项申报等待核实；有答复之后可以再申报。"
        raise TooManyDeclared(detail)
    if again_of is not None:
        _must_be_new(next((one for one in earlier if one.id == again_of), None), said)
    identity = ids.random()
    row = {"source": source, "kind": kind, "again_of": again_of, **await _clocks(session, rules, today)}
    row["sealed_words"] = sealed.seal(holder.key, msgspec.json.encode(said), place=_words(identity))
    await session.execute(insert(declaration).values(id=identity, citizen_id=citizen_id, **row))
    await _step(session, citizen_id, identity, "declare", DECLARATION.start)
    return await get(session, ring, citizen_id=citizen_id, declaration_id=identity)


async def of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> list[Declaration]:
    """A citizen's declarations, newest first. Raises NotEnrolled."""
    holder = await holders.one(session, ring, citizen_id=citizen_id)
    if holder is None:
        raise NotEnrolled
    query = select(declaration).where(declaration.c.citizen_id == citizen_id)
    rows = (await session.execute(query.order_by(declaration.c.opened_at.desc()))).mappings().all()
    told = await steps.of(session, [row["id"] for row in rows])
    return [opened(holder, row, told.get(row["id"], [])) for row in rows]


async def get(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, declaration_id: uuid.UUID) -> Declaration:
    """One of the citizen's own declarations. Raises NotEnrolled, NotFound."""
    for one in await of(session, ring, citizen_id=citizen_id):
        if one.id == declaration_id:
            return one
    raise NotFound


async def withdraw(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, declaration_id: uuid.UUID
) -> Declaration:
    """Take a declaration back. Raises NotEnrolled, NotFound, IllegalTransition."""
    mine = (declaration.c.id == declaration_id) & (declaration.c.citizen_id == citizen_id)
    await session.execute(select(declaration.c.id).where(mine).with_for_update())  # its bureau may be answering
    found = await get(session, ring, citizen_id=citizen_id, declaration_id=declaration_id)
    to = DECLARATION.after(found.state, "withdraw", by="citizen")
    await session.execute(update(declaration).where(mine).values(state=to, changed_at=clock.civil()))
    await _step(session, citizen_id, declaration_id, "withdraw", to)
    return await get(session, ring, citizen_id=citizen_id, declaration_id=declaration_id)


def standing_of(state: str, *, answer_by: date, lapse_on: date, today: date) -> str:
    """How a declaration stands on a day: what the clock does is never stored."""
    if state == DECLARATION.start and today > answer_by:
        state = DECLARATION.after(state, "remind", by="clock")
    if state in WAITING and today > lapse_on:
        state = DECLARATION.after(state, "lapse", by="clock")
    return state


def opened(holder: Holder, row: Mapping[Any, Any], history: list[Step]) -> Declaration:
    """A row with its words and reasons, for its citizen or its bureau."""
    told = row["sealed_reasons"]
    days = {name: row[name] for name in ("answer_by", "lapse_on")}
    plain = ("id", "source", "kind", "rules", "opened_at", "provisional", "again_of", "ref")
    return Declaration(
        state=standing_of(row["state"], today=clock.today(), **days),
        said=msgspec.json.decode(
            sealed.unseal(holder.key, row["sealed_words"], place=_words(row["id"])), type=Said
        ),
        reasons=None if told is None else sealed.unseal(holder.key, told, place=reasons_of(row["id"])).decode(),
        history=history,
        **days,
        **{name: row[name] for name in plain},
    )  # fmt: skip


def reasons_of(identity: uuid.UUID) -> tuple[str, str, bytes]:
    """Where the reasons are sealed."""
    return "scoring.declaration", "sealed_reasons", identity.bytes


def _words(identity: uuid.UUID) -> tuple[str, str, bytes]:
    return "scoring.declaration", "sealed_words", identity.bytes


def _must_fit(rules: PromiseRules, kind: str, permitted: frozenset[str], said: Said, today: date) -> None:
    terms = rules.declaration
    faults: list[FieldError] = []
    if kind not in terms.kinds:
        faults.append(FieldError("/kind", "not_declarable", f"One of: {', '.join(terms.kinds)}."))
    elif kind not in permitted:
        advice = "Name a source of your consent that may send this kind: GET /v1/me/consents, /v1/rules/catalogue."
        faults.append(FieldError("/source", "cannot_verify", advice))
    if said.happened_on > today:
        faults.append(FieldError("/happened_on", "future_date", "Declare what has happened."))
    if said.pledge != terms.pledge.version:
        advice = f"The pledge in force is version {terms.pledge.version}: GET /v1/rules/promises."
        faults.append(FieldError("/pledge", "outdated_pledge", advice))
    if faults:
        raise NotDeclarable(errors=faults)


async def _clocks(session: AsyncSession, rules: PromiseRules, today: date) -> dict[str, Any]:
    """The columns of a declaration that begins today."""
    due = await workdays.due(session, start=today, days=rules.declaration.answer_days)
    last = await workdays.due(session, start=today, days=rules.declaration.lapse_days)
    now = clock.civil()
    return {
        "rules": rules.digest, "state": DECLARATION.start, "opened_at": now, "changed_at": now, "answer_by": due.on,
        "lapse_on": last.on, "provisional": due.provisional or last.provisional,
    }  # fmt: skip


def _must_be_new(before: Declaration | None, said: Said) -> None:
    if before is None:
        raise NotFound
    if before.state not in {"refused", "lapsed"}:
        detail = "这项申报还没有结束，不需要重新申报。"
        raise SameEvidence(detail)
    if before.state == "refused" and (before.said.evidence, before.said.document_no) == (
        said.evidence, said.document_no
    ):  # fmt: skip
        raise SameEvidence("请补充新的证明材料再申报；原来的材料未能核实。")


async def _step(session: AsyncSession, citizen_id: uuid.UUID, matter_id: uuid.UUID, event: str, state: str) -> None:
    await steps.note(session, citizen_id=citizen_id, matter_id=matter_id, event=event, state=state, by="citizen")
