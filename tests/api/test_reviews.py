"""A person of the office looks at it: reviews and corrections from the question to the answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from core import clock
from tests.api.canary import dump
from tests.api.conftest import Server

WORDS = "我觉得图书馆那次不该走普通方式，请人工看一下。鱻鱻鱻"
CLERK = {"clerk": "A-17", "purpose": "review"}
ANSWER = {**CLERK, "outcome": "improved", "reasons": "已核实，系馆方终端设置有误，已更正。鱻鱻鱻"}


@asynccontextmanager
async def office(server: Server, name: str, scope: str = "staff:reviews") -> AsyncIterator[httpx2.AsyncClient]:
    """A staff system."""
    auth, _ = await server.register(name, "staff", scope)
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth) as staff:
        yield staff


async def ask(me: httpx2.AsyncClient, kind: str = "reviews", about: str = "score") -> dict[str, Any]:
    """Ask for a review or a correction."""
    answer = await me.post(f"/v1/me/{kind}", json={"about": about, "words": WORDS})
    assert answer.status_code == 201, answer.text
    return answer.json()


class TestReview:
    """From asking to answering."""

    async def test_a_person_reads_answers_and_the_citizen_sees_both(self, server: Server) -> None:
        """15 days' clock; the clerk reads the words, answers once with reasons; the citizen reads of every look."""
        async with server.logged_in(server.person()) as me, office(server, "rv-office") as staff:
            asked = await ask(me)
            assert (asked["state"], asked["outcome"], asked["answer"], asked["overdue"]) == (
                "opened",
                None,
                None,
                False,
            )
            days = [datetime.fromisoformat(asked[name]) for name in ("opened_at", "answer_by")]
            assert days[1] - days[0] == timedelta(days=15)
            queued = [one for one in (await staff.get("/v1/staff/reviews")).json()["items"] if one["id"] == asked["id"]]
            assert queued
            assert "words" not in queued[0]
            opened = (await staff.get(f"/v1/staff/reviews/{asked['id']}", params=CLERK)).json()
            assert opened["words"] == WORDS
            told = await staff.post(f"/v1/staff/reviews/{asked['id']}/answer", json=ANSWER)
            assert (told.status_code, told.json()["state"]) == (200, "answered")
            again = await staff.post(f"/v1/staff/reviews/{asked['id']}/answer", json={**ANSWER, "outcome": "kept"})
            assert (again.status_code, again.json()["code"]) == (409, "already_answered")
            mine = (await me.get(f"/v1/me/reviews/{asked['id']}")).json()
            assert (mine["outcome"], mine["answer"]) == ("improved", ANSWER["reasons"])
            assert (await me.get("/v1/me/reviews")).json()["items"] == [mine]
            seen = [
                (one["action"], one["by_kind"], one["detail"].get("clerk"))
                for one in (await me.get("/v1/me/accesses")).json()["accesses"]
            ]
            assert seen[:5] == [
                ("review.read", "staff", "A-17"),
                ("review.answer", "staff", "A-17"),
                ("review.read", "staff", "A-17"),
                ("review.read", "staff", "A-17"),
                ("review.ask", "citizen", None),
            ]
            left = (await staff.get("/v1/staff/reviews")).json()["items"]
            assert asked["id"] not in {one["id"] for one in left}

    async def test_nothing_is_said_in_the_clear(self, server: Server) -> None:
        """Words and reasons lie sealed in the database and stand in no entry."""
        async with server.logged_in(server.person()) as me, office(server, "rv-sealed") as staff:
            asked = await ask(me)
            await staff.post(f"/v1/staff/reviews/{asked['id']}/answer", json=ANSWER)
        rows = "\n".join((await dump(server.owner_url)).values())
        assert "鱻鱻鱻" not in rows
        assert "鱻鱻鱻".encode().hex() not in rows

    async def test_the_office_that_is_late_is_seen_to_be(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """After 15 days without an answer the matter is overdue, for both."""
        async with server.logged_in(server.person()) as me, office(server, "rv-late") as staff:
            asked = await ask(me)
            monkeypatch.setattr(clock, "_offset", timedelta(days=15, seconds=1))
            assert (await me.get(f"/v1/me/reviews/{asked['id']}")).json()["overdue"] is True
            queue = (await staff.get("/v1/staff/reviews", params={"limit": 100})).json()["items"]
            assert {one["overdue"] for one in queue if one["id"] == asked["id"]} == {True}

    async def test_about_one_s_own_alone(self, server: Server) -> None:
        """A consent, a decision or a record of somebody else is unknown, like one that does not exist."""
        async with server.logged_in(server.person()) as me, server.logged_in(server.person()) as other:
            consent = (await server.join(other)).json()["id"]
            nothing = "0" * 26
            for about in (consent, f"dc_{nothing}", f"co_{nothing}", "rc_x", "points", "zz_" + nothing):
                answer = await me.post("/v1/me/reviews", json={"about": about, "words": "x"})
                assert (answer.status_code, answer.json()["code"]) == (422, "unknown_about"), about
            assert (await other.post("/v1/me/reviews", json={"about": consent, "words": "x"})).status_code == 201

    async def test_nobody_reads_another_one_s(self, server: Server) -> None:
        """Another citizen's review is absent, also under the address of corrections; so it is for the wrong office."""
        async with server.logged_in(server.person()) as me, server.logged_in(server.person()) as other:
            asked = await ask(me)
            assert (await other.get(f"/v1/me/reviews/{asked['id']}")).status_code == 404
            async with office(server, "rv-nosy", "staff:releases") as nosy, office(server, "rv-other") as staff:
                refused = await nosy.get(f"/v1/staff/reviews/{asked['id']}", params=CLERK)
                assert refused.status_code == 403
                wrong = asked["id"].replace("rv_", "cr_")
                assert (await staff.get(f"/v1/staff/corrections/{wrong}", params=CLERK)).status_code == 404
                for said in ({}, {**CLERK, "clerk": "张三"}, {**CLERK, "purpose": "Because I can"}):
                    without = await staff.get(f"/v1/staff/reviews/{asked['id']}", params=said)
                    assert without.status_code == 422, said
            told = {one["action"] for one in (await me.get("/v1/me/accesses")).json()["accesses"]}
            assert told == {"review.ask", "staff.refused"}

    async def test_a_queue_cannot_be_flooded(self, server: Server) -> None:
        """The 21st that waits is refused with the next step."""
        async with server.logged_in(server.person()) as me:
            for _ in range(20):
                await ask(me)
            answer = await me.post("/v1/me/reviews", json={"about": "score", "words": "x"})
            assert (answer.status_code, answer.json()["code"]) == (409, "too_many_open")


class TestCorrection:
    """One's own data."""

    async def test_checked_sent_answered(self, server: Server) -> None:
        """A day's clock; sent on once, then answered; a review is never sent."""
        async with server.logged_in(server.person()) as me, office(server, "cr-office") as staff:
            asked = await ask(me, "corrections", "profile.name")
            queue = (await staff.get("/v1/staff/corrections", params={"limit": 100})).json()["items"]
            assert asked["id"] in {one["id"] for one in queue}
            sent = await staff.post(f"/v1/staff/corrections/{asked['id']}/send", json=CLERK)
            assert (sent.status_code, sent.json()["state"]) == (200, "sent")
            again = await staff.post(f"/v1/staff/corrections/{asked['id']}/send", json=CLERK)
            assert (again.status_code, again.json()["code"]) == (409, "already_answered")
            assert (await me.get(f"/v1/me/corrections/{asked['id']}")).json()["state"] == "sent"
            await staff.post(f"/v1/staff/corrections/{asked['id']}/answer", json=ANSWER)
            (mine,) = (await me.get("/v1/me/corrections")).json()["items"]
            assert (mine["state"], mine["answer"]) == ("answered", ANSWER["reasons"])
            assert (await me.get("/v1/me/reviews")).json()["items"] == []

    @pytest.mark.parametrize("about", ["profile.id_number", "score", "co_" + "0" * 26, "rc_" + "0" * 26])
    async def test_only_data_can_be_wrong(self, server: Server, about: str) -> None:
        """Anything but the profile or a record of one's own is refused."""
        async with server.logged_in(server.person()) as me:
            answer = await me.post("/v1/me/corrections", json={"about": about, "words": "x"})
            assert answer.status_code == 422
