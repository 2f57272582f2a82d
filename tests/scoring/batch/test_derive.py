"""Rows in columns and rows one by one: the same, whatever the records."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.batch import derive
from scoring.batch.plan import RECORDS
from scoring.batch.sources import arrow, schema
from scoring.points.facts import RecordRow, facts
from tests.scoring.records import RECORDS as LEDGERS


def table(ledgers: list[list[RecordRow]]) -> Any:
    """Live records of several people, as they are taken out of the database."""
    providers = {"": 0, "a": -7, "b": 1 << 60}
    rows = [
        {name: getattr(record, name) for name in derive.LIVE if name != "subject"}
        | {"subject": place, "provider": providers[record.provider]}
        for place, ledger in enumerate(ledgers)
        for record in ledger
    ]
    return arrow.Table.from_pylist(rows, schema=schema(derive.LIVE))


class TestRows:
    """`derive.rows`."""

    @settings(deadline=None)
    @given(st.lists(LEDGERS, max_size=4))
    def test_equal_to_the_facts_of_each_person(self, ledgers: list[list[RecordRow]]) -> None:
        """The same rows as `points.facts` derives from each person's live records, as often, provider aside."""
        live = [[one for one in ledger if one.status == "active"] for ledger in ledgers]
        names = [name for name in RECORDS if name not in {"subject", "provider"}]
        expected = [
            (place, *[getattr(fact, name) for name in names]) for place, one in enumerate(live) for fact in facts(one)
        ]
        found = [(row["subject"], *[row[name] for name in names]) for row in derive.rows(table(live)).to_pylist()]
        assert sorted(found, key=repr) == sorted(expected, key=repr)

    def test_the_columns_of_the_batch_path(self) -> None:
        """What comes out has the schema of the plan, even of nobody."""
        assert derive.rows(table([])).schema == schema(RECORDS)
