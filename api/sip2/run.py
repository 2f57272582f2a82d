"""The bridge put together from its file: what the commands run.

`sweep` is for once a day: it learns from the city which consents ended, forgets what is past its day, and asks the
library's system about everybody who was moved, so that a class is lowered though its reader never comes to a terminal.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec

from api.sip2 import city, places, readers
from api.sip2.bridge import Bridge
from api.sip2.city import AwayError, City
from api.sip2.koha import Koha, NotMovedError
from api.sip2.limits import LIMIT
from api.sip2.line import Line, LineError
from api.sip2.places import Places
from api.sip2.readers import Readers
from core import clock

_FAR_BACK = 31


class Swept(msgspec.Struct, frozen=True):
    """What a sweep did: links forgotten, readers looked at, of them lowered; what could not be asked."""

    ended: int
    looked: int
    lowered: int
    unanswered: tuple[str, ...]


class Made(msgspec.Struct, frozen=True):
    """The parts."""

    bridge: Bridge
    city: City
    readers: Readers


@asynccontextmanager
async def made(here: Places) -> AsyncGenerator[Made]:
    """The bridge for the length of a block. Raises ValueError, FileNotFoundError."""
    there, system = here.koha, here.system
    login = None if system.login is None else (system.login, places.secret(system.password_file))
    line = Line(system.host, system.port, institution=system.institution, encoding=system.encoding, login=login)
    koha = there and Koha(there.base_url, client_id=there.client_id, secret=places.secret(there.secret_file))
    asked = city.connect(here.kit(), here.city.client, terminal=here.city.terminal)
    with readers.opened(here.file) as kept:
        bridge = Bridge(here, asked, kept, register=koha, line=line)
        try:
            yield Made(bridge, asked, kept)
        finally:
            await bridge.close()
            await line.close()
            await asked.close()
            if koha is not None:
                await koha.close()


async def sweep(parts: Made) -> Swept:
    """Lower what has ended, where loans allow it. Never raises for the city or the system being away."""
    unanswered = list[str]()
    try:
        ended = await _ends(parts)
    except AwayError as fault:
        ended = 0
        unanswered.append(str(fault))
    ended += parts.readers.drop_past(today=clock.today())
    cards, lowered = parts.readers.moved(), 0
    for card in cards:
        try:
            lowered += await parts.bridge.review(card) in {None, LIMIT.start}
        except (LineError, NotMovedError) as fault:
            unanswered.append(str(fault))
    return Swept(ended, len(cards), lowered, tuple(unanswered))


async def _ends(parts: Made) -> int:
    """Forget the subjects whose consent ended on the days since the last sweep; how many links. Raises AwayError."""
    yesterday = clock.today() - timedelta(days=1)
    first = max(yesterday - timedelta(days=_FAR_BACK), parts.readers.swept() or yesterday - timedelta(days=1))
    ended = 0
    for ahead in range((yesterday - first).days):
        day = first + timedelta(days=ahead + 1)
        ended += sum(parts.readers.drop_subject(subject) for subject in await parts.city.ended(day))
        parts.readers.sweep(day)
    return ended
