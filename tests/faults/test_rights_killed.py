"""SIGKILL between the writes of a right: what a citizen or an office did is there whole, or not at all."""

import asyncio
from typing import Any

import httpx2
import msgspec

from tests.api.identity.client import Caller
from tests.api.rightsworld import LOOK
from tests.faults.deployment import Deployment
from tests.faults.test_killed import (
    _WAITS,
    NDJSON,
    RECORDS,
    city,  # noqa: F401  (the fixture; the test here asks for it by name)
    comes,
    held,
    hung_up,
)
from tests.scoringworld import TODAY, ndjson, penalty

HONOUR = {
    "kind": "P14", "source": "enforcement", "title": "市级道德模范", "happened_on": TODAY.isoformat(),
    "evidence": "证书在市文明办。", "pledge": 1,
}  # fmt: skip
RECORD = {
    "ref": "h1", "occurred_on": TODAY.isoformat(), "fields": {"title": "道德模范", "level": "city"},
    "document": {"no": "文1号", "authority": "示范市文明办", "effective_on": TODAY.isoformat()},
}  # fmt: skip


async def killed_at(city: Deployment, table: str, request: Any) -> None:  # noqa: F811  (a parameter)
    """Kill the server when a request is about to write this table, and serve again."""
    async with held(city, table):
        asked = asyncio.create_task(request)
        await comes(city, _WAITS, table)
        await hung_up(city, asked)
    await city.start()


class TestRights:
    """One citizen, one bureau, one desk."""

    async def test_each_is_whole_or_was_not(self, city: Deployment) -> None:  # noqa: F811  (the fixture of this name)
        """Objecting, deciding a repair and verifying a declaration, each killed half-way and then done again."""
        source = await city.client("enforcement", "source", "records:write", kinds=["N01", "P14"])
        desk = await city.client("desk", "staff", "staff:repairs")
        me, number = await city.citizen()
        pushed = await source.request("POST", RECORDS, content=ndjson(penalty("n1", number, days=120)), headers=NDJSON)
        assert pushed.json()["accepted"] == 1, pushed.text
        record = (await me.get("/v1/me/records")).json()["records"][0]["id"]
        lowered = await self._points(me)

        await self._objecting(city, me, record, lowered)
        await self._deciding(city, me, desk, record, lowered)
        await self._verifying(city, me, source)

    async def _objecting(self, city: Deployment, me: httpx2.AsyncClient, record: str, lowered: float) -> None:  # noqa: F811  (the fixture of that name)
        """The dispute, its suspension and the points are one."""
        body = {"record": record, "reason": "not_true", "words": "没有发生。"}
        await killed_at(city, "scoring.standing_change", me.post("/v1/me/disputes", json=body))
        assert (await me.get("/v1/me/disputes")).json()["items"] == []
        assert await city.rows("select 1 from scoring.suspension union all select 1 from scoring.dispute_event") == []
        assert await self._points(me) == lowered
        opened = await me.post("/v1/me/disputes", json=body)
        assert opened.status_code == 201, opened.text
        assert await self._points(me) > lowered
        assert (await me.post(f"/v1/me/disputes/{opened.json()['id']}/withdraw")).status_code == 200
        assert await self._points(me) == lowered

    async def _deciding(
        self,
        city: Deployment,  # noqa: F811  (the fixture of that name)
        me: httpx2.AsyncClient,
        desk: Caller,
        record: str,
        lowered: float,
    ) -> None:
        """The approval, the end of the deduction and the points are one."""
        asked = await me.post("/v1/me/repairs", json={"record": record, "words": "已缴清。", "pledge": 1})
        assert asked.status_code == 201, asked.text
        path = f"/v1/staff/repairs/{asked.json()['id']}"
        await desk.request("POST", f"{path}/check", json={**LOOK, "met": ["performed", "pledge"]})
        approval = {**LOOK, "reasons": "材料齐全"}
        await killed_at(city, "scoring.standing_change", desk.request("POST", f"{path}/approve", json=approval))
        mine = (await me.get(f"/v1/me/repairs/{asked.json()['id']}")).json()
        assert (mine["state"], [one["event"] for one in mine["history"]]) == ("checked", ["apply", "check"])
        assert await self._points(me) == lowered
        assert (await desk.request("POST", f"{path}/approve", json=approval)).status_code == 200
        assert await self._points(me) > lowered

    async def _verifying(self, city: Deployment, me: httpx2.AsyncClient, source: Caller) -> None:  # noqa: F811  (the fixture of that name)
        """The record comes first, by itself; answering again finds it there and ends the declaration."""
        declared = await me.post("/v1/me/declarations", json=HONOUR)
        assert declared.status_code == 201, declared.text
        path, mine = (
            f"/v1/source/declarations/{declared.json()['id']}/answer",
            f"/v1/me/declarations/{declared.json()['id']}",
        )
        answer = {"verified": True, "record": RECORD}
        await killed_at(city, "scoring.right_event", source.request("POST", path, json=answer))
        assert (await me.get(mine)).json()["state"] == "declared"
        assert len(await city.rows("select 1 from scoring.record where kind = 'P14'")) == 1
        again = await source.request("POST", path, json=answer)
        assert again.status_code == 200, again.text
        assert (await me.get(mine)).json()["state"] == "verified"
        counted = [one for one in (await me.get("/v1/me/records")).json()["records"] if one["kind"] == "P14"]
        assert [one["status"] for one in counted] == ["active"]

    async def _points(self, me: httpx2.AsyncClient) -> float:
        return msgspec.convert((await me.get("/v1/me/score")).json()["points"], float)
