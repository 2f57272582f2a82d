"""Repair and objecting on the page of records, without a script: form, state, course, answer, taking it back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest_asyncio

from api.pages import repairs as page_of_repairs
from core import clock, ids
from scoring.rights import inforce
from scoring.rights.disputing import REASONS
from tests.api.cast import log_in
from tests.api.conftest import Server, serving
from tests.api.rightsworld import Bureau, bureau, clerk
from tests.api.test_pages_rights import form
from tests.clones import clone
from tests.scoringworld import penalty, water


class Place:
    """A server with a bureau; everybody makes a person of their own."""

    def __init__(self, server: Server, source: Bureau, office: httpx2.AsyncClient) -> None:
        """They live as long as the file."""
        self.server, self.source, self.office, self.serial = server, source, office, 0

    async def punished(self, browser: httpx2.AsyncClient, *, days: int = 120, **more: Any) -> str:
        """Somebody joins and gets a penalty; logged in by the page. Returns the record's id."""
        person = self.server.person()
        async with self.server.logged_in(person) as me:
            await self.server.join(me)
            self.serial += 1
            await self.source.push({**penalty(f"n{self.serial}", person["id_number"], days=days), **more})
            await self.source.push(water(f"w{self.serial}", person["id_number"]))
            held = (await me.get("/v1/me/records")).json()["records"]
        await log_in(browser, person)
        return next(one["id"] for one in held if not one["positive"])


@pytest_asyncio.fixture(scope="module")
async def place(cluster: Any, city_template: str, ring: Any) -> AsyncIterator[Place]:
    """A server of this file's own."""
    async with (
        clone(cluster, city_template) as url,
        serving(url, ring.file, published=True) as server,
        bureau(server) as source,
        clerk(server, "objections", "staff:disputes") as office,
    ):
        yield Place(server, source, office)


