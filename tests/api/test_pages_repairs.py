"""Repair on the page of records, without a script: the way, the form, the state, taking it back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest_asyncio

from api.pages import repairs as page_of_repairs
from core import clock
from scoring.rights import inforce
from tests.api.cast import log_in
from tests.api.conftest import Server, serving
from tests.api.rightsworld import Bureau, bureau
from tests.api.test_pages_rights import form
from tests.conftest import _clone
from tests.scoringworld import penalty, water


class Place:
    """A server with a bureau; everybody makes a person of their own."""

    def __init__(self, server: Server, source: Bureau) -> None:
        """They live as long as the file."""
        self.server, self.source, self.serial = server, source, 0

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
        _clone(cluster, city_template) as url,
        serving(url, ring.file, published=True) as server,
        bureau(server) as source,
    ):
        yield Place(server, source)


@pytest_asyncio.fixture
async def browser(place: Place) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser without a login."""
    async with httpx2.AsyncClient(base_url=place.server.base_url, follow_redirects=False) as http:
        yield http


class TestRepair:
    """`/records` and `/repairs`."""

    async def test_applied_by_a_form_and_taken_back(self, place: Place, browser: httpx2.AsyncClient) -> None:
        """The form has the conditions and the pledge; then the state with its day stands there instead of it."""
        record = await place.punished(browser)
        page = (await browser.get("/records")).text
        assert page.count("申请信用修复（免费）") == 1
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
