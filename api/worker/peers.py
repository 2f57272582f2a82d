"""Newer trust lists from the other cities of the league, so that a key or a city that left is gone here without a hand.

Part of the jobs' round. Promises: a list is asked for at issuers of the list in force alone, bounded in bytes and
seconds, and taken in only when our own pinned signers signed it and it is newer: where it came from means nothing.
"""

import structlog

from api.deps import House
from core import outbound
from core.outbound import BadAddress, NotReached
from incentives.recognition import trust
from incentives.recognition.trust import Distrusted
from incentives.visitors import lists, rootkeys

_EVERY = 600
_MOST_BYTES = 1_000_000
_SECONDS = 5.0
_OK = 200
_log = structlog.get_logger("osmanthus.peers")


async def keep(house: House) -> None:
    """Ask each city of the list in force for its list, now and then."""
    if house.settings.trust_signers is None or not await house.short.claim("peers", _EVERY):
        return
    async with house.doors.work("jobs") as session:
        held = await lists.newest(session)
    for city in () if held is None else trust.unread(held).cities:
        if city.sub != house.settings.base_url:
            await ask(house, city.sub)


async def ask(house: House, issuer: str) -> bool:
    """Ask one city; whether its list was taken in."""
    place = f"{issuer}/.well-known/credit-trust-list"
    try:
        async with outbound.post(
            place, body=b"", headers={}, sandbox=house.settings.sandbox, most=_MOST_BYTES, seconds=_SECONDS, get=""
        ) as answer:
            raw = b"".join([chunk async for chunk in answer.chunks]) if answer.status == _OK else b""
        roots = await rootkeys.read(house.settings.trust_signers)
        async with house.doors.work("jobs") as session:
            found = await lists.take(session, raw, roots)
    except (NotReached, BadAddress, Distrusted, rootkeys.NoRootKeys) as error:
        _log.info("no list from there", issuer=issuer, why=type(error).__name__)
        return False
    _log.info("list seen", issuer=issuer, seq=found.body.seq)
    return True
