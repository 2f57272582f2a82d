"""A partner's console: opened once by a link, with the scopes of the token that asked, over the partner's own calls."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from api.tool import registration
from core import clock
from tests import receiver
from tests.api.conftest import Server
from tests.api.pagereader import Browser

PERK = "library.deposit-free"
CONSOLES = "/v1/partner/consoles"


class Owner:
    """A partner with both scopes, and the browsers of its people."""

    def __init__(self, server: Server, http: httpx2.AsyncClient, entry: dict[str, Any]) -> None:
        """`http` is the partner's own system."""
        self.server, self.http, self.entry = server, http, entry
        self.visitors: list[Browser] = []

    def visitor(self) -> Browser:
        """A browser that has opened nothing."""
        self.visitors.append(Browser(self.server))
        return self.visitors[-1]

    async def made(self, **more: Any) -> dict[str, Any]:
        """A console that waits for its browser."""
        answer = await self.http.post(CONSOLES, json={"name": "小王的电脑", **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def browser(self, made: dict[str, Any] | None = None) -> Browser:
        """A browser that has opened a console."""
        browser = self.visitor()
        await browser.go("/console")
        await browser.submit(action="/console/open", secret=secret(made or await self.made()))
        return browser

    async def code(self) -> str:
        """Somebody's fresh code."""
        async with self.server.logged_in(self.server.person()) as me:
            await self.server.join(me)
            return (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]

    async def order(self) -> None:
        """An order, with its event."""
        body = {"out_order_no": "C-1", "perk": PERK, "holder": {"code": await self.code()}, "deposit": 10000}
        answer = await self.http.post("/v1/partner/orders", json=body, headers={"Idempotency-Key": "C-1"})
        assert answer.status_code == 201, answer.text

    async def sql(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Behind the doors."""
        connection = await asyncpg.connect(self.server.house.settings.database_url)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()


def secret(made: dict[str, Any]) -> str:
    """What stands behind # in a link."""
    return made["link"].partition("#")[2]


@pytest_asyncio.fixture(scope="module")
async def owner(server: Server) -> AsyncIterator[Owner]:
    """A partner of these tests."""
    entry = await registration.add(
        server.house.settings, client_id="consoled", role="partner", name="南门书店",
        scopes=["eligibility:check", "orders:write"], perks=[PERK],
    )  # fmt: skip
    async with httpx2.AsyncClient(base_url=server.base_url, auth=server.as_client(entry), timeout=30) as http:
        owner = Owner(server, http, entry)
        yield owner
        for one in owner.visitors:
            await one.http.aclose()


class TestLink:
    """POST, GET, DELETE /v1/partner/consoles and /console/open."""

    async def test_a_link_opens_one_browser_once(self, owner: Owner) -> None:
        """The secret stands behind #, is told once, stored as a digest, and good for one browser."""
        made = await owner.made()
        assert made["link"].startswith(f"{owner.server.base_url}/console#")
        browser = await owner.browser(made)
        assert (browser.answer.url.path, browser.answer.status_code) == ("/console", 200)
        assert "南门书店" in browser.page.text
        second = await owner.browser(made)
        assert second.answer.status_code == 410
        assert "set-cookie" not in second.answer.headers
        listed = (await owner.http.get(CONSOLES)).text
        assert secret(made) not in listed
        assert (await owner.http.get(CONSOLES)).json()["consoles"][0]["state"] == "open"
        (row,) = await owner.sql("select s::text as all from auth.seat s order by made_at desc limit 1")
        assert secret(made) not in row["all"]

    async def test_a_console_has_the_scopes_of_the_token_that_asked(self, owner: Owner) -> None:
        """A token of one scope makes a console of one: no page and no button of the other's."""
        small = owner.server.as_client({**owner.entry, "scopes": ["eligibility:check"]})
        async with httpx2.AsyncClient(base_url=owner.server.base_url, auth=small) as http:
            made = (await http.post(CONSOLES, json={"name": "柜台"})).json()
        assert made["scopes"] == ["eligibility:check"]
        browser = await owner.browser(made)
        assert "/console/webhooks" not in browser.answer.text
        await browser.go("/console/webhooks")
        assert (browser.answer.status_code, "insufficient_scope" in browser.page.text) == (403, True)
        await browser.go("/console/log")
        assert "最近的订单" not in browser.page.text

    async def test_it_ends_by_the_partner_by_its_page_by_idleness_and_with_the_client(self, owner: Owner) -> None:
        """At the next request the browser is shown the way in, and the token behind it is dead."""
        made = await owner.made()
        browser = await owner.browser(made)
        assert (await owner.http.delete(f"{CONSOLES}/{made['console_id']}")).status_code == 204
        assert "打开控制台" in (await browser.go("/console/log")).text
        assert (await owner.http.delete(f"{CONSOLES}/{made['console_id']}")).status_code == 404
        left = await owner.browser()
        await left.submit(action="/console/leave")
        assert "打开控制台" in (await left.go("/console")).text
        idle = await owner.browser()
        await owner.sql("update auth.seat set used_at = $1", clock.wall() - timedelta(minutes=31))
        assert "打开控制台" in (await idle.go("/console")).text
        dead = (
            "select count(*) from auth.seat s join auth.token t on t.jti_hash = s.token where s.ended_at is not null "
        )
        assert (await owner.sql(dead + "and t.revoked_at is null"))[0]["count"] == 0

    async def test_a_link_runs_out_within_the_hour(self, owner: Owner) -> None:
        """Told so; after that it opens nothing."""
        made = await owner.made()
        await owner.sql("update auth.seat set link_until = now() - interval '1 second' where session is null")
        assert (await owner.browser(made)).answer.status_code == 410
        states = {one["console_id"]: one["state"] for one in (await owner.http.get(CONSOLES)).json()["consoles"]}
        assert states[made["console_id"]] == "missed"

    async def test_another_partners_console_is_absent(self, owner: Owner) -> None:
        """Neither listed nor ended by anybody else."""
        made = await owner.made()
        other, _ = await owner.server.register("consoled-other", "partner", "eligibility:check", perks=[PERK])
        async with httpx2.AsyncClient(base_url=owner.server.base_url, auth=other) as http:
            assert (await http.get(CONSOLES)).json() == {"consoles": []}
            assert (await http.delete(f"{CONSOLES}/{made['console_id']}")).status_code == 404


class TestForms:
    """What a form needs."""

    @pytest.mark.parametrize("action", ["leave", "end", "webhooks/test", "webhooks/replay", "sandbox/check"])
    async def test_no_form_works_without_the_consoles_token(self, owner: Owner, action: str) -> None:
        """A missing or another's CSRF token changes nothing."""
        browser = await owner.browser()
        for csrf in ({}, {"csrf": "0" * 64}):
            answer = await browser.http.post(f"/console/{action}", data={"webhook": "wh_1", **csrf})
            assert (answer.status_code, "csrf_failed" in answer.text) == (403, True)
        assert "南门书店" in (await browser.go("/console")).text

    async def test_a_citizens_cookie_or_a_desk_opens_no_console(self, owner: Owner) -> None:
        """Only the console's own cookie counts."""
        browser = await owner.browser()
        value = browser.http.cookies["osm_console"]
        stranger = owner.visitor()
        stranger.http.cookies.set("osm_desk", value)
        stranger.http.cookies.set("osm_session", value)
        assert "打开控制台" in (await stranger.go("/console")).text


class TestPages:
    """What they show."""

    async def test_the_log_shows_what_was_answered_and_nothing_of_a_person(self, owner: Owner) -> None:
        """A granted check, one for a personal cause, one for an impersonal reason: as the partner was told."""
        code = await owner.code()
        body = {"perk": PERK, "holder": {"code": code}}
        told = [(await owner.http.post("/v1/partner/eligibility", json=body)).json() for _ in range(2)]
        assert [one["result"] for one in told] == ["granted", "standard_route"]
        browser = await owner.browser()
        page = await browser.go("/console/log")
        for one in told:
            assert one["decision_id"] in page.text
        assert "code_used" in page.text
        assert code not in browser.answer.text
        assert "cz_" not in browser.answer.text

    async def test_a_test_event_goes_out_and_one_is_sent_again(self, owner: Owner) -> None:
        """The deliveries are listed with their status; a replay is told."""
        async with receiver.opened() as endpoint:
            made = (await owner.http.post("/v1/partner/webhooks", json={"url": endpoint.url})).json()
            browser = await owner.browser()
            await browser.go("/console/webhooks")
            page = await browser.submit(action="/console/webhooks/test")
            assert "测试事件已排队" in page.text
            assert "webhook.test" in page.text
            assert made["secret"] not in browser.answer.text
            await owner.order()
            await browser.go("/console/webhooks")
            assert "会再发一次" in (await browser.submit(action="/console/webhooks/replay")).text
            await browser.go("/console/sandbox")
            page = await browser.submit(action="/console/sandbox/check")
            assert "自检：有要改的" in page.text
            await owner.http.delete(f"/v1/partner/webhooks/{made['webhook']['id']}")

    async def test_a_finished_day_is_downloaded_as_the_api_tells_it(self, owner: Owner) -> None:
        """The same bytes and signature; an unfinished day says when it will be there."""
        browser = await owner.browser()
        page = await browser.go("/console/statements")
        day = (clock.today() - timedelta(days=2)).isoformat()
        assert page.all("a", href=f"/console/statements/{day}")
        mine = await browser.http.get(f"/console/statements/{day}")
        theirs = await owner.http.get(f"/v1/partner/statements/{day}")
        assert mine.content == theirs.content
        assert f"statement-consoled-{day}.json" in mine.headers["content-disposition"]
        assert mine.headers.get("signature") == theirs.headers.get("signature")
        await browser.go(f"/console/statements/{clock.today()}")
        assert (browser.answer.status_code, "statement_not_ready" in browser.page.text) == (404, True)

    async def test_a_sandbox_gives_a_code_that_comes_out_as_it_says(self, owner: Owner) -> None:
        """The code of a test citizen, drawn on the page, is answered by the API as the page foretold."""
        browser = await owner.browser()
        await browser.go("/console/sandbox")
        page = await browser.submit(action="/console/sandbox/code", citizen="not_enrolled")
        assert browser.answer.status_code == 200, page.text
        code = page.all("input", id="drawn")[0].attributes["value"]
        body = {"perk": PERK, "holder": {"code": code}}
        assert (await owner.http.post("/v1/partner/eligibility", json=body)).json()["result"] == "standard_route"
