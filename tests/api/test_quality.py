"""`/v1/staff/quality`: numbers that point at nobody, and a bad datum's way back to the line that brought it."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from prometheus_client import generate_latest

from api.requests import registry
from api.worker import watching
from core import clock, embedded
from core.keys import Keyring
from tests import eavesdropping
from tests.api.conftest import Server, serving
from tests.clones import clone
from tests.scoringworld import month

HEADER = "ref,version,kind,id_number,occurred_on,fields.account,fields.period,fields.on_time"


class World:
    """A server, a source, staff, one person."""

    def __init__(self, server: Server, source: httpx2.Auth, staff: httpx2.Auth, person: Any) -> None:
        """The person takes part."""
        self.server, self.source, self.staff, self.person = server, source, staff, person

    async def push(self, *lines: str) -> Any:
        """Lines of CSV from the source."""
        async with httpx2.AsyncClient(base_url=self.server.base_url, auth=self.source) as http:
            body = "\n".join([HEADER, *lines]).encode()
            return (await http.post("/v1/source/records", content=body, headers={"Content-Type": "text/csv"})).json()

    async def ask(self, path: str, body: Any = None) -> httpx2.Response:
        """One request of the office."""
        async with httpx2.AsyncClient(base_url=self.server.base_url, auth=self.staff) as http:
            if body is None:
                return await http.get(f"/v1/staff/quality{path}")
            return await http.post(f"/v1/staff/quality{path}", json=body)

    def bill(self, ref: str, back: int = 1) -> str:
        """A bill of the person's."""
        return f"{ref},1,P01,{self.person['id_number']},{month(back)}-01,a1,{month(back)},是"


