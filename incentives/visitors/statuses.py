"""Whether a copy was taken back: status lists of other cities, fetched when asked for, kept for their `ttl`.

Promises: fetched are addresses alone below an origin that the trust list gives to this very issuer, by `core.outbound`
(https, no redirect, bounded in bytes and seconds), one request at a time for each; a list that cannot be had, is not
signed by its issuer or is over is no answer (`StatusUnknown`, 503), never a no. A failure is remembered for a moment,
so that a city that is cut off costs one wait and not one for each visitor.
"""

import asyncio
from collections import OrderedDict, defaultdict

import msgspec
import structlog

from core import clock, outbound
from core.errors import Unavailable
from core.outbound import BadAddress, NotReached
from incentives.recognition import statuslist
from incentives.recognition.credential import Place
from incentives.recognition.statuslist import NoStatus
from incentives.recognition.trust import TrustList

KEPT = 32
SECONDS = 3.0
_MOST_BYTES = 8 << 20
_PAUSE = 2
_OK = 200
_log = structlog.get_logger("osmanthus.visitors")


class StatusUnknown(Unavailable):
    """The city that attested it does not say now whether it was taken back."""

    code = "try_again"
    title = "The home city cannot be asked now"


class _Kept(msgspec.Struct, frozen=True):
    """A list and until when it may be used; None: it could not be had."""

    held: statuslist.Statuses | None
    until: float


class Statuses:
    """The lists of one process."""

    def __init__(self, *, sandbox: bool) -> None:
        """`sandbox`: cities may be on loopback."""
        self._sandbox = sandbox
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, place: Place, *, issuer: str, trusted: TrustList) -> int | None:
        """The status of a copy; None where its city's lists have no such place. Raises StatusUnknown."""
        if not trusted.publishes(issuer, place.uri):
            return None
        name = (issuer, place.uri)
        async with self._turns[name]:
            if (found := self._fresh(name)) is None:
                found = _Kept(*await self._fetch(place.uri, issuer, trusted))
                self._keep(name, found)
        if found.held is None:
            raise StatusUnknown("Nothing was decided. Show the credential again shortly.", retry_after=_PAUSE)
        try:
            return found.held.of(place.index)
        except NoStatus:
            return None

    def _fresh(self, name: tuple[str, str]) -> _Kept | None:
        found = self._kept.get(name)
        if found is None or found.until <= clock.wall().timestamp():
            return None
        self._kept.move_to_end(name)
        return found

    def _keep(self, name: tuple[str, str], found: _Kept) -> None:
        self._kept[name] = found
        self._kept.move_to_end(name)
        while len(self._kept) > KEPT:
            gone, _ = self._kept.popitem(last=False)
            if not self._turns[gone].locked():
                del self._turns[gone]

    async def _fetch(self, uri: str, issuer: str, trusted: TrustList) -> tuple[statuslist.Statuses | None, float]:
        """A list and until when it is good; nothing, for a moment, when it cannot be had."""
        wanted, now = {"Accept": "application/statuslist+jwt"}, clock.wall().timestamp()
        try:
            async with outbound.post(
                uri, body=b"", headers=wanted, sandbox=self._sandbox, most=_MOST_BYTES, seconds=SECONDS, get=""
            ) as answer:
                raw = b"".join([chunk async for chunk in answer.chunks]) if answer.status == _OK else b""
            token = raw.decode("ascii", "replace")
            held = statuslist.read(token, issuer=issuer, uri=uri, now=int(now), key_of=trusted.key)
        except (NotReached, BadAddress, NoStatus) as error:
            _log.warning("status list not had", issuer=issuer, why=type(error).__name__)
            return None, now + _PAUSE
        return held, min(now + held.ttl, held.until)
