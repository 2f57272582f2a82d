"""The console and the desk in a real browser: from the links to the work done, by keyboard, narrow, large and dark."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio

from api.tool import registration
from core import clock
from tests import receiver
from tests.api import office as readers
from tests.api.conftest import Server
from tests.api.conftest import server as server  # noqa: PLC0414  (the fixture, for the tests of this folder)
from tests.api.test_desk import CLERKS, SCOPES

for needed in ("playwright.async_api", "axe_playwright_python.async_playwright"):
    pytest.importorskip(needed, reason="no browser's driver: make interop installs it")

from tests.interop.test_browser import GOOD, LOOKS, OPEN, RULES, axe, page_of  # noqa: E402  (after what it needs is known to be there)
from tests.interop.test_browser import chromium as chromium  # noqa: E402, PLC0414  (the fixture, and after what it needs)

pytestmark = pytest.mark.interop

PERK = "library.deposit-free"
CLERK = [*SCOPES, "staff:counter", "staff:orders", "staff:calendar"]
LIGHT = 150_000
# What a page weighed, sheet, script and pictures with it, and where from.
GOT = """() => performance.getEntries().filter((one) => one.decodedBodySize !== undefined)
  .map((one) => [one.name, one.decodedBodySize])"""
# What can be reached by the keyboard and is not seen when it is, or is covered by something else.
LOST = """() => [...document.querySelectorAll("a, button, input, select, textarea, summary, [tabindex]")]
  .filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0)
  .filter((one) => {
    one.focus({ focusVisible: true });
    one.scrollIntoView({ block: "nearest" });
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    const across = Math.max(0, box.left) + Math.min(box.width, innerWidth) / 2;
    const seen = document.elementFromPoint(across, Math.max(0, box.top) + Math.min(box.height, innerHeight) / 2);
    return style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2
      || !(one.contains(seen) || seen?.contains(one) || one.labels?.[0]?.contains(seen));
  }).map((one) => one.outerHTML.slice(0, 90))"""
# Tables without a name or without headers, fields without a label.
NAMELESS = """() => [...document.querySelectorAll("table")]
  .filter((one) => !one.querySelector("th") || !(one.caption || one.closest("[aria-label]")))
  .map((one) => one.outerHTML.slice(0, 90))"""
FILES = ("/console/statements/", "/slip")


class Work(msgspec.Struct, frozen=True):
    """A partner, an office, and a citizen's review that waits."""

    server: Server
    partner: httpx2.AsyncClient
    office: httpx2.AsyncClient
    review: str


@pytest_asyncio.fixture(scope="module")
async def work(server: Server) -> AsyncIterator[Work]:
    """Somebody has asked for a check, keeps an order, is told of it, and wants a review."""
    shop = await registration.add(
        server.house.settings, client_id="work-shop", role="partner", name="南门书店",
        scopes=["eligibility:check", "orders:write"], perks=[PERK],
    )  # fmt: skip
    desk = await registration.add(
        server.house.settings, client_id="work-desk", role="staff", name="示范市信用办公室",
        scopes=["staff:clerks", *CLERK],
    )  # fmt: skip
    async with (
        httpx2.AsyncClient(base_url=server.base_url, auth=server.as_client(shop), timeout=30) as partner,
        httpx2.AsyncClient(base_url=server.base_url, auth=server.as_client(desk), timeout=30) as office,
        receiver.opened() as endpoint,
        server.logged_in(server.person()) as me,
    ):
        await server.join(me)
        await partner.post("/v1/partner/webhooks", json={"url": endpoint.url})
        code = (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]
        body = {"out_order_no": "W-1", "perk": PERK, "holder": {"code": code}, "deposit": 10000}
        await partner.post("/v1/partner/orders", json=body, headers={"Idempotency-Key": "W-1"})
        await me.post("/v1/me/reviews", json={"about": "score", "words": "这一件一直等着"})
        asked = await me.post("/v1/me/reviews", json={"about": "score", "words": "请人看看我的分数"})
        yield Work(server, partner, office, asked.json()["id"])


