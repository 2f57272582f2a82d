"""Between terminals and a library's system."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from api.sip2 import enriching, frames, run
from api.sip2.frames import LONGEST, Frame
from api.sip2.readers import Held
from core import clock
from tests.api.sip2.libraryworld import CODE, FREE, MORE, RULINGS, Library, library


def words(frame: Frame) -> list[str]:
    """The screen messages."""
    return [value for name, value in frame.fields if name == "AF"]


class TestUntouched:
    """What nobody was asked about goes through byte for byte."""

    async def test_every_line(self, tmp_path: Path) -> None:
        """Login, status, junk, unknown codes, other encodings and line ends arrive and are answered as they came."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            lib.system.raw["ZZ"] = b"junk \xff\xfe for junk"
            told = await machine.say(b"9300CNbridge|COa terminal's password|AY0AZ" + b"0000")
            assert told == b"96AZFEF6\r"
            assert await machine.say(b"9300CNbridge|COa terminal's password|") == b"941\r"
            assert (await machine.say(b"9900802.00", b"\r\n")).startswith(b"98YYYYYN030003")
            assert await machine.say(b"ZZ\x00\xff|||", b"\r\n") == b"junk \xff\xfe for junk\r"
            assert lib.system.heard[-1] == b"ZZ\x00\xff|||"
            assert lib.city.asked == []

    async def test_the_line_end_is_the_systems(self, tmp_path: Path) -> None:
        """A system that ends its lines with CR LF ends them so at the terminal."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            lib.system.end = b"\r\n"
            assert (await machine.say(b"9900802.00")).endswith(b"\r\n")

    async def test_a_reader_without_a_link(self, tmp_path: Path) -> None:
        """Who never linked a card is nobody to the city: no question, no byte changed."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            line = machine.question("R1")
            assert await machine.say(line) == (lib.system.answer(line) or b"") + b"\r"
            assert lib.city.asked == []

    async def test_a_standard_route(self, tmp_path: Path) -> None:
        """Asked and not granted: the same bytes as for a stranger."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            lib.link("R1")
            line = machine.question("R1")
            assert await machine.say(line) == (lib.system.answer(line) or b"") + b"\r"
            assert len(lib.city.asked) == 1

    async def test_away_and_slow(self, tmp_path: Path) -> None:
        """The city away, or slower than the library's patience: the library's own answer, in time."""
        async with library(tmp_path, "R1", patience_ms=50) as lib, lib.terminal() as machine:
            lib.link("R1")
            lib.city.granted, lib.city.away = {MORE}, True
            assert words(await machine.ask("R1")) == ["欢迎使用自助机"]
            lib.city.away, lib.city.delay = False, 1.0
            begun = asyncio.get_running_loop().time()
            assert words(await machine.ask("R1")) == ["欢迎使用自助机"]
            assert asyncio.get_running_loop().time() - begun < 0.5

    async def test_letters_that_the_system_has_not(self, tmp_path: Path) -> None:
        """A system of an old encoding: what cannot be written there is left out, the line is its own."""
        async with library(tmp_path, "R1", koha=False, encoding="latin-1") as lib, lib.terminal() as machine:
            lib.link("R1")
            lib.city.granted = {MORE}
            line = machine.question("R1")
            assert await machine.say(line) == (lib.system.answer(line) or b"") + b"\r"
            assert len(lib.city.asked) == 1

    async def test_our_own_fault(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """A mistake in the bridge itself is logged, without the card, and nobody at a terminal notices."""
        async with library(tmp_path, "R-77") as lib, lib.terminal() as machine:
            lib.link("R-77")
            lib.city.check = None  # type: ignore[assignment]
            line = machine.question("R-77")
            assert await machine.say(line) == (lib.system.answer(line) or b"") + b"\r"
        assert "TypeError" in caplog.text
        assert "R-77" not in caplog.text

    async def test_who_the_library_does_not_know(self, tmp_path: Path) -> None:
        """An invalid card and a wrong password are never asked about."""
        async with library(tmp_path, "R1", "R2") as lib, lib.terminal() as machine:
            lib.link("R1")
            lib.link("R2")
            lib.system.readers["R1"].pin = "1234"
            lib.system.readers["R2"].valid = False
            for card, pin in (("R1", "9999"), ("R2", ""), ("R3", "")):
                await machine.ask(card, pin=pin)
            assert lib.city.asked == []


class TestGranted:
    """What a perk adds."""

    async def test_a_class_a_limit_and_a_word(self, tmp_path: Path) -> None:
        """Raised in Koha first, then told: twenty books, in Chinese, with number and checksum as asked."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            lib.link("R1")
            lib.city.granted = {MORE}
            told = await machine.ask("R1")
            assert told.get("CB") == "0020"
            assert words(told)[0] == "欢迎使用自助机"
            assert words(told)[1].startswith("多借几册书：可借20册、借期60天，有效至")
            assert (told.sequence, told.checked) == ("1", True)
            assert lib.system.readers["R1"].category == "G1"
            assert lib.system.puts[0]["email"] == "kept@example.city"

    async def test_the_flags_are_the_systems_own(self, tmp_path: Path) -> None:
        """Somebody at the old limit: the flag goes because the system was asked again, not because we lifted it."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            lib.system.readers["R1"].out = 10
            assert (await machine.ask("R1")).fixed[5] == "Y"
            lib.link("R1")
            lib.city.granted = {MORE}
            assert (await machine.ask("R1")).fixed[5] == " "

    async def test_without_koha(self, tmp_path: Path) -> None:
        """A library whose system cannot be told has the answers enriched alone, its deposit in the fee limit."""
        async with library(tmp_path, "R1", koha=False, deposit_in_fees=True) as lib, lib.terminal() as machine:
            lib.link("R1", FREE)
            lib.link("R1", MORE)
            lib.city.granted = {FREE, MORE}
            told = await machine.ask("R1")
            assert (told.get("CB"), told.get("CC")) == ("0020", "250.00")
            assert any("免押金200元" in one for one in words(told))
            assert words(await machine.ask("R1", "23"))[0].startswith("免押金借书：")

    async def test_a_perk_without_a_class(self, tmp_path: Path) -> None:
        """A perk for which the library has no category is told in words, for the desk; no limit is promised."""
        async with library(tmp_path, "R1", rungs=()) as lib, lib.terminal() as machine:
            lib.link("R1")
            lib.city.granted = {MORE}
            told = await machine.ask("R1")
            assert told.get("CB") == "0010"
            assert words(told)[-1].startswith("多借几册书")

    async def test_koha_away(self, tmp_path: Path) -> None:
        """When the class cannot be changed no limit is promised; the next question tries again."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            lib.link("R1")
            lib.city.granted, lib.system.koha_status = {MORE}, 500
            told = await machine.ask("R1")
            assert (told.get("CB"), words(told)) == ("0010", ["欢迎使用自助机"])
            lib.system.koha_status = None
            assert (await machine.ask("R1")).get("CB") == "0020"

    async def test_what_is_late_serves_the_next(self, tmp_path: Path) -> None:
        """A grant that came too late for the screen is there at the next question."""
        async with library(tmp_path, "R1", patience_ms=20) as lib, lib.terminal() as machine:
            lib.link("R1")
            lib.city.granted, lib.city.delay = {MORE}, 0.1
            assert (await machine.ask("R1")).get("CB") == "0010"
            await lib.bridge.close()
            assert lib.system.readers["R1"].category == "G1"


