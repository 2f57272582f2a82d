"""The data map names every table, and no table that is not there."""

import re

from core.settings import ROOT
from tests.everytable import metadata

_ROW = re.compile(r"^\| (`[a-z_.`, ]+`) \|", re.MULTILINE)


class TestDataMap:
    """`docs/data-map.md`."""

    def test_it_names_the_tables(self) -> None:
        """A new table begins with a row that says what it holds, how, how long, and for whom."""
        page = (ROOT / "docs/data-map.md").read_text(encoding="utf-8")
        named = [name.strip("` ") for row in _ROW.findall(page) for name in row.split(",")]
        assert sorted(named) == sorted(metadata.tables)
