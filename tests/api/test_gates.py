"""Two gates without a line, and the city that they come back to."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from core import clock
from tests.api.conftest import Server
from tests.api.worker.test_lapses import days_later
from tests.incentives import gates

TRANSIT = "transit.discount"
NDJSON = {"Content-Type": "application/x-ndjson"}
CARD = "31050000123456789"


async def share(me: httpx2.AsyncClient, operator: str) -> str:
    """A standing consent with an operator; returns its id."""
    notice = (await me.get("/v1/rules/notices/share/1")).json()
    given = await me.post(
        "/v1/me/consents",
        json={
            "purpose": f"share:{operator}/{TRANSIT}",
            "notice": {"version": 1, "digest": notice["digest"]},
            "expires_on": (clock.today() + timedelta(days=100)).isoformat(),
        },
    )
    assert given.status_code == 201, given.text
    return given.json()["id"]


async def bound(operator: httpx2.AsyncClient, me: httpx2.AsyncClient) -> int:
    """Issue a card and bind it; returns its index."""
    issued = await operator.post("/v1/citycard/cards", content=f'{{"card_no": "{CARD}"}}\n'.encode(), headers=NDJSON)
    assert issued.status_code == 200, issued.text
    taken = await me.post("/v1/me/cards", json={"card_no": CARD, "pin": "730519"})
    assert taken.status_code == 201, taken.text
    return issued.json()["indexes"][0]


class TestADay:
    """From learning to the statement."""

    async def test_offline_and_back(self, lone_server: Server, tmp_path: Path) -> None:
        """A card rides at both gates; a code is taken by both; uploaded twice and out of order, each ride counts once.

        The double is told to the operator and shown to the citizen; who withdraws is off the list at the next fetch.
        """
        auth, _ = await lone_server.register("metro-card", "citycard", "citycard", perks=[TRANSIT])
        said: list[str] = []
        async with (
            httpx2.AsyncClient(base_url=lone_server.base_url, auth=auth, timeout=60) as operator,
            lone_server.logged_in(lone_server.person()) as me,
        ):
            assert (await lone_server.join(me)).status_code == 201
            consent, index = await share(me, "metro-card"), await bound(operator, me)
            code = (await me.post("/v1/me/credit-code", json={"perk": TRANSIT})).json()["code"]
            terminals = [
                gates.days.Day(tmp_path / name, perk=TRANSIT, partner="metro-card", terminal=name)
                for name in ("a", "b")
            ]
            with httpx2.Client(base_url=lone_server.base_url, auth=auth, timeout=60) as http:
                line = gates.simulator.line(http)
                riders = [index, code]
                rides = await asyncio.to_thread(gates.simulator.day_of, terminals, *line, riders, said.append)
                assert rides == 4, said
                seen = (await me.get("/v1/me/rides")).json()["rides"]
                assert [(one["rides"], one["discount"], one["doubled"]) for one in seen] == [(4, 120, 1)]
                assert (await me.delete(f"/v1/me/consents/{consent}")).status_code == 200
                await asyncio.to_thread(terminals[0].learn, line[0])
                assert not terminals[0].list.holds(index)
            await check_statement(lone_server, operator, terminals)

    async def test_a_line_that_is_none(self, server: Server) -> None:
        """It is refused by itself; gzip, and a body of another kind."""
        auth, _ = await server.register("metro-lines", "citycard", "citycard", perks=[TRANSIT])
        async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=60) as operator:
            answer = await operator.post("/v1/citycard/rides", content=b'{"ride": "x"}\n', headers=NDJSON)
            assert (answer.status_code, answer.json()["received"], answer.json()["accepted"]) == (200, 1, 0)
            assert [one["code"] for one in answer.json()["rejected"]] == ["malformed"]
            wrong = await operator.post("/v1/citycard/rides", json={})
            assert (wrong.status_code, wrong.json()["code"]) == (415, "unsupported_media_type")

    async def test_consume_and_feed(self, server: Server) -> None:
        """A code of nobody's is the standard route with an impersonal reason; the feed is a ZIP of this operator's."""
        auth, _ = await server.register("metro-online", "citycard", "citycard", perks=[TRANSIT])
        async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=60) as operator:
            asked = {"perk": TRANSIT, "code": "CC1:NOBODYS", "fare": 300, "gate": "g1"}
            told = (await operator.post("/v1/citycard/codes/consume", json=asked)).json()
            assert (told["result"], told["reason"], told["payable_deposit"]) == ("standard_route", "code_expired", 300)
            feed = await operator.get("/v1/citycard/gtfs")
            assert (feed.status_code, feed.headers["content-type"]) == (200, "application/zip")
            assert TRANSIT.encode() not in feed.content[:200]


async def check_statement(server: Server, operator: httpx2.AsyncClient, terminals: list[Any]) -> None:
    """What the finished day says, and that the day itself is not there before."""
    day = clock.today()
    early = await operator.get(f"/v1/citycard/statements/{day}")
    assert (early.status_code, early.json()["code"]) == (404, "statement_not_ready")
    async with days_later(server, 1):
        told: Mapping[str, Any] = (await operator.get(f"/v1/citycard/statements/{day}")).json()
    assert {one["outcome"]: (one["rides"], one["discount"]) for one in told["sums"]} == {
        "settled": (3, 90),
        "code_used": (1, 30),
    }
    assert told["owed"] == {TRANSIT: 90}
    (double,) = told["doubles"]
    numbers = [[ride["ride"] for ride in one.usage.kept()] for one in terminals]
    assert double["ride"] in numbers[0]  # the last gate came home first
    assert double["other"] in numbers[1]