class TestCodes:
    """A credit code scanned at a terminal."""

    async def test_after_the_card(self, tmp_path: Path) -> None:
        """The system hears the card, the terminal its code; what the code gave stays with the card."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            lib.city.granted = {MORE}
            await machine.ask("R1")
            told = await machine.ask(CODE)
            assert (told.get("AA"), told.get("CB")) == (CODE, "0020")
            assert all(CODE.encode() not in line for line in lib.system.heard)
            await machine.ask(CODE)
            assert len(set(lib.city.keys)) == 1
            lib.city.asked.clear()
            assert (await machine.ask("R1")).get("CB") == "0020"
            assert lib.city.asked == []

    async def test_at_another_card(self, tmp_path: Path) -> None:
        """The same code at another card is another question, which the city answers as used; no key tells a card."""
        async with library(tmp_path, "R1", "R2") as lib, lib.terminal() as machine:
            for card in ("R1", "R2"):
                await machine.ask(card)
                await machine.ask(CODE)
            first, second = lib.city.keys
            assert None not in {first, second}
            assert first != second

    async def test_before_any_card(self, tmp_path: Path) -> None:
        """Without a card on the table a code is not used up: the reader is told to begin with the card."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            assert words(await machine.ask(CODE))[-1] == "请先刷读者证，再扫信用码。"
            assert lib.city.asked == []

    async def test_the_table_is_cleared(self, tmp_path: Path) -> None:
        """After a session, after a card that is not valid, and at another terminal, no card is there."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine, lib.terminal() as other:
            await machine.ask("R1")
            assert "请先刷读者证" in words(await other.ask(CODE))[-1]
            await machine.say(frames.write(Frame("35", "20261122    153000", (("AA", "R1"),))))
            assert "请先刷读者证" in words(await machine.ask(CODE))[-1]
            await machine.ask("R1")
            await machine.ask("R9")
            assert "请先刷读者证" in words(await machine.ask(CODE))[-1]
            assert lib.city.asked == []

    async def test_used_or_foreign(self, tmp_path: Path) -> None:
        """A code that was used, is over or is another library's says so, and the answer is the library's own."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            lib.city.granted = {MORE}
            for reason in ("code_used", "code_expired", "code_not_for_you"):
                lib.city.reason = reason
                await machine.ask("R1")
                told = await machine.ask(CODE)
                assert "信用码" in words(told)[-1]
                assert told.get("CB") == "0010"
            lib.city.reason, lib.city.code_perk = "", "rental.deposit-free"
            assert "不是本馆" in words(await machine.ask(CODE))[-1]
            assert lib.system.readers["R1"].category == "PT"


