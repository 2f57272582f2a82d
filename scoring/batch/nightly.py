"""The daily pass over everyone: points move by date alone, so every day the whole city is looked at.

People come in ranges by citizen id. Of each range the live records are taken out of PostgreSQL into memory, scored by
the plan, and compared with the stored standings; nobody is locked for that, and nothing is written to a disk. Only
those whose standing says something else, or whose records can count no more, go on to `scoring.batch.changes`.
Promises: a killed pass goes on with its range; a day's pass made twice changes nothing; when other rules come into
force on the same day, the pass begins anew under them; whoever was rescored for the day before behind the pass's back
is brought to this day at its end. One entry in the log tells everybody of it, and it names nobody.
"""

import asyncio
import uuid
from collections.abc import Callable
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.audit import Actor
from core.db import Doors
from scoring import retention, rulebook
from scoring.batch import changes, cursor, scored, spans
from scoring.batch.changes import Columns
from scoring.batch.cursor import Cursor
from scoring.batch.scored import Scored, Scorer
from scoring.batch.spans import Span
from scoring.rulebook import RuleBook

SPAN = 10_000
CHUNK = 500
ACTION = "everyone.nightly"  # joined in among the accesses of whoever takes part
_LATE = timedelta(hours=1)  # longer than a push may take
_WAITS, _WAIT_SECONDS = 600, 0.1

Progress = Callable[[int, int], None]


class MadeElsewhere(Exception):
    """Another process makes the pass at this moment."""


async def run(doors: Doors, *, as_of: date, progress: Progress | None = None, size: int = SPAN) -> Cursor:
    """Make a day's pass, or what is left of it, on the jobs door, in ranges of `size` people.

    MadeElsewhere, EvaluatorsDiffer, NoScorecardInForce.
    """
    async with cursor.alone(doors) as alone:
        if not alone:
            message = "Another process makes the pass, and will see it through."
            raise MadeElsewhere(message)
        while True:
            async with doors.work("jobs") as session:
                book = await rulebook.current(session, on=as_of)
                if (done := await cursor.look(session, day=as_of, book=book)) is not None and done.ended_at is not None:
                    return done
            with scored.opened(book.scorecard, as_of) as scorer:
                ended = await _Pass(doors, as_of, book, scorer).run(size, progress)
            if ended is not None:
                return ended


class _Pass:
    """A day's pass under one rule book."""

    def __init__(self, doors: Doors, as_of: date, book: RuleBook, scorer: Scorer) -> None:
        self._doors, self._as_of, self._book, self._scorer = doors, as_of, book, scorer

    async def run(self, size: int, progress: Progress | None) -> Cursor | None:
        """Range after range, then whoever came late, then the end; None when other rules came into force meanwhile."""
        while True:
            async with self._doors.work("jobs") as session:
                if await rulebook.current(session, on=self._as_of) is not self._book:
                    return None
                state = await cursor.begin(session, day=self._as_of, book=self._book)
                span = await spans.read(
                    session, self._doors.ring, after=state.after, size=size, book=self._book, as_of=self._as_of
                )
                total = await spans.total(session) if progress else 0
            if span is None:
                return await self._end(state, size)
            await self._look(span)
            if progress:
                progress(min(state.people + len(span.people), total), total)

    async def _look(self, span: Span) -> None:
        """Bring a range to the day, and go on behind it."""
        await self._bring(span)
        async with self._doors.work("jobs") as session:
            await cursor.advance(session, day=self._as_of, after=span.last, people=len(span.people))

    async def _bring(self, span: Span) -> None:
        """Score people, and store what changed of them."""
        found = await asyncio.to_thread(self._scorer, span.records, span.people)
        touched = _touched(span, found, self._book)
        some = sorted(touched)
        for start in range(0, len(some), CHUNK):
            async with self._doors.work("jobs") as session:
                await self._store(session, {one: touched[one] for one in some[start : start + CHUNK]})

    async def _store(self, session: AsyncSession, touched: dict[uuid.UUID, Columns]) -> None:
        changed = await changes.store(
            session, self._doors.ring, touched=touched, scorer=self._scorer, book=self._book, as_of=self._as_of
        )
        await cursor.count(session, day=self._as_of, changed=changed)

    async def _end(self, state: Cursor, size: int) -> Cursor:
        """Wait for those who were under way, see to whom they rescored, sweep old traces, and tell of the day."""
        await self._wait()
        await self._late(state, size)
        more = True
        while more:
            async with self._doors.work("jobs") as session:
                more = await retention.old_traces(session, today=self._as_of, most=CHUNK) == CHUNK
        async with self._doors.work("jobs") as session:
            ended = await cursor.end(session, day=self._as_of)
            await audit.write(
                session,
                actor=Actor("system", "jobs"),
                action=ACTION,
                purpose="score",
                outcome="done",
                detail={"day": str(self._as_of), "scorecard": self._book.scorecard.id, "changed": ended.changed},
            )
            return ended

    async def _wait(self) -> None:
        """Wait until every transaction under way now is over; what hangs for a minute is left to the next pass."""
        async with self._doors.claims("jobs") as session:
            point = await cursor.horizon(session)
            for _ in range(_WAITS):
                if await cursor.passed(session, point):
                    return
                await asyncio.sleep(_WAIT_SECONDS)

    async def _late(self, state: Cursor, size: int) -> None:
        """Bring to this day whoever was rescored for an earlier one when the pass had gone by."""
        last = cursor.NOBODY
        while True:
            async with self._doors.work("jobs") as session:
                some = await spans.rescored(
                    session, before=self._as_of, since=state.began_at - _LATE, after=last, limit=size
                )
                if not some:
                    return
                span = await spans.of(session, self._doors.ring, citizen_ids=some, book=self._book, as_of=self._as_of)
            last = span.last
            await self._bring(span)


def _touched(span: Span, found: Scored, book: RuleBook) -> dict[uuid.UUID, Columns]:
    """Those of a range to be locked: their standing says something else, or they have records that are over."""
    digest, touched = book.scorecard.digest, dict[uuid.UUID, Columns]()
    for place, points, tier, held in found:
        one = span.people[place]
        said = span.stored.get(one.citizen_id)
        same = said is not None and (said.points, said.tier, said.held, said.scorecard) == (points, tier, held, digest)
        if not same or one.record_subject in span.overdue:
            touched[one.citizen_id] = found.columns(place)
    return touched
