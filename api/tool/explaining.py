"""`osmanthus score explain`: what the rules make of a file of source lines about one person, without any database.

For a bureau that wants to see what its lines would do, and for an official who reads a rule change. Promises the same
checks, rows, evaluator and sentences as the server; stores nothing and asks nobody.
"""

from datetime import date
from pathlib import Path

import msgspec

from core.policyfile import decode
from scoring.book import catalogue, scorecard
from scoring.book.lines import Accepted, LineReader, Rejected
from scoring.points import casepath, cases, evaluate, explain
from scoring.points.explain import ScoreView
from scoring.points.facts import RecordRow, facts


class Explained(msgspec.Struct, frozen=True):
    """The score, and the lines that were not taken, by their number in the file."""

    view: ScoreView
    rejected: dict[int, Rejected]


def lines(file: Path, *, born: date, as_of: date, policy: Path, card_file: Path | None = None) -> Explained:
    """Explain an NDJSON file by the catalogue of `policy` and a scorecard (default: the newest valid on `as_of`).

    Of several versions of one `ref` the highest counts. Raises core.policyfile.Faulty for a rule book with faults.
    """
    book = catalogue.load((policy / "catalogue.toml").read_text(encoding="utf-8"), "catalogue.toml")
    card = _card(policy, card_file, as_of)
    taken: dict[tuple[str, str], Accepted] = {}
    rejected: dict[int, Rejected] = {}
    reader = LineReader(book)
    for number, raw in enumerate(file.read_bytes().splitlines(), 1):
        found = reader.read(raw, permitted=card.kinds(), received_on=as_of)
        if isinstance(found, Rejected):
            rejected[number] = found
        elif (known := taken.get((found.kind, found.ref))) is None or known.version < found.version:
            taken[found.kind, found.ref] = found
    evaluator = evaluate.compile(card)
    evaluation = evaluator(facts(_row(line) for line in taken.values()), book.adult_on(born), as_of)
    return Explained(explain.explain(evaluation, card, evaluator), rejected)


def case(file: Path, policy: Path) -> str:
    """The path of a case from its records to its points, by the rules of a folder, in plain Chinese."""
    book = catalogue.load(decode((policy / "catalogue.toml").read_bytes(), "catalogue.toml"), "catalogue.toml")
    files = sorted((policy / "scorecard").glob("*.toml"))
    cards = [scorecard.load(decode(one.read_bytes(), one.name), one.name) for one in files]
    told = cases.read(decode(file.read_bytes(), file.name), file.name, *(cases.rules(card, book) for card in cards))
    return casepath.path(told)


def _card(policy: Path, card_file: Path | None, as_of: date) -> scorecard.Scorecard:
    """The scorecard asked for, or the newest of the folder that is valid on the day."""
    files = [card_file] if card_file else sorted((policy / "scorecard").glob("*.toml"))
    cards = [scorecard.load(decode(file.read_bytes(), file.name), file.name) for file in files]
    valid = [card for card in cards if card.valid_from <= as_of]
    if not valid:
        message = f"no scorecard is valid on {as_of}: pass --scorecard FILE, or a later --as-of."
        raise ValueError(message)
    return max(valid, key=lambda card: card.valid_from)


def _row(line: Accepted) -> RecordRow:
    """The stored columns of an accepted line."""
    return RecordRow(
        id=line.ref, kind=line.kind, provider=line.provider, occurred_on=line.occurred_on, quantity=line.quantity,
        level=line.level, severity=line.severity, from_on=line.from_on, until_on=line.until_on, status="active",
    )  # fmt: skip
