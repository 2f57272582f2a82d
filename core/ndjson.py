"""Newline-delimited JSON from a stream of bytes, in memory that does not grow with the stream.

`inflate` undoes gzip (RFC 1952) as it comes, with a limit on what comes out and on its ratio to what went in. `lines`
cuts at LF; a line beyond the limit is passed on as None and its bytes are never held. Pure but for the source it reads.
"""

import zlib
from collections.abc import AsyncIterator

from core.errors import Malformed, TooLarge

_GZIP = 31  # zlib's window bits for a gzip wrapper
_PIECE = 1 << 16
_RATIO = 300  # NDJSON of one kind shrinks some 30 times, zlib's most is about 1,030 times
_FREE = 1 << 20
_NO_GZIP = "The body says gzip and is not; nothing of it was kept. Send it again, or without Content-Encoding."


async def bounded(chunks: AsyncIterator[bytes], *, limit: int) -> AsyncIterator[bytes]:
    """Pass bytes on; raises TooLarge beyond `limit`."""
    total = 0
    async for chunk in chunks:
        total += len(chunk)
        if total > limit:
            detail = f"More than {limit} bytes. Send the rest in further requests; nothing of this one was kept."
            raise TooLarge(detail)
        yield chunk


async def inflate(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Undo gzip, members one after another; raises Malformed when it is broken or cut, TooLarge for a bomb."""
    stream, taken, given = zlib.decompressobj(_GZIP), 0, 0
    fresh = True
    async for chunk in chunks:
        taken += len(chunk)
        rest = chunk
        while rest:
            if stream.eof:
                stream = zlib.decompressobj(_GZIP)
            fresh = False
            try:
                piece = stream.decompress(rest, _PIECE)
            except zlib.error as error:
                raise Malformed(_NO_GZIP) from error
            given += len(piece)
            if given > _FREE and given > _RATIO * taken:
                detail = f"The gzip stream swells more than {_RATIO} times. Send it plain, in smaller parts."
                raise TooLarge(detail)
            yield piece
            rest = stream.unused_data if stream.eof else stream.unconsumed_tail
    if fresh or not stream.eof:
        detail = "The gzip stream ends early; nothing of it was kept. Send it again."
        raise Malformed(detail)


async def lines(chunks: AsyncIterator[bytes], *, longest: int) -> AsyncIterator[bytes | None]:
    """Every line without its LF, blank ones as b"", and None for one of more than `longest` bytes."""
    held, skipping = b"", False
    async for chunk in chunks:
        *whole, last = (held + chunk).split(b"\n")
        for line in whole:
            if skipping or len(line) > longest:
                skipping = False
                yield None
            elif line and not line.isspace():
                yield line
            else:
                yield b""
        held = last
        if skipping or len(held) > longest:
            held, skipping = b"", True
    if skipping:
        yield None
    elif held and not held.isspace():
        yield held
