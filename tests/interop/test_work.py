"""The console and the desk in a real browser: from the links to the work done, by keyboard, narrow, large and dark."""

import os
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
from tests.api.conftest import Server
from tests.api.conftest import server as server  # noqa: PLC0414  (the fixture, for the tests of this folder)
from tests.api.test_desk import CLERKS, SCOPES

for needed in ("playwright.async_api", "axe_playwright_python.async_playwright"):
    pytest.importorskip(needed, reason="no browser's driver: make interop installs it")

from tests.interop.test_browser import GOOD, LOOKS, OPEN, RULES, axe, page_of  # noqa: E402  (after what it needs is known to be there)
from tests.interop.test_browser import chromium as chromium  # noqa: E402, PLC0414  (the fixture, and after what it needs)

pytestmark = pytest.mark.interop

PERK = "library.deposit-free"
CONSOLE = ("/console", "/console/log?hours=24", "/console/webhooks", "/console/statements", "/console/sandbox")
DESK = (
    "/desk", "/desk/releases", "/desk/partners", "/desk/assessments", "/desk/quality", "/desk/board", "/desk/audits",
    "/desk/incidents",
)  # fmt: skip


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
        scopes=["staff:clerks", *SCOPES],
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
    link = (await work.office.post(CLERKS, json={"clerk": number, "scopes": SCOPES})).json()["link"]
    await page.goto(link)
    await page.get_by_role("button", name="登录并开通").click()
    await page.get_by_label("账号").fill(person["login"])
    await page.get_by_label("密码").fill(person["password"])
    await page.get_by_role("button", name="登录", exact=True).click()
    await page.get_by_role("heading", name="待办").wait_for()


async def looked_at(page: Any, work: Work, path: str, name: str) -> dict[str, Any]:
    """What is wrong with a page, every fold of it open; a picture of it where $SHOTS says where to."""
    await page.goto(f"{work.server.base_url}{path}")
    await page.evaluate(OPEN)
    if shots := os.environ.get("SHOTS"):
        place = Path(shots) / f"{name}-{path.split('?', maxsplit=1)[0].strip('/').replace('/', '-')}.png"
        await page.screenshot(path=place, full_page=True)
    return await page.evaluate(LOOKS)


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
    """How they look, to everybody."""

    @pytest.mark.parametrize(("width", "query"), [(320, ""), (390, "mode=elder"), (1280, "")])
    async def test_nothing_is_clipped_small_or_wider_than_the_screen(
        self, chromium: Any, work: Work, width: int, query: str
    ) -> None:
        """Every page of both, every fold open."""
        wrong: dict[str, Any] = {}
        async with page_of(chromium, width) as page:
            await at_console(page, work)
            await at_desk(page, work, f"6{width}")
            for path in (*CONSOLE, *DESK, f"/desk/matters/reviews/{work.review}"):
                asked = f"{path}{'&' if '?' in path else '?'}{query}" if query else path
                found = await looked_at(page, work, asked, f"{width}{'elder' if query else ''}")
                if found != GOOD:
                    wrong[path] = {name: value for name, value in found.items() if value}
        assert wrong == {}

    @pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
    async def test_axe_finds_nothing(self, chromium: Any, work: Work, scheme: str, width: int) -> None:
        """WCAG 2.2 AA and best practice on every page of both."""
        wrong: dict[str, Any] = {}
        async with page_of(chromium, width, color_scheme=scheme, bypass_csp=True) as page:
            await at_console(page, work)
            await at_desk(page, work, {"light": "7001", "dark": "7002"}[scheme])
            for path in (*CONSOLE, *DESK, f"/desk/matters/reviews/{work.review}"):
                await looked_at(page, work, path, scheme)
                found = await axe.Axe().run(page, options=RULES)
                if bad := [
                    (one["id"], [each["html"][:90] for each in one["nodes"]]) for one in found.response["violations"]
                ]:
                    wrong[path] = bad
        assert wrong == {}