async def at_console(page: Any, work: Work) -> None:
    """Follow a link."""
    made = (await work.partner.post("/v1/partner/consoles", json={"name": "小王的电脑"})).json()
    await page.goto(made["link"])
    await page.get_by_role("button", name="在这个浏览器上打开").click()
    await page.get_by_role("heading", name="南门书店").wait_for()


async def at_desk(page: Any, work: Work, number: str) -> None:
    """Follow a clerk's link and log in at the identity provider."""
    person = work.server.person()
    link = (await work.office.post(CLERKS, json={"clerk": number, "scopes": CLERK})).json()["link"]
    await page.goto(link)
    await page.get_by_role("button", name="登录并开通").click()
    await page.get_by_label("账号").fill(person["login"])
    await page.get_by_label("密码").fill(person["password"])
    await page.get_by_role("button", name="登录", exact=True).click()
    await page.get_by_role("heading", name="待办").wait_for()


async def assisted(work: Work, number: str) -> None:
    """Somebody comes to this clerk with their card; they have joined."""
    person, card_no = work.server.person(), readers.new_card()
    async with work.server.logged_in(person) as me:
        await work.server.join(me)
    system = readers.Office(work.server, "work-desk", work.office.auth, work.office)
    assert (await system.knows(person, card_no=card_no, clerk=number)).status_code < 300
    assert (await system.opens(readers.with_pin(card_no), clerk=number)).status_code < 300


async def every(page: Any, work: Work, start: str, name: str) -> AsyncIterator[str]:
    """Every page of a set that a link leads to, open before you with every fold; one of those that differ by an id.

    A picture of each where $SHOTS says where to.
    """
    waiting, seen = [start], set[str]()
    while waiting:
        path = waiting.pop(0)
        await page.goto(f"{work.server.base_url}{path}")
        await page.evaluate(OPEN)
        if shots := os.environ.get("SHOTS"):
            await page.screenshot(path=Path(shots) / f"{name}{_shape(path).replace('/', '-')}.png", full_page=True)
        for one in await page.evaluate("() => [...document.querySelectorAll('a')].map((one) => one.pathname)"):
            if one.startswith(start) and _shape(one) not in seen and not any(file in one for file in FILES):
                seen.add(_shape(one))
                waiting.append(one)
        yield path


def _shape(path: str) -> str:
    """An address without its ids."""
    return re.sub(r"/[a-z]{2}_[^/]+", "/one", path)


def wrong_of(found: Any) -> Any:
    """What is wrong alone."""
    return {name: value for name, value in found.items() if value}


