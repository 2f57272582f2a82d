"""Sensitive kinds: a consent of their own, dropped without it like a stranger's, gone when it ends (PIPL 28-30)."""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from api.citizen import consents
from api.guards import Citizen
from api.identity.stepup import StaleLogin
from api.staff import publication
from core import clock, ids
from core.settings import ROOT
from tests.api.conftest import Server
from tests.api.worker.test_lapses import days_later

PURPOSE = "sensitive:P10"
ENVELOPE = {"ref", "version", "id_number"}


async def _enable(server: Server) -> None:
    """A made-up city counts blood donations."""
    card = (ROOT / "policy/scorecard/2026-01-01.toml").read_text(encoding="utf-8")
    book = (ROOT / "policy/catalogue.toml").read_text(encoding="utf-8")
    begin = book.index('code = "P10"')
    book = book[:begin] + book[begin:].replace("enabled = false", "enabled = true", 1)
    begin = card.index('id = "blood"')
    card = card[:begin] + card[begin:].replace("enabled = false", "enabled = true", 1)
    async with server.house.doors.work("staff") as session:
        for kind, name, body in (("catalogue", "catalogue.toml", book), ("scorecard", "2026-01-01.toml", card)):
            drafted = await publication.draft(
                session, kind=kind, name=name, body=body, effective_on=clock.today(), by="drafter"
            )
            await publication.approve(session, release_id=drafted.id, by="approver")


async def _give(server: Server, me: httpx2.AsyncClient, **more: Any) -> httpx2.Response:
    notice = (await me.get(f"/v1/rules/notices/{PURPOSE}/1")).json()
    shown = {"version": 1, "digest": notice["digest"]}
    return await server.join(me, purpose=PURPOSE, notice=shown, optional_sources=[], **more)


def _line(person: Mapping[str, Any], kind: str, ref: str) -> dict[str, Any]:
    fields = {
        "P10": {"units": 2, "component": "whole_blood"},
        "P12": {"receipt": ref, "organisation": "91350100M000100Y43"},
    }
    day = (clock.today() - timedelta(days=40)).isoformat()
    return {"ref": ref, "version": 1, "kind": kind, "id_number": person["id_number"], "occurred_on": day,
            "fields": fields[kind]}  # fmt: skip


async def _push(server: Server, source: httpx2.Auth, *lines: Mapping[str, Any]) -> dict[str, Any]:
    body = "".join(json.dumps(line) + "\n" for line in lines)
    async with httpx2.AsyncClient(base_url=server.base_url, auth=source, timeout=60) as http:
        answer = await http.post("/v1/source/records", content=body, headers={"Content-Type": "application/x-ndjson"})
    return {name: value for name, value in answer.json().items() if name != "batch_id"}


async def _suppose(me: httpx2.AsyncClient, person: Mapping[str, Any]) -> httpx2.Response:
    """The answer to: what if a donation were recorded."""
    told = {name: value for name, value in _line(person, "P10", "a").items() if name not in ENVELOPE}
    return await me.post("/v1/me/score/simulate", json={"add": [told]})


async def _kinds(server: Server) -> list[str]:
    owner = await asyncpg.connect(server.owner_url)
    try:
        return [row[0] for row in await owner.fetch("select kind from scoring.record order by kind")]
    finally:
        await owner.close()


