"""Every key of the shipped scorecard, broken in every way: a fault with its line, and never anything else.

`OSMANTHUS_FUZZ=all` breaks every line of the file; the suite breaks each key of each kind of table once.
"""

import os
import re
from collections.abc import Iterator

import pytest

from core import policyfile
from core.policyfile import Fault, Faulty
from scoring.book import scorecard
from tests.rulebook import CARD, text

SHIPPED = text(CARD)
LINES = SHIPPED.splitlines()
_KEY = re.compile(r"^(\w+) = (.+)$")
_HEADER = re.compile(r"^\[+([\w.]+)\]+")
NUMBERS = (
    '"ten"',
    "-1",
    "1e400",
    "nan",
    "inf",
    "0.05",
    "true",
    "[1]",
    "{a = 1}",
    "2026-01-01",
    "9" * 30,
    "1e999999999",
)
TEXTS = ("5", '""', '" "', "true", '["x"]', "{a = 1}", "2026-01-01")
BRACES = ('"{nothing}"', '"{value"', '"value}"', '"{value!r}"', '"{value:>9999}"')
TABLES = ("5", '"demo"', '{kind = "x"}', '{kind = "law"}', '{kind = "demo", cite = "CIR-16"}', "{}", "[1]")
LISTS = ('"P01"', "[1]", '["P01", "P01"]', "{a = 1}", "7", '[[""]]')
WRONG = {
    **dict.fromkeys(("base", "low", "high", "deduction_cap", "from", "cap"), NUMBERS),
    **dict.fromkeys(("points", "window_months", "years"), NUMBERS),
    **dict.fromkeys(("id", "title", "name", "english", "unit", "kind", "recover"), TEXTS),
    **dict.fromkeys(("reason", "none"), (*TEXTS, *BRACES)),
    **dict.fromkeys(("basis", "hard_stop", "effort"), TABLES),
    "hard_stop": (*TABLES, '{months = 61, basis = {kind = "demo"}}', "{months = 60}"),
    "display": (*TABLES, '{months = 12, anchor = "served_on", basis = {kind = "demo"}}'),
    "effort": (*TABLES, '{text = "x", hours = -1, pace = "day"}'),
    "valid_from": ('"2026-01-01"', "2026-01-01T00:00:00", "20260101", "[2026-01-01]", "true"),
    "kinds": LISTS,
    "levels": (*LISTS, "[{level = 1}]", '[{level = 0, name = "x", points = 1}]'),
    "measure": (*TEXTS, '"latest"'),
    "enabled": ('"no"', "0", "[false]"),
    "hold": (), "tier": (), "dimension": (),
}  # fmt: skip


def lines() -> Iterator[tuple[int, str]]:
    """The number and key of each line to break: one of each key in each kind of table, or all of them."""
    table, seen = "", set[tuple[str, str]]()
    for number, line in enumerate(LINES, 1):
        if header := _HEADER.match(line):
            table = header[1]
        elif (key := _KEY.match(line)) and (os.environ.get("OSMANTHUS_FUZZ") or (table, key[1]) not in seen):
            seen.add((table, key[1]))
            yield number, key[1]


def faults(body: str) -> tuple[Fault, ...]:
    """What a file is told."""
    with pytest.raises(Faulty) as caught:
        scorecard.load(body, CARD)
    return caught.value.faults


def replaced(number: int, *instead: str) -> str:
    """The file with other lines in place of one (and of what belongs to it, when it goes on)."""
    end = number
    if LINES[number - 1].endswith("["):
        end = next(later for later in range(number, len(LINES)) if LINES[later] == "]") + 1
    return "\n".join([*LINES[: number - 1], *instead, *LINES[end:], ""])


EACH = list(lines())


class TestEachKey:
    """Line by line."""

    @pytest.mark.parametrize(("number", "key"), EACH, ids=[f"{number}-{key}" for number, key in EACH])
    def test_a_wrong_value_is_told_on_its_line(self, number: int, key: str) -> None:
        """A text for a number, a list for a text, a date for anything, numbers beyond reading, braces alone."""
        held = "[[hold]]" in LINES[number - 6 : number]  # its words have no placeholders, so braces are only braces
        for value in TEXTS if held else WRONG[key]:
            found = faults(replaced(number, f"{key} = {value}"))
            assert {one.file for one in found} == {CARD}, value
            assert number in {one.line for one in found}, (value, found)

    @pytest.mark.parametrize(("number", "key"), EACH[::3], ids=[f"{number}-{key}" for number, key in EACH[::3]])
    def test_a_key_twice_or_unknown_is_told_on_its_line(self, number: int, key: str) -> None:
        """And a misspelt one is told how it is spelt."""
        twice = f"{key} = 1"
        assert number in {one.line for one in faults(replaced(number, twice, twice))} | {
            one.line - 1 for one in faults(replaced(number, twice, twice))
        }
        strange = [one for one in faults(replaced(number, f"{key}x = 1")) if one.line == number]
        assert [f"`{key}x` means nothing here." in one.message for one in strange] == [True]


class TestWholeFiles:
    """Files that are no scorecard at all."""

    @pytest.mark.parametrize(
        ("body", "line", "says"),
        [
            ("", 1, "missing"),
            ("x = 1\ny = " + "[" * 20_000, 2, "beyond reading"),
            ("a = " + "9" * 5_000, 1, "beyond reading"),
            ("a = 1\nb = 1e99999999999999999999", 2, "beyond reading"),
            ("# " + "x" * policyfile.LONGEST, 1, "longer than"),
            ("a = 1\na = 2", 2, "not TOML"),
            ("\x00", 1, "not TOML"),
            ("[scale\n", 1, "not TOML"),
        ],
    )
    def test_it_is_told_why(self, body: str, line: int, says: str) -> None:
        """Nothing, nesting and numbers without end, a huge file, the same key twice, bytes that are no text."""
        found = faults(body)
        assert any(says in one.message and one.line == line for one in found), found

    def test_bytes_that_are_not_utf_8(self) -> None:
        """The line of the first of them."""
        with pytest.raises(Faulty) as caught:
            policyfile.decode('id = 1\nname = "名"'.encode("gb18030"), CARD)
        assert [(one.line, one.message) for one in caught.value.faults] == [(2, "This is not UTF-8.")]
        assert policyfile.decode("名".encode(), CARD) == "名"