@pytest_asyncio.fixture
async def browser(place: Place) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser without a login."""
    async with httpx2.AsyncClient(base_url=place.server.base_url, follow_redirects=False) as http:
        yield http


class TestStatement:
    """`POST /v1/me/records/{id}/statement`, and the page."""

    async def test_hostile_words_are_shown_as_text(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """Markup is escaped, direction is isolated; too long or empty is 422; nobody else finds the record."""
        record = await place.punished(browser)
        path = f"/v1/me/records/{record}/statement"
        headers = {"X-CSRF-Token": str(browser.cookies.get("osm_csrf")), "Sec-Fetch-Site": "same-origin"}
        said = {"words": "<img src=x onerror=alert(1)>\u202e{{7*7}}"}
        answer = await browser.post(path, json=said, headers=headers)
        assert (answer.status_code, answer.json()["statement"]) == (200, "<img src=x onerror=alert(1)>{{7*7}}")
        page = (await browser.get("/records")).text
        assert "<bdi>&lt;img src=x onerror=alert(1)&gt;{{7*7}}</bdi>" in page
        for wrong in ({"words": "字" * 201}, {"words": ""}, {"words": "\u202e"}, {"words": "x", "points": 1}):
            assert (await browser.post(path, json=wrong, headers=headers)).status_code == 422
        async with place.server.logged_in(place.server.person()) as other:
            await place.server.join(other)
            assert (await other.post(path, json=said)).status_code == 404
            assert (await other.delete(path)).status_code == 404
        gone = await browser.request("DELETE", path, headers=headers)
        assert (gone.status_code, gone.json()["statement"]) == (200, None)
        assert "您的说明" not in (await browser.get("/records")).text


class TestRepair:
    """`/records` and `/repairs`."""

    async def test_applied_by_a_form_and_taken_back(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """The form has the conditions and the pledge; then the state with its day stands there instead of it."""
        record = await place.punished(browser)
        page = (await browser.get("/records")).text
        assert page.count("申请信用修复（免费）") == 1
        assert "例如缴款凭证号" in page
        assert "已改正并履行义务；已作出信用承诺" in page
        asked = await browser.post("/repairs", **form(browser, record=record, words="已缴清", pledge="1"))
        assert (asked.status_code, asked.headers["location"]) == (303, "/records"), asked.text
        page = (await browser.get("/records")).text
        assert "申请信用修复（免费）" not in page
        assert "修复申请：" in page
        (mine,) = (await browser.get("/v1/me/repairs")).json()["repairs"]
        assert f'<time datetime="{mine["decide_by"]}">' in page
        back = await browser.post("/repairs", **form(browser, withdraw=mine["id"]))
        assert back.status_code == 303
        assert "申请信用修复（免费）" in (await browser.get("/records")).text

    async def test_before_its_day_it_says_from_when(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """No form before the minimum display time is over, and the act is refused in words."""
        record = await place.punished(browser, days=30)
        page = (await browser.get("/records")).text
        assert "起可以申请信用修复" in page
        assert "申请信用修复（免费）" not in page
        early = await browser.post("/repairs", **form(browser, record=record, words="x", pledge="1"))
        assert early.status_code == 409

    async def test_a_serious_one_offers_ways(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """One of them is chosen; without one, or without words, the application is refused."""
        day = str(clock.today() - timedelta(days=500))
        fields = {"class": "c1", "clause": "第1条", "severity": "serious", "procedure": "ordinary"}
        document = {"no": "罚2号", "authority": "示范市城管局", "effective_on": day}
        notice = {"no": "告2号", "served_on": day}
        record = await place.punished(
            browser, kind="N02", fields=fields, occurred_on=day, document=document, notice=notice
        )
        assert '<option value="training">参加信用修复培训</option>' in (await browser.get("/records")).text
        for lacking in ({"words": "x", "pledge": "1"}, {"route": "training", "pledge": "1"}):
            assert (await browser.post("/repairs", **form(browser, record=record, **lacking))).status_code == 422
        whole = form(browser, record=record, words="已整改", pledge="1", route="training")
        assert (await browser.post("/repairs", **whole)).status_code == 303

    async def test_a_form_of_nobodys_is_refused(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """Without the session's CSRF token nothing is applied for."""
        record = await place.punished(browser)
        forged = {"csrf": "x", "record": record, "words": "x", "pledge": "1"}
        assert (await browser.post("/repairs", data=forged)).status_code == 403
        assert (await browser.get("/v1/me/repairs")).json()["repairs"] == []

    async def test_a_city_without_rules_of_repair(
        self, place: Place, browser: httpx2.AsyncClient, monkeypatch: Any
    ) -> None:
        """The page stands, and offers nothing."""

        async def none(*_: Any, **__: Any) -> None:
            detail = "x"
            raise inforce.NoRightsInForce(detail)

        await place.punished(browser)
        monkeypatch.setattr(page_of_repairs.inforce, "repair", none)
        page = await browser.get("/records")
        assert page.status_code == 200
        assert "信用修复" not in page.text


