"""Rows out of files, read by two libraries."""

import pyarrow as pa
import pytest

from scoring.batch import reading
from scoring.batch.files import InputFault


def batches(*sizes: int) -> list[pa.RecordBatch]:
    """Numbers from 0 in batches of these sizes."""
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    return [pa.record_batch([range(start, start + size)], ["n"]) for start, size in zip(starts, sizes, strict=True)]


class TestSideBySide:
    """`reading.side_by_side`."""

    def test_the_same_rows_stand_beside_each_other(self) -> None:
        """However the two are cut, every row comes once, beside itself."""
        pairs = list(reading.side_by_side(iter(batches(3, 4, 1)), iter(batches(1, 7))))
        assert [one["n"].to_pylist() for one, _ in pairs] == [other["n"].to_pylist() for _, other in pairs]
        assert [number for one, _ in pairs for number in one["n"].to_pylist()] == list(range(8))

    @pytest.mark.parametrize("sizes", [((3, 4), (3, 3)), ((2,), (2, 1)), ((), (1,))])
    def test_a_column_that_ends_early_is_a_fault(self, sizes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
        """No row is lost in silence."""
        with pytest.raises(InputFault, match="changed while it was read"):
            list(reading.side_by_side(iter(batches(*sizes[0])), iter(batches(*sizes[1]))))
