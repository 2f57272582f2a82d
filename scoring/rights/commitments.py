"""The register of commitments (告知承诺): what a citizen promised to whom, by which standard text, until when.

Whether a promise was kept is never ours to say: the bureau's records with its number (`fields.commitment`) are the rest
of its course, P06 verified as kept, N06 found broken by a document that was served. So a finding that is revoked,
disputed or repaired changes the course with it, and a promise that is merely overdue takes nothing away; its citizen is
reminded.
"""

import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids, sealed
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.keys import Keyring
from scoring import holders, records
from scoring.book.promisefile import PromiseRules
from scoring.holders import Holder
from scoring.records import Shown
from scoring.rights import inforce
from scoring.rights.courses import COMMITMENT
from scoring.rights.steps import Step
from scoring.righttables import commitment
from scoring.standing import NotEnrolled

MOST_OPEN = 20
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_MOST = 200


class BadPromise(Invalid):
    """The matter, text, day or bureau does not fit; `errors` says which."""

    code = "bad_commitment"
    title = "This cannot be promised so"


class TooManyPromised(Conflict):
    """Many commitments are open."""

    code = "too_many_open"
    title = "Too many commitments are open"


class Terms(msgspec.Struct, frozen=True):
    """What is sealed of a commitment: its number, and in the citizen's words what it is about."""

    number: str
    words: str


class Promise(msgspec.Struct, frozen=True):
    """One commitment as it was made."""

    id: uuid.UUID
    source: str
    item: str
    item_version: int
    rules: str
    made_at: datetime
    due_on: date
    withdrawn_at: datetime | None
    terms: Terms


class Course(msgspec.Struct, frozen=True):
    """A commitment, how it stands today, and how it came to that."""

    promise: Promise
    state: str
    record: uuid.UUID | None
    history: list[Step]


async def make(
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_id: uuid.UUID,
    source: str,
    permitted: frozenset[str],
    item: tuple[str, int],
    due_on: date,
    words: str,
) -> Course:
    """Commit to an item of the list by its text in this version, to a bureau that may say whether it was kept.

    `permitted` are the kinds that `source` may send. Raises NotEnrolled, BadPromise, TooManyPromised, NoRightsInForce.
    """
    today = clock.today()
    rules = await inforce.promises(session, on=today)
    holder = await holders.one(session, ring, citizen_id=citizen_id, locked=True)
    if holder is None:
        raise NotEnrolled
    if faults := list(_faults(rules, permitted, item, due_on, today)):
        raise BadPromise(errors=faults)
    if sum(one.state not in COMMITMENT.final for one in await of(session, ring, citizen_id=citizen_id)) >= MOST_OPEN:
        detail = f"您有{MOST_OPEN}项承诺尚未结束；有的结束之后可以再作承诺。"
        raise TooManyPromised(detail)
    identity = ids.new()
    body = msgspec.json.encode(Terms("CN" + "".join(secrets.choice(_LETTERS) for _ in range(14)), words))
    row = {"item": item[0], "item_version": item[1], "rules": rules.digest, "due_on": due_on, "made_at": clock.civil()}
    row |= {"sealed": sealed.seal(holder.key, body, place=_place(identity))}
    await session.execute(insert(commitment).values(id=identity, citizen_id=citizen_id, source=source, **row))
    return await get(session, ring, citizen_id=citizen_id, commitment_id=identity)


async def of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> list[Course]:
    """A citizen's commitments, newest first, as they stand today. Raises NotEnrolled."""
    holder = await holders.one(session, ring, citizen_id=citizen_id)
    if holder is None:
        raise NotEnrolled
    query = select(commitment).where(commitment.c.citizen_id == citizen_id).order_by(commitment.c.id.desc())
    rows = (await session.execute(query)).mappings().all()
    if not rows:
        return []
    said: list[Shown] = []
    for kind in ("P06", "N06"):
        said += await records.of(session, ring, citizen_id=citizen_id, limit=_MOST, kind=kind)
    return [course(promise(holder, row), said, today=clock.today()) for row in rows]


