"""The stored tree: fetches the hashes that roots and proofs are made of, some hundred rows however long the log is."""

from collections.abc import Sequence
from typing import Any

from core import merkle
from core.merkle import Piece

_STEP = 8
_FETCH = """
  select w.place, coalesce(n.hash, l.hash) as hash
  from unnest($1::int[], $2::smallint[], $3::bigint[], $4::bigint[]) as w (place, level, first, past)
  left join lateral (
    select index, hash from core.audit_node n where n.level = w.level and n.index >= w.first and n.index < w.past
  ) n on w.level > 0
  left join lateral (
    select seq, hash from core.audit_leaf l where l.seq >= w.first and l.seq < w.past
  ) l on w.level = 0
  order by w.place, coalesce(n.index, l.seq)
"""


async def roots(connection: Any, wanted: Sequence[Piece]) -> list[bytes]:
    """The root of each complete subtree; `connection` is a raw one that may read leaves and nodes."""
    levels = [piece.level // _STEP * _STEP for piece in wanted]
    spans = [piece.level - level for piece, level in zip(wanted, levels, strict=True)]
    rows: list[Any] = await connection.fetch(
        _FETCH,
        list(range(len(wanted))),
        levels,
        [piece.index << span for piece, span in zip(wanted, spans, strict=True)],
        [piece.index + 1 << span for piece, span in zip(wanted, spans, strict=True)],
    )
    below: list[list[bytes]] = [[] for _ in wanted]
    for row in rows:
        below[int(row["place"])].append(row["hash"])
    return [_folded(hashes) for hashes in below]


def _folded(hashes: list[bytes]) -> bytes:
    """The root over neighbours of one level, 2^n of them."""
    while len(hashes) > 1:
        hashes = [merkle.node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


async def over(connection: Any, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """The root over each range of leaves, as `merkle.inclusion_ranges` and `consistency_ranges` name them."""
    parts = [merkle.pieces(start, end) for start, end in ranges]
    found = iter(await roots(connection, [piece for some in parts for piece in some]))
    return [merkle.fold([next(found) for _ in some]) for some in parts]


async def root(connection: Any, size: int) -> bytes:
    """The root of the tree as it was at `size`."""
    return merkle.fold(await roots(connection, merkle.pieces(0, size)))
