"""The daily pass as the worker sees to it, in a process of its own."""

import asyncio

import asyncpg
import pytest

from api.tool.nightly import LATER, make
from api.worker import nightly
from core import clock
from scoring.batch import cursor
from tests.api.conftest import Server

_SAY = "import sys; print('on we go'); sys.exit({})"


class TestSeeTo:
    """`nightly.see_to`."""

    async def test_a_fault_of_the_pass_is_raised(self, lone_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """A pass that ends badly is no pass: its last words are in what is raised."""
        monkeypatch.setattr(nightly, "_TOOL", _SAY.format(1))
        with pytest.raises(nightly.PassFailed, match="status 1: on we go"):
            await nightly.see_to(lone_server.house, clock.today())

    async def test_later_is_later(self, lone_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """A pass that could not be made now is due still."""
        monkeypatch.setattr(nightly, "_TOOL", _SAY.format(LATER))
        assert await nightly.see_to(lone_server.house, clock.today()) is False

    async def test_the_pass_ends_with_whoever_asked_for_it(
        self, lone_server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A worker that is stopped takes the pass with it, and waits until it is gone."""
        monkeypatch.setattr(nightly, "_TOOL", "import time; print('begun', flush=True); time.sleep(600)")
        heard = asyncio.Event()
        monkeypatch.setattr(nightly._log, "info", lambda *_, **__: heard.set(), raising=False)
        seeing = asyncio.create_task(nightly.see_to(lone_server.house, clock.today()))
        await asyncio.wait_for(heard.wait(), 60)
        seeing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(seeing, 60)


class TestAttend:
    """`nightly.attend`."""

    async def test_a_fault_of_the_pass_stops_nothing_else(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is told to the log and tried again after a while; a fault of anything else is raised."""
        told: list[str] = []
        tries = iter([nightly.PassFailed("status 1: scorecard x, column y"), None, ZeroDivisionError()])

        async def see_to(*_: object) -> bool:
            if (fault := next(tries)) is not None:
                raise fault
            return True

        monkeypatch.setattr(nightly, "see_to", see_to)
        monkeypatch.setattr(nightly, "_PAUSE_SECONDS", 0)
        monkeypatch.setattr(nightly, "_AFTER_A_FAULT_SECONDS", 0)
        monkeypatch.setattr(nightly._log, "error", lambda *_, said: told.append(said), raising=False)
        with pytest.raises(ZeroDivisionError):
            await nightly.attend(server.house)
        assert told == ["status 1: scorecard x, column y"]


class TestMake:
    """`osmanthus score nightly`."""

    async def test_today(self, lone_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
        """It brings everybody to today, says how many, and is done once; beside another one it says so."""
        server = lone_server
        async with server.logged_in(server.person()) as me:
            await server.join(me)
        owner = await asyncpg.connect(server.owner_url)
        await owner.execute("update scoring.standing set points = 7")
        async with cursor.alone(server.house.doors):
            assert await make(server.house.settings) == LATER
        assert await owner.fetchval("select points from scoring.standing") == 7
        assert await make(server.house.settings) == 0
        assert "1 people looked at, 1 standings say something new" in capsys.readouterr().out
        assert await owner.fetchval("select points from scoring.standing") == 1100
        assert await nightly.see_to(server.house, clock.today()), "over for today"
        await owner.close()
