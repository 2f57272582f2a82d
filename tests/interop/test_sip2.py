"""The library bridge between programs that we did not write: `Sip2` as a terminal, `pysip2` as a library's system.

pysip2 speaks cp850 unless told otherwise, Sip2 parses by letters and sums by letters: both are asked for UTF-8, and
Chinese goes through in both directions.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from api.sip2 import enriching, proxy
from api.sip2.line import Line, LineError
from api.sip2.readers import Readers
from tests.api.sip2.libraryworld import CODE, MORE, Library, Told, bridge_of, places

pytestmark = pytest.mark.interop
abc = pytest.importorskip("anyio.abc")  # pysip2 stands on it
pysip2 = pytest.importorskip("pysip2")
wrapper = pytest.importorskip("Sip2.wrapper")

PIN = "1234"
WELCOME = "张三明，欢迎来到桂花市图书馆"
TITLES = ("1: 桂花雨", "2: 边城")


def system(encoding: str = "utf-8") -> Any:
    """A library's system made of pysip2: one reader R1 with ten of ten books on loan, PIN 1234, login required."""
    made = pysip2.SIP2Server(
        encoding=encoding, institution_id="桂花市图书馆", login_required=True, error_detection="required"
    )
    heard: list[Any] = []
    made.heard = heard

    @made.route(pysip2.LOGIN)
    async def login(asked: Any, _context: Any) -> Any:
        right = (asked.login_user_id, asked.login_password) in {("bridge", "密码"), ("machine", "pw")}
        return pysip2.LoginResponse(ok="1" if right else "0")

    def known(asked: Any) -> dict[str, Any]:
        heard.append(asked)
        right = asked.patron_identifier == "R1"
        return {
            "patron_status": "     Y        ", "language": asked.language, "transaction_date": asked.transaction_date,
            "institution_id": "桂花市图书馆", "patron_identifier": asked.patron_identifier, "personal_name": "张*明",
            "valid_patron": "NY"[right], "valid_patron_password": "NY"[asked.patron_password == PIN],
            "screen_message": (WELCOME,),
        }  # fmt: skip

    @made.route(pysip2.PATRON_STATUS)
    async def status(asked: Any, _context: Any) -> Any:
        return pysip2.PatronStatusResponse(**known(asked))

    @made.route(pysip2.PATRON_INFORMATION)
    async def information(asked: Any, _context: Any) -> Any:
        counts = dict.fromkeys(("hold_items", "overdue_items", "fine_items", "recall_items"), "0000")
        wanted = asked.summary[2] == "Y"
        return pysip2.PatronInformationResponse(
            **known(asked), **{f"{name}_count": value for name, value in counts.items()}, charged_items_count="0010",
            unavailable_holds_count="0000", charged_items_limit="0010", charged_items=TITLES if wanted else (),
        )  # fmt: skip

    @made.route(pysip2.END_PATRON_SESSION)
    async def end(asked: Any, _context: Any) -> Any:
        return pysip2.EndSessionResponse(
            end_session="Y", transaction_date=asked.transaction_date, institution_id="桂花市图书馆",
            patron_identifier=asked.patron_identifier,
        )  # fmt: skip

    return made


@asynccontextmanager
async def served(made: Any) -> AsyncIterator[int]:
    """The port of such a system for the length of a block; pysip2's own `start` leaves its listener open."""
    listener = await made.listen("127.0.0.1", 0)
    task = asyncio.create_task(listener.serve(made._handle_connection))
    try:
        yield listener.extra(abc.SocketAttribute.local_port)  # noqa: S610  (anyio means it, not Django)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await listener.aclose()


@asynccontextmanager
async def between(folder: Path) -> AsyncIterator[Library]:
    """The bridge before such a system, without Koha; the city says what a test wants."""
    made = system()
    async with served(made) as port:
        here, told = places(folder, port), Told()
        readers = Readers(here.file)
        line = Line("127.0.0.1", port, institution="桂花市图书馆", login=("bridge", "密码"))
        bridge = bridge_of(here, told, readers, register=None, line=line)
        try:
            async with proxy.listening(here, bridge) as listening:
                yield Library(made, told, readers, bridge, here, listening)
        finally:
            await line.close()
            readers.close()


