"""What rules recognition in this process: the map in force and the trust list, asked anew for every question.

Promises: a list is believed here only when the pinned signers signed it, whatever the database says, and never one that
is older than one that this process has seen; one that is over is none. Texts are read once for each release and list.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

import msgspec
import structlog

from core import clock
from core.errors import Unavailable
from incentives.eligibility import Gate
from incentives.recognition import trust
from incentives.recognition.trust import Distrusted, Seen, TrustList
from incentives.visitors import mapfile
from incentives.visitors.maps import Maps
from incentives.visitors.rootkeys import NoRootKeys, RootKeys

_NOW = "select * from incentives.recognition_now($1, $2)"
_EMPTY = Maps((), ())
_log = structlog.get_logger("osmanthus.visitors")


class NobodyTrusted(Unavailable):
    """There is no trust list in force, so nobody can be believed or refused."""

    code = "no_trust_list"
    title = "No trust list is in force"


class Now(msgspec.Struct, frozen=True):
    """What rules today; `raw` is the trust list as it was signed."""

    today: date
    maps: Maps
    trusted: TrustList | None
    raw: bytes

    def list(self) -> TrustList:
        """The trust list. Raises NobodyTrusted."""
        if self.trusted is None:
            raise NobodyTrusted("Nothing was decided. Show the credential again shortly.", retry_after=60)
        return self.trusted


class Books:
    """One a process."""

    def __init__(self, gate: Gate, roots: Callable[[], Awaitable[RootKeys]]) -> None:
        """`gate` asks the partner's door; `roots` are the pinned signers."""
        self._gate, self._roots = gate, roots
        self._map: tuple[UUID, Maps] | None = None
        self._list: tuple[bytes, TrustList] | None = None
        self._seen: Seen | None = None
        self._turn = asyncio.Lock()

    async def now(self) -> Now:
        """What rules now."""
        async with self._turn:
            known = self._map and self._map[0], self._seen and self._seen.seq
            (row,) = await self._gate.fetch(_NOW, *known)
            if row["release_id"] is None:
                self._map = None
            elif row["body"] is not None:
                self._map = row["release_id"], mapfile.load(row["body"], row["name"])
            if row["list"] is not None:
                await self._believe(row["list"].encode())
            held = self._list if self._list and self._list[1].body.exp > clock.wall().timestamp() else None
            maps = self._map[1] if self._map else _EMPTY
            return Now(row["today"], maps, held and held[1], held[0] if held else b"")

    async def _believe(self, raw: bytes) -> None:
        """Take in another list, if it counts; what was believed before stays until it is over."""
        try:
            roots = await self._roots()
            now = int(clock.wall().timestamp())
            found = trust.read(raw, roots.keys, needed=roots.needed, now=now, seen=self._seen)
        except (Distrusted, NoRootKeys) as error:
            _log.warning("trust list refused", why=str(error))
            return
        self._list, self._seen = (raw, found), Seen(found.body.seq, found.payload)
