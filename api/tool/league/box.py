"""`make demo CITIES=2`: a league until somebody says stop, or for the length of one visit."""

import asyncio
import signal
from pathlib import Path

from api.tool import demo
from api.tool.demo import say
from api.tool.league import running, visiting


def run(port: int, count: int, *, reset: bool, visit: bool) -> int:
    """Run a league until interrupted, or for one visit; the exit status. Raises CannotStartError."""
    try:
        return asyncio.run(_run(port, count, reset=reset, visit=visit))
    except ExceptionGroup as several:
        raise several.exceptions[0] from several


async def _run(port: int, count: int, *, reset: bool, visit: bool) -> int:
    stopping = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(sign, stopping.set)
    work = asyncio.create_task(_work(demo.VAR / "league", port, count, stopping, reset=reset, visit=visit))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not work.done():
        say("Stopping ...")
        work.cancel()
    (outcome,) = await asyncio.gather(work, return_exceptions=True)
    if isinstance(outcome, asyncio.CancelledError):
        return 0
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


async def _work(folder: Path, port: int, count: int, stopping: asyncio.Event, *, reset: bool, visit: bool) -> int:
    async with running.living(folder, port, count, reset=reset) as league:
        for one in league.cities:
            say(f"  {one.city.name} ({one.city.code})  {one.base_url}/  kit {one.home / 'demo/kit.json'}")
        if visit:
            held = await visiting.report(league, say)
            return 0 if held else 1
        say("  Play a visit with: make demo CITIES=2 VISIT=1.  Stop with Ctrl-C.\n")
        await stopping.wait()
        return 0
