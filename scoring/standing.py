"""Standings: a citizen's points as last evaluated, and the sealed trace of every change of them.

A standing is what the partner's gate reads; it is written only here, by the evaluator, from the live records. A change
of points, tier or hold leaves a sealed trace for at most 24 months, so that the past stays explainable and dies with
the records key. Promises that a standing depends on the set of live records and the day alone.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import subjects
from core import clock, db, ids
from core.errors import NotFound
from core.keys import KeyGone, Keyring, fetch
from scoring import holders, rows, rulebook, traces
from scoring.holders import Holder
from scoring.points.evaluate import Evaluation
from scoring.points.facts import RecordRow, facts
from scoring.rows import Standing
from scoring.rulebook import RuleBook
from scoring.tables import standing_change
from scoring.traces import Words


class NotEnrolled(NotFound):
    """The citizen has no live `score` consent, so there are no points."""

    code = "not_enrolled"
    title = "Not enrolled"

    def __init__(self, detail: str = "您尚未加入桂花分；没有您的同意，我们不计算任何分数。", **more: object) -> None:
        """Say how it stands."""
        super().__init__(detail, **more)


class Change(msgspec.Struct, frozen=True):
    """One change of a standing as its citizen reads it; `evaluation` is the trace stored then."""

    id: uuid.UUID
    at: datetime
    as_of: date
    points: int
    cause: str
    evaluation: Evaluation


async def of(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, as_of: date, book: RuleBook | None = None
) -> tuple[Evaluation, Standing]:
    """A citizen's points, evaluated now; a standing that moved by date alone is stored on the way. NotEnrolled."""
    book = book or await rulebook.current(session, on=as_of)
    holder = await holders.one(session, ring, citizen_id=citizen_id)
    if holder is None:
        raise NotEnrolled
    evaluation = (await evaluate(session, [holder], as_of=as_of, book=book))[citizen_id]
    stored = (await rows.stored(session, [citizen_id])).get(citizen_id)
    if stored is None or moved(stored, evaluation):
        fresh = await refresh(session, ring, citizen_ids=[citizen_id], as_of=as_of, cause="date", book=book)
        if citizen_id not in fresh:
            raise NotEnrolled
        stored = fresh[citizen_id]
        evaluation = (await evaluate(session, [holder], as_of=as_of, book=book))[citizen_id]
    return evaluation, stored


async def refresh(
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_ids: Iterable[uuid.UUID],
    as_of: date,
    cause: str,
    book: RuleBook,
) -> dict[uuid.UUID, Standing]:
    """Lock, evaluate and store the standings of these citizens; whoever has no live consent is absent."""
    locked = await holders.lock(session, ring, citizen_ids=citizen_ids)
    return await rescore(session, locked.values(), as_of=as_of, cause=cause, book=book)


async def rescore(
    session: AsyncSession, locked: Iterable[Holder], *, as_of: date, cause: str, book: RuleBook
) -> dict[uuid.UUID, Standing]:
    """Evaluate and store the standings of holders that the caller has locked."""
    people = {holder.citizen_id: holder for holder in locked}
    evaluations = await evaluate(session, people.values(), as_of=as_of, book=book)
    before = await rows.stored(session, people)
    return await store(session, people, evaluations, before=before, cause=cause, book=book)


async def store(
    session: AsyncSession,
    locked: Mapping[uuid.UUID, Holder],
    evaluations: Mapping[uuid.UUID, Evaluation],
    *,
    before: Mapping[uuid.UUID, Standing],
    cause: str,
    book: RuleBook,
) -> dict[uuid.UUID, Standing]:
    """Store evaluations of holders that the caller has locked, each change of what was `before` with its trace."""
    now = clock.civil()
    after = {
        citizen_id: Standing(
            citizen_id, locked[citizen_id].consent_id, one.digest, one.points, one.tier, one.held, one.as_of, now
        )
        for citizen_id, one in evaluations.items()
    }
    changed = [
        (locked[citizen_id], one) for citizen_id, one in evaluations.items() if moved(before.get(citizen_id), one)
    ]
    await rows.write(session, list(after.values()))
    causes = [_cause(cause, before.get(holder.citizen_id), one) for holder, one in changed]
    await _trace(session, changed, words=book.words, causes=causes, now=now)
    return after


