"""A library, its terminals, its system and a real city: from a consent to a screen, and back."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest_asyncio

from api.sip2 import places, proxy, run
from api.sip2.frames import Frame
from api.sip2.readers import Held
from core import clock
from tests import librarysystem
from tests.api.conftest import Server
from tests.api.sip2 import standing
from tests.api.sip2.libraryworld import FREE, MORE
from tests.librarysystem import SECRET, System, Terminal

FILE = """
file = "bridge.sqlite"
deposit = 20000
patience_ms = 5000

[city]
kit = "kit.json"
client = "sip2-library"

[system]
host = "127.0.0.1"
port = {system.port}
login = "bridge"
password_file = "password"

[terminals]
port = 0

[koha]
base_url = "{system.koha}"
client_id = "bridge"
secret_file = "secret"

[[rungs]]
name = "books"
perks = ["library.more-books"]
category = "G1"
items = 20
"""


class Whole(msgspec.Struct):
    """A library at a real city."""

    server: Server
    system: System
    parts: run.Made
    port: int
    entry: dict[str, Any]

    def link(self, card: str, subject: str, perk: str = MORE) -> None:
        """What `osmanthus sip2 link` does."""
        self.parts.readers.hold(Held(card, perk, clock.today() + timedelta(days=30), subject))


@pytest_asyncio.fixture(scope="module")
async def entries(server: Server) -> dict[str, dict[str, Any]]:
    """Two libraries, registered."""
    how: dict[str, Any] = {"perks": [MORE, FREE], "redirect_uris": [standing.BACK], "contact": "电话 0000-12345"}
    ids = ("sip2-library", "sip2-elsewhere")
    return {one: (await server.register(one, "partner", "eligibility:check", **how))[1] for one in ids}


@asynccontextmanager
async def whole(server: Server, entries: dict[str, dict[str, Any]], folder: Path, *cards: str) -> AsyncIterator[Whole]:
    """The bridge as its file makes it."""
    (folder / "kit.json").write_text(
        json.dumps({"base_url": server.base_url, "issuer": server.base_url, "clients": entries})
    )
    (folder / "secret").write_text(SECRET)
    (folder / "password").write_text("a terminal's password\n")
    async with librarysystem.running(*cards) as system:
        (folder / "library.toml").write_text(FILE.format(system=system))
        here = places.read(folder / "library.toml")
        async with run.made(here) as parts, proxy.listening(here, parts.bridge) as port:
            yield Whole(server, system, parts, port, entries["sip2-library"])


def said(frame: Frame) -> str:
    """The last screen message."""
    return [value for name, value in frame.fields if name == "AF"][-1]


class TestStanding:
    """A card that goes with a standing consent."""

    async def test_from_a_consent_to_the_screen_and_back(
        self, server: Server, entries: dict[str, dict[str, Any]], tmp_path: Path
    ) -> None:
        """Granted, raised in Koha, told in Chinese, one entry for its reader; withdrawn: the library's own answer."""
        person = server.person()
        async with server.logged_in(person) as me, whole(server, entries, tmp_path, "R1") as lib:
            await server.join(me)
            subject, consent = await standing.subject(server, person, lib.entry, MORE)
            lib.link("R1", subject)
            async with Terminal(lib.port) as machine:
                told = await machine.ask("R1")
                assert (told.get("CB"), lib.system.readers["R1"].category) == ("0020", "G1")
                assert said(told).startswith("多借几册书：可借20册、借期60天，有效至")
                assert said(told).endswith("（示范规则，未经任何城市采用）")
                await machine.ask("R1")
                entries_seen = (await me.get("/v1/me/accesses", params={"limit": 100})).text
                assert entries_seen.count('"eligibility.check"') == 1
                assert (await me.delete(f"/v1/me/consents/{consent}")).json()["state"] == "withdrawn"
                told = await machine.ask("R1")
                assert (told.get("CB"), said(told)) == ("0010", "欢迎使用自助机")
            assert lib.system.readers["R1"].category == "PT"

    async def test_somebody_elses_subject(
        self, server: Server, entries: dict[str, dict[str, Any]], tmp_path: Path
    ) -> None:
        """A subject of another library, or of nobody, opens nothing here: the library's own answer."""
        person = server.person()
        async with server.logged_in(person) as me, whole(server, entries, tmp_path, "R1", "R2") as lib:
            await server.join(me)
            foreign, _ = await standing.subject(server, person, entries["sip2-elsewhere"], MORE)
            lib.link("R1", foreign)
            lib.link("R2", "su_junk")
            async with Terminal(lib.port) as machine:
                for card in ("R1", "R2"):
                    line = machine.question(card)
                    assert await machine.say(line) == (lib.system.answer(line) or b"") + b"\r"


class TestCode:
    """A credit code at a self-check machine."""

    async def test_once_and_never_again(
        self, server: Server, entries: dict[str, dict[str, Any]], tmp_path: Path
    ) -> None:
        """A code raises the card on the table; at another machine, with another card, it has been used."""
        async with server.logged_in(server.person()) as me, whole(server, entries, tmp_path, "R1", "R2") as lib:
            await server.join(me)
            drawn = (await me.post("/v1/me/credit-code", json={"perk": MORE})).json()["code"]
            async with Terminal(lib.port) as machine, Terminal(lib.port) as other:
                await machine.ask("R1")
                assert (await machine.ask(drawn)).get("CB") == "0020"
                await other.ask("R2")
                assert "已经用过" in said(await other.ask(drawn))
            assert [one.category for one in lib.system.readers.values()] == ["G1", "PT"]

    async def test_another_librarys_and_another_perks(
        self, server: Server, entries: dict[str, dict[str, Any]], tmp_path: Path
    ) -> None:
        """A code drawn for another library, for the bus, or made up says so and changes nothing."""
        async with server.logged_in(server.person()) as me, whole(server, entries, tmp_path, "R1") as lib:
            await server.join(me)
            asked = ({"perk": MORE, "partner": "sip2-elsewhere"}, {"perk": "transit.discount"})
            answers = [(await me.post("/v1/me/credit-code", json=one)).json() for one in asked]
            async with Terminal(lib.port) as machine:
                for drawn in [*(one["code"] for one in answers), "CC1:MADE UP"]:
                    await machine.ask("R1")
                    assert "不是本馆" in said(await machine.ask(drawn))
            assert all(one["code"].startswith("CC1:") for one in answers)
            assert lib.system.readers["R1"].category == "PT"


class TestSweep:
    """Once a day."""

    async def test_the_citys_statement_is_read(
        self, server: Server, entries: dict[str, dict[str, Any]], tmp_path: Path
    ) -> None:
        """Yesterday's statement of the real city is understood, and asked for once."""
        async with whole(server, entries, tmp_path, "R1") as lib:
            assert await run.sweep(lib.parts) == run.Swept(0, 0, 0, ())
            assert lib.parts.readers.swept() == clock.today() - timedelta(days=1)
