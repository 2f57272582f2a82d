"""Old scorecards stay readable for ever, to the byte, and count what they counted.

A file that ever ruled is added to `old/` with its hash and what it made of the ledgers; nothing there is changed.
"""

import hashlib
import tomllib
from datetime import date
from typing import Any

import pytest

from core.settings import ROOT
from scoring.book import scorecard
from scoring.points import evaluate, explain
from scoring.points.facts import RecordRow, facts
from scoring.points.texts import sentences

OLD = ROOT / "tests" / "policy" / "old"
CORPUS = tomllib.loads((OLD / "corpus.toml").read_text(encoding="utf-8"))


def rows(ledger: dict[str, Any]) -> list[RecordRow]:
    """A ledger's records."""

    def day(text: str) -> date | None:
        return date.fromisoformat(text) if text else None

    return [
        RecordRow(f"r{n}", kind, f"lib{n}" if kind == "P04" else "", date.fromisoformat(on), quantity, level or None,
                  None, day(start), day(end), "active")
        for n, (kind, on, quantity, level, start, end) in enumerate(ledger["rows"])
    ]  # fmt: skip


class TestOld:
    """`tests/policy/old`."""

    def test_every_file_is_in_the_corpus(self) -> None:
        """None is forgotten."""
        assert {path.name for path in OLD.glob("2*.toml")} == {card["file"] for card in CORPUS["card"]}

    @pytest.mark.parametrize("kept", CORPUS["card"], ids=lambda kept: kept["file"])
    def test_it_loads_and_counts_the_same(self, kept: dict[str, Any]) -> None:
        """The same bytes, and every part of every ledger as it was."""
        body = (OLD / kept["file"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == kept["sha256"]
        card = scorecard.load(body.decode(), kept["file"])
        ask = evaluate.compile(card)
        for ledger in CORPUS["ledger"]:
            found = ask(facts(rows(ledger)), CORPUS["adult_on"], CORPUS["as_of"])
            assert {name: value for name, value in found.columns().items() if value} == kept[ledger["name"]]
            assert not any("{" in said for said in sentences(explain.explain(found, card, ask)))
