"""`osmanthus sip2`: the library bridge as a program of the library's; see docs/library.md."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from api.sip2.places import Places


class Actions(Protocol):
    """What argparse's `add_subparsers` returns, as far as it is used here."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:  # noqa: A002  (argparse's own word)
        """Add one command."""
        ...


def add(actions: Actions) -> None:
    """The commands of a library."""
    sip2 = actions.add_parser("sip2", help="the library bridge; see docs/library.md").add_subparsers(
        metavar="ACTION", required=True
    )
    serve = sip2.add_parser("serve", help="stand between the terminals and the library's system")
    sweep = sip2.add_parser("sweep", help="once a day: lower the classes whose perk and loans have ended")
    link = sip2.add_parser("link", help="keep with a card the subject of a standing consent")
    unlink = sip2.add_parser("unlink", help="forget what goes with a card")
    for one in (serve, sweep, link, unlink):
        one.add_argument("file", type=Path, help="the library's TOML file")
    for one in (link, unlink):
        one.add_argument("card")
        one.add_argument("perk", nargs="?" if one is unlink else None)
    link.add_argument("subject", help="su_..., as the token endpoint gave it")
    link.add_argument("--until", type=date.fromisoformat, required=True, help="the last day of the consent")
    for one, run in ((serve, _serve), (sweep, _sweep), (link, _link), (unlink, _unlink)):
        one.set_defaults(run=run)


def _serve(chosen: argparse.Namespace) -> None:
    from api.sip2 import places

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    asyncio.run(serve(places.read(chosen.file)))


async def serve(here: "Places") -> None:
    """Serve terminals until a signal."""
    from api.sip2 import proxy, run

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C alone
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with run.made(here) as parts, proxy.listening(here, parts.bridge) as port:
        print(f"Terminals: {here.terminals.host}:{port}. System: {here.system.host}:{here.system.port}.", flush=True)
        await stop.wait()


def _sweep(chosen: argparse.Namespace) -> int:
    from api.sip2 import places, run

    async def once() -> run.Swept:
        async with run.made(places.read(chosen.file)) as parts:
            return await run.sweep(parts)

    done = asyncio.run(once())
    print(f"{done.ended} links ended; {done.looked} readers looked at, {done.lowered} lowered.")
    for said in done.unanswered:
        print(said, file=sys.stderr)
    return 1 if done.unanswered else 0


def _link(chosen: argparse.Namespace) -> None:
    from api.sip2 import places, readers

    with readers.opened(places.read(chosen.file).file) as kept:
        kept.hold(readers.Held(chosen.card, chosen.perk, chosen.until, chosen.subject))


def _unlink(chosen: argparse.Namespace) -> None:
    from api.sip2 import places, readers

    with readers.opened(places.read(chosen.file).file) as kept:
        print(f"{kept.drop(chosen.card, chosen.perk)} forgotten.")