class TestSip2AsTerminal:
    """Sip2 1.1 at our port, pysip2 0.1.0 behind us."""

    async def test_login_and_what_is_enriched(self, tmp_path: Path) -> None:
        """A reader is logged in; the limit is ours, titles and welcome are the system's own, our word is Chinese."""
        async with between(tmp_path) as lib:
            lib.link("R1")
            lib.city.granted = {MORE}
            told = await asyncio.to_thread(_visit, lib.port, tmp_path, "R1")
            assert told["device"] is True
            assert told["patron"] is True
            assert told["wrong"] is False
            assert told["status"]["variable"]["AF"][0] == WELCOME
            assert told["status"]["variable"]["AF"][1].startswith("多借几册书：可借20册、借期60天")
            assert told["information"]["variable"]["CB"] == ["0020"]
            assert told["information"]["fixed"]["ChargedItemsCount"] == "0010"
            assert told["charged"] == list(TITLES)

    async def test_a_stranger(self, tmp_path: Path) -> None:
        """Nobody's link: the system's own answer, also when the city is away."""
        async with between(tmp_path) as lib:
            lib.city.away = True
            lib.link("R1")
            told = await asyncio.to_thread(_visit, lib.port, tmp_path, "R1")
            assert told["status"]["variable"]["AF"] == [WELCOME]
            assert told["information"]["variable"]["CB"] == ["0010"]

    async def test_a_code_after_the_card(self, tmp_path: Path) -> None:
        """The code is scanned where the card was; pysip2 never hears it, Sip2 sees the limit grow."""
        async with between(tmp_path) as lib:
            lib.city.granted = {MORE}
            told = await asyncio.to_thread(_visit, lib.port, tmp_path, "R1", CODE)
            assert told["scanned"]["variable"]["AA"] == [CODE]
            assert told["scanned"]["variable"]["CB"] == ["0020"]
            assert {one.patron_identifier for one in lib.system.heard} == {"R1"}


def _visit(port: int, folder: Path, card: str, code: str | None = None) -> dict[str, Any]:
    """A machine's day, in a thread of its own."""
    said = {"hostName": "127.0.0.1", "hostPort": port, "tlsEnable": False, "logfile_path": str(folder)}
    sip = wrapper.Sip2Wrapper({**said, "institutionId": "GHTSG", "loglevel": "CRITICAL"})
    try:
        found: dict[str, Any] = {"device": sip.login_device("machine", "pw")}
        found["wrong"] = sip.login_patron(card, "9999")
        found["patron"] = sip.login_patron(card, PIN)
        found["status"] = sip.get_patron_status()
        found["information"] = sip.sip_patron_information()
        found["charged"] = sip.get_patron_chargedItems()
        if code is not None:
            inner = sip.return_sip2()
            inner.patron = code
            answer = inner.get_response(inner.sip_patron_information_request("none"))
            found["scanned"] = inner.sip_patron_information_response(answer)
        return found
    finally:
        for handler in list(sip.return_sip2().log.handlers):
            sip.return_sip2().log.removeHandler(handler)
            handler.close()
        sip.disconnect()


class TestPysip2AsSystem:
    """Our own line to a system made of pysip2."""

    async def test_what_is_on_loan(self, tmp_path: Path) -> None:
        """Login with a Chinese password, number and checksum required: the count and the limit come back."""
        async with served(system()) as port:
            line = Line("127.0.0.1", port, institution="桂花市图书馆", login=("bridge", "密码"))
            told = await line.patron("R1")
            again = await line.patron("R1")
            await line.close()
        assert (enriching.on_loan(told), enriching.limit(again), told.get("AF")) == (10, 10, WELCOME)
        assert told.get("AU") is None

    async def test_a_wrong_login(self) -> None:
        """A system that does not let us in says so once, and nothing hangs."""
        async with served(system()) as port:
            line = Line("127.0.0.1", port, login=("bridge", "wrong"))
            with pytest.raises(LineError):
                await line.patron("R1")
