"""The shipped rule book, read once for the tests of pure rooms."""

from functools import cache
from pathlib import Path

from scoring.book import catalogue, scorecard
from scoring.book.catalogue import Catalogue
from scoring.book.lines import LineReader
from scoring.book.scorecard import Scorecard
from scoring.points import evaluate
from scoring.points.evaluate import Evaluator

POLICY = Path(__file__).parent.parent / "policy"
CARD = "scorecard/2026-01-01.toml"


def text(file: str) -> str:
    """Give the text of a shipped file."""
    return (POLICY / file).read_text(encoding="utf-8")


@cache
def card() -> Scorecard:
    """Give the shipped scorecard."""
    return scorecard.load(text(CARD), CARD)


@cache
def evaluator() -> Evaluator:
    """Give its evaluator."""
    return evaluate.compile(card())


@cache
def book() -> Catalogue:
    """Give the shipped catalogue."""
    return catalogue.load(text("catalogue.toml"), "catalogue.toml")


@cache
def reader() -> LineReader:
    """Give its line reader."""
    return LineReader(book())
