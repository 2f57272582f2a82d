"""What a pass changes: people are locked, evaluated by the online evaluator, and stored, each change with its trace.

The lock decides. Whoever has withdrawn meanwhile is not among the locked; whoever got or lost a record is evaluated as
they are now. The plan's columns of before are compared with the evaluation; where they differ the plan is asked again,
about the locked records. If it still differs, one of the two evaluators is wrong, and nobody's points may depend on it.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.keys import Keyring
from scoring import holders, retention, rows, standing
from scoring.batch import spans
from scoring.batch.scored import Scorer
from scoring.holders import Holder
from scoring.points.evaluate import Evaluation
from scoring.rows import Standing
from scoring.rulebook import RuleBook

Columns = Mapping[str, Any]


class EvaluatorsDiffer(Exception):
    """The plan and the online evaluator say different things of the same records: a fault of ours."""


async def store(
    session: AsyncSession,
    ring: Keyring,
    *,
    touched: Mapping[uuid.UUID, Columns],
    scorer: Scorer,
    book: RuleBook,
    as_of: date,
) -> int:
    """Bring these citizens to a day in the caller's transaction; returns how many have other points, tier or hold.

    `touched` gives what the plan said of each. Records that can count no more go, too.
    Raises EvaluatorsDiffer.
    """
    locked = await holders.lock(session, ring, citizen_ids=touched)
    await retention.spent(session, locked.values(), book=book, today=as_of)
    before = await rows.stored(session, locked)
    found = await standing.evaluate(session, locked.values(), as_of=as_of, book=book)
    unlike = [locked[one] for one, now in found.items() if now.columns() != touched[one]]
    if unlike:
        await _compare(session, unlike, found, scorer=scorer, book=book)
    moved = {one: now for one, now in found.items() if standing.moved(before.get(one), now)}
    await standing.store(session, locked, moved, before=before, cause="date", book=book)
    return sum(_differs(before.get(one), now) for one, now in found.items())


async def _compare(
    session: AsyncSession,
    people: Sequence[Holder],
    found: Mapping[uuid.UUID, Evaluation],
    *,
    scorer: Scorer,
    book: RuleBook,
) -> None:
    """Ask the plan about the records of locked people, and hold the online evaluations against it."""
    records = await spans.records(session, people, book=book)
    scored = scorer(records, people)
    for place, one in enumerate(people):
        online, plan = found[one.citizen_id].columns(), scored.columns(place)
        if wrong := [name for name in online if online[name] != plan.get(name)]:
            message = (
                f"Scorecard {book.scorecard.id} ({book.scorecard.digest[:12]}): the plan and the online evaluator "
                f"differ in {', '.join(wrong)}. Nothing of this is stored: mend the one that is wrong first."
            )
            raise EvaluatorsDiffer(message)


def _differs(stored: Standing | None, now: Evaluation) -> bool:
    return stored is None or (stored.points, stored.tier, stored.held) != (now.points, now.tier, now.held)
