"""Scorecards of the past by their digest: every one that was ever published can be read again.

A digest names the same text for ever, so what was compiled once is kept.
"""

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from scoring import rulebook
from scoring.book import scorecard
from scoring.book.scorecard import Scorecard
from scoring.points import evaluate
from scoring.points.evaluate import Evaluator

_KEPT = 16
_known: dict[str, "Card"] = {}


class Card(msgspec.Struct, frozen=True):
    """A scorecard and its evaluator."""

    scorecard: Scorecard
    evaluator: Evaluator


async def of(session: AsyncSession, *, digest: str) -> Card:
    """The published scorecard that a trace was made by."""
    if (found := _known.get(digest)) is None:
        card = scorecard.load(await rulebook.text(session, kind="scorecard", digest=digest), "scorecard")
        found = _known[digest] = Card(card, evaluate.compile(card))
        while len(_known) > _KEPT:
            del _known[next(iter(_known))]
    return found
