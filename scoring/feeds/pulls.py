"""Asking a source, once somebody has joined, for what it holds about them: whom, for what, and what came of it.

A row a person and source (`scoring.history_pull`) is made from the consents themselves, so nobody has to be told of a
consent: whoever's live `score` consent names a source that answers such questions is asked about, once. Renewing asks
nobody anew; stopping the source or withdrawing ends it, and the row goes with the consent. A try is written down before
it is made, so a process killed in the middle has tried, and the next try comes after a pause. What is answered goes
through the ordinary merge as that source's own, by its digest, and is judged by the same rules.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, db
from core.months import shift
from scoring import tally
from scoring.feedtables import history_pull
from scoring.rulebook import RuleBook
from scoring.tally import Counts

PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=8), timedelta(days=1))
AT_ONCE = 20
_LONGEST_MONTHS = 120  # where a kind has no window


class Pull(msgspec.Struct, frozen=True):
    """One question to ask: about whom (the digest agreed with the source), and the how-manieth try it is."""

    citizen_id: uuid.UUID
    source: str
    digest: bytes
    attempt: int


class Question(msgspec.Struct, frozen=True):
    """What a source is asked: records of these kinds about `subject`, that happened from `since` to `until`."""

    subject: str
    kinds: list[str]
    since: date
    until: date


def question(pull: Pull, *, kinds: frozenset[str], book: RuleBook, today: date) -> Question:
    """The least that answers: the kinds in force, no further back than any of them counts (PIPL article 6)."""
    asked = sorted(kinds & book.kinds)
    months = max((book.catalogue.kinds[kind].window_months or _LONGEST_MONTHS for kind in asked), default=0)
    return Question(pull.digest.hex(), asked, shift(today, -months), today)


async def prepare(session: AsyncSession, *, sources: Sequence[str]) -> None:
    """Note whom to ask about at these sources: everybody who has joined, or added the source, in the last days."""
    connection = await db.raw(session)
    await connection.execute(_NEW, list(sources), clock.civil())


async def begin(session: AsyncSession, *, sources: Sequence[str]) -> list[Pull]:
    """Some questions whose time has come, each as tried from now on; oldest first."""
    connection = await db.raw(session)
    pauses = [pause.total_seconds() for pause in PAUSES]
    rows = await connection.fetch(_DUE, list(sources), clock.civil(), AT_ONCE, pauses)
    return [Pull(row["citizen_id"], row["source"], row["digest"], row["attempts"]) for row in rows]


async def done(session: AsyncSession, pull: Pull, *, batch_id: uuid.UUID | None) -> None:
    """The source has answered: with a batch, or that it has nothing."""
    await _end(session, pull, "nothing" if batch_id is None else "received", batch_id)


async def missed(session: AsyncSession, pull: Pull) -> bool:
    """The source has not answered; says whether that was the last try."""
    last = pull.attempt >= len(PAUSES)
    if last:
        await _end(session, pull, "failed", None)
    return last


async def _end(session: AsyncSession, pull: Pull, state: str, batch_id: uuid.UUID | None) -> None:
    mine = (history_pull.c.citizen_id == pull.citizen_id) & (history_pull.c.source == pull.source)
    changed = {"state": state, "batch_id": batch_id, "changed_at": clock.civil()}
    await session.execute(update(history_pull).where(mine).values(**changed))
    await tally.write(session, source=pull.source, on=clock.today(), counts=Counts({("", "pull", state): 1}))


class Asked(msgspec.Struct, frozen=True):
    """What a citizen sees of a question about them: `waiting`, `received`, `nothing` or `failed`."""

    source: str
    state: str
    tries: int
    changed_at: datetime


async def of(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Asked]:
    """The questions about a citizen, by source; `session` is of the citizen door."""
    query = select(history_pull).where(history_pull.c.citizen_id == citizen_id).order_by(history_pull.c.source)
    rows = (await session.execute(query)).all()
    return [Asked(row.source, row.state, row.attempts, row.changed_at) for row in rows]


# Whoever is named by a live consent since a week; a source that has just been given an address asks of nobody before.
_NEW = """
insert into scoring.history_pull (citizen_id, source, state, attempts, next_at, changed_at)
select n.citizen_id, n.source, 'waiting', 0, $2, $2 from auth.source_subject n
join auth.live_consent c on c.id = n.consent_id
join scoring.link l on l.citizen_id = n.citizen_id
left join scoring.history_pull p on p.citizen_id = n.citizen_id and p.source = n.source
where n.source = any($1::text[]) and n.changed_at > now() - interval '7 days' and n.left_at is null
  and p.citizen_id is null
on conflict do nothing
"""

_DUE = """
with due as materialized (
  select p.citizen_id, p.source from scoring.history_pull p
  where p.state = 'waiting' and p.next_at <= $2 and p.source = any($1::text[])
  order by p.next_at limit $3 for update of p skip locked
)
update scoring.history_pull p
set attempts = p.attempts + 1, changed_at = $2,
    next_at = $2::timestamptz + make_interval(secs => ($4::float8[])[least(p.attempts + 1, cardinality($4::float8[]))])
from due d join auth.source_subject n on n.citizen_id = d.citizen_id and n.source = d.source and n.left_at is null
join auth.live_consent c on c.id = n.consent_id
where p.citizen_id = d.citizen_id and p.source = d.source
returning p.citizen_id, p.source, p.attempts, n.digest
"""
