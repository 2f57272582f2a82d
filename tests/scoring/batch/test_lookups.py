"""Rows with what is looked up for them, made in memory: those that joins make."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from core.months import shift
from scoring.batch import files, gather, lookups, plan, slots
from scoring.batch.sources import Part, schema
from tests.rulebook import card as shipped
from tests.scoring.batch import ledgers

AS_OF = date(2026, 11, 22)
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table]:
    """Records and register of some people full of edges."""
    return ledgers.tables(ledgers.people(11, AS_OF, 200))


def looked_up(records: pa.Table | Part, register: pa.Table) -> tuple[dict[int, Row], list[Row]]:
    """What counts: each adult's units, and the seldom rows in an order that tells nothing."""
    made = lookups.Lookups(shipped(), AS_OF).rows(records, register)
    assert (made.people.schema, made.seldom.schema) == (schema(slots.units(shipped())), schema(slots.SELDOM))
    return told(*[[tuple(row.values()) for row in table.to_pylist()] for table in made])


def joined(records: pa.Table, register: pa.Table) -> tuple[dict[int, Row], list[Row]]:
    """The same by `gather.joined`, run by DuckDB."""
    kinds, months = slots.kinds(shipped(), AS_OF), slots.months(AS_OF).items()
    given = {
        "records": (plan.RECORDS, records),
        "register": (plan.REGISTER, register),
        "kinds": (slots.KINDS, pa.table(list(zip(*kinds, strict=True)), schema=schema(slots.KINDS))),
        "months": (slots.MONTHS, pa.table(list(zip(*months, strict=True)), schema=schema(slots.MONTHS))),
    }
    queries = gather.joined(shipped(), *[ibis.table(given[name][0], name=name) for name in given], AS_OF)
    with duckdb.connect() as connection:
        for name, (_, table) in given.items():
            connection.register(name, table)
        found = [connection.execute(str(ibis.to_sql(query, dialect="duckdb"))).fetchall() for query in queries]
    return told(*found)


def told(people: list[Row], seldom: list[Row]) -> tuple[dict[int, Row], list[Row]]:
    """Give each person's units by subject, 0 for none, and the seldom rows in order."""
    assert len({subject for subject, *_ in people}) == len(people)
    return {subject: tuple(unit or 0 for unit in units) for subject, *units in people}, sorted(seldom, key=repr)


class TestRows:
    """`lookups.Lookups.rows`."""

    def test_lookups_and_joins_make_the_same_rows(self, tables: tuple[pa.Table, pa.Table]) -> None:
        """Whichever way an engine is fed, the plan is given the same."""
        found = looked_up(*tables)
        assert min(map(len, found)) > 50
        assert found == joined(*tables)

    def test_the_order_of_rows_and_register_does_not_matter(self, tables: tuple[pa.Table, pa.Table]) -> None:
        """A subject whose rows are all over a file comes of age on the same day."""
        records, register = tables
        assert looked_up(records.sort_by("quantity"), register.sort_by("adult_on")) == looked_up(records, register)

    def test_a_range_of_a_file_gives_its_subjects_rows(self, tmp_path: Path, tables: tuple[pa.Table, pa.Table]) -> None:
        """Whole row groups are read and only the subjects asked for are given, however the file keeps its words."""
        records, register = tables
        place = tmp_path / "records.parquet"
        plain = records.sort_by("subject")
        kinds = plain["kind"].cast(pa.large_string())
        plain = plain.set_column(plain.schema.names.index("kind"), "kind", kinds)
        pq.write_table(plain, place, row_group_size=300, use_dictionary=False)
        wanted = sorted(register["subject"].to_pylist())[50:120]
        part = files.look(place, plan.RECORDS, "records").part((wanted[0], wanted[-1]))
        units, seldom = looked_up(records, register)
        only = register.filter(pc.is_in(register["subject"], pa.array(wanted)))
        expected = {one: units[one] for one in wanted if one in units}, [row for row in seldom if row[0] in wanted]
        assert looked_up(part, only) == expected

    def test_nobody_registered_and_no_row_are_no_fault(self, tables: tuple[pa.Table, pa.Table]) -> None:
        """Nothing counts for people who are not there."""
        records, register = tables
        assert looked_up(records, register.slice(0, 0)) == ({}, [])
        people, seldom = looked_up(records.slice(0, 0), register)
        assert (len(people), any(map(any, people.values())), seldom) == (165, False, [])


class TestMonths:
    """`slots.months`."""

    @pytest.mark.parametrize("as_of", [AS_OF, date(2028, 2, 29), date(2027, 3, 31)])
    def test_every_day_of_the_longest_window_has_its_month(self, as_of: date) -> None:
        """The month of the day is the lowest bit, the one before the next; every bit leaves an int64 positive."""
        found = slots.months(as_of)
        before = as_of.replace(day=1) - timedelta(days=1)
        assert (found[as_of], found[before], found[before.replace(day=1)]) == (1, 2, 2)
        assert min(found) == shift(as_of, -61)
        assert found[min(found)] == max(found.values()) == 1 << 61
