"""The tree of RFC 9162 (section 2.1), which is RFC 6962's: its hashes, its two proofs, and how to check them. Pure.

A tree over n leaves is known by its frontier: the roots of the complete subtrees that n's binary digits name. Proofs
are first told as ranges of leaves, so that whoever keeps the hashes decides how to fetch them.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

HASH_BYTES = 32
EMPTY = hashlib.sha256().digest()


class Piece(msgspec.Struct, frozen=True):
    """A complete subtree: the leaves from `index` * 2^`level` on, 2^`level` of them."""

    level: int
    index: int


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier:
    """A growing tree, kept as the roots of its complete subtrees, the largest first."""

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        """`roots` are the hashes of `pieces(0, size)`."""
        self.size = size
        self._roots = list(roots)

    def append(self, leaf: bytes) -> list[tuple[Piece, bytes]]:
        """Add a leaf's hash; the subtrees that it completed, the smallest first."""
        completed = [(Piece(0, self.size), leaf)]
        index = self.size
        while index & 1:
            leaf = node_hash(self._roots.pop(), leaf)
            index >>= 1
            completed.append((Piece(len(completed), index), leaf))
        self._roots.append(leaf)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the whole tree."""
        return fold(self._roots)


def fold(roots: Sequence[bytes]) -> bytes:
    """The root over neighbouring complete subtrees, the largest first."""
    if not roots:
        return EMPTY
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = node_hash(left, root)
    return root


def pieces(start: int, end: int) -> list[Piece]:
    """The complete subtrees of a range of leaves that is a subtree or a tree's right edge; `fold` gives its root."""
    found: list[Piece] = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append(Piece(level, start >> level))
        start += 1 << level
    return found


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges whose roots prove that leaf `index` is in the tree of `size` (RFC 9162, section 2.1.3.1)."""
    start, end = 0, size
    path: list[tuple[int, int]] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """The ranges whose roots prove that the tree of `new` continues that of `old` (RFC 9162, section 2.1.4.1)."""
    if not 0 < old < new:
        return []
    start, end, whole = 0, new, True
    path: list[tuple[int, int]] = []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, whole = middle, False
    if not whole:
        path.append((start, end))
    return path[::-1]


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows the leaf's hash at `index` under `root` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def continues(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether `proof` shows that the tree of `new` begins with the tree of `old` (RFC 9162, section 2.1.4.2)."""
    if old in {0, new}:
        return not proof and (old == 0 or old_root == new_root)
    if not 0 < old < new or not proof:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    path = list(proof) if place else [old_root, *proof]
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
