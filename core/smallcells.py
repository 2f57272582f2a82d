"""Small cells of a published count are hidden, and so many others that no total gives them back. Pure.

A cell about fewer than ten persons is hidden. Whoever knows the total (the log's size is public, so it counts as known)
may take the shown cells from it: what is left over must be shared by at least two hidden cells, and leave each at least
eleven values to have. Promises that of the published numbers alone; two tables that overlap are not compared.
"""

from collections.abc import Sequence

import msgspec

LEAST = 10


class Cell(msgspec.Struct, frozen=True):
    """How often, and about how many persons (>= 1); `key` names the cell."""

    key: tuple[str, ...]
    accesses: int
    persons: int


class Shown(msgspec.Struct, frozen=True):
    """A cell as published; both numbers are None where `suppressed`."""

    key: tuple[str, ...]
    accesses: int | None
    persons: int | None
    suppressed: bool


class Table(msgspec.Struct, frozen=True):
    """Every cell in the order of its key; `total` is None where it would give a hidden one away."""

    cells: list[Shown]
    total: int | None


def publish(cells: Sequence[Cell]) -> Table:
    """The table that may leave the house."""
    hidden = {cell.key: cell for cell in cells if cell.persons < LEAST}
    rest = sorted((cell for cell in cells if cell.key not in hidden), key=lambda cell: (-cell.accesses, cell.key))
    while hidden and rest and not _safe(hidden):
        smallest = rest.pop()
        hidden[smallest.key] = smallest
    total = sum(cell.accesses for cell in cells)
    ordered = sorted(cells, key=lambda cell: cell.key)
    return Table([_show(cell, cell.key in hidden) for cell in ordered], total if _safe(hidden) else None)


def _safe(hidden: dict[tuple[str, ...], Cell]) -> bool:
    """Whether the sum of the hidden cells, each at least 1, leaves each of them room."""
    room = sum(cell.accesses for cell in hidden.values()) - len(hidden)
    return not hidden or (len(hidden) > 1 and room >= LEAST)


def _show(cell: Cell, suppressed: bool) -> Shown:  # noqa: FBT001  (private, and read at once)
    if suppressed:
        return Shown(cell.key, None, None, suppressed=True)
    return Shown(cell.key, cell.accesses, cell.persons, suppressed=False)
