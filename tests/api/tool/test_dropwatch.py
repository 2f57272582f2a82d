"""`osmanthus source drop --watch`: what is laid down comes to the records that a push would, once, whatever happens."""

import asyncio
import io
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from api.tool import dropwatch
from api.tool.dropfolder import ANSWER, Folder, NotWatchable
from api.tool.dropwatch import Watch
from api.tool.progress import Bar
from core import embedded
from core.errors import NotFound
from core.keys import Keyring
from core.settings import ROOT
from scoring.tables import batch
from tests.api.conftest import Server, serving
from tests.clones import clone
from tests.scoringworld import month, water

HEADER = "ref,version,kind,id_number,occurred_on,fields.account,fields.period,fields.on_time"


def line(ref: str, who: str, back: int = 1) -> str:
    """A water bill as a row of CSV."""
    return f"{ref},1,P01,{who},{month(back)}-01,a,{month(back)},是"


def lay(place: Path, name: str, body: bytes) -> Path:
    """A file laid down whole."""
    (part := place / f".{name}").write_bytes(body)
    return part.rename(place / name)


def answer(file: Path) -> Any:
    """What lies beside a file that was moved."""
    return msgspec.json.decode(file.with_name(file.name + ANSWER).read_bytes())["answer"]


class Place:
    """A watched folder of a bureau, and somebody who takes part."""

    def __init__(self, server: Server, place: Path, me: httpx2.AsyncClient, person: Mapping[str, Any]) -> None:
        """The watch looks when it is told to."""
        self.server, self.place, self.me, self.who = server, place, me, person["id_number"]
        self.out = io.StringIO()
        self.folder = Folder(place)
        self.folder.open()
        self.watch = Watch(server.house, self.folder, "utilities", self.out)

    async def looks(self, times: int = 2) -> int:
        """Look; returns how many files were answered."""
        return sum([await self.watch.look() for _ in range(times)])

    async def held(self) -> list[str]:
        """The months of the person's bills, the latest first."""
        return [one["fields"]["period"] for one in (await self.me.get("/v1/me/records")).json()["records"]]


