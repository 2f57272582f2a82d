"""Status lists of this city, made when they are asked for: which copies count no more (Token Status List, section 8).

Promises: what stopped holding more than a second ago is in the answer, whether somebody withdrew, left, or fell below
what a copy says; which of these is in none. A place in a list is drawn at random, so it says neither who nor when.
Every list has `SIZE` places, of which a few are decoys that look ended from the first day on, and half are never
claimed, so neither its length nor how many have ended says how many people hold a credential. Does not hide that
several copies ended at one moment.
"""

import asyncio
import hashlib
import secrets
import uuid
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids
from core.bitlist import BitList
from core.db import Doors
from core.errors import NotFound
from core.keys import Keyring
from incentives.credentials import keys
from incentives.credentials.tables import status_list
from incentives.recognition import statuslist

SIZE = 1 << 17
ROOM = SIZE // 2
_FRESH = 1.0
_DECOYS = 3  # of 256: about one place in a hundred
_SPARE = 4
_KEPT = 64
_ENDED = text("select incentives.ended_places(:list)")


class Published(msgspec.Struct, frozen=True):
    """A signed list, and the tag by which whoever has it asks again (RFC 9110, section 8.8.3)."""

    token: str
    tag: str


class Press:
    """Signs the lists of one deployment; keeps each for a second, and what it signed while nothing changed."""

    def __init__(self, base_url: str, ring: Keyring, serial: int = 0) -> None:
        """Lists are published at `<base_url>/status-lists/<id>`."""
        self._base_url = base_url
        self._ring = ring
        self._keys = keys.of(ring, serial)
        self._held: dict[uuid.UUID, tuple[float, Published]] = {}
        self._turns: defaultdict[uuid.UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    def uri(self, list_id: uuid.UUID) -> str:
        """Where a list is."""
        return f"{self._base_url}/status-lists/{ids.show('sl', list_id)}"

    def candidates(self, list_id: uuid.UUID, copies: int) -> list[int]:
        """Places to try for some copies, in a random order: more than are needed, no decoy among them."""
        taken, found = decoys(self._ring, list_id), dict[int, None]()
        while len(found) < _SPARE * copies + 16:
            place = secrets.randbelow(SIZE)
            if place not in taken:
                found[place] = None
        return list(found)

    async def newest(self, doors: Doors, list_id: uuid.UUID) -> Published:
        """The list as it was within the last second. Raises NotFound."""
        async with self._turns[list_id]:  # of many who ask at once, one looks
            now = clock.wall().timestamp()
            made, held = self._held.get(list_id, (0.0, None))
            if held is not None and now - made < _FRESH:
                return held
            async with doors.work("auth") as session:
                ended: list[int] | None = await session.scalar(_ENDED, {"list": list_id})
            if ended is None:
                self._turns.pop(list_id, None)  # or whoever invents names fills our memory
                raise NotFound
            fresh = await asyncio.to_thread(self._signed, list_id, ended, int(now), held)
            self._held = {**dict(list(self._held.items())[-_KEPT:]), list_id: (now, fresh)}
            return fresh

    def _signed(self, list_id: uuid.UUID, ended: list[int], now: int, held: Published | None) -> Published:
        at = now - now % statuslist.TTL
        said = hashlib.sha256(f"{at}|{ended}".encode()).hexdigest()[:32]
        if held is not None and held.tag == said:
            return held
        packed = compose([*ended, *decoys(self._ring, list_id)])
        seal = self._keys.seal(clock.wall())
        return Published(statuslist.make(seal.lists, packed, uri=self.uri(list_id), now=at), said)


@lru_cache(maxsize=8)
def of(base_url: str, ring: Keyring, serial: int = 0) -> Press:
    """The press of a deployment, once a process."""
    return Press(base_url, ring, serial)


async def open_one(session: AsyncSession) -> uuid.UUID:
    """A list that takes copies: the newest that is open, else the id of a new one."""
    query = select(status_list.c.id).where(status_list.c.closed_at.is_(None)).order_by(status_list.c.opened_at.desc())
    return await session.scalar(query.limit(1)) or ids.random()


async def known(doors: Doors) -> list[uuid.UUID]:
    """Every list that has places, in no order that means anything."""
    async with doors.work("auth") as session:
        return list(await session.scalars(select(status_list.c.id).order_by(status_list.c.id)))


async def look(doors: Doors) -> None:
    """End what stopped holding in every list, for holders' entries where nobody fetches."""
    for one in await known(doors):
        async with doors.work("auth") as session:
            await session.execute(_ENDED, {"list": one})


def compose(ended: Iterable[int], size: int = SIZE) -> BitList:
    """The list of `size` places in which these are `INVALID` and all others `VALID`."""
    packed = bytearray(size * statuslist.BITS // 8)
    for place in ended:
        packed[place >> 2] |= statuslist.INVALID << (place & 3) * statuslist.BITS
    return BitList(statuslist.BITS, bytes(packed))


@lru_cache(maxsize=16)
def decoys(ring: Keyring, list_id: uuid.UUID, size: int = SIZE) -> frozenset[int]:
    """The places of a list that look ended and are nobody's; they stay the same, so they change nothing."""
    drawn = hashlib.shake_256(ring.derive("status-decoys") + list_id.bytes).digest(size)
    return frozenset(place for place, byte in enumerate(drawn) if byte < _DECOYS)
