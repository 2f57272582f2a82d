"""The server's protocol: head and body leave together, streams as they come."""

import asyncio
from typing import Any, cast

from api import wire


class Sent:
    """A transport that remembers what was written."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        """Remember."""
        assert not self.closed
        self.pieces.append(data)

    def close(self) -> None:
        """Remember."""
        self.closed = True

    def get_extra_info(self, name: str) -> Any:
        """Something to pass on."""
        return f"the {name}"


def together() -> tuple[Sent, asyncio.Transport]:
    """A transport and what it writes to."""
    sent = Sent()
    made: Any = wire.Together(cast("asyncio.Transport", sent), asyncio.get_running_loop())
    return sent, made


class TestTogether:
    """Writing."""

    async def test_two_pieces_are_one(self) -> None:
        """Nothing of the second waits, and nothing comes twice."""
        sent, transport = together()
        transport.write(b"head ")
        transport.write(b"body")
        assert sent.pieces == [b"head body"]
        await asyncio.sleep(0)
        assert sent.pieces == [b"head body"]

    async def test_a_piece_alone_goes_by_the_next_turn(self) -> None:
        """So an event stream's head does not wait for its first event."""
        sent, transport = together()
        transport.write(b"head")
        assert sent.pieces == []
        await asyncio.sleep(0)
        assert sent.pieces == [b"head"]

    async def test_closing_sends_first(self) -> None:
        """A refusal that ends the connection arrives."""
        sent, transport = together()
        transport.write(b"400")
        transport.close()
        assert (sent.pieces, sent.closed) == ([b"400"], True)

    async def test_everything_else_is_the_transports(self) -> None:
        """What is not written is passed on."""
        _, transport = together()
        assert transport.get_extra_info("peername") == "the peername"
