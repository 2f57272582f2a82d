"""A library with its bridge, beside a stand-in of the city that says what a test wants or beside a real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec

from api.sip2 import proxy
from api.sip2.bridge import Bridge
from api.sip2.city import AwayError, City, Ruling
from api.sip2.koha import Koha, Register
from api.sip2.limits import Rung
from api.sip2.line import Line
from api.sip2.places import CityPlace, Places, SystemPlace, TerminalsPlace
from api.sip2.readers import Held, Readers
from core import clock
from tests import librarysystem
from tests.librarysystem import SECRET, Terminal

MORE, FREE = "library.more-books", "library.deposit-free"
CODE = "CC1:ANY"
RUNGS = (
    Rung("both", (MORE, FREE), "G2", items=20, deposit=True),
    Rung("books", (MORE,), "G1", items=20),
    Rung("deposit", (FREE,), "G0", deposit=True),
)
RULINGS = {
    MORE: Ruling(MORE, granted=True, name="多借几册书", measures={"items": 20, "days": 60}),
    FREE: Ruling(FREE, granted=True, name="免押金借书", waived=20000),
}


class Told:
    """The city as the bridge sees it: grants what it is told to grant, can be away or slow."""

    def __init__(self) -> None:
        """Nothing is granted."""
        self.granted: set[str] = set()
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.away, self.delay, self.code_perk, self.reason = False, 0.0, MORE, ""
        self.keys: list[str | None] = []
        self.gone: dict[date, list[str]] = {}

    async def perk_of(self, code: str) -> str | None:
        """The perk of any code."""
        return self.code_perk

    async def check(
        self, perk: str, *, holder: Mapping[str, str], amount: int | None, key: str | None = None
    ) -> Ruling:
        """One question."""
        self.asked.append((perk, holder))
        self.keys.append(key)
        await asyncio.sleep(self.delay)
        if self.away:
            raise AwayError("away")
        granted = perk in self.granted and not self.reason
        return msgspec.structs.replace(RULINGS[perk], granted=granted, reason=self.reason or None)

    async def ended(self, day: date) -> list[str]:
        """What ended on a day."""
        if self.away:
            raise AwayError("away")
        return self.gone.get(day, [])


class Library(msgspec.Struct):
    """What a test holds."""

    system: Any
    city: Told
    readers: Readers
    bridge: Bridge
    places: Places
    port: int

    def terminal(self) -> Terminal:
        """A self-check machine at the bridge."""
        return Terminal(self.port)

    def link(self, card: str, perk: str = MORE) -> None:
        """A standing consent goes with a card."""
        self.readers.hold(Held(card, perk, clock.today() + timedelta(days=30), f"su_{card}_{perk}"))


def places(folder: Path, port: int, *, encoding: str = "utf-8", **more: Any) -> Places:
    """A library's file."""
    kit = folder / "kit.json"
    kit.write_text(json.dumps({"clients": {"lib": {"perks": [MORE, FREE]}}}))
    usual: dict[str, Any] = {
        "city": CityPlace(kit, "lib"),
        "system": SystemPlace("127.0.0.1", port, "lib", encoding=encoding),
        "file": folder / "bridge.sqlite",
        "terminals": TerminalsPlace(port=0, most=3),
        "rungs": RUNGS,
        "deposit": 20000,
    }
    return Places(**(usual | more))


def bridge_of(here: Places, told: Told, readers: Readers, *, register: Register | None, line: Line) -> Bridge:
    """A bridge before a city that says what a test wants."""
    return Bridge(here, cast("City", told), readers, register=register, line=line)


@asynccontextmanager
async def library(folder: Path, *cards: str, koha: bool = True, **more: Any) -> AsyncIterator[Library]:
    """A library with readers, its system, its bridge, and a city that a test tells what to say."""
    async with librarysystem.running(*cards) as system:
        here, told = places(folder, system.port, **more), Told()
        readers = Readers(here.file)
        register = Koha(system.koha, client_id="bridge", secret=SECRET) if koha else None
        line = Line("127.0.0.1", system.port, institution="lib", login=system.logins[0])
        bridge = bridge_of(here, told, readers, register=register, line=line)
        try:
            async with proxy.listening(here, bridge) as port:
                yield Library(system, told, readers, bridge, here, port)
        finally:
            await line.close()
            if register is not None:
                await register.close()
            readers.close()