class TestFlows:
    """What each is for."""

    async def test_a_partner_tests_sends_again_and_draws_a_code(self, chromium: Any, work: Work) -> None:
        """From the link to a test event, a replay, a sandbox code, and out: a quiet console."""
        async with page_of(chromium, 1280) as page:
            await at_console(page, work)
            await page.get_by_role("link", name="查询与订单").click()
            await page.get_by_text("W-1").wait_for()
            await page.get_by_role("link", name="回调").click()
            await page.get_by_role("button", name="发一个测试事件").first.click()
            await page.get_by_text("测试事件已排队").wait_for()
            await page.get_by_role("button", name="再发一次").first.click()
            await page.get_by_text("会再发一次").wait_for()
            await page.get_by_role("link", name="沙箱").click()
            await page.get_by_role("button", name="要 not_enrolled 的码").click()
            assert (await page.get_by_label("信用码，六十秒内用一次").input_value()).startswith("CC1")
            await page.get_by_role("button", name="在这个浏览器上退出").click()
            await page.get_by_role("heading", name="打开控制台").wait_for()

    async def test_two_clerks_by_keyboard(self, chromium: Any, work: Work) -> None:
        """One opens a review for a reason and answers it with the keys alone; a draft needs the other one."""
        async with page_of(chromium, 1280) as first, page_of(chromium, 1280) as second:
            await at_desk(first, work, "5001")
            await at_desk(second, work, "5002")
            link = first.locator(f'a[href$="{work.review}"]')
            await link.focus()
            await first.keyboard.press("Enter")
            await first.get_by_role("heading", name="人工复核：您为什么要看").wait_for()
            assert "请人看看我的分数" not in await first.content()
            await first.get_by_label("办理您提交的这件事").focus()
            await first.keyboard.press("Space")
            await first.keyboard.press("Tab")
            await first.keyboard.press("Enter")
            await first.get_by_text("请人看看我的分数").wait_for()
            await first.get_by_label("维持原结果").focus()
            await first.keyboard.press("Space")
            await first.keyboard.press("Tab")
            await first.keyboard.type("核对过，每一分都有记录。")
            await first.keyboard.press("Tab")
            await first.keyboard.press("Enter")
            await first.get_by_text("已办理，本人看得到").wait_for()
            await self.assess(first, "work-partner")
            await first.get_by_text("请另一位同事决定").wait_for()
            await second.goto(f"{work.server.base_url}/desk/assessments")
            await second.get_by_role("button", name="通过 work-partner", exact=True).click()
            await second.get_by_text("work-desk/5002").wait_for()

    async def assess(self, page: Any, subject: str) -> None:
        """Draft an assessment."""
        await page.get_by_role("link", name="影响评估").click()
        await page.get_by_text("起草一份").click()
        await page.get_by_label("编号").fill(subject)
        await page.get_by_label("整份文件").fill("0" * 64)
        await page.get_by_label("对个人的影响").fill("合作方得知一个人是否达到一个门槛。")
        await page.get_by_label("采取的措施").fill("只答两种；逐次记录，本人可见。")
        await page.get_by_label("有效至").fill(clock.today().isoformat())
        await page.get_by_role("button", name="起草", exact=True).click()


class TestLooks:
    """How they look, to everybody: every page that a link leads to, every fold open."""

    @pytest.mark.parametrize(
        ("width", "query"), [(320, ""), (390, "mode=elder"), (1280, ""), (320, "lang=en"), (390, "mode=elder&lang=en")]
    )
    async def test_nothing_is_clipped_small_lost_heavy_or_wider_than_the_screen(
        self, chromium: Any, work: Work, width: int, query: str
    ) -> None:
        """Also: what the keyboard reaches is seen, tables have names, under 150 kB with everything, all of it ours."""
        wrong: dict[str, Any] = {}
        number = f"6{width}{len(query)}"
        async with page_of(chromium, width) as page:
            await at_console(page, work)
            await at_desk(page, work, number)
            await assisted(work, number)
            await page.goto(f"{work.server.base_url}/console?{query}")
            for start in ("/console", "/desk"):
                async for path in every(page, work, start, f"{width}{query}"):
                    got = await page.evaluate(GOT)
                    assert 0 < sum(size for _, size in got) < LIGHT, path
                    assert all(url.startswith((work.server.base_url, "data:")) for url, _ in got), path
                    found = await page.evaluate(LOOKS)
                    lost, nameless = await page.evaluate(LOST), await page.evaluate(NAMELESS)
                    if found != GOOD or lost or nameless:
                        wrong[path] = wrong_of(found | {"lost": lost, "nameless": nameless})
        assert wrong == {}

    @pytest.mark.parametrize(("scheme", "width", "lang"), [("light", 1280, "zh"), ("dark", 320, "en")])
    async def test_axe_finds_nothing(self, chromium: Any, work: Work, scheme: str, width: int, lang: str) -> None:
        """WCAG 2.2 AA and best practice on every page of both."""
        wrong: dict[str, Any] = {}
        number = {"light": "7001", "dark": "7002"}[scheme]
        async with page_of(chromium, width, color_scheme=scheme, bypass_csp=True) as page:
            await at_console(page, work)
            await at_desk(page, work, number)
            await assisted(work, number)
            await page.goto(f"{work.server.base_url}/console?lang={lang}")
            for start in ("/console", "/desk"):
                async for path in every(page, work, start, scheme):
                    found = await axe.Axe().run(page, options=RULES)
                    if bad := [
                        (one["id"], [each["html"][:90] for each in one["nodes"]])
                        for one in found.response["violations"]
                    ]:
                        wrong[path] = bad
        assert wrong == {}
