"""The tea house's page in a real browser: link, camera, tick, tally, no network; readable in the sun, by one hand."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio
import segno

from api.tool import registration
from tests.api.conftest import Server
from tests.api.conftest import server as server  # noqa: PLC0414  (the fixture, for the tests of this folder)

for needed in ("playwright.async_api", "axe_playwright_python.async_playwright"):
    pytest.importorskip(needed, reason="no browser's driver: make interop installs it")

from tests.interop.test_browser import GOOD, LOOKS, NAMES, RULES, absent, axe, page_of, playwright  # noqa: E402  (after what it needs is known to be there)

pytestmark = pytest.mark.interop

PERK = "library.deposit-free"
WIDTH, HEIGHT = 640, 480
# A browser's own reader, as phones have one: it is busy once, sees nothing once, and then reads what is held before it.
OWN_READER = """
window.asked = [];
window.BarcodeDetector = class {
  static async getSupportedFormats() { return KINDS; }
  constructor(options) { this.formats = options.formats; }
  async detect(video) {
    window.asked.push([this.formats.join(), video.tagName, video.readyState >= 2]);
    if (window.asked.length === 1) throw new DOMException("busy", "InvalidStateError");
    return window.asked.length === 2 ? [] : [{ format: "qr_code", rawValue: window.held }];
  }
};
"""


class Shop(msgspec.Struct, frozen=True):
    """A shop's partner, a browser whose camera sees `film`, and the server."""

    server: Server
    partner: httpx2.AsyncClient
    browser: Any
    film: Path

    async def link(self) -> str:
        """A fresh counter's link."""
        plan = {"perk": PERK, "name": "南门茶馆", "deposit": 20000}
        return (await self.partner.post("/v1/partner/counters", json=plan)).json()["link"]

    async def code(self) -> str:
        """Somebody's fresh code."""
        async with self.server.logged_in(self.server.person()) as me:
            await self.server.join(me)
            return (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]

    async def opened(self, page: Any) -> None:
        """Follow a link and become the counter."""
        await page.goto(await self.link())
        await page.get_by_role("button", name="在这台手机上打开").click()
        await page.get_by_role("heading", name="南门茶馆").wait_for()

    def show(self, code: str) -> None:
        """Hold a QR code before the camera: one still frame of a YUV4MPEG2 film."""
        rows = [bytes(row) for row in segno.make_qr(code, error="m").matrix_iter(scale=6, border=4)]
        side = len(rows)
        left, top = (WIDTH - side) // 2, (HEIGHT - side) // 2
        blank = bytes([235]) * WIDTH
        dark = bytes.maketrans(b"\0\1", b"\xeb\x10")
        lines = [blank] * top
        lines += [blank[:left] + row.translate(dark) + blank[left + side :] for row in rows]
        lines += [blank] * (HEIGHT - top - side)
        grey = bytes([128]) * (WIDTH * HEIGHT // 2)
        frame = b"FRAME\n" + b"".join(lines) + grey
        self.film.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 2)


