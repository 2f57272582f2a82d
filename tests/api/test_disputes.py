"""Disputes over real HTTP: the citizen, the source, the office; and what nobody else learns."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio

from core import clock, embedded
from core.keys import Keyring
from scoring.rights import verdicts
from tests.api.conftest import Server, serving
from tests.clones import clone
from tests.scoringworld import hours, ndjson, penalty

WORDS = "处罚决定已被撤销，我有复议决定书。"
CLERK = {"clerk": "C0001", "purpose": "dispute"}


class Desk(msgspec.Struct, frozen=True):
    """A citizen with a penalty and volunteer hours, the source of both, another source, the office."""

    server: Server
    name: str
    me: httpx2.AsyncClient
    source: httpx2.AsyncClient
    other: httpx2.AsyncClient
    staff: httpx2.AsyncClient

    async def points(self) -> float:
        """The citizen's points."""
        return (await self.me.get("/v1/me/score")).json()["points"]

    async def record(self, kind: str) -> str:
        """The id of the citizen's record of a kind."""
        found = (await self.me.get("/v1/me/records", params={"kind": kind})).json()["records"]
        return found[0]["id"]

    async def asks(self, kind: str = "N01", **more: Any) -> Any:
        """The answer to objecting."""
        body = {"record": await self.record(kind), "reason": "lapsed", "words": WORDS}
        headers = more.pop("headers", None)
        return await self.me.post("/v1/me/disputes", json=body | more, headers=headers)

    async def told(self) -> list[Any]:
        """What the source is told about this citizen's records; no answer of it names them."""
        answer = await self.source.get("/v1/source/disputes")
        assert self.name not in answer.text.replace(f"n-{self.name}", "").replace(f"h-{self.name}", "")
        refs = {f"n-{self.name}", f"h-{self.name}"}
        return [one for one in answer.json()["items"] if one["ref"] in refs]

    async def step(self, dispute: str, act: str, **more: Any) -> Any:
        """A clerk's step."""
        return await self.staff.post(f"/v1/staff/disputes/{dispute}/steps", json=CLERK | {"act": act} | more)

    async def answers(self, dispute: str, **body: Any) -> Any:
        """The source's answer."""
        return await self.source.post(f"/v1/source/disputes/{dispute}/answer", json={"reasons": "查实", **body})


Offices = Mapping[str, Any]


