"""The data map names every table, and no table that is not there."""

import re

import auth.consent.tables
import auth.counter.tables
import auth.granttables
import auth.tables
import core.short.tables
import incentives.channels.tables
import incentives.citycard.tables
import incentives.credentials.tables
import incentives.events.tables
import incentives.orders.tables
import incentives.plates.tables
import incentives.tables
import incentives.visitors.tables
import scoring.feedtables
import scoring.rehearsal.tables
import scoring.reporttables
import scoring.righttables
import scoring.tables
from core.settings import ROOT
from core.tables import metadata

ROOMS = (
    core.short.tables,
    auth.tables,
    auth.granttables,
    auth.consent.tables,
    auth.counter.tables,
    scoring.rehearsal.tables,
    scoring.feedtables,
    scoring.reporttables,
    scoring.tables,
    scoring.righttables,
    incentives.channels.tables,
    incentives.citycard.tables,
    incentives.credentials.tables,
    incentives.events.tables,
    incentives.orders.tables,
    incentives.plates.tables,
    incentives.tables,
    incentives.visitors.tables,
)
_ROW = re.compile(r"^\| (`[a-z_.`, ]+`) \|", re.MULTILINE)


class TestDataMap:
    """`docs/data-map.md`."""

    def test_it_names_the_tables(self) -> None:
        """A new table begins with a row that says what it holds, how, how long, and for whom."""
        page = (ROOT / "docs/data-map.md").read_text(encoding="utf-8")
        named = [name.strip("` ") for row in _ROW.findall(page) for name in row.split(",")]
        assert sorted(named) == sorted(metadata.tables)
