"""The inputs of a pass from files: found, checked, cut, and sorted into ranges when they are not clustered."""

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoring.batch import files, plan, spread
from scoring.batch.files import HIGHEST, LOWEST, InputFault
from tests.scoring.batch.test_plan import AS_OF, ledgers


@pytest.fixture
def tables() -> tuple[pa.Table, pa.Table]:
    """Records and register of a few people."""
    return ledgers.tables(ledgers.people(1, AS_OF, 30))


class TestLook:
    """`files.look`."""

    def test_a_file_a_folder_and_a_pattern_are_the_same_rows(
        self, tmp_path: Path, tables: tuple[pa.Table, ...]
    ) -> None:
        """However the files are named, all of them are read."""
        for number in range(3):
            pq.write_table(tables[0].slice(number * 100, 100), tmp_path / f"r{number}.parquet")
        found = [files.look(path, plan.RECORDS, "records").rows for path in (tmp_path, tmp_path / "r*.parquet")]
        assert found == [300, 300]
        assert files.look(tmp_path / "r1.parquet", plan.RECORDS, "records").rows == 100

    def test_a_file_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        """The path and what it may be."""
        with pytest.raises(InputFault, match=r"records: there is no Parquet file at .*none"):
            files.look(tmp_path / "none", plan.RECORDS, "records")

    def test_a_file_that_is_no_parquet_is_told(self, tmp_path: Path) -> None:
        """A text file is not taken for data."""
        (tmp_path / "a.parquet").write_text("subject,kind\n")
        with pytest.raises(InputFault, match=r"a\.parquet: this is no Parquet file"):
            files.look(tmp_path, plan.RECORDS, "records")

    def test_a_missing_column_is_named(self, tmp_path: Path, tables: tuple[pa.Table, ...]) -> None:
        """With its type, and the columns that are there."""
        pq.write_table(tables[0].drop(["quantity"]), tmp_path / "a.parquet")
        with pytest.raises(InputFault, match=r"the column `quantity` \(int64\) is missing"):
            files.look(tmp_path / "a.parquet", plan.RECORDS, "records")

    def test_a_column_of_another_type_is_named(self, tmp_path: Path, tables: tuple[pa.Table, ...]) -> None:
        """What it is, and what was expected."""
        place = tables[0].schema.names.index("occurred_on")
        wrong = tables[0].set_column(place, "occurred_on", tables[0]["occurred_on"].cast(pa.timestamp("us")))
        pq.write_table(wrong, tmp_path / "a.parquet")
        with pytest.raises(InputFault, match=r"`occurred_on` is timestamp\[us\]. Expected: date"):
            files.look(tmp_path / "a.parquet", plan.RECORDS, "records")

    def test_an_empty_value_where_there_must_be_one_is_told(self, tmp_path: Path, tables: tuple[pa.Table, ...]) -> None:
        """A subject without a day of adulthood can't be scored."""
        register = tables[1].set_column(1, "adult_on", pa.nulls(tables[1].num_rows, pa.date32()))
        pq.write_table(register, tmp_path / "a.parquet")
        with pytest.raises(InputFault, match=r"`adult_on` is empty in 30 rows"):
            files.look(tmp_path / "a.parquet", plan.REGISTER, "register")

    def test_a_changed_file_has_another_digest(self, tmp_path: Path, tables: tuple[pa.Table, ...]) -> None:
        """So that a pass does not go on with other inputs."""
        pq.write_table(tables[1], tmp_path / "a.parquet")
        before = files.look(tmp_path / "a.parquet", plan.REGISTER, "register").digest
        pq.write_table(tables[1].slice(1), tmp_path / "a.parquet")
        assert files.look(tmp_path / "a.parquet", plan.REGISTER, "register").digest != before


class TestCut:
    """`files.cut` and `files.scattered`."""

    def test_the_ranges_hold_everybody_once(self, tmp_path: Path, tables: tuple[pa.Table, ...]) -> None:
        """From the lowest subject there can be to the highest, without a gap."""
        pq.write_table(tables[0].sort_by("subject"), tmp_path / "a.parquet", row_group_size=50)
        one = files.look(tmp_path / "a.parquet", plan.RECORDS, "records")
        found = files.cut([one], 100)
        assert len(found) > 2
        assert (found[0][0], found[-1][1]) == (LOWEST, HIGHEST)
        assert all(high + 1 == low for (_, high), (low, _) in pairwise(found))
        assert not files.scattered(one, one.rows, found)

    def test_rows_in_no_order_are_scattered(self, tmp_path: Path, tables: tuple[pa.Table, ...]) -> None:
        """Each range would read every row group."""
        pq.write_table(tables[0].sort_by("quantity"), tmp_path / "a.parquet", row_group_size=20)
        one = files.look(tmp_path / "a.parquet", plan.RECORDS, "records")
        assert files.scattered(one, one.rows, spread.even([one], 50))


class TestSpread:
    """`spread.spread`."""

    def test_every_row_is_in_the_file_of_its_range(self, tmp_path: Path, tables: tuple[pa.Table, ...]) -> None:
        """None is lost, none is twice."""
        pq.write_table(tables[0].sort_by("quantity"), tmp_path / "a.parquet", row_group_size=20)
        one = files.look(tmp_path / "a.parquet", plan.RECORDS, "records")
        between = spread.even([one], 50)
        spread.spread(one, plan.RECORDS, between, tmp_path / "sorted", lambda _done, _rows: None)
        found = spread.read(between, tmp_path / "sorted", one)
        rows = 0
        for low, high in between:
            (file,) = found.part((low, high)).files
            subjects = pq.read_table(file)["subject"].to_pylist()
            rows += len(subjects)
            assert all(low <= subject <= high for subject in subjects)
        assert rows == one.rows
