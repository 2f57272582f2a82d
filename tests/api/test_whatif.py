"""Past days, causes and what-if over real HTTP."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx2
import pytest_asyncio

from api.citizen.whatif import PER_CITIZEN
from core import clock
from tests.api.conftest import Server

BILL = {"kind": "P01", "occurred_on": "2026-09-20", "fields": {"account": "A1", "period": "2026-09", "on_time": True}}
HOURS = {"project": "x", "hours": 5, "organisation": "91350100M000100Y43"}


@pytest_asyncio.fixture(scope="session")
async def source(server: Server) -> Any:
    """A source at the shared server."""
    auth, _ = await server.register("enforcement", "source", "records:write", kinds=["P01"])
    return auth


async def _send(server: Server, source: Any, person: Mapping[str, Any], ref: str) -> None:
    line = {**BILL, "ref": ref, "version": 1, "id_number": person["id_number"]}
    async with httpx2.AsyncClient(base_url=server.base_url, auth=source) as http:
        answer = await http.post(
            "/v1/source/records", content=json.dumps(line) + "\n", headers={"Content-Type": "application/x-ndjson"}
        )
    assert answer.json()["accepted"] == 1


class TestSimulate:
    """`POST /v1/me/score/simulate`."""

    async def test_the_answer_is_the_score_of_that_day_and_the_difference_in_words(self, server: Server) -> None:
        """The whole object of `/v1/me/score`, the points without it, each part that moves."""
        today = clock.today()
        add = [BILL, {"kind": "P08", "occurred_on": str(today), "fields": HOURS}]
        async with server.logged_in(server.person()) as me:
            assert (await me.post("/v1/me/score/simulate", json={})).json()["code"] == "not_enrolled"
            await server.join(me)
            answer = await me.post("/v1/me/score/simulate", json={"add": add})
            real = (await me.get("/v1/me/score")).json()
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert set(found["score"]) == set(real)
        assert (found["score"]["points"], found["without"]["points"], real["points"]) == (111.5, 110.0, 110.0)
        assert found["difference"]["text"] == f"如果这样，到{today}您有111.5分，比不这样多1.5分。"
        assert [one["text"] for one in found["difference"]["parts"]] == [
            "“日常义务按时履行”多0.5分（0→0.5）",
            "“志愿服务时长”多1分（0→1）",
        ]

    async def test_nothing_supposed_changes_nothing(self, server: Server) -> None:
        """The points of today, and a sentence that says so."""
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            before = (await me.get("/v1/me/accesses")).json()["accesses"]
            found = (await me.post("/v1/me/score/simulate", json={})).json()
            assert (await me.get("/v1/me/accesses")).json()["accesses"] == before
        assert found["difference"] == {
            "points": 0.0, "parts": [], "text": f"如果这样，到{clock.today()}您有110分，分数不变。"
        }  # fmt: skip

    async def test_faults_have_pointers(self, server: Server) -> None:
        """Unknown members, records that no source could send, ids that are nobody's, days out of reach."""
        bad = {**BILL, "fields": {"account": "A1"}}
        yesterday = str(clock.today() - timedelta(days=1))
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            answers = [
                await me.post("/v1/me/score/simulate", json=body)
                for body in ({"points": 5}, {"add": [bad]}, {"end": ["rc_" + "0" * 26]}, {"on": yesterday})
            ]
        assert [(one.status_code, one.json()["code"]) for one in answers] == [
            (422, "unknown_field"),
            (422, "would_not_be_taken"),
            (404, "not_found"),
            (422, "day_out_of_reach"),
        ]
        assert [one["pointer"] for one in answers[1].json()["errors"]] == ["/add/0"]

    async def test_it_may_be_asked_so_often(self, server: Server) -> None:
        """The limit is told with the time to wait."""
        async with server.logged_in(server.person()) as me:
            codes = [(await me.post("/v1/me/score/simulate", json={})).status_code for _ in range(PER_CITIZEN + 1)]
        assert codes == [404] * PER_CITIZEN + [429]


class TestAt:
    """`GET /v1/me/score/at/{date}`."""

    async def test_today_is_derived_and_other_days_are_told_why_not(self, server: Server, source: Any) -> None:
        """The shape of the score without advice; 404 before joining, 422 for days to come and for what is no day."""
        person, today = server.person(), clock.today()
        async with server.logged_in(person) as me:
            assert (await me.get(f"/v1/me/score/at/{today}")).json()["code"] == "not_enrolled"
            await server.join(me)
            await _send(server, source, person, "at-1")
            found = (await me.get(f"/v1/me/score/at/{today}")).json()
            score = (await me.get("/v1/me/score")).json()
            before = await me.get(f"/v1/me/score/at/{today - timedelta(days=1)}")
            later = await me.get(f"/v1/me/score/at/{today + timedelta(days=1)}")
            never = await me.get("/v1/me/score/at/2026-02-30")
        assert found == {**score, "next_tier": None, "derivation": "rederived"}
        assert found["points"] == 110.5
        assert (before.status_code, before.json()["code"]) == (404, "not_enrolled_then")
        assert (later.status_code, later.json()["code"]) == (422, "day_to_come")
        assert (never.status_code, never.json()["code"]) == (404, "not_found")


class TestHistory:
    """`GET /v1/me/score/history`."""

    async def test_each_change_tells_its_reasons(self, server: Server, source: Any) -> None:
        """The record that came is named and linked, in the citizen's words."""
        person = server.person()
        async with server.logged_in(person) as me:
            await server.join(me)
            await _send(server, source, person, "because-1")
            (record,) = (await me.get("/v1/me/records")).json()["records"]
            changes = (await me.get("/v1/me/score/history")).json()["changes"]
        assert [[one["text"] for one in change["because"]] for change in changes] == [
            ["“日常义务按时履行”多0.5分：2026-09 水费按时缴纳计入"],
            ["开始计分，共110分"],
        ]
        assert (changes[0]["because"][0]["came"], changes[0]["because"][0]["change"]) == ([record["id"]], 0.5)
