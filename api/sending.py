"""Webhooks leave: the worker's loop over what is put for later (`core.later`), beside the rounds of the jobs.

Several workers share the work. A database that is away is waited for; what it held is there again when it is back.
"""

import asyncio

import structlog

from api.deps import House
from api.sandbox.sending import Twisted
from core import db, later
from core.errors import Unavailable
from incentives.events import deliveries
from incentives.events.sending import Sender

_PAUSE_SECONDS = 1
_log = structlog.get_logger("osmanthus.sending")


async def run(house: House) -> None:
    """Send until cancelled."""
    sender = Twisted(house) if house.settings.sandbox else Sender(house.doors, house.ring, sandbox=False)
    while True:
        try:
            await later.attend(house.doors, {deliveries.TASK: sender.send})
        except Exception as error:
            if not (isinstance(error, Unavailable) or db.is_unavailable(error)):
                raise
            _log.warning("waiting", kind=type(error).__name__)
        await asyncio.sleep(_PAUSE_SECONDS)


async def keep(house: House) -> None:
    """Part of the jobs' round: put what was forgotten, forget what is old."""
    async with house.doors.work("jobs") as session:
        if mended := await deliveries.mend(session):
            _log.warning("put again", deliveries=mended)
        await deliveries.sweep(session)
