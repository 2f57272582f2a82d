"""The published schema: what it refuses the reader refuses, what the reader takes it takes."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from core.policyfile import Faulty
from core.settings import ROOT
from scoring.book import schema, scorecard
from tests.api.jsonschema import faults
from tests.rulebook import CARD, text
from tests.scoring.book import test_fuzz as fuzz

FILE = ROOT / "docs" / "scorecard.schema.json"
SCHEMA = schema.schema()
OLD = sorted((ROOT / "tests" / "policy" / "old").glob("*-*.toml"))


def plain(value: Any) -> Any:
    """TOML's values as JSON's."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def wrong_by(drawn: Mapping[str, Any], body: str) -> list[str]:
    """What a schema finds in a file."""
    return list(faults(plain(tomllib.loads(body)), drawn, drawn))


def wrong(body: str) -> list[str]:
    """What the schema of a scorecard finds in a file."""
    return wrong_by(SCHEMA, body)


def parts(drawn: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every property of a schema."""
    for inner in drawn.get("properties", {}).values():
        yield inner
        for one in (inner, inner.get("items", {}), *inner.get("items", {}).get("anyOf", ())):
            yield from parts(one)


class TestSchema:
    """`schema.schema`."""

    def test_the_file_in_docs_is_what_we_publish(self) -> None:
        """Editors read docs/scorecard.schema.json; on a change: python -m scoring.book.schema > that file."""
        assert FILE.read_text(encoding="utf-8") == json.dumps(SCHEMA, ensure_ascii=False, indent=1) + "\n"

    @pytest.mark.parametrize("file", [ROOT / "policy" / CARD, *OLD], ids=lambda file: file.name)
    def test_it_takes_what_the_reader_takes(self, file: Any) -> None:
        """The shipped card and the old ones, and the first line of the shipped one points editors to the schema."""
        assert wrong(file.read_text(encoding="utf-8")) == []
        assert text(CARD).startswith("#:schema ../../docs/scorecard.schema.json\n")

    def test_every_key_is_explained(self) -> None:
        """An editor shows a sentence of Chinese for each."""
        found = list(parts(SCHEMA))
        assert len(found) > 60
        assert all(one["description"] for one in found)

    def test_a_form_for_each_measure(self) -> None:
        """What `best` and `clean_years` need is not what the others need."""
        forms = SCHEMA["properties"]["dimension"]["items"]["properties"]["indicator"]["items"]["anyOf"]
        assert [form["properties"]["measure"]["enum"] for form in forms] == [
            ["months", "sum", "count"],
            ["best"],
            ["clean_years"],
        ]

    def test_what_it_refuses_the_reader_refuses(self) -> None:
        """Over every break of every fourth key; the reader also sees what no form can tell."""
        both = only_reader = 0
        for number, key in fuzz.EACH[::4]:
            for value in fuzz.WRONG[key]:
                body = fuzz.replaced(number, f"{key} = {value}")
                try:
                    found = wrong(body)
                except (ValueError, ArithmeticError, TypeError):
                    continue  # no TOML, or a number that JSON does not have
                try:
                    scorecard.load(body, CARD)
                except Faulty:
                    both, only_reader = both + bool(found), only_reader + (not found)
                else:
                    assert found == [], (number, key, value)
        assert both > 2 * only_reader