async def get(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, commitment_id: uuid.UUID) -> Course:
    """One of the citizen's own commitments. Raises NotEnrolled, NotFound."""
    for one in await of(session, ring, citizen_id=citizen_id):
        if one.promise.id == commitment_id:
            return one
    raise NotFound


async def withdraw(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, commitment_id: uuid.UUID) -> Course:
    """Take a commitment back before its day. Raises NotEnrolled, NotFound, IllegalTransition."""
    found = await get(session, ring, citizen_id=citizen_id, commitment_id=commitment_id)
    COMMITMENT.after(found.state, "withdraw", by="citizen")
    mine = (commitment.c.id == commitment_id) & (commitment.c.citizen_id == citizen_id)
    await session.execute(update(commitment).where(mine).values(withdrawn_at=clock.civil()))
    return await get(session, ring, citizen_id=citizen_id, commitment_id=commitment_id)


def promise(holder: Holder, row: Mapping[Any, Any]) -> Promise:
    """A row, opened for its citizen or its bureau."""
    terms = msgspec.json.decode(sealed.unseal(holder.key, row["sealed"], place=_place(row["id"])), type=Terms)
    names = set(Promise.__struct_fields__) - {"terms"}
    return Promise(terms=terms, **{name: row[name] for name in names})


def course(made: Promise, said: Iterable[Shown], *, today: date) -> Course:
    """How a commitment stands on a day: what its own bureau's records with its number say, and the clock.

    A finding (N06) that stands outweighs one that was repaired, and both a record of keeping (P06); a disputed one
    waits like none, and a revoked one is lifted by itself alone.
    """
    about = sorted(
        (one for one in said if one.source == made.source and one.fields.get("commitment") == made.terms.number),
        key=lambda one: one.received_at,
    )
    state, history = COMMITMENT.start, [Step(made.made_at, "make", COMMITMENT.start, "citizen")]

    def then(event: str, at: datetime, by: str) -> bool:
        nonlocal state
        possible = event in COMMITMENT.allowed(state)
        if possible:
            state = COMMITMENT.after(state, event)
            history.append(Step(at, event, state, by))
        return possible

    if made.withdrawn_at is not None:
        then("withdraw", made.withdrawn_at, "citizen")
    last: Shown | None = None
    findings = [one for one in about if one.kind == "N06" and one.status in {"active", "repaired", "revoked"}]
    stands = any(one.status == "active" for one in findings)
    for one in (each for each in findings if not (stands and each.status == "repaired")):
        if then("break", one.received_at, "source") and one.status != "active":
            then("lift" if one.status == "revoked" else "mend", one.received_at, "source")
        last = last if one.status == "revoked" else last or one
    for one in (each for each in about if each.kind == "P06" and each.status in {"active", "hidden"}):
        then("keep", one.received_at, "source")
        last = last or one
    if today > made.due_on:
        then("remind", datetime.combine(made.due_on + timedelta(days=1), time(), clock.CITY_ZONE), "clock")
    return Course(made, state, None if last is None else last.id, history)


def _faults(
    rules: PromiseRules, permitted: frozenset[str], item: tuple[str, int], due_on: date, today: date
) -> Iterator[FieldError]:
    """What of a promise does not fit the rules in force."""
    found = rules.items.get(item[0])
    if found is None or found.version != item[1]:
        advice = "Name an item and the version of its text in force: GET /v1/rules/promises."
        yield FieldError("/item", "unknown_item" if found is None else "outdated_text", advice)
    elif not today < due_on <= today + timedelta(days=found.longest_days):
        yield FieldError("/due_on", "bad_day", f"Within {found.longest_days} days from tomorrow on.")
    if "P06" not in permitted:
        yield FieldError("/source", "cannot_verify", "Name a source of your consent that verifies commitments (P06).")


def _place(identity: uuid.UUID) -> tuple[str, str, bytes]:
    return "scoring.commitment", "sealed", identity.bytes
