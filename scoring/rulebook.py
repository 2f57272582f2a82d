"""The rule book in force: the published scorecard and catalogue, compiled once per digest.

Promises that a release approved a moment ago is seen by the next call: what is cached is only what a digest stands for.
Files in the repository rule nothing.
"""

from collections.abc import Iterable
from datetime import date

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Unavailable
from core.tables import release
from scoring import traces
from scoring.book import catalogue, scorecard
from scoring.book.catalogue import Catalogue
from scoring.book.kinds import Item
from scoring.book.lines import LineReader
from scoring.book.scorecard import Scorecard
from scoring.points import evaluate
from scoring.points.evaluate import Evaluator
from scoring.traces import Words


class NoScorecardInForce(Unavailable):
    """Nothing was published yet, so nothing can be taken or counted."""

    code = "no_scorecard_in_force"
    title = "No rule book is in force"


class RuleBook(msgspec.Struct, frozen=True):
    """A compiled rule book. `kinds` may be taken: enabled in the catalogue and counted by the scorecard.

    `career` is the catalogue of occupational records, which nothing counts, and `career_reader` reads their lines.

    `sensitive` are those of them that need a consent of their own (PIPL article 29).
    """

    scorecard: Scorecard
    evaluator: Evaluator
    catalogue: Catalogue
    reader: LineReader
    words: Words
    kinds: frozenset[str]
    sensitive: frozenset[str]
    effective_on: date
    career: Catalogue
    career_reader: LineReader


async def current(session: AsyncSession, *, on: date) -> RuleBook:
    """The rule book in force on a day; raises NoScorecardInForce."""
    card, card_day = await _digest(session, "scorecard", on)
    book, book_day = await _digest(session, "catalogue", on)
    key = (card, book, max(card_day, book_day))
    if (found := _compiled.get(key)) is None:
        card_text = await text(session, kind="scorecard", digest=card)
        found = compiled(card_text, await text(session, kind="catalogue", digest=book), key[2])
        _compiled[key] = found
        while len(_compiled) > _KEPT:
            del _compiled[next(iter(_compiled))]
    return found


async def items(session: AsyncSession, taken: Iterable[tuple[str, date]]) -> dict[tuple[str, date], Item]:
    """Per kind and day of receipt, the catalogue entry that allowed it then; a kind that is gone is absent (SH 11)."""
    found: dict[tuple[str, date], Item] = {}
    for code, day in set(taken):
        kind = (await current(session, on=day)).catalogue.kinds.get(code)
        if kind is not None:
            found[code, day] = kind.item
    return found


_KEPT = 16
_compiled: dict[tuple[str, str, date], RuleBook] = {}


async def _digest(session: AsyncSession, kind: str, on: date) -> tuple[str, date]:
    """Digest and day of the release that rules on a day: the latest that has come, of these the last approved."""
    query = (
        select(release.c.digest, release.c.effective_on)
        .where(
            release.c.kind == kind, release.c.approved_at.is_not(None), release.c.withdrawn_at.is_(None),
            release.c.effective_on <= on,
        )
        .order_by(release.c.effective_on.desc(), release.c.approved_at.desc())
        .limit(1)
    )  # fmt: skip
    row = (await session.execute(query)).one_or_none()
    if row is None:
        detail = f"No {kind} was published for {on}. Two persons publish one through /v1/staff/releases."
        raise NoScorecardInForce(detail, retry_after=60)
    return row.digest, row.effective_on


async def text(session: AsyncSession, *, kind: str, digest: str) -> str:
    """The very text that a digest names, of a file that was published once."""
    query = select(release.c.body).where(release.c.kind == kind, release.c.digest == digest).limit(1)
    return (await session.execute(query)).scalar_one()


def card(body: str) -> Scorecard:
    """A scorecard's text, read. Raises `core.policyfile.Faulty`."""
    return scorecard.load(body, "scorecard")


def compiled(card_text: str, catalogue_text: str, effective_on: date) -> RuleBook:
    """A rule book of these texts, in force or not. Raises `core.policyfile.Faulty`."""
    card = scorecard.load(card_text, "scorecard")
    book = catalogue.load(catalogue_text, "catalogue")
    enabled = {code for code, kind in book.kinds.items() if kind.enabled}
    taken = card.kinds() & enabled
    sensitive = frozenset(code for code in taken if book.kinds[code].sensitivity == "S")
    evaluator = evaluate.compile(card)
    career = book.career()
    return RuleBook(
        scorecard=card,
        evaluator=evaluator,
        catalogue=book,
        reader=LineReader(book),
        words=traces.words(evaluator),
        kinds=taken,
        sensitive=sensitive,
        effective_on=effective_on,
        career=career,
        career_reader=LineReader(career),
    )