class TestWholeLife:
    """From the first line to the last."""

    async def test_only_a_consent_of_its_own_lets_it_in_and_its_end_takes_it_out(self, lone_server: Server) -> None:
        """The source hears the same four times; the ordinary kind beside it is counted throughout."""
        server = lone_server
        await _enable(server)
        civic, _ = await server.register("civic", "source", "records:write", kinds=["P10", "P12"])
        person, stranger = server.person(), server.person()
        async with server.logged_in(person) as me:
            assert (await _give(server, me)).json()["code"] == "score_needed"
            await server.join(me)
            base = (await me.get("/v1/me/score")).json()["points"]
            replies = [await _push(server, civic, _line(stranger, "P10", "a"), _line(stranger, "P12", "b"))]
            replies.append(await _push(server, civic, _line(person, "P10", "a"), _line(person, "P12", "b")))
            assert await _kinds(server) == ["P12"]
            with_receipt = (await me.get("/v1/me/score")).json()["points"]
            assert with_receipt > base
            assert (await _suppose(me, person)).json()["errors"][0]["code"] == "kind_not_permitted"
            given = await _give(server, me)
            assert given.status_code == 201, given.text
            assert (await _suppose(me, person)).json()["score"]["points"] == with_receipt + 2
            replies.append(await _push(server, civic, _line(person, "P10", "a"), _line(person, "P12", "b")))
            assert await _kinds(server) == ["P10", "P12"]
            assert (await me.get("/v1/me/score")).json()["points"] == with_receipt + 2
            ended = (await me.delete(f"/v1/me/consents/{given.json()['id']}")).json()
            assert (ended["state"], ended["erased_at"] is None) == ("withdrawn", False)
            assert await _kinds(server) == ["P12"]
            assert (await me.get("/v1/me/score")).json()["points"] == with_receipt
            replies.append(await _push(server, civic, _line(person, "P10", "a"), _line(person, "P12", "b")))
            assert await _kinds(server) == ["P12"]
        assert replies == [{"received": 2, "accepted": 2, "rejected": []}] * 4

    async def test_leaving_the_points_ends_it_too(self, lone_server: Server) -> None:
        """Withdrawing `score` leaves no sensitive consent alive."""
        server = lone_server
        await _enable(server)
        async with server.logged_in(server.person()) as me:
            score = (await server.join(me)).json()
            await _give(server, me)
            await me.delete(f"/v1/me/consents/{score['id']}")
            held = (await me.get("/v1/me/consents")).json()["consents"]
        assert {one["purpose"]: one["state"] for one in held} == {PURPOSE: "withdrawn", "score": "withdrawn"}

    async def test_once_over_it_counts_no_more_before_any_job_and_a_renewal_restores(self, lone_server: Server) -> None:
        """By the clock alone: neither in the points nor among the records; the same record after the renewal."""
        server = lone_server
        await _enable(server)
        civic, _ = await server.register("civic", "source", "records:write", kinds=["P10", "P12"])
        person = server.person()
        async with server.logged_in(person) as me:
            await server.join(me)
            await _give(server, me, expires_on=(clock.today() + timedelta(days=5)).isoformat())
            await _push(server, civic, _line(person, "P10", "a"))
            points = (await me.get("/v1/me/score")).json()["points"]
            async with days_later(server, 6):
                assert (await me.get("/v1/me/score")).json()["points"] == points - 2
                assert (await me.get("/v1/me/records")).json()["records"] == []
                assert (await _give(server, me)).status_code == 201
                assert (await me.get("/v1/me/score")).json()["points"] == points
                assert len((await me.get("/v1/me/records")).json()["records"]) == 1

    async def test_what_no_rule_counts_is_not_asked_for(self, lone_server: Server) -> None:
        """As shipped, P10 is disabled: neither taken from a source nor asked of a citizen."""
        server = lone_server
        civic, _ = await server.register("civic", "source", "records:write", kinds=["P10", "P12"])
        person = server.person()
        async with server.logged_in(person) as me:
            await server.join(me)
            refused = await _give(server, me)
        assert (refused.status_code, refused.json()["code"]) == (422, "purpose_not_offered")
        reply = await _push(server, civic, _line(person, "P10", "a"))
        assert [one["code"] for one in reply["rejected"]] == ["kind_not_permitted"]


class TestProof:
    """How well somebody must have proved who they are."""

    @pytest.mark.parametrize(
        ("purpose", "acr", "minutes", "passes"),
        [
            (PURPOSE, 3, 5, True), (PURPOSE, 3, 11, False), ("score", 3, 300, True), ("score", 2, 1, False),
            ("share:a/b", 2, 1, False),
        ],
    )  # fmt: skip
    def test_a_sensitive_kind_asks_for_a_fresh_one(self, purpose: str, acr: int, minutes: int, *, passes: bool) -> None:
        """Level 3 for every consent; within ten minutes for a sensitive kind (ASVS 10.3.4)."""
        since = clock.wall() - timedelta(minutes=minutes)
        caller = Citizen(ids.new(), None, acr, since, secrets.token_bytes(32))
        if passes:
            consents.must_be_proved(caller, purpose)
        else:
            with pytest.raises(StaleLogin):
                consents.must_be_proved(caller, purpose)