@pytest_asyncio.fixture(scope="module")
async def shop(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """A shop; its browser is a Chromium whose camera is a file."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        absent("no Chromium: apt-get install chromium fonts-noto-cjk")
    film = tmp_path_factory.mktemp("camera") / "film.y4m"
    entry = await registration.add(
        server.house.settings,
        client_id="counter-shop",
        role="partner",
        name="南门文化用品",
        scopes=["eligibility:check", "orders:write"],
        perks=[PERK],
    )
    auth = server.as_client(entry)
    flags = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
        *([] if os.geteuid() else ["--no-sandbox"]),
    ]
    async with (
        playwright.async_playwright() as tool,
        httpx2.AsyncClient(base_url=server.base_url, auth=auth) as partner,
    ):
        browser = await tool.chromium.launch(executable_path=found, args=flags)
        yield Shop(server, partner, browser, film)
        await browser.close()


class TestCounter:
    """A morning at the tea house."""

    async def test_from_the_link_to_the_tick(self, shop: Shop) -> None:
        """The camera reads the code, the page turns green, the tally counts it; the same again is used."""
        async with page_of(shop.browser, 360) as page:
            await shop.opened(page)
            shop.show(await shop.code())
            await page.get_by_role("button", name="扫信用码").click()
            await page.get_by_role("heading", name="可以享受").wait_for()
            assert await page.locator(".sum").inner_text() == "免 200元"
            assert await page.locator("#granted").inner_text() == "1 次"
            await page.get_by_role("button", name="扫下一位").click()
            await page.get_by_role("heading", name="普通方式").wait_for()
            assert "已经用过" in await page.locator(".verdict").first.inner_text()
            assert await page.locator("#granted").inner_text() == "1 次"

    async def test_the_browsers_own_reader_is_used_where_it_knows_qr_codes(self, shop: Shop) -> None:
        """It is asked for QR codes on the camera's picture, again after a fault; jsQR is not even loaded."""
        async with page_of(shop.browser, 360) as page:
            loaded: list[str] = []
            page.on("request", lambda request: loaded.append(request.url))
            await page.add_init_script(OWN_READER.replace("KINDS", "['ean_13', 'qr_code']"))
            await shop.opened(page)
            shop.show("nothing that anybody could read")
            await page.evaluate("code => { window.held = code }", await shop.code())
            await page.get_by_role("button", name="扫信用码").click()
            await page.get_by_role("heading", name="可以享受").wait_for()
            assert await page.evaluate("window.asked") == [["qr_code", "VIDEO", True]] * 3
            assert await page.locator("#granted").inner_text() == "1 次"
            assert not [address for address in loaded if "jsqr" in address.lower()]

    async def test_a_reader_that_knows_no_qr_codes_is_left_alone(self, shop: Shop) -> None:
        """As on some desktops: jsQR reads the fake camera's picture, and the browser's reader is never asked."""
        async with page_of(shop.browser, 360) as page:
            loaded: list[str] = []
            page.on("request", lambda request: loaded.append(request.url))
            await page.add_init_script(OWN_READER.replace("KINDS", "['ean_13']"))
            await shop.opened(page)
            shop.show(await shop.code())
            await page.get_by_role("button", name="扫信用码").click()
            await page.get_by_role("heading", name="可以享受").wait_for()
            assert await page.evaluate("window.asked") == []
            assert [address for address in loaded if "jsqr" in address.lower()]

    async def test_without_a_network_it_says_what_to_do(self, shop: Shop) -> None:
        """The ordinary way, and the same question once more when the network is back: asked once."""
        context = await shop.browser.new_context(viewport={"width": 360, "height": 740}, locale="zh-CN")
        page = await context.new_page()
        await shop.opened(page)
        await page.locator("#code").fill(await shop.code())
        await context.set_offline(True)
        await page.get_by_role("button", name="查一下").click()
        await page.get_by_role("heading", name="没有网络").wait_for()
        assert await page.evaluate(LOOKS) == GOOD
        await context.set_offline(False)
        await page.get_by_role("button", name="再查一次").click()
        await page.get_by_role("heading", name="可以享受").wait_for()
        assert await page.locator("#granted").inner_text() == "1 次"
        await context.close()

    async def test_without_scripts(self, shop: Shop) -> None:
        """Pasted, sent by a plain form, answered by a plain page."""
        async with page_of(shop.browser, 360, java_script_enabled=False) as page:
            link = await shop.link()
            await page.goto(link)
            await page.locator("#secret").fill(link.partition("#")[2])
            await page.get_by_role("button", name="在这台手机上打开").click()
            await page.locator("#code").fill(await shop.code())
            await page.get_by_role("button", name="查一下").click()
            await page.get_by_role("heading", name="可以享受").wait_for()


class TestLooks:
    """What one can see and touch at a counter."""

    @pytest.mark.parametrize("width", [320, 360])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    async def test_everybody_can_read_and_touch_it(self, shop: Shop, width: int, scheme: str) -> None:
        """WCAG 2.2 AA by axe and 44 px by geometry, with and without an answer, in the sun and at night."""
        async with page_of(shop.browser, width, color_scheme=scheme, bypass_csp=True) as page:
            await page.goto(f"{shop.server.base_url}/counter")
            await self._fine(page, f"open-{scheme}-{width}")
            await shop.opened(page)
            await self._fine(page, f"ready-{scheme}-{width}")
            for code, name in ((await shop.code(), "granted"), ("nothing", "ordinary")):
                if await page.locator("details[open]").count() == 0:
                    await page.get_by_text("相机用不了").click()
                await page.locator("#code").fill(code)
                await page.get_by_role("button", name="查一下").click()
                await page.locator(f".{name}[role=status]").wait_for()
                await self._fine(page, f"{name}-{scheme}-{width}")
                if name == "granted":
                    await page.get_by_role("button", name="记下借出").click()
                    await page.get_by_role("heading", name="已记下借出").wait_for()
                    await self._fine(page, f"lent-{scheme}-{width}")

    @staticmethod
    async def _fine(page: Any, where: str) -> None:
        if folder := os.environ.get("SCREENSHOTS"):
            await page.screenshot(path=str(Path(folder) / f"{where}.png"))
        assert await page.evaluate(LOOKS) == GOOD, where
        found = await axe.Axe().run(page, options=RULES)
        assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found.response["violations"]] == [], where