@pytest_asyncio.fixture(scope="module")
async def offices(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[Offices]:
    """A server of these tests, with two bureaus that the notice names and the office, each signing its requests."""
    async with clone(cluster, city_template) as owner_url, serving(owner_url, ring.file, published=True) as server:
        signing: dict[str, Any] = {"server": server}
        for name, role, scope, more in (
            ("enforcement", "source", "records:write", {"kinds": ["N01", "P08"]}),
            ("utilities", "source", "records:write", {"kinds": ["P01"]}),
            ("office", "staff", "staff:disputes", {}),
        ):
            given: Mapping[str, Any] = more
            signing[name], _ = await server.register(name, role, scope, **given)
        yield signing


@asynccontextmanager
async def desk(offices: Offices) -> AsyncGenerator[Desk]:
    """Somebody new, about whom the bureau has sent a penalty and hours."""
    server: Server = offices["server"]
    async with AsyncExitStack() as stack:
        person = server.person()
        me = await stack.enter_async_context(server.logged_in(person))
        source, other, staff = [
            await stack.enter_async_context(
                httpx2.AsyncClient(base_url=server.base_url, auth=offices[name], timeout=60)
            )
            for name in ("enforcement", "utilities", "office")
        ]
        assert (await server.join(me)).status_code == 201
        lines = ndjson(
            penalty(f"n-{person['login']}", person["id_number"]), hours(f"h-{person['login']}", person["id_number"])
        )
        kind = {"Content-Type": "application/x-ndjson"}
        pushed = await source.post("/v1/source/records", content=lines, headers=kind)
        assert pushed.json()["rejected"] == [], pushed.text
        yield Desk(server, person["login"], me, source, other, staff)


class TestCourse:
    """From the objection to the answer."""

    async def test_object_forward_answer(self, offices: Offices) -> None:
        """Points come back with the objection and go with the rejection; the citizen follows every step."""
        async with desk(offices) as at:
            before = await at.points()
            asked = await at.asks()
            assert asked.status_code == 201, asked.text
            opened = asked.json()
            assert (opened["state"], opened["suspends"], opened["allowed_actions"]) == ("opened", True, ["withdraw"])
            assert await at.points() > before
            assert await at.told() == []
            queue = (await at.staff.get("/v1/staff/disputes", params={"limit": 100})).json()["items"]
            assert opened["id"] in {one["id"] for one in queue}
            assert WORDS not in str(queue)
            forwarded = await at.step(opened["id"], "forward")
            assert (forwarded.status_code, forwarded.json()["words"]) == (200, WORDS)
            (told,) = await at.told()
            assert (told["words"], told["state"]) == (WORDS, "with_source")
            answered = await at.answers(opened["id"], outcome="rejected")
            assert (answered.status_code, answered.json()) == (202, {"status": "accepted"})
            assert await at.points() == before
            mine = (await at.me.get(f"/v1/me/disputes/{opened['id']}")).json()
            assert (mine["state"], mine["answer"], mine["due_on"]) == ("rejected", "查实", None)
            assert [(one["event"], one["by"]) for one in mine["history"]] == [
                ("open", "citizen"), ("forward", "staff"), ("reject", "source"),
            ]  # fmt: skip
            acts = {one["action"] for one in (await at.me.get("/v1/me/accesses")).json()["accesses"]}
            assert {"dispute.open", "dispute.forward", "dispute.read", "dispute.answer"} <= acts

    @pytest.mark.parametrize("outcome", ["rejected", "upheld"])
    async def test_two_answers_at_once(self, offices: Offices, monkeypatch: pytest.MonkeyPatch, outcome: str) -> None:
        """The source answers and the desk upholds at the same moment: one wins, the other hears 409, once each."""
        both, held = asyncio.Barrier(2), verdicts._held

        async def together(*given: Any) -> Any:
            await both.wait()  # each has found the dispute open, and neither holds it yet
            return await held(*given)

        async with desk(offices) as at:
            clean = (await at.points()) + 7
            opened = (await at.asks()).json()
            await at.step(opened["id"], "forward")
            with monkeypatch.context() as patched:
                patched.setattr(verdicts, "_held", together)
                answers = await asyncio.gather(
                    at.answers(opened["id"], outcome=outcome), at.step(opened["id"], "uphold", reasons="查实")
                )
            won = [one.status_code for one in answers]
            assert won in ([202, 409], [409, 200]), [one.text for one in answers]
            lost = next(one for one in answers if one.status_code == 409)
            assert lost.json()["code"] == "illegal_transition"
            mine = (await at.me.get(f"/v1/me/disputes/{opened['id']}")).json()
            assert mine["state"] == (outcome if won[0] == 202 else "upheld")
            assert [one["by"] for one in mine["history"][2:]] == ["source" if won[0] == 202 else "staff"]
            assert await at.points() == (clean if mine["state"] == "upheld" else clean - 7)

    async def test_upheld_with_the_right_line(self, offices: Offices) -> None:
        """A partial line, as in a correction, takes the record's place before the answer."""
        async with desk(offices) as at:
            before = await at.points()
            opened = (await at.asks("P08", reason="wrong_detail")).json()
            assert await at.points() == before
            await at.step(opened["id"], "forward")
            bad = await at.answers(opened["id"], outcome="upheld", correction={"fields": {"income": 3}})
            assert (bad.status_code, bad.json()["code"]) == (422, "bad_line")
            unfit = await at.answers(opened["id"], outcome="upheld", correction={"fields": {"hours": "x"}})
            assert (unfit.status_code, unfit.json()["code"]) == (422, "not_corrected")
            strange = await at.answers(opened["id"], outcome="upheld", correction={"ref": "h2"})
            assert strange.status_code == 422
            assert (await at.answers(opened["id"], outcome="rejected", correction={})).status_code == 422
            right = await at.answers(opened["id"], outcome="upheld", correction={"fields": {"hours": 8}})
            assert right.status_code == 202, right.text
            assert await at.points() == before + 1
            assert (await at.me.get(f"/v1/me/disputes/{opened['id']}")).json()["state"] == "upheld"

    async def test_withdraw(self, offices: Offices) -> None:
        """It counts again, the second objection does not suspend, and an end is an end."""
        async with desk(offices) as at:
            before = await at.points()
            opened = (await at.asks()).json()
            again = await at.asks()
            assert (again.status_code, again.json()["code"]) == (409, "already_disputed")
            ended = await at.me.post(f"/v1/me/disputes/{opened['id']}/withdraw")
            assert (ended.status_code, ended.json()["state"]) == (200, "withdrawn")
            assert await at.points() == before
            twice = await at.me.post(f"/v1/me/disputes/{opened['id']}/withdraw")
            assert (twice.status_code, twice.json()["code"], twice.json()["allowed_actions"]) == (
                409, "illegal_transition", [],
            )  # fmt: skip
            assert not (await at.asks()).json()["suspends"]
            assert len((await at.me.get("/v1/me/disputes")).json()["items"]) == 2

    async def test_repeating_the_request(self, offices: Offices) -> None:
        """The same Idempotency-Key gives the first dispute; another input with it conflicts."""
        async with desk(offices) as at:
            headers = {"Idempotency-Key": secrets.token_hex(8)}
            first = (await at.asks(headers=headers)).json()
            assert (await at.asks(headers=headers)).json()["id"] == first["id"]
            other = await at.asks(headers=headers, words="另一个")
            assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
            bad = await at.asks(headers={"Idempotency-Key": "x" * 300})
            assert bad.status_code == 422


class TestOffice:
    """What clerks do."""

    async def test_deciding_needs_reasons_and_an_escalation(self, offices: Offices) -> None:
        """Before its source was late nothing is decided against a citizen; reasons are for the citizen."""
        async with desk(offices) as at:
            dispute = (await at.asks()).json()["id"]
            assert (await at.step(dispute, "uphold")).status_code == 422
            early = await at.step(dispute, "overrule", reasons="x")
            assert (early.status_code, early.json()["code"]) == (409, "illegal_transition")
            assert (await at.step(dispute, "nothing")).status_code == 422
            read = await at.staff.get(f"/v1/staff/disputes/{dispute}", params=CLERK)
            assert read.json()["words"] == WORDS
            upheld = await at.step(dispute, "uphold", reasons="本平台重复入库")
            assert (upheld.json()["state"], upheld.json()["answer"]) == ("upheld", "本平台重复入库")
            (record,) = (await at.me.get("/v1/me/records", params={"kind": "N01"})).json()["records"]
            assert record["status"] == "revoked"

    async def test_the_queue_has_pages(self, offices: Offices) -> None:
        """The most urgent first; a cursor goes on where the page ended."""
        async with desk(offices) as at:
            await at.asks()
            await at.asks("P08")
            page = (await at.staff.get("/v1/staff/disputes", params={"limit": 1})).json()
            rest = (await at.staff.get("/v1/staff/disputes", params={"limit": 1, "cursor": page["next_cursor"]})).json()
            assert page["items"][0]["id"] != rest["items"][0]["id"]
            for bad in ({"cursor": "x"}, {"limit": 0}):
                assert (await at.staff.get("/v1/staff/disputes", params=bad)).status_code == 422

    async def test_a_pending_lawsuit_suspends(self, offices: Offices) -> None:
        """Marked by a clerk or the source, the deduction does not count until the mark is taken off (rule 36)."""
        async with desk(offices) as at:
            before = await at.points()
            mark = {"matter": "lawsuit", "evidence": "（2026）行初1号"}
            source = "/v1/source/records/pending"
            for ref in (f"n-{at.name}", f"h-{at.name}", "unknown"):
                answer = await at.source.post(source, json={"ref": ref, **mark})
                assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
            assert await at.points() == before + 7
            assert (await at.source.post(source, json={"ref": f"n-{at.name}", "matter": "lawsuit"})).status_code == 422
            dispute = (await at.asks()).json()["id"]
            await at.me.post(f"/v1/me/disputes/{dispute}/withdraw")
            assert await at.points() == before + 7
            await at.source.post(source, json={"ref": f"n-{at.name}", "matter": None})
            assert await at.points() == before
            dispute = (await at.asks()).json()["id"]
            where = f"/v1/staff/disputes/{dispute}/pending"
            assert (await at.staff.post(where, json=CLERK | mark)).status_code == 200
            assert await at.points() == before + 7
            await at.staff.post(where, json=CLERK | {"matter": None})
            assert await at.points() == before


class TestAttacks:
    """Who has no business with a dispute."""

    async def test_absent_and_not_yours_are_one(self, offices: Offices) -> None:
        """Another citizen, another source, a dispute that was not forwarded: the very answer of an unknown id."""
        async with desk(offices) as at, offices["server"].logged_in(offices["server"].person()) as stranger:
            dispute = (await at.asks()).json()["id"]
            nobody = "dp_" + "0" * 26
            for who, method, path, body in (
                (stranger, "GET", "/v1/me/disputes/{}", None),
                (stranger, "POST", "/v1/me/disputes/{}/withdraw", None),
                (at.source, "POST", "/v1/source/disputes/{}/answer", {"outcome": "upheld", "reasons": "x"}),
                (at.other, "POST", "/v1/source/disputes/{}/answer", {"outcome": "upheld", "reasons": "x"}),
            ):
                answers = [await who.request(method, path.format(one), json=body) for one in (dispute, nobody)]
                assert [one.status_code for one in answers] == [404, 404], (path, answers[0].text)
                told = [{**one.json(), "request_id": ""} for one in answers]
                assert told[0] == told[1]
            assert (await at.other.get("/v1/source/disputes")).json() == {"items": []}
            assert (await stranger.get("/v1/me/disputes")).json() == {"items": []}

    async def test_another_ones_record(self, offices: Offices) -> None:
        """Whoever guesses a record's id cannot dispute it, enrolled or not."""
        async with desk(offices) as at, desk(offices) as other:
            record = await at.record("N01")
            answer = await other.asks(record=record)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        "wrong",
        [{"words": ""}, {"words": "x" * 501}, {"evidence": "x" * 2001}, {"reason": "none"}, {"subject": "x"}],
    )
    async def test_what_is_not_taken(self, offices: Offices, wrong: dict[str, str]) -> None:
        """Limits, unknown reasons and unknown members are refused before anything is looked up."""
        async with offices["server"].logged_in(offices["server"].person()) as me:
            body = {"record": "rc_" + "0" * 26, "reason": "other", "words": WORDS, **wrong}
            assert (await me.post("/v1/me/disputes", json=body)).status_code == 422


