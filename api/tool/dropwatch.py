"""`osmanthus source drop --watch DIR`: takes what a bureau lays down in a folder, as if it had pushed it.

Rules, codes and receipt are those of a push. A file is claimed, taken, answered and moved, in this order
(`dropfolder`); whoever is killed in between takes it again from where it lies, and (source, ref, version) makes that
harmless. What is wrong with a file sends it to refused/ with the reason; what is wrong with us (the database, a full
disk, a missing permission) is said once, and the file waits where it is, for longer each time. A line that is printed
holds a file's name, codes and counts, never a value of the file.
"""

import asyncio
import sys
from pathlib import Path
from typing import TextIO

from api import app, problems
from api.deps import House
from api.tool import dropping
from api.tool.dropfolder import Folder, Look, look_at
from api.tool.dropping import Unread
from core.errors import Invalid, Malformed, NotFound, Problem, TooLarge
from core.settings import Settings

EVERY = 2.0  # seconds between two looks: half of what it takes to see that a file is settled
_LONGEST = 128  # looks, some four minutes


class Watch:
    """What goes on in one folder. `look` is one look at it; a test looks as often as it likes."""

    def __init__(self, house: House, folder: Folder, source_id: str, out: TextIO = sys.stdout) -> None:
        """`out` is where a line for each file goes."""
        self._house, self._folder, self._source_id, self._out = house, folder, source_id, out
        self._looks = 0
        self._waiting: dict[str, tuple[int, int, str]] = {}  # by name: tried how often, not before which look, why
        self._told: dict[str, Look] = {}

    async def look(self) -> int:
        """Take every file that is ready; returns how many were answered. Raises NotFound for no live source."""
        self._looks += 1
        answered = 0
        for file in self._folder.ready():
            _, due, _ = self._waiting.get(file.name, (0, 0, ""))
            if due <= self._looks and self._is_ours(file):
                answered += await self._try(file)
        return answered

    def _is_ours(self, file: Path) -> bool:
        """Whether a file's name says how it is read; others are left alone, and told once."""
        if dropping.is_named(file):
            return True
        if (look := look_at(file)) is not None and self._told.get(file.name) != look:
            self._told[file.name] = look
            self._say(f"{shown(file)}: left where it is. {dropping.NAMING}")
        return False

    async def _try(self, file: Path) -> bool:
        try:
            answered = await self._one(file)
        except NotFound:  # the source was ended: nothing in this folder will ever be taken
            raise
        except OSError as error:
            self._put_off(file, f"{error.strerror or type(error).__name__}; it stays and is tried again")
            return False
        except Problem as error:
            kind = type(error.__cause__ or error).__name__
            self._put_off(file, error.detail if isinstance(error, Unread) else f"{kind}; it stays and is tried again")
            return False
        self._waiting.pop(file.name, None)
        return answered

    async def _one(self, file: Path) -> bool:
        """Claim, take, answer, move. What concerns the file is answered; what concerns us is raised."""
        claimed = self._folder.claim(file)
        if claimed is None:
            return False
        if (target := self._folder.answered(claimed)) is not None:
            self._folder.move(claimed, target)
            self._say(f"{shown(file)}: answered before -> {target.parent.name}/{shown(target)}")
            return True
        self._folder.room(claimed)
        before = look_at(claimed)
        try:
            receipt = await dropping.take(self._house, claimed, self._source_id)
        except Exception as error:
            problem = problems.translate(error)
            if isinstance(error, OSError) or not isinstance(problem, Invalid | Malformed | TooLarge):
                raise problem from error
            if look_at(claimed) != before:
                raise Unread(dropping.UNSETTLED) from error
            target = self._folder.put(claimed, "refused", problems.describe(problem, ""))
            self._say(f"{shown(file)}: refused as a whole, {problem.code} -> refused/{shown(target)}")
            return True
        target = self._folder.put(claimed, "done", receipt)
        counts = f"{receipt.received} lines, {receipt.accepted} well-formed, {len(receipt.rejected)} refused"
        self._say(f"{shown(file)}: {counts} -> done/{shown(target)}")
        return True

    def _put_off(self, file: Path, why: str) -> None:
        """Wait twice as long as before; say why, once for as long as it stays the same."""
        tried, _, said = self._waiting.get(file.name, (0, 0, ""))
        self._waiting[file.name] = (tried + 1, self._looks + min(2**tried, _LONGEST), why)
        if why != said:
            self._say(f"{shown(file)}: {why}")

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)


def run(settings: Settings, place: Path, source_id: str, *, marked: bool) -> None:
    """Watch until interrupted. Raises NotWatchable, WatchedAlready, NotFound."""
    folder = Folder(place, marked=marked)
    folder.open()
    try:
        asyncio.run(_watch(settings, folder, source_id))
    finally:
        folder.close()


async def _watch(settings: Settings, folder: Folder, source_id: str) -> None:
    house = app.make_house(settings)
    try:
        await dropping.source_of(house, source_id)
        print(f"Watching {folder.place} for {source_id}; Ctrl-C ends it.", flush=True)
        watch = Watch(house, folder, source_id)
        while True:
            await watch.look()
            await asyncio.sleep(EVERY)
    finally:
        await asyncio.gather(house.short.close(), house.doors.close())


def shown(file: Path) -> str:
    """A file's name as it may stand in a line: without what cannot be printed, and none that holds an ID number."""
    return dropping.safe_name(file) or "(a name with a number like an ID)"
