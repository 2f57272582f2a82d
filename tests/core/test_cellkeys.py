"""Counts that may be seen tell nothing of few people: neither from margins, nor from two answers."""

import random

from hypothesis import given
from hypothesis import strategies as st

from core import cellkeys
from core.cellkeys import LEAST, SPREAD, Cell

SECRET = bytes(32)
sizes = st.lists(st.integers(0, 40), min_size=3, max_size=3)


def cell(persons: int, begin: int = 0) -> Cell:
    """A cell of made-up people, numbered from `begin`."""
    made = Cell()
    for number in range(begin, begin + persons):
        made.add(cellkeys.person_key(SECRET, number.to_bytes(8)))
    return made


def split(parts: list[int]) -> tuple[list[Cell], Cell]:
    """People 0, 1, 2 … split into parts in this order, and all of them."""
    cells, begin = [], 0
    for size in parts:
        cells.append(cell(size, begin))
        begin += size
    return cells, cell(begin)


class TestCount:
    """One number."""

    @given(st.integers(0, 60))
    def test_a_few_are_hidden_and_many_nearly_told(self, persons: int) -> None:
        """Under ten, nobody included, nothing; else at most the spread away, and never under ten."""
        shown = cellkeys.count(cell(persons))
        if persons < LEAST:
            assert shown is None
        else:
            assert shown is not None
            assert abs(shown - persons) <= SPREAD
            assert shown >= LEAST

    def test_asking_again_averages_nothing_out(self) -> None:
        """The same people give the same number; the shifts of different people are evenly spread."""
        assert len({cellkeys.count(cell(50)) for _ in range(20)}) == 1
        shifts = [cellkeys.noisy(cell(50, 50 * turn)) - 50 for turn in range(900)]
        assert set(shifts) == set(range(-SPREAD, SPREAD + 1))
        assert all(60 < shifts.count(shift) < 140 for shift in set(shifts))


class TestLines:
    """Splits beside their wholes."""

    def test_what_is_left_over_does_not_depend_on_the_hidden(self) -> None:
        """However few of a thousand get less, the shown numbers are the same but for who is counted in them."""
        people = cell(1000)
        for few in range(LEAST):
            (lower, same, higher) = cellkeys.lines([[cell(few), cell(1000 - few, few), Cell()]], [people])[0]
            assert (lower, same, higher) == (None, cellkeys.noisy(people), None)

    @given(sizes)
    def test_the_rest_of_a_line_tells_nothing(self, parts: list[int]) -> None:
        """What the shown parts leave of the whole is nothing, or lies on a hidden part of ten and more, or on all."""
        cells, whole = split(parts)
        (shown,) = cellkeys.lines([cells], [whole])
        hidden = [one.persons for one, value in zip(cells, shown, strict=True) if value is None]
        if 0 < len(hidden) < len(cells) and max(hidden) < LEAST:
            rest = cellkeys.noisy(whole) - sum(value or 0 for value in shown)
            assert rest == 0 or (rest < 0 and LEAST in shown)  # no shown number is under ten, whatever the shifts
        assert all(value is None for one, value in zip(cells, shown, strict=True) if one.persons < LEAST)

    @given(st.lists(sizes, min_size=2, max_size=6))
    def test_a_column_is_covered_too(self, table: list[list[int]]) -> None:
        """Whoever knows how many of all get less, and of every other group, does not learn of the last group."""
        rows = [split(parts) for parts in table]
        shown = cellkeys.lines([cells for cells, _ in rows], [whole for _, whole in rows])
        for place in range(3):
            column = [(rows[turn][0][place].persons, line[place]) for turn, line in enumerate(shown)]
            hidden = [persons for persons, value in column if value is None]
            big = any(persons >= LEAST for persons in hidden)
            assert not hidden or big or len(hidden) == len(column)


class TestMatrix:
    """Moves between tiers."""

    @given(st.lists(sizes, min_size=3, max_size=3))
    def test_margins_tell_nothing_of_the_hidden(self, table: list[list[int]]) -> None:
        """A margin is the sum of what is shown, or hides ten people and more."""
        cells, begin = [], 0
        for parts in table:
            cells.append([cell(size, begin + 1000 * place) for place, size in enumerate(parts)])
            begin += 5000
        found = cellkeys.matrix(cells)
        lines = [*zip(cells, found.cells, found.rows, strict=True)]
        lines += [*zip(zip(*cells, strict=True), zip(*found.cells, strict=True), found.columns, strict=True)]
        for held, shown, margin in lines:
            hidden = [one.persons for one, value in zip(held, shown, strict=True) if value is None]
            if sum(hidden) < LEAST:
                assert (margin or 0) == sum(value or 0 for value in shown)
            else:
                assert max(hidden) >= LEAST or len(hidden) == len(held)

    def test_few_movers_move_no_margin(self) -> None:
        """Where nine go from one tier to another, before and after look alike."""
        held = [[cell(100), cell(9, 200)], [Cell(), cell(80, 300)]]
        found = cellkeys.matrix(held)
        assert found.rows == found.columns


class TestAttacks:
    """Somebody subtracts."""

    def test_two_answers_that_differ_by_one_person_hide_them(self) -> None:
        """Whether a person is in a cell cannot be read off its number: a guess is hardly better than chance.

        The attacker knows everybody else in the cell but not the secret keys, and guesses "in" when the second number
        is the bigger one.
        """
        chance, right, tries = random.Random(7), 0, 2_000  # noqa: S311  (a made-up attacker)
        for turn in range(tries):
            others = cell(40, 100 * turn)
            is_in = chance.random() < 0.5
            asked = cell(41 if is_in else 40, 100 * turn)
            if not is_in:  # the same people: the number itself must not say so by being another question
                asked.add(cellkeys.person_key(SECRET, (100 * turn + 90).to_bytes(8)))
                asked.persons -= 1
            right += (cellkeys.noisy(asked) > cellkeys.noisy(others)) is is_in
        assert right / tries < 0.62

    def test_a_hidden_cell_is_never_pinned_by_its_line(self) -> None:
        """For each number of hidden people there is another one with which everything shown is the same."""
        people = cell(300)
        seen = {}
        for few in range(LEAST):
            seen[few] = cellkeys.lines([[cell(few), cell(300 - few, few), Cell()]], [people])
        assert len(set(seen.values())) == 1
