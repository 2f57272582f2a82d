"""A request goes where somebody registered it, and nowhere else."""

import asyncio
import socket
from typing import Any

import pytest

from core import outbound
from core.errors import TooLarge
from core.outbound import BadAddress, NotReached

ANY = "0.0.0.0"  # noqa: S104  (it may not be called)
NEVER = ("127.0.0.1", "169.254.169.254", ANY, "224.0.0.1", "::1", "fe80::1", "::ffff:127.0.0.1")


INSIDE = (
    *NEVER, "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fc00::1", "::ffff:10.1.2.3", "2002:a01:203::1",
    "64:ff9b::a01:203", "2001:0:a01:203::1", "198.18.0.1", "255.255.255.255",
)  # fmt: skip


async def sent(address: str, *, sandbox: bool = False, seconds: float = 2.0, public: bool = False) -> int:
    """The status of one request."""
    async with outbound.post(
        address, body=b"{}", headers={}, sandbox=sandbox, most=10_000, seconds=seconds, public=public
    ) as answer:
        async for _ in answer.chunks:
            pass
        return answer.status


@pytest.fixture
def leads(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a name leads to."""

    def lead(address: str) -> None:
        async def found(*_: Any, **__: Any) -> Any:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)

    return lead


class TestReach:
    """Where it may not go."""

    @pytest.mark.parametrize("address", NEVER)
    async def test_a_name_that_leads_to_this_machine_or_its_neighbours(self, leads: Any, address: str) -> None:
        """A registered name that leads here, or to a cloud's metadata, is not followed."""
        leads(address)
        with pytest.raises(NotReached, match="may not be reached"):
            await sent("https://bureau.example/x")

    @pytest.mark.parametrize("address", INSIDE)
    async def test_a_merchant_is_on_the_public_internet(self, leads: Any, address: str) -> None:
        """A name that leads into a private network, by whatever spelling, is not followed for a `public` request."""
        leads(address)
        with pytest.raises(NotReached, match="may not be reached"):
            await sent("https://merchant.example/x", public=True)

    async def test_a_name_that_changes_its_mind_gains_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second look-up would lead inside; there is none, and the checked address is the one that is called."""
        leads = iter(["93.184.216.34", "169.254.169.254", "169.254.169.254"])

        async def found(*_: Any, **__: Any) -> Any:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(leads), 443))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
        with pytest.raises(ExceptionGroup) as left:
            await sent("https://merchant.example/x", public=True)
        assert "('93.184.216.34', 443)" in str(left.value.exceptions[0])

    async def test_the_address_that_was_checked_is_the_one_that_is_called(self, leads: Any) -> None:
        """The name is looked up once: the connection goes to the checked address (the test's wall names it)."""
        leads("10.1.2.3")
        with pytest.raises(ExceptionGroup) as left:
            await sent("https://bureau.example/x")
        assert "('10.1.2.3', 443)" in str(left.value.exceptions[0])

    async def test_loopback_in_the_open(self) -> None:
        """Outside a sandbox a loopback address cannot even be registered."""
        with pytest.raises(BadAddress):
            await sent("http://127.0.0.1:9/x")

    async def test_nobody_there(self) -> None:
        """A port where nobody listens is said to be one, and nothing else of it."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(NotReached):
            await sent(f"http://127.0.0.1:{port}/x", sandbox=True)

    async def test_somebody_who_says_nothing(self) -> None:
        """Who takes the connection and is silent is left after the time."""
        with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(NotReached):
            await sent(f"http://127.0.0.1:{listener.getsockname()[1]}/x", sandbox=True, seconds=0.3)


class TestAnswer:
    """What comes back."""

    @staticmethod
    async def serving(content: bytes) -> tuple[asyncio.Server, str]:
        """Somebody who answers everything with these bytes, and their address."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"

    async def test_too_much_is_not_as_agreed(self) -> None:
        """Beyond the agreed size nothing more is read."""
        server, address = await self.serving(b"x" * 20_000)
        async with server:
            with pytest.raises(NotReached):
                await sent(address, sandbox=True)

    @pytest.mark.parametrize("fault", [OSError("ours"), TimeoutError("ours"), TooLarge("ours")])
    async def test_a_fault_of_the_reader_is_not_laid_on_the_other_side(self, fault: Exception) -> None:
        """A database that is away while the answer is stored stays what it is."""

        async def read(address: str) -> None:
            async with outbound.post(address, body=b"{}", headers={}, sandbox=True, most=9, seconds=2) as answer:
                async for _ in answer.chunks:
                    raise fault

        server, address = await self.serving(b"x")
        async with server:
            with pytest.raises(type(fault), match="ours"):
                await read(address)
