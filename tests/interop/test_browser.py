"""The citizen's page in a real browser: the whole journey, accessibility, geometry, and a quiet console.

Needs Chromium ($CHROMIUM, or `chromium`, `chromium-browser`, `google-chrome` on PATH) and a Chinese font. Without them
these tests are skipped, or fail where REQUIRE_BROWSER=1 says that they must run.
"""

import json
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api.tool import demo_city
from core import clock, embedded
from core.keys import Keyring
from tests.api.conftest import Server, serving
from tests.clones import clone

playwright = pytest.importorskip("playwright.async_api", reason="no playwright: make interop installs it")
axe = pytest.importorskip("axe_playwright_python.async_playwright")
pytestmark = pytest.mark.interop

PERK = "library.deposit-free"
PAGES = (
    "/", "/perks", "/records", "/accesses", "/consents", "/history", f"/code?perk={PERK}", "/consents/new", "/whatif",
    "/orders", "/cards", "/rights", "/rights/leave", "/reports", "/sessions", "/changes", "/forms", "/forms/dispute",
    "/points", "/points/cases", "/points/cases/city-card-pass",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

LOOKS = (Path(__file__).parent / "looks.js").read_text()
GOOD = {"wider": [], "small": [], "broken": [], "clipped": [], "crossed": []}
OPEN = "() => document.querySelectorAll('details').forEach(one => one.open = true)"


def absent(why: str) -> None:
    """Skip, or fail where the browser is required."""
    (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(why)


@pytest_asyncio.fixture(scope="module")
async def chromium() -> AsyncIterator[Any]:
    """A real Chromium with a real Chinese font."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        absent("no Chromium: apt-get install chromium fonts-noto-cjk")
    async with playwright.async_playwright() as tool:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium refuses to sandbox for root
        browser = await tool.chromium.launch(executable_path=found, args=sandbox)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module")
async def city(cluster: embedded.Cluster, sandbox_template: str, ring: Keyring) -> AsyncIterator[Server]:
    """A city of its own with the demo's bureaus."""
    async with clone(cluster, sandbox_template) as owner_url, serving(owner_url, ring.file) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def bureaus(city: Server) -> Mapping[str, Any]:
    """The signing auth of each of the demo's sources and of a library."""
    sources = [one for one in demo_city.CLIENTS if one.role == "source"]
    signed = {
        one.client_id: (await city.register(one.client_id, "source", "records:write", kinds=one.kinds))[0]
        for one in sources
    }
    signed["reading-room"] = (await city.register("reading-room", "partner", "eligibility:check", perks=[PERK]))[0]
    return signed


@asynccontextmanager
async def page_of(chromium: Any, width: int = 390, **options: Any) -> AsyncIterator[Any]:
    """A page whose console must stay silent, but for the browser's word for a 4xx and for what a logout cleared."""
    context = await chromium.new_context(viewport={"width": width, "height": 844}, locale="zh-CN", **options)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    await context.close()
    usual = ("Failed to load resource: the server responded", "Clear-Site-Data header on")
    assert [one for one in said if not one.startswith(usual)] == []


async def log_in(page: Any, city: Server, person: Mapping[str, Any]) -> None:
    """Through the welcome page and the identity provider."""
    await page.goto(city.base_url)
    await page.get_by_role("link", name="登录").click()
    await page.get_by_label("账号").fill(person["login"])
    await page.get_by_label("密码").fill(person["password"])
    await page.get_by_role("button", name="登录", exact=True).click()


async def join(page: Any) -> None:
    """Read the notice, switch every optional source on, agree."""
    for switch in await page.get_by_role("checkbox").all():
        await switch.check()
    await page.get_by_role("button", name="同意并加入").click()


async def send(city: Server, bureaus: Mapping[str, Any], person: Mapping[str, Any], note: str) -> None:
    """What the bureaus of the demo city know about the demo person of this note, sent about `person`."""
    model = next(one for one in demo_city.people(clock.today()) if one.note == note)
    for source, lines in model.records.items():
        told = [
            {"version": 1, **line, "ref": f"{person['login']}-{line['ref']}", "id_number": person["id_number"]}
            for line in lines
        ]
        async with httpx2.AsyncClient(base_url=city.base_url, auth=bureaus[source]) as bureau:
            sent = await bureau.post(
                "/v1/source/records",
                content="\n".join(map(json.dumps, told)),
                headers={"Content-Type": "application/x-ndjson"},
            )
        assert sent.json()["rejected"] == [], sent.text


async def member(page: Any, city: Server, bureaus: Mapping[str, Any], note: str) -> None:
    """Somebody who joined, with the records of a demo person."""
    person = city.person()
    await log_in(page, city, person)
    await join(page)
    await send(city, bureaus, person, note)
    await page.goto(city.base_url)


class TestJourney:
    """From the login to leaving, at the width of a phone."""

    async def test_from_login_to_leaving(self, chromium: Any, city: Server, bureaus: Mapping[str, Any]) -> None:
        """Consent, points, a code that the library's system honours, who looked, out again; a quiet console."""
        async with page_of(chromium) as page:
            person = city.person(name="陈桂芳")
            await log_in(page, city, person)
            await page.get_by_role("heading", name="陈*芳，要加入桂花分吗？").wait_for()
            await join(page)
            await page.get_by_text("110.0", exact=True).wait_for()
            await send(city, bureaus, person, "high")
            await page.goto(city.base_url)
            assert await page.locator(".big").inner_text() > "110.0"
            await page.get_by_role("link", name="权益", exact=True).click()
            await page.get_by_role("link", name="出示信用码").first.click()
            await page.get_by_role("button", name="出示").click()
            await page.get_by_text("还有").wait_for()
            code = await page.locator(".letters").text_content()
            async with httpx2.AsyncClient(base_url=city.base_url, auth=bureaus["reading-room"]) as library:
                asked = {"perk": PERK, "holder": {"code": code}, "amount": 10000}
                answer = (await library.post("/v1/partner/eligibility", json=asked)).json()
            assert (answer["result"], answer["payable_deposit"]) == ("granted", 0)
            await page.get_by_role("heading", name="已经核对过").wait_for()  # told while the code was on the screen
            assert await page.locator(".qr").count() == 0
            await page.locator("#used").get_by_role("link", name="谁看过").click()
            await page.get_by_text("结果：可以享受").wait_for()
            await page.get_by_role("link", name="同意", exact=True).click()
            await page.get_by_role("link", name="撤回").click()
            await page.get_by_role("button", name="确认撤回").click()
            await page.get_by_role("heading", name="“计算我的桂花分”已撤回").wait_for()
            await page.get_by_role("button", name="退出登录").click()
            await page.get_by_role("link", name="登录").wait_for()

    async def test_without_scripts(self, chromium: Any, city: Server) -> None:
        """The same way without a line of script: the code then says until when instead of counting."""
        async with page_of(chromium, java_script_enabled=False) as page:
            await log_in(page, city, city.person())
            await join(page)
            await page.goto(f"{city.base_url}/code?perk={PERK}")
            await page.get_by_role("button", name="出示").click()
            await page.get_by_text("之前有效").wait_for()

    async def test_a_code_renews_itself_five_times_and_then_leaves_the_screen(
        self, chromium: Any, city: Server
    ) -> None:
        """Each minute another one, drawn as by the button; then the QR is gone and a new one is a tap away."""
        async with page_of(chromium) as page:
            await page.clock.install()
            await log_in(page, city, city.person())
            await join(page)
            await page.goto(f"{city.base_url}/code?perk={PERK}")
            await page.get_by_role("button", name="出示").click()
            shown = [await page.locator(".letters").text_content()]
            for _ in range(5):
                await page.clock.fast_forward(61_000)
                await page.wait_for_function(
                    "old => document.querySelector('.letters').textContent !== old", arg=shown[-1]
                )
                shown.append(await page.locator(".letters").text_content())
            assert len(set(shown)) == 6
            await page.clock.fast_forward(61_000)
            await page.get_by_text("已失效，请重新出示").wait_for()
            assert await page.locator(".qr").count() == 0
            await page.get_by_role("button", name="重新出示").click()
            await page.locator(".qr").wait_for()


class TestLooks:
    """What one can see, touch and hear."""

    @pytest.mark.parametrize("width", [320, 390, 768])
    @pytest.mark.parametrize("mode", ["standard", "elder"])
    async def test_nothing_is_cut_crossed_or_too_small(
        self, chromium: Any, city: Server, bureaus: Mapping[str, Any], width: int, mode: str
    ) -> None:
        """No sideways scrolling, 44 px to touch, buttons and dates on one line, charts inside their frames."""
        async with page_of(chromium, width) as page:
            await member(page, city, bureaus, "open_dispute")
            await page.goto(f"{city.base_url}/?mode={mode}")
            for path in PAGES:
                await page.goto(city.base_url + path)
                await page.evaluate(OPEN)
                assert await page.evaluate(LOOKS) == GOOD, path

    @pytest.mark.parametrize("look", ["light", "dark", "elder"])
    async def test_everybody_can_read_it(
        self, chromium: Any, city: Server, bureaus: Mapping[str, Any], look: str
    ) -> None:
        """axe finds nothing against WCAG 2.2 AA or its best practices, on any page, with every fold open."""
        options = {"color_scheme": "dark" if look == "dark" else "light", "bypass_csp": True}
        async with page_of(chromium, **options) as page:
            await page.goto(f"{city.base_url}/?mode={look if look == 'elder' else 'standard'}")
            await self._fine(page, "welcome")
            await page.get_by_role("link", name="登录").click()
            await self._fine(page, "login")
            await member(page, city, bureaus, "open_dispute")
            for path in PAGES:
                await page.goto(city.base_url + path)
                await page.evaluate(OPEN)
                await self._fine(page, path)
            await page.goto(f"{city.base_url}/code?perk={PERK}")
            await page.get_by_role("button", name="出示").click()
            await self._fine(page, "code")
            await page.goto(f"{city.base_url}/consents")
            await page.get_by_role("link", name="撤回").click()
            await self._fine(page, "withdraw")

    @staticmethod
    async def _fine(page: Any, where: str) -> None:
        found = await axe.Axe().run(page, options=RULES)
        assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found.response["violations"]] == [], where

    async def test_the_checks_see_what_is_wrong(self, chromium: Any, city: Server) -> None:
        """A page with every fault is found guilty of each, so that their silence means something."""
        bad = (
            '<div style="width:999px">wide</div>'
            '<button style="min-height:0;height:20px;width:60px;white-space:normal">two lines of it</button>'
            '<svg viewBox="0 0 40 20"><text x="30" y="10">outside</text><text x="32" y="11">crossed</text></svg>'
            '<p style="color:#ccc;background:#fff">pale</p>'
        )
        async with page_of(chromium, 320, bypass_csp=True) as page:
            await page.goto(city.base_url)
            await page.evaluate("html => { document.querySelector('main').innerHTML = html }", bad)
            assert [name for name, found in (await page.evaluate(LOOKS)).items() if not found] == []
            found = await axe.Axe().run(page, options=RULES)
            assert {"color-contrast", "page-has-heading-one"} <= {one["id"] for one in found.response["violations"]}

    async def test_letters_are_drawn_by_a_chinese_font(self, chromium: Any, city: Server) -> None:
        """Else the other checks look at boxes; and no font comes over the net."""
        async with page_of(chromium) as page:
            fetched: list[str] = []
            page.on("request", lambda request: fetched.append(request.url))
            await page.goto(city.base_url)
            tool = await page.context.new_cdp_session(page)
            await tool.send("DOM.enable")
            await tool.send("CSS.enable")
            root = (await tool.send("DOM.getDocument"))["root"]["nodeId"]
            heading = (await tool.send("DOM.querySelector", {"nodeId": root, "selector": "h1"}))["nodeId"]
            fonts = (await tool.send("CSS.getPlatformFontsForNode", {"nodeId": heading}))["fonts"]
            if any("DejaVu" in one["familyName"] for one in fonts):
                absent("no Chinese font: apt-get install fonts-noto-cjk")
            assert not any(one["isCustomFont"] for one in fonts)
            assert all(one.startswith(city.base_url) for one in fetched)
