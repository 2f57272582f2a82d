"""What happens without being asked: expiry, sweeping, the daily pass."""

import json
from datetime import timedelta

import asyncpg
import httpx2
import pytest

from api.worker import jobs, watching
from core import clock, ids
from tests.api.conftest import Server

NDJSON = {"Content-Type": "application/x-ndjson"}


async def _bill(server: Server, source: httpx2.Auth, id_number: str) -> None:
    line = {
        "ref": "b",
        "version": 1,
        "kind": "P01",
        "id_number": id_number,
        "occurred_on": "2026-10-20",
        "fields": {"account": "A", "period": "2026-10", "on_time": True},
    }
    async with httpx2.AsyncClient(base_url=server.base_url, auth=source) as http:
        answer = await http.post("/v1/source/records", content=json.dumps(line) + "\n", headers=NDJSON)
    assert answer.json()["accepted"] == 1


class TestOnce:
    """One round of the jobs."""

    async def test_an_expired_consent_ends_and_after_its_grace_everything_is_erased(self, lone_server: Server) -> None:
        """Stored unused for 30 days, then gone; the source learns at once that the person left."""
        server = lone_server
        utilities, _ = await server.register("utilities", "source", "records:write", kinds=["P01"])
        person = server.person()
        async with server.logged_in(person) as me:
            given = (await server.join(me)).json()
            await _bill(server, utilities, person["id_number"])
            owner = await asyncpg.connect(server.owner_url)
            move = "update auth.consent set expires_at = $2 where id = $1"
            await owner.execute(move, ids.read("co", given["id"]), clock.wall() - timedelta(minutes=1))
            await jobs.once(server.house, clock.today())
            shown = (await me.get(f"/v1/me/consents/{given['id']}")).json()
            assert (shown["state"], shown["erased_at"]) == ("expired", None)
            async with httpx2.AsyncClient(base_url=server.base_url, auth=utilities) as http:
                feed = (await http.get("/v1/source/subjects")).json()["subjects"]
            assert [one["state"] for one in feed] == ["left"]
            assert await owner.fetchval("select count(*) from scoring.record") == 1
            await owner.execute(move, ids.read("co", given["id"]), clock.wall() - timedelta(days=31))
            await owner.execute("update scoring.live set until = $1", clock.wall() - timedelta(days=31))
            await jobs.once(server.house, clock.today())
            for table in (
                "scoring.record",
                "scoring.live",
                "scoring.link",
                "scoring.standing",
                "scoring.standing_change",
            ):
                assert await owner.fetchval(f"select count(*) from {table}") == 0
            await owner.close()

    async def test_daily_chores_are_done_once_a_day(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first round of a day looks at what sources send and counts the quarter; the others do not."""
        looked: list[object] = []

        async def look(house: object) -> int:
            looked.append(house)
            return 0

        monkeypatch.setattr(watching, "look", look)
        done = await jobs.once(server.house)
        assert done == clock.today()
        assert await jobs.once(server.house, done) == clock.today()
        assert len(looked) == 1

    async def test_another_worker_at_it_means_standing_by(self, lone_server: Server) -> None:
        """The lock is held by one process; the other does nothing and tries again later."""
        async with lone_server.house.doors.work("jobs") as session:
            held = await (await session.connection()).exec_driver_sql("select pg_try_advisory_xact_lock(1444)")
            assert held.scalar_one() is True
            assert await jobs.once(lone_server.house) is None

    async def test_a_fault_of_ours_ends_the_worker(self, lone_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only an absent database or rule book is waited for."""

        async def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(jobs, "once", broken)
        with pytest.raises(ZeroDivisionError):
            await jobs.run(lone_server.house)