class TestObjection:
    """`/records` and `/disputes`."""

    async def test_before_sending_it_says_who_reads(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """Each record has its form; that a deduction stops at once stands at the deduction alone."""
        await place.punished(browser)
        page = (await browser.get("/records")).text
        assert page.count("<summary>提出异议（免费）") == 2
        assert page.count("来源单位“名称 enforcement”会看到。我们不告诉来源单位您是谁") == 2
        assert page.count("从提出起，这项扣分立刻停止") == 1
        for code, name in REASONS.items():
            assert f'<option value="{code}">{name}</option>' in page

    async def test_objected_and_taken_back(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """The state with its day and the course stand there instead of the form; taken back, it is offered again."""
        record = await place.punished(browser)
        words = form(browser, record=record, reason="lapsed", words="<已缴清>", evidence="票号7")
        asked = await browser.post("/disputes", **words)
        assert (asked.status_code, asked.headers["location"]) == (303, "/records"), asked.text
        page = (await browser.get("/records")).text
        (mine,) = (await browser.get("/v1/me/disputes")).json()["items"]
        assert (mine["record"], mine["suspends"]) == (record, True)
        said = (
            "异议：已提出，本平台自查",
            f'<time datetime="{mine["due_on"]}">',
            "&lt;已缴清&gt;",
            "票号7",
            "提出异议（您）",
        )
        for one in (*said, "异议核实中，不计"):
            assert one in page, one
        assert page.count("<summary>提出异议（免费）") == 1
        twice = await browser.post("/disputes", **words)
        assert (twice.status_code, "已经提过异议" in twice.text) == (409, True)
        assert (await browser.post("/disputes", **form(browser, withdraw=mine["id"]))).status_code == 303
        page = (await browser.get("/records")).text
        for one in ("异议：已撤回", "再次提出异议（免费）", "工作人员认可新证据后才停止扣分"):
            assert one in page, one
        ended = await browser.post("/disputes", **form(browser, withdraw=mine["id"]))
        assert (ended.status_code, "这一步现在做不了" in ended.text) == (409, True)

    async def test_the_answer_stands_there(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """Every step with its hand, then the source's words; nothing is left to take back."""
        record = await place.punished(browser)
        await browser.post("/disputes", **form(browser, record=record, reason="not_true", words="没有这件事"))
        (mine,) = (await browser.get("/v1/me/disputes")).json()["items"]
        step = {"clerk": "0017", "purpose": "dispute", "act": "forward"}
        assert (await place.office.post(f"/v1/staff/disputes/{mine['id']}/steps", json=step)).status_code == 200
        assert "来源单位核实中" in (await browser.get("/records")).text
        answer = {"outcome": "rejected", "reasons": "决定书有效"}
        answered = await place.source.http.post(f"/v1/source/disputes/{mine['id']}/answer", json=answer)
        assert answered.status_code == 202, answered.text
        page = (await browser.get("/records")).text
        for one in (
            "异议：异议不成立",
            "答复：决定书有效",
            "转来源单位核实（工作人员）",
            "来源单位认定不成立（来源单位）",
        ):
            assert one in page, one
        assert "撤回异议" not in page

    async def test_what_is_not_taken(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """No words, an unknown reason, somebody else's record, a form of nobody's: refused, and nothing is kept."""
        record = await place.punished(browser)
        right = {"record": record, "reason": "other", "words": "x"}
        strange = f"rc_{'0' * 26}"
        for wrong, status in (({"words": ""}, 422), ({"reason": "rude"}, 422), ({"record": strange}, 404)):
            refused = await browser.post("/disputes", **form(browser, **(right | wrong)))
            assert refused.status_code == status, wrong
        assert (await browser.post("/disputes", data={"csrf": "x", **right})).status_code == 403
        assert (await browser.get("/v1/me/disputes")).json()["items"] == []

    async def test_it_outlives_its_record(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """Where the record is gone, its dispute still stands on the page."""
        record = await place.punished(browser)
        await browser.post("/disputes", **form(browser, record=record, reason="not_mine", words="不是我"))
        owner = await asyncpg.connect(place.server.owner_url)
        await owner.execute("delete from scoring.record where id = $1", ids.read("rc", record))
        await owner.close()
        page = (await browser.get("/records")).text
        assert "异议过的记录，现在已经删除" in page
        assert "不是我的记录。不是我" in page


class TestPending:
    """What a court looks at."""

    async def test_it_stands_beside_the_record(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """Its citizen reads what is pending since when, on the page and by the API (SZX 43)."""
        await place.punished(browser)
        mark = {"ref": f"n{place.serial}", "matter": "lawsuit", "evidence": "（2026）行初1号"}
        assert (await place.source.http.post("/v1/source/records/pending", json=mark)).status_code == 202
        assert "行政诉讼审理中" in (await browser.get("/records")).text
        (held,) = [one for one in (await browser.get("/v1/me/records")).json()["records"] if not one["positive"]]
        assert held["pending"] == {"matter": "lawsuit", "name": "行政诉讼审理中", "since": str(clock.today())}
