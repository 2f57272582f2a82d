"""The daily pass in a process of its own: what it needs in memory and libraries is gone when it is over.

Promises: whatever ends the pass leaves this process whole, and a fault of the pass stops nothing else; a pass that was
cut, failed, or is made elsewhere is asked for again; what the pass says about itself goes to the log.
"""

import asyncio
import os
import sys
from datetime import date

import structlog

from api.deps import House
from api.tool.nightly import LATER
from core import clock, pgerrors
from core.errors import Unavailable
from core.settings import environment
from scoring.batch import cursor

_PAUSE_SECONDS, _AFTER_A_FAULT_SECONDS = 20, 600
_TOOL = "import sys; from api import cli; sys.exit(cli.main(sys.argv[1:]))"
_log = structlog.get_logger("osmanthus.nightly")


class PassFailed(Exception):
    """The pass met a fault of ours; it said which."""


async def attend(house: House) -> None:
    """See to each day's pass until cancelled; a database that is away, or rules to come, are waited for."""
    while True:
        pause = _PAUSE_SECONDS
        try:
            await see_to(house, clock.today())
        except PassFailed as failed:
            _log.error("daily pass failed", said=str(failed))
            pause = _AFTER_A_FAULT_SECONDS
        except Exception as error:
            if not (isinstance(error, Unavailable) or pgerrors.is_unavailable(error)):
                raise
            _log.warning("waiting", kind=type(error).__name__)
        await asyncio.sleep(pause)


async def see_to(house: House, today: date) -> bool:
    """Make the pass of the day where it is due; whether it is over now. PassFailed, NoScorecardInForce."""
    if not await _due(house, today):
        return True
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _TOOL, "score", "nightly", env=os.environ | environment(house.settings),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        last = await _heard(child)
        status = await child.wait()
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()
    if status not in {0, LATER}:
        message = f"The daily pass ended with status {status}: {last}"
        raise PassFailed(message)
    return not await _due(house, today)


async def _due(house: House, today: date) -> bool:
    async with house.doors.work("jobs") as session:
        return await cursor.due(session, day=today)


async def _heard(child: asyncio.subprocess.Process) -> str:
    """Pass on what the pass says, line by line; returns the last of it."""
    last = ""
    assert child.stdout is not None  # noqa: S101  (it is a pipe)
    async for line in child.stdout:
        last = line.decode(errors="replace").strip()
        _log.info("daily pass", said=last)
    return last
