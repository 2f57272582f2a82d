"""The main job, end to end over real HTTP: consented records become explained points and a merchant's answer."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import asyncpg
import httpx2
import pytest_asyncio

from core import ids
from tests.api.conftest import Server

PERK = "library.deposit-free"
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest_asyncio.fixture(scope="session")
async def city(server: Server) -> Mapping[str, Any]:
    """A utility and a library's system at the shared server."""
    utilities, _ = await server.register("utilities", "source", "records:write", kinds=["P01"])
    library, _ = await server.register("reading-room", "partner", "eligibility:check", perks=[PERK])
    return {"utilities": utilities, "library": library}


async def _bill(server: Server, city: Mapping[str, Any], person: Mapping[str, Any], month: str) -> httpx2.Response:
    line = {
        "ref": f"bill-{month}",
        "version": 1,
        "kind": "P01",
        "id_number": person["id_number"],
        "occurred_on": f"{month}-20",
        "fields": {"account": "A1", "period": month, "on_time": True},
    }
    async with httpx2.AsyncClient(base_url=server.base_url, auth=city["utilities"]) as source:
        return await source.post("/v1/source/records", content=json.dumps(line) + "\n", headers=NDJSON)


async def _check(server: Server, city: Mapping[str, Any], code: str) -> dict[str, Any]:
    async with httpx2.AsyncClient(base_url=server.base_url, auth=city["library"]) as library:
        answer = await library.post(
            "/v1/partner/eligibility", json={"perk": PERK, "holder": {"code": code}, "amount": 10000}
        )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _expire(server: Server, consent_id: str) -> None:
    owner = await asyncpg.connect(server.owner_url)
    await owner.execute(
        "update auth.consent set expires_at = now() - interval '1 minute' where id = $1", ids.read("co", consent_id)
    )
    await owner.close()


class TestTheWholeWay:
    """From consent to answer and back."""

    async def test_a_bill_becomes_half_a_point_and_a_grant(self, server: Server, city: Mapping[str, Any]) -> None:
        """One consent, one record, one indicator, one answer, and the citizen sees who asked."""
        person = server.person()
        async with server.logged_in(person) as me:
            assert (await me.get("/v1/me/score")).json()["code"] == "not_enrolled"
            assert (await server.join(me)).status_code == 201
            assert (await me.get("/v1/me/score")).json()["points"] == 110.0
            assert (await _bill(server, city, person, "2026-09")).json()["accepted"] == 1
            score = (await me.get("/v1/me/score")).json()
            assert score["points"] == 110.5
            held = (await me.get("/v1/me/records")).json()["records"]
            assert [one["id"] for one in held] == score["dimensions"][0]["indicators"][0]["records"]
            code = (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]
            answer = await _check(server, city, code)
            assert (answer["result"], answer["payable_deposit"]) == ("granted", 0)
            accesses = (await me.get("/v1/me/accesses")).json()["accesses"]
            assert (accesses[0]["by"], accesses[0]["outcome"]) == ("名称 reading-room", "granted")
            history = (await me.get("/v1/me/score/history")).json()["changes"]
            assert [one["points"] for one in history] == [110.5, 110.0]

    async def test_a_record_about_somebody_without_consent_is_not_there_after_joining(
        self, server: Server, city: Mapping[str, Any]
    ) -> None:
        """What came before the consent was not stored, not even asleep."""
        person = server.person()
        assert (await _bill(server, city, person, "2026-08")).json()["accepted"] == 1
        async with server.logged_in(person) as me:
            await server.join(me)
            assert (await me.get("/v1/me/records")).json()["records"] == []

    async def test_withdrawing_works_with_the_next_request_and_erases(
        self, server: Server, city: Mapping[str, Any]
    ) -> None:
        """No points, no records, no grant, and joining again begins with nothing."""
        person = server.person()
        async with server.logged_in(person) as me:
            given = (await server.join(me)).json()
            await _bill(server, city, person, "2026-07")
            code = (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]
            ended = (await me.delete(f"/v1/me/consents/{given['id']}")).json()
            assert ended["state"] == "withdrawn"
            assert ended["erased_at"] is not None
            assert (await me.get("/v1/me/score")).status_code == 404
            answer = await _check(server, city, code)
            assert (answer["result"], "reason" in answer) == ("standard_route", False)
            await server.join(me)
            assert (await me.get("/v1/me/records")).json()["records"] == []
            assert (await me.get("/v1/me/score")).json()["points"] == 110.0

    async def test_an_expired_consent_counts_nothing_and_can_be_erased_before_its_grace_is_over(
        self, server: Server, city: Mapping[str, Any]
    ) -> None:
        """Expiry stops every use at once; what waits for a renewal goes when its citizen says so."""
        person = server.person()
        async with server.logged_in(person) as me:
            given = (await server.join(me)).json()
            await _bill(server, city, person, "2026-06")
            await _expire(server, given["id"])
            assert (await me.get("/v1/me/score")).json()["code"] == "not_enrolled"
            ended = (await me.delete(f"/v1/me/consents/{given['id']}")).json()
            assert (ended["state"], ended["erased_at"] is None) == ("expired", False)
            await server.join(me)
            assert (await me.get("/v1/me/records")).json()["records"] == []

    async def test_renewing_an_expired_consent_restores_what_waited(
        self, server: Server, city: Mapping[str, Any]
    ) -> None:
        """Within the grace nothing is lost, and forgetting the old consent does not touch the new one."""
        person = server.person()
        async with server.logged_in(person) as me:
            given = (await server.join(me)).json()
            await _bill(server, city, person, "2026-05")
            await _expire(server, given["id"])
            await server.join(me)
            assert (await me.get("/v1/me/score")).json()["points"] == 110.5
            await me.delete(f"/v1/me/consents/{given['id']}")
            await _bill(server, city, person, "2026-04")
            assert (await me.get("/v1/me/score")).json()["points"] == 111.0


class TestJoining:
    """Who may join, and how."""

    async def test_a_minor_is_told_why_not(self, server: Server) -> None:
        """18 and over only."""
        async with server.logged_in(server.person(born=date(2012, 6, 1))) as me:
            refused = await server.join(me)
        assert (refused.status_code, refused.json()["code"]) == (403, "minor")

    async def test_another_text_than_the_one_in_force_is_refused(self, server: Server) -> None:
        """What was not shown cannot be agreed to."""
        async with server.logged_in(server.person()) as me:
            refused = await server.join(me, notice={"version": 1, "digest": "0" * 64})
            assert (refused.status_code, refused.json()["code"]) == (409, "notice_outdated")
            assert (await me.get("/v1/me/consents")).json()["consents"] == []

    async def test_somebody_elses_consent_is_absent(self, server: Server) -> None:
        """Not yours answers exactly like absent."""
        async with server.logged_in(server.person()) as one, server.logged_in(server.person()) as other:
            theirs = (await server.join(other)).json()["id"]
            stranger = await one.get(f"/v1/me/consents/{theirs}")
            nothing = await one.get("/v1/me/consents/co_00000000000000000000000000")
            assert stranger.status_code == nothing.status_code == 404
            bodies = [{**answer.json(), "request_id": ""} for answer in (stranger, nothing)]
            assert bodies[0] == bodies[1]
            assert (await one.delete(f"/v1/me/consents/{theirs}")).status_code == 404
