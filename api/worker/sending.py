"""Webhooks leave, and channels are asked: the worker's loop over what is put for later (`core.later`).

Several workers share the work. A database that is away is waited for; what it held is there again when it is back.
"""

import asyncio

import structlog

from api import accounts
from api.deps import House
from api.sandbox.sending import Twisted
from core import later, pgerrors
from core.errors import Unavailable
from incentives.channels import rows
from incentives.channels.mirror import Mirror, asker
from incentives.events import deliveries
from incentives.events.sending import Sender

_PAUSE_SECONDS = 1
_log = structlog.get_logger("osmanthus.sending")


async def run(house: House) -> None:
    """Send until cancelled."""
    sandbox = house.settings.sandbox
    sender = Twisted(house) if sandbox else Sender(house.doors, house.ring, sandbox=False)
    held = {(one.partner, one.perk): one for one in accounts.known(house.settings.channels_file)}
    notify = f"{house.settings.base_url}/v1/channels/{{}}/notify"
    mirror = Mirror(house.doors, held, notify=notify, ask=asker(sandbox=sandbox))
    while True:
        try:
            await later.attend(house.doors, {deliveries.TASK: sender.send, rows.TASK: mirror.look})
        except Exception as error:
            if not (isinstance(error, Unavailable) or pgerrors.is_unavailable(error)):
                raise
            _log.warning("waiting", kind=type(error).__name__)
        await asyncio.sleep(_PAUSE_SECONDS)


async def keep(house: House) -> None:
    """Part of the jobs' round: put what was forgotten, forget what is old."""
    async with house.doors.work("jobs") as session:
        if mended := await deliveries.mend(session):
            _log.warning("put again", deliveries=mended)
        await deliveries.sweep(session)