class TestCalendar:
    """`/v1/staff/workdays/{year}`."""

    async def test_a_notice_is_loaded(self, offices: Offices) -> None:
        """What was estimated becomes the notice's; the log says who loaded it."""
        server: Server = offices["server"]
        auth, _ = await server.register("calendar", "staff", "staff:calendar")
        async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=60) as staff:
            year = clock.today().year + 9
            path = f"/v1/staff/workdays/{year}"
            assert (await staff.get(path)).status_code == 404
            csv = {"Content-Type": "text/csv"}
            asked = {"notice": "国办发明电〔2034〕0号", "clerk": "C0001"}
            for body, code in (
                ("day\n", "bad_csv"),
                ("day,kind\n2035-01-0x,off\n", "bad_csv"),
                (f"day,kind\n{year}-01-01,free\n", "bad_csv"),
                (b"\xff", "bad_csv"),
                ("day,kind\n", "not_a_year"),
            ):
                refused = await staff.put(path, content=body, headers=csv, params=asked)
                assert (refused.status_code, refused.json()["code"]) == (422, code)
            assert (await staff.put(path, json={}, params=asked)).status_code == 415
            from datetime import date, timedelta

            from core import statutory

            days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
            body = "day,kind\n" + "".join(f"{day},off\n" for day in days if statutory.is_holiday(day))
            loaded = await staff.put(path, content=body, headers=csv, params=asked)
            assert (loaded.status_code, loaded.json()["version"]) == (200, 1), loaded.text
            assert (await staff.get(path)).json() == {"year": year, "source": asked["notice"], "version": 1}