async def evaluate(
    session: AsyncSession, people: Iterable[Holder], *, as_of: date, book: RuleBook
) -> dict[uuid.UUID, Evaluation]:
    """Evaluate each holder's live records on a day, records read in one statement; writes nothing."""
    by_subject = {holder.record_subject: holder for holder in people}
    held = await rows.records(session, by_subject)
    if book.sensitive:
        held = await _permitted(session, by_subject, held, book.sensitive)
    return {
        holder.citizen_id: book.evaluator(facts(held.get(subject, ())), holder.adult_on, as_of)
        for subject, holder in by_subject.items()
        if holder.adult_on <= as_of
    }


async def _permitted(
    session: AsyncSession,
    people: Mapping[uuid.UUID, Holder],
    held: Mapping[uuid.UUID, Sequence[RecordRow]],
    sensitive: AbstractSet[str],
) -> dict[uuid.UUID, list[RecordRow]]:
    """The records without those of a sensitive kind whose own consent does not live (PIPL article 29)."""
    allowed = await subjects.sensitive(session, citizen_ids=[holder.citizen_id for holder in people.values()])
    return {
        subject: [
            one for one in found if one.kind not in sensitive or one.kind in allowed.get(people[subject].citizen_id, ())
        ]
        for subject, found in held.items()
    }


async def history(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, limit: int, before: uuid.UUID | None = None
) -> list[Change]:
    """A citizen's changes, newest first, older than `before`; each with the trace stored at the time. NotEnrolled."""
    try:
        key = await fetch(session, ring, owner=citizen_id, purpose="records")
    except KeyGone as gone:
        raise NotEnrolled from gone
    query = select(standing_change).where(standing_change.c.citizen_id == citizen_id)
    if before is not None:
        query = query.where(standing_change.c.id < before)
    found = (await session.execute(query.order_by(standing_change.c.id.desc()).limit(limit))).all()
    evaluations = await traces.open_all(session, key, [(row.id, row.sealed) for row in found])
    return [
        Change(row.id, row.at, row.as_of, row.points, row.cause, evaluation)
        for row, evaluation in zip(found, evaluations, strict=True)
    ]


def moved(stored: Standing | None, now: Evaluation) -> bool:
    """Whether a stored standing, if there is one, says something else than an evaluation."""
    said = None if stored is None else (stored.points, stored.tier, stored.held, stored.scorecard)
    return said != (now.points, now.tier, now.held, now.digest)


def _cause(cause: str, stored: Standing | None, now: Evaluation) -> str:
    """Why a standing moved: where only a day came and another scorecard with it, the rules are why."""
    return "rules" if cause == "date" and stored is not None and stored.scorecard != now.digest else cause


_CHANGES = """
insert into scoring.standing_change (id, citizen_id, at, as_of, points, cause, sealed)
select id, citizen_id, $3, as_of, points, cause, sealed
from unnest($1::uuid[], $2::uuid[], $4::date[], $5::int[], $6::text[], $7::bytea[])
  as each (id, citizen_id, as_of, points, cause, sealed)
"""


async def _trace(
    session: AsyncSession, changed: list[tuple[Holder, Evaluation]], *, words: Words, causes: list[str], now: datetime
) -> None:
    """Keep each change with its whole evaluation, sealed under the citizen's records key."""
    if not changed:
        return
    await traces.keep(session, words)
    identities = [ids.new() for _ in changed]
    values = [
        traces.close(holder.key, evaluation, shared=words, identity=identity)
        for identity, (holder, evaluation) in zip(identities, changed, strict=True)
    ]
    connection = await db.raw(session)
    await connection.execute(
        _CHANGES,
        identities,
        [holder.citizen_id for holder, _ in changed],
        now,
        [evaluation.as_of for _, evaluation in changed],
        [evaluation.points for _, evaluation in changed],
        causes,
        values,
    )
