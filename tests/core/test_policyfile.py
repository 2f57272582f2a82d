"""The reader that knows lines and collects faults."""

from datetime import date

import pytest

from core.policyfile import Document, Fault, Faulty, Table
from core.tomllines import locate

TEXT = '''# head
name = "x"
deep.er = 1
list = [
  "a", # ] not the end
  "b",
]
long = """
[not.a.header]
key = 1
"""
"quoted key" = 2

[table]
day = 2026-01-01

[[row]]
a = 1
[row.inner]
b = true
[[row]]
a = 2.5
[[row.sub]]
c = {d = 1}
'''


def root(text: str) -> Table:
    """Read a text."""
    return Document(text, "f.toml").root


def faults(table: Table) -> list[str]:
    """Give what was found."""
    return [str(fault) for fault in table.document.faults]


class TestLocate:
    """`tomllines.locate`."""

    def test_every_table_and_key_has_its_line(self) -> None:
        """Over arrays, long texts, dotted and quoted keys, tables in tables."""
        found = locate(TEXT)
        assert found[("name",)] == 2
        assert found[("deep", "er")] == 3
        assert found[("list",)] == 4
        assert found[("long",)] == 8
        assert ("not", "a", "header") not in found
        assert found[("quoted key",)] == 12
        assert found[("table", "day")] == 15
        assert found[("row", 0)] == 17
        assert found[("row", 0, "inner", "b")] == 20
        assert found[("row", 1, "a")] == 22
        assert found[("row", 1, "sub", 0, "c")] == 24


class TestTable:
    """Typed values, or a fault and a stand-in."""

    def test_good_values_are_read(self) -> None:
        """Each as its type; decimals exactly, in tenths."""
        table = root(TEXT)
        assert table.text("name") == "x"
        assert table.words("list") == ("a", "b")
        assert table.table("table").day("day") == date(2026, 1, 1)
        rows = table.tables("row")
        assert (rows[0].whole("a", 0, 9), rows[1].tenths("a", 0, 90)) == (1, 25)
        assert rows[0].table("inner").flag("b") is True
        assert faults(table) == []

    @pytest.mark.parametrize(
        "text", ["a = 1.25", 'a = "1"', "a = true", "a = 100", "a = -1", "a = nan", "a = inf", "a = 1e3", "b = 1"]
    )
    def test_tenths_are_exact_or_a_fault(self, text: str) -> None:
        """Two decimals, other types, and out of bounds are told."""
        table = root(text)
        table.tenths("a", 0, 500)
        assert len(faults(table)) == 1

    @pytest.mark.parametrize(
        ("text", "reader"),
        [
            ("a = ' '", "text"),
            ("a = 1", "flag"),
            ("a = 2026-01-01T00:00:00", "day"),
            ("a = ['x', 'x']", "words"),
            ("a = [1]", "words"),
            ("a = 1", "words"),
            ("a = 1", "table"),
            ("a = [1]", "tables"),
            ("", "text"),
        ],
    )
    def test_a_wrong_value_is_a_fault_and_reading_goes_on(self, text: str, reader: str) -> None:
        """One fault each, and something harmless is returned."""
        table = root(text)
        getattr(table, reader)("a")
        assert len(faults(table)) == 1

    def test_a_word_outside_the_list_is_told_the_list(self) -> None:
        """The advice holds what is allowed."""
        table = root('a = "z"')
        assert table.choice("a", ("x", "y")) == "x"
        assert "one of x, y" in faults(table)[0]

    def test_too_few_tables_are_a_fault(self) -> None:
        """An empty list where one is needed."""
        table = root("a = []")
        assert table.tables("a", least=1) == []
        assert table.tables("b") == []
        assert len(faults(table)) == 1

    def test_defaults_are_for_absent_values(self) -> None:
        """An absent value is no fault where there is a default."""
        table = root("")
        assert (table.text("a", "x"), table.whole("b", 0, 9, 3), table.tenths("c", 0, 90, 15)) == ("x", 3, 15)
        assert (table.flag("d", default=True), table.words("e", ("f",))) == (True, ("f",))
        assert faults(table) == []

    def test_an_unknown_key_is_told_the_nearest(self) -> None:
        """Spelling mistakes do not pass in silence."""
        table = root("nam = 1\nother = 2")
        table.text("name", "x")
        table.close()
        assert sorted(faults(table)) == [
            "f.toml:1: `nam` means nothing here. Did you mean `name`?",
            "f.toml:2: `other` means nothing here. Known here: name.",
        ]


class TestDocument:
    """Faults together."""

    def test_what_is_no_toml_has_its_line(self) -> None:
        """The parser's own place is kept."""
        with pytest.raises(Faulty) as caught:
            Document("a = 1\nb = = 2\n", "f.toml")
        assert caught.value.faults[0].line == 2
        with pytest.raises(Faulty) as caught:
            Document('a = """', "f.toml")
        assert caught.value.faults[0].line == 1

    def test_close_raises_all_faults_once_and_in_order(self) -> None:
        """Sorted by line, repeats dropped."""
        document = Document("a = 1\nb = 2\n", "f.toml")
        document.root.text("b")
        document.root.text("a")
        document.root.text("a")
        with pytest.raises(Faulty) as caught:
            document.close()
        assert [fault.line for fault in caught.value.faults] == [1, 2]

    def test_no_fault_no_error(self) -> None:
        """A clean document closes quietly."""
        Document("", "f.toml").close()

    def test_a_place_that_is_not_there_has_the_line_around_it(self) -> None:
        """A fault about an absent key points at its table, one in an array at the array."""
        document = Document("x = 1\n[t]\na = [{b = 1}]\n", "f.toml")
        assert document.line(("t", "none")) == 2
        assert document.line(("t", "a", 0, "b")) == 3
        assert document.line(("gone",)) == 1
        assert str(Fault("f", 1, "m.", "a.")) == "f:1: m. a."