@pytest_asyncio.fixture(scope="module")
async def world(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[World]:
    """A server of these tests."""
    async with clone(cluster, city_template) as url, serving(url, ring.file, published=True) as server:
        source, _ = await server.register("utilities", "source", "records:write", kinds=["P01"])
        staff, _ = await server.register("office", "staff", "staff:quality")
        person = server.person()
        async with server.logged_in(person) as me:
            await server.join(me)
        yield World(server, source, staff, person)


class TestTrace:
    """From a record to its line and back."""

    async def test_there_and_back(self, world: World) -> None:
        """A record leads to batch and line, the batch to its refusals; the person sees that somebody looked."""
        pushed = await world.push("bad,0,P01,x,2026-01-01,a,2026-01,是", world.bill("b1"), world.bill("b2", 2))
        async with world.server.logged_in(world.person) as me:
            records = (await me.get("/v1/me/records")).json()["records"]
            traced = await world.ask("/traces", {"record": records[0]["id"], "clerk": "0001", "purpose": "quality"})
            assert traced.status_code == 200, traced.text
            found = traced.json()
            assert (found["source"], found["batch"]) == ("utilities", pushed["batch_id"])
            assert found["line"] in {3, 4}
            seen = (await me.get("/v1/me/accesses")).json()["accesses"][0]
            assert (seen["action"], seen["purpose"]) == ("quality.trace", "quality")
        batch = (await world.ask(f"/batches/{found['batch']}")).json()
        assert (batch["via"], batch["form"], batch["received"], batch["accepted"]) == ("push", "csv", 3, 2)
        assert batch["rejected"] == [{"kind": "", "code": "malformed", "lines": 1, "first_line": 2}]
        assert batch["held"] == {"P01": None}, "fewer than ten"
        assert batch["withdrawn_at"] is None

    @pytest.mark.parametrize("record", ["rc_00000000000000000000000000", "x", "rc_"])
    async def test_nothing_there(self, world: World, record: str) -> None:
        """A number that leads nowhere is 404, and nobody is told of anything."""
        asked = await world.ask("/traces", {"record": record, "clerk": "0001", "purpose": "quality"})
        assert asked.status_code == 404
        assert (await world.ask("/batches/ba_00000000000000000000000000")).status_code == 404


class TestWithdraw:
    """`POST /v1/source/batches/{batch_id}/withdraw`."""

    async def test_a_batch_is_taken_back(self, world: World) -> None:
        """202 and the same body, also again; points and board say so, the citizen reads why; strangers find nothing."""
        other, _ = await world.server.register("library", "source", "records:write", kinds=["P01"])
        async with world.server.logged_in(world.person) as me:
            before = (await me.get("/v1/me/score")).json()["points"]
            wrong = (await world.push(world.bill("w1", 7), world.bill("w2", 8)))["batch_id"]
            assert (await me.get("/v1/me/score")).json()["points"] > before
            stranger = [
                await self._withdraw(world, other, one) for one in (wrong, "ba_00000000000000000000000000", "x")
            ]
            assert {(one.status_code, one.json()["detail"]) for one in stranger} == {
                (404, "There is nothing of yours under this address.")
            }
            answers = [await self._withdraw(world, world.source, wrong) for _ in range(2)]
            assert [(one.status_code, one.json()) for one in answers] == [(202, {"status": "accepted"})] * 2
            assert (await me.get("/v1/me/score")).json()["points"] == before
            history = (await me.get("/v1/me/score/history")).json()["changes"][0]
            assert (history["cause"], "整批" in str(history)) == ("records.withdraw:utilities", True)
            seen = (await me.get("/v1/me/accesses")).json()["accesses"]
            assert [one["action"] for one in seen].count("records.withdraw") == 1
        batch = (await world.ask(f"/batches/{wrong}")).json()
        assert batch["withdrawn_at"] is not None
        assert batch["held"] == {}
        (mine,) = [one for one in (await world.ask("?days=7")).json()["sources"] if one["source"] == "utilities"]
        assert "withdrawn" in mine["ended"]

    async def _withdraw(self, world: World, source: httpx2.Auth, batch: str) -> httpx2.Response:
        async with httpx2.AsyncClient(base_url=world.server.base_url, auth=source) as http:
            return await http.post(f"/v1/source/batches/{batch}/withdraw")


class TestBoard:
    """The numbers."""

    async def test_small_cells_are_hidden(self, world: World) -> None:
        """Lines and refusals are shown, what is about few persons is not; no word of the person is in it."""
        await world.push(world.bill("c1", 3))
        board = (await world.ask("?days=7")).json()
        (mine,) = [one for one in board["sources"] if one["source"] == "utilities"]
        (kind,) = [one for one in mine["kinds"] if one["kind"] == "P01"]
        assert kind["accepted"] >= 1
        assert set(kind["took"].values()) == {None}
        assert set(kind["stored"].values()) == {None}
        assert world.person["id_number"] not in str(board)
        assert board["rules"]["late_days"] == 7

    async def test_alerts_are_told(self, world: World) -> None:
        """What is strange is on the board, in the log and in the metrics, by source, until it is over."""
        owner = await asyncpg.connect(world.server.owner_url)
        try:
            await owner.execute(
                "insert into scoring.feed_count select 'gas', $1::date - n, 'P03', 'accepted', '', 100 "
                "from generate_series(8, 60) n", clock.today(),
            )  # fmt: skip
            (gas,) = [one for one in (await world.ask("")).json()["sources"] if one["source"] == "gas"]
            assert gas["alerts"] == [{"what": "silent", "kind": "", "seen": 7, "limit": 7}]
            assert await watching.look(world.server.house) == 1
            assert b'osmanthus_feed_alerts{source="gas",what="silent"} 1.0' in generate_latest(registry)
            assert any('"feed alert"' in line and '"gas"' in line for line in eavesdropping.heard)
            await owner.execute("delete from scoring.feed_count where source = 'gas'")
            assert await watching.look(world.server.house) == 0
            assert b"gas" not in generate_latest(registry)
        finally:
            await owner.close()


class TestPage:
    """The board for people."""

    async def test_it_says_what_the_json_says(self, world: World) -> None:
        """Each source with its chart and tables, alerts in words; small cells are stars, and no word is a person's."""
        owner = await asyncpg.connect(world.server.owner_url)
        try:
            await owner.execute(
                "insert into scoring.feed_count select 'gas', $1::date - n, 'P03', m.measure, m.value, m.lines "
                "from generate_series(8, 28) n, (values ('accepted', '', 120), ('rejected', 'malformed', 13), "
                "('took', '3', 120), ('took', '8', 3)) m (measure, value, lines)", clock.today(),
            )  # fmt: skip
            await world.push(world.bill("p1", 4))
            page = await world.ask("/page?days=30")
            board = (await world.ask("?days=30")).json()
        finally:
            await owner.execute("delete from scoring.feed_count where source = 'gas'")
            await owner.close()
        assert page.status_code == 200, page.text
        assert page.text.count("<svg") == len(board["sources"]) >= 2
        gas = page.text.partition("<h2>gas</h2>")[2].partition("</section>")[0]
        (said,) = [one for one in board["sources"] if one["source"] == "gas"]
        (kind,) = said["kinds"]
        for text in ("七天没有来过一条", f"{kind['accepted']:,}", "malformed", "273", "P03"):
            assert text in gas, text
        assert {name: value is None for name, value in kind["took"].items()} == {"3": False, "8": False}
        assert "没有任何人的信息" in page.text
        assert '<h2>名称 utilities</h2>\n<p class="note">utilities</p>' in page.text
        assert world.person["id_number"] not in page.text
        assert ">*<" in page.text, "the person's own bills are fewer than ten"

    async def test_it_stands_alone(self, world: World) -> None:
        """Nothing inline, no form, no link into anybody's page; a strict policy, and no cache keeps it."""
        page = await world.ask("/page?days=7")
        for text in ("<script>", " style=", "<form", "/consents"):
            assert text not in page.text, text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert "set-cookie" not in page.headers
        assert (await world.ask("/page?days=0")).status_code == 422