class TestLowered:
    """Never mid-loan."""

    async def _raised(self, lib: Library) -> None:
        lib.link("R1")
        lib.city.granted = {MORE}
        async with lib.terminal() as machine:
            await machine.ask("R1")
        lib.system.readers["R1"].out = 12
        lib.city.granted = set()

    async def test_at_a_return(self, tmp_path: Path) -> None:
        """The perk is over with twelve on loan: the class stays until the return that makes it ten."""
        async with library(tmp_path, "R1") as lib:
            await self._raised(lib)
            async with lib.terminal() as machine:
                told = await machine.ask("R1")
                assert (told.get("CB"), words(told)) == ("0020", ["欢迎使用自助机"])
                back = frames.write(Frame("09", f"N{'20261122    153000' * 2}", (("AB", "R1-1"),)))
                for category in ("G1", "PT"):
                    await machine.say(back)
                    async with asyncio.timeout(5):
                        while lib.system.readers["R1"].category != category:
                            await asyncio.sleep(0.01)
                assert (await machine.ask("R1")).get("CB") == "0010"
            assert lib.readers.moved() == []

    async def test_by_the_sweep(self, tmp_path: Path) -> None:
        """The city's statement tells of the end; the sweep lowers once loans allow it, and asks nothing else."""
        async with library(tmp_path, "R1") as lib:
            await self._raised(lib)
            lib.city.asked.clear()
            yesterday = clock.today() - timedelta(days=1)
            lib.city.gone = {yesterday: [f"su_R1_{MORE}"]}
            parts = run.Made(lib.bridge, lib.city, lib.readers)  # type: ignore[arg-type]
            assert await run.sweep(parts) == run.Swept(1, 1, 0, ())
            assert lib.system.readers["R1"].category == "G1"
            lib.system.readers["R1"].out = 3
            assert await run.sweep(parts) == run.Swept(0, 1, 1, ())
            assert (lib.system.readers["R1"].category, lib.readers.moved(), lib.city.asked) == ("PT", [], [])

    async def test_what_a_code_gave_ends_by_date(self, tmp_path: Path) -> None:
        """A one-use code's class ends on its day, at a loan's end."""
        async with library(tmp_path, "R1") as lib:
            async with lib.terminal() as machine:
                lib.city.granted = {MORE}
                await machine.ask("R1")
                await machine.ask(CODE)
            lib.readers.drop("R1")
            lib.readers.hold(Held("R1", MORE, clock.today() - timedelta(days=1), told=RULINGS[MORE]))
            parts = run.Made(lib.bridge, lib.city, lib.readers)  # type: ignore[arg-type]
            assert await run.sweep(parts) == run.Swept(1, 1, 1, ())
            assert lib.system.readers["R1"].category == "PT"

    async def test_a_librarian_goes_first(self, tmp_path: Path) -> None:
        """Who was moved by hand meanwhile stays where the librarian put them."""
        async with library(tmp_path, "R1") as lib:
            await self._raised(lib)
            lib.system.readers["R1"].out = 0
            lib.system.readers["R1"].category = "G2"
            async with lib.terminal() as machine:
                await machine.ask("R1")
            assert (lib.system.readers["R1"].category, lib.readers.moved()) == ("G2", [])

    async def test_away(self, tmp_path: Path) -> None:
        """A sweep that could ask nobody says so and changes nothing."""
        async with library(tmp_path, "R1") as lib:
            await self._raised(lib)
            lib.city.away, lib.system.raw["63"] = True, b"junk"
            swept = await run.sweep(run.Made(lib.bridge, lib.city, lib.readers))  # type: ignore[arg-type]
            assert (swept.lowered, len(swept.unanswered)) == (0, 2)
            assert lib.system.readers["R1"].category == "G1"


class TestAttacks:
    """Terminals that mean no good."""

    async def test_a_flood_without_end(self, tmp_path: Path) -> None:
        """A line without end closes the conversation; others go on."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as bad, lib.terminal() as good:
            assert await bad.say(b"63" * LONGEST, b"") == b""
            assert enriching.limit(await good.ask("R1")) == 10

    async def test_more_terminals_than_allowed(self, tmp_path: Path) -> None:
        """Beyond the library's number a connection is closed at once."""
        async with (
            library(tmp_path, "R1") as lib,
            lib.terminal() as one,
            lib.terminal() as two,
            lib.terminal() as three,
        ):
            for machine in (one, two, three):
                await machine.ask("R1")
            async with lib.terminal() as fourth:
                assert await fourth.say(b"9900802.00") == b""

    async def test_nothing_is_smuggled_in(self, tmp_path: Path) -> None:
        """A code with field signs in it never becomes a second field of a message to the system."""
        async with library(tmp_path, "R1") as lib, lib.terminal() as machine:
            await machine.ask("R1")
            before = len(lib.system.heard)
            await machine.say(b"63000" + b"20261122    153000" + b" " * 10 + b"AOlib|AACC1:X|AAR2|AC|")
            assert len(lib.system.heard) == before + 1
            heard = frames.read(lib.system.heard[-1])
            assert (heard.get("AA"), len(heard.fields)) == ("R1", 4)
