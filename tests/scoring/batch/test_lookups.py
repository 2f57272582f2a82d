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


def looked_up(records: pa.Table | Part, register: pa.Table) -> dict[int, Row]:
    """Each adult's units by subject."""
    made = lookups.Lookups(shipped(), AS_OF).units(records, register)
    assert made.schema == schema(slots.units(shipped()))
    return told([tuple(row.values()) for row in made.to_pylist()])


def joined(records: pa.Table, register: pa.Table) -> dict[int, Row]:
    """The same by `gather.joined`, run by DuckDB."""
    kinds, months = slots.kinds(shipped(), AS_OF), slots.months(AS_OF).items()
    given = {
        "records": (plan.RECORDS, records),
        "register": (plan.REGISTER, register),
        "kinds": (slots.KINDS, pa.table(list(zip(*kinds, strict=True)), schema=schema(slots.KINDS))),
        "months": (slots.MONTHS, pa.table(list(zip(*months, strict=True)), schema=schema(slots.MONTHS))),
    }
    query = gather.joined(shipped(), *[ibis.table(given[name][0], name=name) for name in given], AS_OF)
    with duckdb.connect() as connection:
        for name, (_, table) in given.items():
            connection.register(name, table)
        return told(connection.execute(str(ibis.to_sql(query, dialect="duckdb"))).fetchall())


def told(people: list[Row]) -> dict[int, Row]:
    """Give each person's units by subject; for none 0, or the last day that there is."""
    assert len({subject for subject, *_ in people}) == len(people)
    dates = [kind == "date" for kind in slots.units(shipped()).values()][1:]
    return {
        subject: tuple(unit or (date.max if dated else 0) for unit, dated in zip(units, dates, strict=True))
        for subject, *units in people
    }


class TestRows:
    """`lookups.Lookups.units`."""

    def test_lookups_and_joins_make_the_same_units(self, tables: tuple[pa.Table, pa.Table]) -> None:
        """Whichever way an engine is fed, the plan is given the same."""
        found = looked_up(*tables)
        assert all(any(column) for column in zip(*found.values(), strict=True))
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
        units = looked_up(records, register)
        only = register.filter(pc.is_in(register["subject"], pa.array(wanted)))
        assert looked_up(part, only) == {one: units[one] for one in wanted if one in units}

    def test_nobody_registered_and_no_row_are_no_fault(self, tables: tuple[pa.Table, pa.Table]) -> None:
        """Nothing counts for people who are not there."""
        records, register = tables
        assert looked_up(records, register.slice(0, 0)) == {}
        people = looked_up(records.slice(0, 0), register)
        assert (len(people), {unit for units in people.values() for unit in units}) == (165, {0, date.max})


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
