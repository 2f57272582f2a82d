"""Counts of people that may be seen: noise that stays the same, and no cell under ten. Pure.

The cell-key method of official statistics: each person has a secret random key; the keys of a cell's people, added up,
say by how much (at most `SPREAD`) its count is shifted. The same people give the same number for ever, so repeating a
question averages nothing out; one person more or less gives another shift, so a difference of two answers tells nothing
of that one. Cells under ten, empty ones too, are hidden, with a big one beside them where the rest would give them
away; what is left over of a whole after the shown parts never depends on the hidden ones.

Promises nothing about ten people and more who act as one. Who may ask how often is the asker's matter.
"""

import hashlib
import hmac
from collections.abc import Sequence

import msgspec

LEAST = 10
SPREAD = 4
_KEYS = 1 << 64


class Cell(msgspec.Struct):
    """How many people, and the sum of their keys."""

    persons: int = 0
    key: int = 0

    def add(self, key: int) -> None:
        """One person more."""
        self.persons += 1
        self.key = (self.key + key) % _KEYS


class Matrix(msgspec.Struct, frozen=True):
    """A table as it may be seen; None is hidden."""

    cells: tuple[tuple[int | None, ...], ...]
    rows: tuple[int | None, ...]
    columns: tuple[int | None, ...]


def person_key(secret: bytes, identity: bytes) -> int:
    """Give the key of a person: secret, and always the same."""
    return int.from_bytes(hmac.digest(secret, identity, hashlib.sha256)[:8])


def noisy(cell: Cell) -> int:
    """Give the number that stands for a cell of ten and more."""
    drawn = int.from_bytes(hashlib.blake2b(cell.key.to_bytes(8), digest_size=8).digest())
    return max(LEAST, cell.persons + drawn % (2 * SPREAD + 1) - SPREAD)


def count(cell: Cell) -> int | None:
    """Give one number that stands by itself."""
    return noisy(cell) if cell.persons >= LEAST else None


def lines(rows: Sequence[Sequence[Cell]], wholes: Sequence[Cell]) -> tuple[tuple[int | None, ...], ...]:
    """Give several splits of several wholes into the same parts, seen beside their wholes and beside the split of all.

    Where the hidden parts of a line are fewer than ten people together, its biggest part is shown as all the rest is.
    """
    hidden = [[cell.persons < LEAST for cell in row] for row in rows]
    columns = [list(column) for column in zip(*rows, strict=True)]
    while any([_cover_rows(rows, hidden), len(rows) > 1 and _cover_columns(columns, hidden)]):
        pass
    return tuple(
        _close(row, flags, whole) if whole.persons >= LEAST else (None,) * len(row)
        for row, flags, whole in zip(rows, hidden, wholes, strict=True)
    )


def matrix(cells: Sequence[Sequence[Cell]]) -> Matrix:
    """Give how people moved from rows to columns; both margins are what the shown cells add up to, or a count.

    A margin from which fewer than ten people are hidden is the sum of its shown cells: it tells nothing of them.
    """
    hidden = [[cell.persons < LEAST for cell in row] for row in cells]
    turned = [list(column) for column in zip(*cells, strict=True)]
    across = [list(column) for column in zip(*hidden, strict=True)]
    while _cover_rows(cells, hidden, biggest=False) or _turned(turned, hidden, across):
        across = [list(column) for column in zip(*hidden, strict=True)]
    shown = tuple(
        tuple(None if flag else noisy(cell) for cell, flag in zip(row, flags, strict=True))
        for row, flags in zip(cells, hidden, strict=True)
    )
    across = [list(column) for column in zip(*hidden, strict=True)]
    return Matrix(
        shown,
        tuple(_margin(row, flags) for row, flags in zip(cells, hidden, strict=True)),
        tuple(_margin(column, flags) for column, flags in zip(turned, across, strict=True)),
    )


def _turned(columns: Sequence[Sequence[Cell]], hidden: list[list[bool]], across: list[list[bool]]) -> bool:
    """Cover the columns as `_cover_rows` does the rows."""
    moved = _cover_rows(columns, across, biggest=False)
    for place, flags in enumerate(across):
        for row, flag in enumerate(flags):
            hidden[row][place] = flag
    return moved


def _cover_rows(rows: Sequence[Sequence[Cell]], hidden: list[list[bool]], *, biggest: bool = True) -> bool:
    """Hide a big part beside hidden ones of ten people and more together; says whether anything was hidden."""
    moved = False
    for row, flags in zip(rows, hidden, strict=True):
        away = [cell.persons for cell, flag in zip(row, flags, strict=True) if flag]
        if sum(away) >= LEAST > max(away, default=LEAST):
            moved |= _hide_one(row, flags, biggest=biggest)
    return moved


def _cover_columns(columns: Sequence[Sequence[Cell]], hidden: list[list[bool]]) -> bool:
    """Hide a big part of another line beside each hidden one: whoever knows all may take the others off."""
    moved = False
    for place, column in enumerate(columns):
        flags = [row[place] for row in hidden]
        away = [cell.persons for cell, flag in zip(column, flags, strict=True) if flag]
        if away and max(away) < LEAST and _hide_one(column, flags, biggest=False):
            moved = True
            for row, flag in zip(hidden, flags, strict=True):
                row[place] = flag
    return moved


def _hide_one(row: Sequence[Cell], flags: list[bool], *, biggest: bool) -> bool:
    shown = [place for place, flag in enumerate(flags) if not flag]
    if not shown:
        return False
    pick = max if biggest else min
    flags[pick(shown, key=lambda place: row[place].persons)] = True
    return True


def _close(row: Sequence[Cell], flags: Sequence[bool], whole: Cell) -> tuple[int | None, ...]:
    shown: list[int | None] = [None if flag else noisy(cell) for cell, flag in zip(row, flags, strict=True)]
    away = sum(cell.persons for cell, flag in zip(row, flags, strict=True) if flag)
    if away < LEAST and not all(flags):
        place = max(range(len(row)), key=lambda each: shown[each] or 0)
        others = sum(one or 0 for each, one in enumerate(shown) if each != place)
        shown[place] = max(LEAST, noisy(whole) - others)
    return tuple(shown)


def _margin(row: Sequence[Cell], flags: Sequence[bool]) -> int | None:
    away = sum(cell.persons for cell, flag in zip(row, flags, strict=True) if flag)
    if away < LEAST:
        seen = sum(noisy(cell) for cell, flag in zip(row, flags, strict=True) if not flag)
        return seen or None
    whole = Cell(sum(cell.persons for cell in row), sum(cell.key for cell in row) % _KEYS)
    return count(whole)
