"""Small cells stay hidden from whoever sees the table and knows its total."""

from hypothesis import given
from hypothesis import strategies as st

from core.smallcells import LEAST, Cell, publish

_PAIRS = st.tuples(st.integers(1, 30), st.integers(0, 40))
TABLES = st.lists(_PAIRS, max_size=12).map(
    lambda pairs: [Cell((f"k{at}",), persons + more, persons) for at, (persons, more) in enumerate(pairs)]
)


class TestPublish:
    """What may leave the house."""

    @given(TABLES)
    def test_no_cell_about_fewer_than_ten_is_shown(self, cells: list[Cell]) -> None:
        """Whatever else is published; what is shown is true, and every cell is named in order."""
        by_key = {cell.key: cell for cell in cells}
        table = publish(cells)
        assert [one.key for one in table.cells] == sorted(by_key)
        for one in table.cells:
            true = by_key[one.key]
            assert one.suppressed or (one.accesses, one.persons) == (true.accesses, true.persons)
            assert not one.suppressed or (one.accesses, one.persons) == (None, None)
            assert one.suppressed or true.persons >= LEAST

    @given(TABLES)
    def test_no_total_gives_a_hidden_cell_back(self, cells: list[Cell]) -> None:
        """From the published numbers and the true total, every hidden cell may still be any of eleven numbers."""
        table = publish(cells)
        hidden = [one for one in table.cells if one.suppressed]
        true_total = sum(cell.accesses for cell in cells)
        left = true_total - sum(one.accesses or 0 for one in table.cells)
        if not hidden:
            assert (left, table.total) == (0, true_total)
        elif table.total is None:
            assert len(hidden) == len(cells)  # everything was hidden, and that was not enough
        else:
            assert table.total == true_total
            assert len(hidden) >= 2
            lowest, highest = 1, left - (len(hidden) - 1)
            assert highest - lowest >= LEAST

    @given(TABLES)
    def test_no_more_is_hidden_than_needed(self, cells: list[Cell]) -> None:
        """Without a small cell nothing is hidden; the largest of a table with room is shown."""
        table = publish(cells)
        if all(cell.persons >= LEAST for cell in cells):
            assert not any(one.suppressed for one in table.cells)
        roomy = [cell for cell in cells if cell.persons < LEAST]
        if len(roomy) > 1 and sum(cell.accesses - 1 for cell in roomy) >= LEAST:
            assert sum(one.suppressed for one in table.cells) == len(roomy)
