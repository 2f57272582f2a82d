"""Rule 23: what somebody declares about themselves counts once a bureau verified it, and not before."""

from datetime import timedelta
from typing import Any

import httpx2

from api.citizen.declarations import Declare
from core import clock
from tests.api.conftest import Server
from tests.api.rightsworld import bureau, code, points

DAY = str(clock.today() - timedelta(days=20))
HONOUR = {
    "kind": "P14", "source": "enforcement", "title": "市级道德模范", "happened_on": DAY, "evidence": "证书",
    "pledge": 1,
}  # fmt: skip
RECORD = {
    "occurred_on": DAY, "fields": {"title": "道德模范", "level": "city"},
    "document": {"no": "文1号", "authority": "示范市文明办", "effective_on": DAY},
}  # fmt: skip


async def declared(me: httpx2.AsyncClient, **more: Any) -> str:
    """Declare the honour; returns the declaration's id."""
    made = await me.post("/v1/me/declarations", json={**HONOUR, **more})
    assert made.status_code == 201, made.text
    return made.json()["id"]


class TestDeclared:
    """Rule 23."""

    async def test_rule_23_counts_nothing_until_verified_and_counts_after(self, server: Server) -> None:
        """Only 经验证的自主申报信息 is a reference (LY 2020, 5): waiting, refused or ill-proved, it moves no point."""
        person = server.person()
        async with (
            bureau(server) as source,
            bureau(server, "utilities") as other,
            server.logged_in(person) as me,
        ):
            await server.join(me)
            before = await points(me)
            refused, waits = await declared(me), await declared(me, title="省级道德模范")
            assert await points(me) == before
            answer = "/v1/source/declarations/{}/answer"
            no = await source.http.post(answer.format(refused), json={"verified": False, "reasons": "查无此证书"})
            assert no.status_code == 200
            yes = {"verified": True, "record": {**RECORD, "ref": "d1"}}
            bare = {"verified": True, "record": {**RECORD, "ref": "d1", "document": None}}
            assert code(await other.http.post(answer.format(waits), json=yes)) == (404, "not_found")
            assert code(await source.http.post(answer.format(waits), json=bare)) == (422, "bad_line")
            assert await points(me) == before
            assert (await me.get("/v1/me/records")).json()["records"] == []
            assert (await source.http.post(answer.format(waits), json=yes)).status_code == 200
            assert await points(me) > before
            (record,) = (await me.get("/v1/me/records")).json()["records"]
            assert (record["kind"], record["document"]["no"]) == ("P14", "文1号")

    def test_rule_23_nobody_declares_an_amount(self) -> None:
        """What is declared has no level, no quantity and no points: these come with the bureau's record."""
        assert not {"level", "points", "quantity", "fields", "amount"} & set(Declare.__struct_fields__)
