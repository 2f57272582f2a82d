"""The citizen's page in a real browser: what follows the finger, what comes by itself, the keyboard alone, and weight.

As test_browser.py, with its city and its Chromium.
"""

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from tests.api.conftest import Server

for needed in ("playwright.async_api", "axe_playwright_python.async_playwright"):
    pytest.importorskip(needed, reason="no browser's driver: make interop installs it")

from tests.interop import test_browser as browsing  # noqa: E402  (after what it needs is known to be there)
from tests.interop.test_browser import PAGES, PERK, join, log_in, member, page_of, send  # noqa: E402  (as above)

chromium, city, bureaus = browsing.chromium, browsing.city, browsing.bureaus  # its fixtures, for this module
pytestmark = pytest.mark.interop
LIGHT = 150_000
GOT = """() => ["navigation", "resource"].flatMap(
  kind => performance.getEntriesByType(kind).map(one => [one.name, one.decodedBodySize]))"""


async def press_until(page: Any, wanted: str, key: str = "Tab", most: int = 90) -> None:
    """Press a key until what has the focus reads `wanted`; the outline must be seen."""
    for _ in range(most):
        await page.keyboard.press(key)
        if wanted in await page.evaluate(
            "() => document.activeElement.innerText || document.activeElement.value || ''"
        ):
            outline = "() => getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(outline) != "none", wanted
            return
    pytest.fail(f"the keyboard does not reach {wanted}")


class TestKeyboard:
    """A newcomer without a mouse."""

    async def test_from_the_notice_to_the_code_and_out_again(self, chromium: Any, city: Server) -> None:
        """Enrol, a perk, its code, withdraw: Tab, Space and Enter alone."""
        async with page_of(chromium) as page:
            await log_in(page, city, city.person())
            await page.get_by_role("heading", name="要加入桂花分吗").wait_for()
            steps = (
                ("同意并加入", "桂花分"), ("权益", "我的权益"), ("出示信用码", "出示信用码"), ("出示", ""),
                ("同意", "我的同意"), ("撤回", "撤回“计算我的桂花分”？"), ("确认撤回", "已撤回"),
            )  # fmt: skip
            for wanted, heading in steps:
                await press_until(page, wanted)
                await page.keyboard.press("Enter")
                if heading:
                    await page.get_by_role("heading", name=heading, level=1).wait_for()
                else:
                    await page.locator(".qr").wait_for()


class TestWhatIf:
    """The sliders."""

    async def test_the_answer_follows_the_slider(self, chromium: Any, city: Server) -> None:
        """By arrow keys, without a button; the number beside it, the points above, the page where it was."""
        async with page_of(chromium) as page:
            await log_in(page, city, city.person())
            await join(page)
            await page.goto(f"{city.base_url}/whatif")
            slider = page.get_by_label("参加有记录的志愿服务")
            await slider.focus()
            for _ in range(20):
                await page.keyboard.press("ArrowRight")
            await page.get_by_text("110.0 → 114.0").wait_for()
            assert await page.locator("output[for='do-volunteering']").inner_text() == "20"
            assert await slider.evaluate("one => one === document.activeElement")
            assert page.url.endswith("/whatif")

    async def test_it_works_as_a_form(self, chromium: Any, city: Server) -> None:
        """Without a line of script."""
        async with page_of(chromium, java_script_enabled=False) as page:
            await log_in(page, city, city.person())
            await join(page)
            await page.goto(f"{city.base_url}/whatif")
            await page.get_by_label("参加有记录的志愿服务").focus()
            for _ in range(20):
                await page.keyboard.press("ArrowRight")
            await page.get_by_role("button", name="试算").click()
            await page.get_by_text("110.0 → 114.0").wait_for()


class TestLive:
    """Who looks, as it happens."""

    async def test_a_check_appears_by_itself(
        self,
        chromium: Any,
        city: Server,
        bureaus: Mapping[str, Any],
    ) -> None:
        """The list is open on the screen; a partner asks; the line is there without a tap."""
        async with page_of(chromium) as page:
            person = city.person()
            await log_in(page, city, person)
            await join(page)
            await page.goto(f"{city.base_url}/accesses")
            await page.get_by_text("页面会自己更新").wait_for()
            assert await page.get_by_text("报送了您的记录").count() == 0
            await send(city, bureaus, person, "high")
            await page.get_by_text("报送了您的记录").first.wait_for()


class TestWeight:
    """What a page costs on a bad line."""

    async def test_a_page_with_everything_is_light(
        self,
        chromium: Any,
        city: Server,
        bureaus: Mapping[str, Any],
    ) -> None:
        """Under 150 kB with sheet, script and pictures, uncompressed; nothing from elsewhere; no wider than 320 px."""
        async with page_of(chromium, 320) as page:
            await member(page, city, bureaus, "high")
            for path in PAGES:
                await page.goto(city.base_url + path)
                got = await page.evaluate(GOT)
                assert 0 < sum(size for _, size in got) < LIGHT, path
                assert all(url.startswith((city.base_url, "data:")) for url, _ in got), path


class TestEnglish:
    """`?lang=en`."""

    async def test_the_whole_way_in_english(self, chromium: Any, city: Server) -> None:
        """Enrol, the code, withdraw, by what the page says."""
        async with page_of(chromium) as page:
            person = city.person()
            await page.goto(f"{city.base_url}/?lang=en")
            await page.get_by_role("link", name="Log in").click()
            await page.get_by_label("Account").fill(person["login"])
            await page.get_by_label("Password").fill(person["password"])
            await page.get_by_role("button", name="Log in", exact=True).click()
            await page.get_by_role("button", name="Consent and join").click()
            await page.get_by_role("link", name="Perks", exact=True).click()
            await page.get_by_role("link", name="Show a code").first.click()
            await page.locator("main").get_by_role("button", name="Show").click()
            await page.get_by_text("seconds left").wait_for()
            await page.get_by_role("link", name="Consent", exact=True).click()
            await page.get_by_role("link", name="Withdraw").click()
            await page.get_by_role("button", name="Withdraw").click()
            await page.get_by_text("withdrawn").first.wait_for()


async def test_a_partners_check_ends_the_code(
    chromium: Any,
    city: Server,
    bureaus: Mapping[str, Any],
) -> None:
    """The merchant's system checks the code; the QR leaves the screen and the page says who checked it."""
    async with page_of(chromium) as page:
        await log_in(page, city, city.person())
        await join(page)
        await page.goto(f"{city.base_url}/code?perk={PERK}")
        await page.get_by_role("button", name="出示").click()
        code = await page.locator(".letters").text_content()
        async with httpx2.AsyncClient(base_url=city.base_url, auth=bureaus["reading-room"]) as library:
            asked = {"perk": PERK, "holder": {"code": code}, "amount": 10000}
            assert (await library.post("/v1/partner/eligibility", json=asked)).status_code == 200
        await page.get_by_text("名称 reading-room").wait_for()
        assert await page.locator(".qr").count() == 0
