"""A withdrawal is effective with the next request at every door, while 64 readers are at them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, TypeAlias

import asyncpg
import httpx2
import pytest

from core import clock
from tests.api.conftest import (
    Server,
    lone_server,  # noqa: F401  (the fixture; tests here ask for it by name)
)
from tests.api.test_statements import LIBRARY, share

Read: TypeAlias = Callable[[], Awaitable[str]]
READERS = {"score": 24, "subject at one partner": 8, "subject at another": 8, "code": 8, "push": 8, "feed": 8}
# What each door says while the consents live, and after the end of either. A source never sees a difference.
LIVES = {"score": "200", "subject at one partner": "granted", "subject at another": "granted", "code": "granted",
         "push": "accepted", "feed": "joined"}  # fmt: skip
AFTER: Mapping[str, Mapping[str, str]] = {
    "score": {**dict.fromkeys(LIVES, "standard_route"), "score": "not_enrolled", "push": "accepted", "feed": "left"},
    "share": {**LIVES, "subject at one partner": "standard_route"},
}


class City:
    """One citizen, two partners and a source at a server, and a reader for each door."""

    def __init__(self, me: httpx2.AsyncClient, partners: list[httpx2.AsyncClient], source: httpx2.AsyncClient) -> None:
        """Clients with credentials."""
        self.me, self.partners, self.source = me, partners, source
        self.consents: dict[str, str] = {}
        self.readers: dict[str, Read] = {}
        self._pushed = 0

    async def settle(self, server: Server, person: Mapping[str, Any]) -> None:
        """The citizen joins, shares with both partners and draws a code."""
        self.consents["score"] = (await server.join(self.me)).json()["id"]
        shared = [await share(self.me, name) for name in ("one-room", "other-room")]
        self.consents["share"] = shared[0]["id"]
        code = (await self.me.post("/v1/me/credit-code", json={"perk": LIBRARY})).json()["code"]
        held = [{"subject": one["subject"]} for one in shared]
        self.readers = {
            "score": self._score,
            "subject at one partner": lambda: _check(self.partners[0], held[0]),
            "subject at another": lambda: _check(self.partners[1], held[1]),
            "code": lambda: _check(self.partners[0], {"code": code}, **{"Idempotency-Key": "the-same"}),
            "push": lambda: self._push(person["id_number"]),
            "feed": self._feed,
        }

    async def _score(self) -> str:
        answer = await self.me.get("/v1/me/score")
        return "200" if answer.status_code == 200 else answer.json()["code"]

    async def _push(self, id_number: str) -> str:
        self._pushed += 1
        line = {
            "ref": f"b{self._pushed}", "version": 1, "kind": "P01", "id_number": id_number, "occurred_on": "2026-10-20",
            "fields": {"account": "A", "period": "2026-10", "on_time": True},
        }  # fmt: skip
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await self.source.post("/v1/source/records", content=json.dumps(line) + "\n", headers=headers)
        return "accepted" if answer.json()["accepted"] == 1 else answer.text

    async def _feed(self) -> str:
        found = (await self.source.get("/v1/source/subjects")).json()["subjects"]
        return found[-1]["state"] if found else "nobody"


async def _check(partner: httpx2.AsyncClient, holder: Mapping[str, str], **headers: str) -> str:
    body = {"perk": LIBRARY, "holder": holder}
    answer = await partner.post("/v1/partner/eligibility", json=body, headers=headers)
    assert "reason" not in answer.json(), answer.text
    return answer.json()["result"]


async def _gathered(server: Server, stack: AsyncExitStack) -> City:
    async def at(client_id: str, role: str, scope: str, **more: Any) -> httpx2.AsyncClient:
        auth, _ = await server.register(client_id, role, scope, **more)
        return await stack.enter_async_context(httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=60))

    rooms = [await at(name, "partner", "eligibility:check", perks=[LIBRARY]) for name in ("one-room", "other-room")]
    source = await at("utilities", "source", "records:write", kinds=["P01"])
    person = server.person()
    city = City(await stack.enter_async_context(server.logged_in(person)), rooms, source)
    await city.settle(server, person)
    return city


@pytest.mark.parametrize("what", ["score", "share"])
async def test_with_the_next_request_at_every_door(lone_server: Server, what: str) -> None:  # noqa: F811
    """All 64 read it alive, meet the withdrawal on its way, and each reads the end with their first request after it.

    Nothing that a source sends after it is kept, the citizen sees their own act at once, and what did not rest on this
    consent goes on.
    """
    async with AsyncExitStack() as stack:
        city = await _gathered(lone_server, stack)
        start, withdrawn = asyncio.Barrier(sum(READERS.values()) + 1), asyncio.Event()

        async def read(door: str) -> tuple[str, str, str, str]:
            before = await city.readers[door]()
            await start.wait()
            during = await city.readers[door]()
            await withdrawn.wait()
            return door, before, during, await city.readers[door]()

        async def withdraw() -> None:
            await start.wait()
            ended = await city.me.delete(f"/v1/me/consents/{city.consents[what]}")
            assert ended.json()["state"] == "withdrawn"
            withdrawn.set()

        tasks = [read(door) for door, many in READERS.items() for _ in range(many)]
        *found, _ = await asyncio.gather(*tasks, withdraw())
        for door, before, during, after in found:
            assert before == LIVES[door], door
            assert during in {LIVES[door], AFTER[what][door]}, door
            assert after == AFTER[what][door], door
        seen = (await city.me.get("/v1/me/accesses")).json()["accesses"]
        assert "consent.withdraw" in {one["action"] for one in seen}
    owner = await asyncpg.connect(lone_server.owner_url)
    kept = await owner.fetchval("select count(*) from scoring.record")
    await owner.close()
    assert kept == (0 if what == "score" else 3 * READERS["push"])


async def test_the_end_is_by_the_clock_where_nobody_withdraws(lone_server: Server) -> None:  # noqa: F811
    """The last day over, every door answers as after a withdrawal, before any job has told the source who left."""
    async with AsyncExitStack() as stack:
        city = await _gathered(lone_server, stack)
        owner = await asyncpg.connect(lone_server.owner_url)
        await owner.execute("update auth.consent set expires_at = $1", clock.civil() - timedelta(seconds=1))
        await owner.execute("update scoring.live set until = $1", clock.civil() - timedelta(seconds=1))
        for door, end in AFTER["score"].items():
            assert await city.readers[door]() == ("nobody" if door == "feed" else end), door
        assert await owner.fetchval("select count(*) from scoring.record") == 0
        await owner.close()
