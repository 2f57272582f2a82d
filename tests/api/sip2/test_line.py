"""Our own line to a library's system."""

import asyncio

import pytest

from api.sip2 import enriching, frames
from api.sip2.frames import Frame
from api.sip2.line import Line, LineError
from tests import librarysystem
from tests.librarysystem import System


def line(system: System, **more: tuple[str, str]) -> Line:
    """A line that is not open yet."""
    return Line("127.0.0.1", system.port, institution="lib", **{"login": system.logins[0], **more})


class TestPatron:
    """How many somebody has on loan."""

    async def test_it_logs_in_once_and_numbers_each(self) -> None:
        """One login, then questions with rising numbers and checksums, none of which asks for a list."""
        async with librarysystem.running("R1") as system:
            system.readers["R1"].out = 7
            here = line(system)
            assert [enriching.on_loan(await here.patron("R1")) for _ in range(2)] == [7, 7]
            heard = [frames.read(one) for one in system.heard]
            assert [one.code for one in heard] == ["93", "63", "63"]
            assert [(one.sequence, one.checked) for one in heard] == [("0", True), ("1", True), ("2", True)]
            assert heard[1].fixed[21:] == " " * 10
            await here.close()

    async def test_damaged_answers_are_asked_for_again(self) -> None:
        """A checksum that does not hold is answered with 97, and the repeat is taken."""
        async with librarysystem.running("R1") as system:
            here = line(system)
            await here.patron("R1")
            system.damaged = 2
            assert enriching.limit(await here.patron("R1")) == 10
            assert [one[:2] for one in system.heard[-3:]] == [b"63", b"97", b"97"]
            await here.close()

    async def test_three_times_and_no_more(self) -> None:
        """Damage without end ends the line; the next question opens a new one."""
        async with librarysystem.running("R1") as system:
            here = line(system)
            await here.patron("R1")
            system.damaged = 3
            with pytest.raises(LineError):
                await here.patron("R1")
            assert enriching.limit(await here.patron("R1")) == 10
            assert [one[:2] for one in system.heard].count(b"93") == 2
            await here.close()

    async def test_ours_is_sent_again(self) -> None:
        """A 96 makes us send the same message again."""
        async with librarysystem.running("R1") as system:
            here = line(system)
            await here.patron("R1")
            system.raw["63"] = b"96AZFEF6"
            with pytest.raises(LineError):
                await here.patron("R1")
            assert len({one for one in system.heard if one.startswith(b"63")}) == 2
            assert len([one for one in system.heard if one.startswith(b"63")]) == 4
            await here.close()

    async def test_a_wrong_password(self) -> None:
        """A system that does not let us in."""
        async with librarysystem.running("R1") as system:
            here = line(system, login=("bridge", "wrong"))
            with pytest.raises(LineError):
                await here.patron("R1")

    async def test_nobody_there(self) -> None:
        """A system that is away."""
        async with librarysystem.running() as system:
            here = line(system)
        with pytest.raises(LineError):
            await here.patron("R1")

    async def test_one_at_a_time(self) -> None:
        """Two who ask at once each have their own answer."""
        async with librarysystem.running("R1", "R2") as system:
            here = line(system)
            told = await asyncio.gather(*(here.patron(card) for card in ("R1", "R2", "R1")))
            assert [one.get("AA") for one in told] == ["R1", "R2", "R1"]
            await here.close()

    async def test_given_up_halfway(self) -> None:
        """A question that was given up never leaves its answer to the next one."""
        async with librarysystem.running("R1", "R2") as system:
            here = line(system)
            await here.patron("R1")
            system.delay = 0.2
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await here.patron("R1")
            system.delay = 0.0
            assert (await here.patron("R2")).get("AA") == "R2"
            await here.close()


class TestAsk:
    """A terminal's own question, asked again."""

    async def test_it_is_numbered_by_us(self) -> None:
        """The terminal's number and checksum are replaced by ours."""
        async with librarysystem.running("R1") as system:
            here = line(system)
            asked = Frame("23", "00020261122    153000", (("AO", "lib"), ("AA", "R1"), ("AC", ""), ("AD", "")))
            assert (await here.ask(asked)).code == "24"
            assert frames.read(system.heard[-1]).checked
            await here.close()
