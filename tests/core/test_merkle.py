"""The tree is RFC 9162's, by its published vectors and by its definition; proofs hold and altered ones do not."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import merkle

# The eight inputs and the roots of RFC 6962's reference implementation (certificate-transparency, merkle_tree_test).
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {  # (leaf, size) from 0: the audit paths of the same implementation
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
STEPS = {  # (old, new): the consistency proofs of the same implementation
    (1, 8): PATHS[(0, 8)],
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


def mth(leaves: list[bytes]) -> bytes:
    """The root by the definition of RFC 9162, section 2.1.1, over leaves' hashes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + mth(leaves[:split]) + mth(leaves[split:])).digest()


def grown(count: int) -> list[bytes]:
    """The first leaves' hashes."""
    return [merkle.leaf_hash(INPUTS[n] if n < 8 else n.to_bytes(4)) for n in range(count)]


def inclusion(leaves: list[bytes], index: int) -> list[bytes]:
    """The proof that a leaf is there."""
    return [mth(leaves[start:end]) for start, end in merkle.inclusion_ranges(index, len(leaves))]


def consistency(leaves: list[bytes], old: int) -> list[bytes]:
    """The proof that the tree continues an older one."""
    return [mth(leaves[start:end]) for start, end in merkle.consistency_ranges(old, len(leaves))]


class TestVectors:
    """What others computed."""

    def test_roots(self) -> None:
        """The published roots of one to eight leaves, and of none."""
        frontier = merkle.Frontier()
        assert frontier.root() == merkle.EMPTY == hashlib.sha256(b"").digest()
        for leaf, root in zip(grown(8), ROOTS, strict=True):
            frontier.append(leaf)
            assert frontier.root().hex() == root

    @pytest.mark.parametrize("place", PATHS)
    def test_inclusion(self, place: tuple[int, int]) -> None:
        """The published audit paths."""
        index, size = place
        assert [one.hex() for one in inclusion(grown(size), index)] == list(PATHS[place])

    @pytest.mark.parametrize("sizes", STEPS)
    def test_consistency(self, sizes: tuple[int, int]) -> None:
        """The published consistency proofs."""
        old, new = sizes
        assert [one.hex() for one in consistency(grown(new), old)] == list(STEPS[sizes])


class TestProofs:
    """For every tree."""

    @given(st.integers(1, 70), st.data())
    def test_what_is_there_is_proved_and_nothing_else(self, size: int, data: st.DataObject) -> None:
        """The proof holds for its leaf at its place under its root; not for another leaf, place, size or path."""
        index = data.draw(st.integers(0, size - 1))
        leaves = grown(size)
        root, proof = mth(leaves), inclusion(leaves, index)
        assert merkle.includes(leaves[index], index, size, proof, root)
        assert not merkle.includes(merkle.leaf_hash(b"another"), index, size, proof, root)
        assert not merkle.includes(leaves[index], size, size, proof, root)
        assert not merkle.includes(leaves[index], index, size, [*proof, root], root)
        if proof:
            assert not merkle.includes(leaves[index], index ^ 1, size, proof, root)
            assert not merkle.includes(leaves[index], index, size, proof[:-1], root)

    @given(st.integers(1, 70), st.data())
    def test_growth_is_proved_and_a_rewritten_past_is_not(self, new: int, data: st.DataObject) -> None:
        """The proof holds between a tree and its beginning; not when a leaf of the beginning was another."""
        old = data.draw(st.integers(1, new))
        leaves = grown(new)
        proof = consistency(leaves, old)
        before, after = mth(leaves[:old]), mth(leaves)
        assert merkle.continues(old, new, proof, before, after)
        rewritten = [merkle.leaf_hash(b"another"), *leaves[1:]]
        assert not merkle.continues(old, new, consistency(rewritten, old), before, mth(rewritten))
        if old < new:
            assert not merkle.continues(old, new, proof[:-1], before, after)
            assert not merkle.continues(old, new, [*proof, after], before, after)
            assert not merkle.continues(new, old, proof, after, before)

    @given(st.integers(0, 70))
    def test_a_frontier_is_the_tree(self, size: int) -> None:
        """Appending one by one gives the root of the definition; every completed subtree is told with its root."""
        leaves, frontier = grown(size), merkle.Frontier()
        for leaf in leaves:
            for piece, root in frontier.append(leaf):
                start = piece.index << piece.level
                assert root == mth(leaves[start : start + (1 << piece.level)])
        assert frontier.root() == mth(leaves)
        roots = [mth(leaves[one.index << one.level : one.index + 1 << one.level]) for one in merkle.pieces(0, size)]
        assert merkle.Frontier(size, roots).root() == merkle.fold(roots) == mth(leaves)

    def test_an_empty_tree_is_the_beginning_of_all(self) -> None:
        """From nothing, only the empty proof holds; a tree continues itself."""
        assert merkle.consistency_ranges(0, 5) == merkle.consistency_ranges(5, 5) == []
        assert merkle.continues(0, 5, [], b"", b"x")
        assert not merkle.continues(0, 5, [b"x"], b"", b"x")
        assert merkle.continues(5, 5, [], b"x", b"x")
        assert not merkle.continues(5, 5, [], b"x", b"y")
