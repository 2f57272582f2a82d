"""Lines and gzip from a stream, whatever the pieces that it comes in."""

import gzip
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import ndjson
from core.errors import Malformed, TooLarge


async def pieces(body: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    """A body cut at these places."""
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        yield body[start:end]


LINE = st.binary(max_size=12).map(lambda line: line.replace(b"\n", b""))


class TestLines:
    """`ndjson.lines`."""

    @given(lines=st.lists(LINE, max_size=8), cuts=st.lists(st.integers(0, 200), max_size=8), ended=st.booleans())
    async def test_pieces_change_nothing(self, lines: list[bytes], cuts: list[int], ended: bool) -> None:  # noqa: FBT001
        """Any cutting gives the same lines; blank ones are empty, longer ones None, and nothing else is lost."""
        body = b"\n".join(lines) + (b"\n" if ended and lines else b"")
        found = [line async for line in ndjson.lines(pieces(body, cuts), longest=8)]
        expected = [None if len(line) > 8 else b"" if line.isspace() else line for line in body.split(b"\n")]
        assert found == (expected[:-1] if expected[-1] == b"" else expected)

    async def test_a_long_line_is_never_held(self) -> None:
        """However long, it is one None."""

        async def body() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield b"x" * 1000
            yield b"\nok"

        assert [line async for line in ndjson.lines(body(), longest=64)] == [None, b"ok"]


class TestInflate:
    """`ndjson.inflate`."""

    @given(
        parts=st.lists(st.binary(max_size=300), min_size=1, max_size=3), cuts=st.lists(st.integers(0, 500), max_size=6)
    )
    async def test_what_was_packed(self, parts: list[bytes], cuts: list[int]) -> None:
        """One member or several, cut anywhere, give back what was packed."""
        packed = b"".join(map(gzip.compress, parts))
        assert b"".join([piece async for piece in ndjson.inflate(pieces(packed, cuts))]) == b"".join(parts)

    @given(keep=st.integers(0, 60))
    async def test_a_cut_stream(self, keep: int) -> None:
        """A stream that ends early is malformed, wherever it was cut."""
        packed = gzip.compress(b"a line\n" * 10)
        with pytest.raises(Malformed):
            _ = [piece async for piece in ndjson.inflate(pieces(packed[: min(keep, len(packed) - 1)], []))]

    async def test_rubbish_behind(self) -> None:
        """Bytes after the last member that are no member are malformed."""
        with pytest.raises(Malformed):
            _ = [piece async for piece in ndjson.inflate(pieces(gzip.compress(b"x") + b"rubbish", []))]

    async def test_a_large_honest_stream(self) -> None:
        """Records repeat themselves; what shrinks some fifty times is no bomb."""
        body = b"".join(b'{"ref":"r%d","kind":"P01","fields":{"on_time":true}}\n' % n for n in range(50_000))
        packed = gzip.compress(body, 9)
        assert b"".join([piece async for piece in ndjson.inflate(pieces(packed, [1000, 50_000]))]) == body

    async def test_a_bomb(self) -> None:
        """What swells a thousand times is refused long before its end."""
        packed = gzip.compress(b"\0" * 50_000_000, 9)
        stream = ndjson.inflate(pieces(packed, list(range(0, 50_000, 500))))
        first = [await anext(stream) for _ in range(10)]
        assert sum(map(len, first)) < 2_000_000
        with pytest.raises(TooLarge):
            _ = [piece async for piece in stream]


class TestBounded:
    """`ndjson.bounded`."""

    async def test_the_limit(self) -> None:
        """Exactly the limit passes, one byte more does not."""
        assert len(b"".join([one async for one in ndjson.bounded(pieces(b"x" * 10, [3]), limit=10)])) == 10
        with pytest.raises(TooLarge):
            _ = [one async for one in ndjson.bounded(pieces(b"x" * 11, [3]), limit=10)]