@pytest_asyncio.fixture(scope="module")
async def server(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[Server]:
    """A server of these tests, with a bureau that drops files."""
    async with clone(cluster, city_template) as url, serving(url, ring.file, published=True) as made:
        await made.register("utilities", "source", "records:write", kinds=["P01"])
        yield made


@pytest_asyncio.fixture
async def place(server: Server, tmp_path: Path) -> AsyncIterator[Place]:
    """A watched folder, and somebody who takes part."""
    person = server.person()
    async with server.logged_in(person) as me:
        await server.join(me)
        yield Place(server, tmp_path, me, person)


class TestLook:
    """One file and another."""

    async def test_files_of_every_form_are_taken(self, place: Place) -> None:
        """CSV, NDJSON and Parquet become records, answers lie beside them, and what is printed holds no value."""
        table = {
            name: [cell] for name, cell in zip(HEADER.split(","), line("w3", place.who, 3).split(","), strict=True)
        }
        table["version"] = [1]
        table["fields.on_time"] = [True]
        pq.write_table(pa.table(table), place.place / ".c.parquet")
        (place.place / ".c.parquet").rename(place.place / "c.parquet")
        lay(place.place, "a.csv", "\n".join([HEADER, line("w1", place.who), line("x", "1")]).encode())
        lay(place.place, "b.ndjson", msgspec.json.encode(water("w2", place.who, back=2)))
        assert await place.looks() == 3
        assert await place.held() == [month(1), month(2), month(3)]
        done = place.place / "done"
        assert sorted(file.name for file in done.iterdir() if not file.name.endswith(ANSWER)) == [
            "a.csv", "b.ndjson", "c.parquet",
        ]  # fmt: skip
        told = answer(done / "a.csv")
        assert (told["received"], told["accepted"], told["rejected"][0]["code"]) == (2, 1, "bad_id_number")
        assert "a.csv: 2 lines, 1 well-formed, 1 refused -> done/a.csv" in place.out.getvalue()
        assert place.who not in place.out.getvalue()
        assert await place.looks() == 0

    async def test_a_file_that_is_wrong_is_refused_with_its_reason(self, place: Place) -> None:
        """A header that names nothing and a broken archive go to refused/; other endings are left, and told once."""
        lay(place.place, "a.csv", b"nothing\n1\n")
        lay(place.place, "b.csv.gz", b"no archive")
        lay(place.place, "c.xlsx", b"")
        assert await place.looks(4) == 2
        refused = place.place / "refused"
        assert answer(refused / "a.csv")["code"] == "bad_header"
        assert answer(refused / "b.csv.gz")["status"] == 400
        assert (place.place / "c.xlsx").exists()
        assert place.out.getvalue().count("c.xlsx") == 1

    async def test_what_is_wrong_with_us_keeps_the_file(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """A full disk and a file that cannot be read are said once, and the file is taken when they are over."""
        lay(place.place, "a.csv", "\n".join([HEADER, line("k1", place.who)]).encode())

        def full(*_given: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "posix_fallocate", full)
            assert await place.looks(6) == 0
        plain = Path.open

        def denied(self: Path, mode: str = "r", *more: Any) -> Any:
            if mode == "rb" and self.name == "a.csv":
                raise PermissionError(13, "Permission denied")
            return plain(self, mode, *more)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", denied)
            assert await place.looks(20) == 0
        assert await place.held() == []
        assert await place.looks(128) == 1
        assert await place.held() == [month(1)]
        said = place.out.getvalue()
        assert (said.count("No space left"), said.count("Permission denied")) == (1, 1)

    async def test_a_file_that_is_written_to_is_not_half_taken(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A writer who kept the file open spoils this take alone: nothing is merged until the file has settled."""
        file = lay(place.place, "a.csv", "\n".join([HEADER, line("h1", place.who), ""]).encode())
        writer = file.open("ab")
        step = Bar.step

        def late(self: Bar, label: str, done: int, total: int) -> None:
            if not writer.closed:
                writer.write(line("h2", place.who, 2).encode())
                writer.close()
            step(self, label, done, total)

        with monkeypatch.context() as patched:
            patched.setattr(Bar, "step", late)
            assert await place.looks() == 0
        assert "Somebody was writing" in place.out.getvalue()
        assert await place.held() == []
        assert await place.looks(5) == 1
        assert await place.held() == [month(1), month(2)]

    async def test_a_name_with_a_number_like_an_id_is_kept_nowhere(self, place: Place) -> None:
        """Such a file is taken, but its name stands neither in a line nor with the batch."""
        lay(place.place, f"{place.who}.csv", "\n".join([HEADER, line("n1", place.who)]).encode())
        assert await place.looks() == 1
        assert place.who not in place.out.getvalue()

    async def test_a_source_that_was_ended_ends_the_watch(self, server: Server, tmp_path: Path) -> None:
        """Nothing is taken for a source that is none; the file stays."""
        folder = Folder(tmp_path)
        folder.open()
        watch = Watch(server.house, folder, "nobody", io.StringIO())
        lay(tmp_path, "a.csv", HEADER.encode())
        assert await watch.look() == 0
        with pytest.raises(NotFound):
            await watch.look()
        assert (tmp_path / ".taking" / "a.csv").exists()


# A watch that is killed at one step, and at the next one when it is begun anew; once each, in children of one process.
_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from api import app
from api.tool import dropping, dropfolder
from api.tool.dropwatch import Watch
from api.tool.progress import Bar
from core import settings

def die(*_given):
    os.kill(os.getpid(), signal.SIGKILL)

taken = dropping.take
async def take(*given):
    await taken(*given)
    die()

async def look(step):
    folder = dropfolder.Folder(Path(sys.argv[1]))
    folder.open()
    if step == "claimed": folder.room = die
    if step == "merged": dropping.take = take
    if step == "answered": folder.move = die
    watch = Watch(app.make_house(settings.read()), folder, "utilities")
    for _ in range(3): await watch.look()

for step in ("claimed", "merged", "answered"):
    if not (child := os.fork()):
        asyncio.run(look(step))
        os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, step
    print(step, flush=True)
    sys.stdin.readline()
"""


class TestKilled:
    """SIGKILL at any step."""

    @pytest.fixture
    def environment(self, server: Server) -> dict[str, str]:
        """The settings of a process of its own."""
        known = server.house.settings
        return {
            **os.environ, "DATABASE_URL": known.database_url, "OSMANTHUS_BASE_URL": known.base_url,
            "OSMANTHUS_SANDBOX": "1", "OSMANTHUS_DEMO_IDP": "1", "OSMANTHUS_MASTER_KEY": known.master_key.hex(),
            "OSMANTHUS_EPOCHS_FILE": str(known.epochs_file), "PYTHONPATH": str(ROOT),
        }  # fmt: skip

    async def test_no_file_is_lost_or_taken_twice(self, place: Place, environment: dict[str, str]) -> None:
        """Killed once claimed, once merged and once answered: the record is there once, and so is the file."""
        place.folder.close()
        lay(place.place, "s.csv", "\n".join([HEADER, line("s1", place.who)]).encode())
        command = [sys.executable, "-c", _KILLED, str(place.place)]
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        for step, held in {b"claimed": [], b"merged": [month(1)], b"answered": [month(1)]}.items():
            assert await process.stdout.readline() == step + b"\n"
            assert (place.place / ".taking" / "s.csv").exists()
            assert await place.held() == held
            process.stdin.write(b"\n")
        _, error = await process.communicate()
        assert process.returncode == 0, error.decode()
        batches = await self._batches(place)
        place.folder.open()
        assert await place.looks() == 1
        assert "s.csv: answered before -> done/s.csv" in place.out.getvalue()
        assert await place.held() == [month(1)]
        assert await self._batches(place) == batches, "what was answered was taken again"
        assert answer(place.place / "done" / "s.csv")["accepted"] == 1
        assert list((place.place / ".taking").glob("[!.]*")) == []

    async def _batches(self, place: Place) -> int:
        async with place.server.house.doors.work("scorer") as session:
            mine = select(func.count()).where(batch.c.source == "utilities", batch.c.name == "s.csv")
            return int(await session.scalar(mine) or 0)


class TestRun:
    """The command itself."""

    async def test_it_goes_on_until_it_is_stopped(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """One file, and another that comes later; then it is interrupted, and the folder is free."""
        monkeypatch.setattr(dropwatch, "EVERY", 0.01)
        place.folder.close()
        folder = Folder(place.place)
        folder.open()
        watching = asyncio.create_task(dropwatch._watch(place.server.house.settings, folder, "utilities"))
        for number in (1, 2):
            lay(place.place, f"{number}.csv", "\n".join([HEADER, line(f"r{number}", place.who, number)]).encode())
            async with asyncio.timeout(60):
                while not (place.place / "done" / f"{number}.csv").exists():
                    assert not watching.done()
                    await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        folder.close()
        assert await place.held() == [month(1), month(2)]
        place.folder.open()

    def test_it_says_what_cannot_be_watched(self, server: Server, tmp_path: Path) -> None:
        """A folder that is not there is one clear error before any database is asked."""
        with pytest.raises(NotWatchable):
            dropwatch.run(server.house.settings, tmp_path / "none", "utilities", marked=False)
