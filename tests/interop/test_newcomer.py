"""Somebody new, led by nothing but what the page says: enrol, a perk, its code, who looked, withdraw, leave.

No address is typed after the first, nothing is found by anything but what is seen and heard (roles and names), and the
taps are counted: a page that grows a step, or hides the next one below the fold, fails here. On each page axe finds
nothing, and nothing is cut, crossed or too small. As test_browser.py, with its city and its Chromium.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio

from api.pages import english
from tests.api.conftest import Server

for needed in ("playwright.async_api", "axe_playwright_python.async_playwright"):
    pytest.importorskip(needed, reason="no browser's driver: make interop installs it")

from tests.interop import test_browser as browsing  # noqa: E402  (after what it needs is known to be there)
from tests.interop.test_browser import GOOD, LOOKS, PERK, RULES, axe, page_of  # noqa: E402  (as above)

chromium, city = browsing.chromium, browsing.city  # its fixtures, for this module
pytestmark = pytest.mark.interop

TALL = 844
NAMED = {"免押金借书": "Borrow without a deposit"}  # the rule book's own English
STEPS = [
    "登录", "登录", "同意并加入", "免押金借书", "出示", "谁看过", "同意", "撤回，退出桂花分", "确认撤回",
    "我的权利", "看看会发生什么", "确认离开并销毁",
]  # fmt: skip
# The only steps that do not stand on the first screen of their page: after the notice, and where one leaves for good.
BELOW = {"同意并加入", "看看会发生什么", "确认离开并销毁"}
BELOW_LARGE = {"出示", "确认撤回", "我的权利"}  # in large letters


class Newcomer(msgspec.Struct):
    """A hand on a page: `taps` are the names of what it pressed, `scrolled` of what it had to look for."""

    page: Any
    english: bool = False
    keyboard: bool = False
    taps: list[str] = msgspec.field(default_factory=list)
    scrolled: list[str] = msgspec.field(default_factory=list)

    def word(self, chinese: str) -> str:
        """What the page says for it."""
        return english.lookup(chinese, NAMED) or chinese if self.english else chinese

    async def look(self) -> None:
        """Read the page that came: it is sound to the eye and to the ear."""
        assert await self.page.evaluate(LOOKS) == GOOD, self.taps
        found = await axe.Axe().run(self.page, options=RULES)
        wrong = [(one["id"], one["nodes"][0]["html"][:120]) for one in found.response["violations"]]
        assert wrong == [], self.taps

    async def tap(self, role: str, chinese: str, *, then: str) -> None:
        """Press what is called so, by finger or by Enter; wait for a page titled `then`, and look."""
        name = self.word(chinese)
        wanted = self.page.get_by_role(role, name=name, exact=chinese != "免押金借书").first
        await wanted.wait_for()
        box = await wanted.bounding_box()
        if box["y"] + box["height"] > TALL:
            self.scrolled.append(chinese)
        self.taps.append(chinese)
        if self.keyboard:
            await self._reach(wanted, name)
            await self.page.keyboard.press("Enter")
        else:
            await wanted.click()
        title = f"{self.word(then)} · {self.word('桂花分')}"
        await self.page.wait_for_function("title => document.title === title", arg=title)
        await self.look()

    async def _reach(self, wanted: Any, name: str) -> None:
        for _ in range(90):
            await self.page.keyboard.press("Tab")
            if await wanted.evaluate("one => one === document.activeElement"):
                outline = await wanted.evaluate("one => getComputedStyle(one).outlineStyle")
                assert outline != "none", name
                return
        pytest.fail(f"the keyboard does not reach {name}")


@pytest_asyncio.fixture(scope="module")
async def library(city: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """Who stands at the counter."""
    auth, _ = await city.register("newcomers-library", "partner", "eligibility:check", perks=[PERK])
    async with httpx2.AsyncClient(base_url=city.base_url, auth=auth) as client:
        yield client


async def way(new: Newcomer, person: Mapping[str, Any], library: httpx2.AsyncClient) -> None:
    """From the door to the street again."""
    page = new.page
    await new.look()
    await new.tap("link", "登录", then="示范身份认证")
    await page.get_by_label(new.word("账号")).fill(person["login"])
    await page.get_by_label(new.word("密码")).fill(person["password"])
    await new.tap("button", "登录", then="加入桂花分")
    await new.tap("button", "同意并加入", then="我的分数")
    await new.tap("link", "免押金借书", then="出示信用码")
    await new.tap("button", "出示", then="信用码")
    code = await page.locator(".letters").text_content()  # what a machine reads in the picture
    answer = await library.post("/v1/partner/eligibility", json={"perk": PERK, "holder": {"code": code}, "amount": 100})
    assert answer.json()["result"] == "granted"
    await page.get_by_role("heading", name=new.word("已经核对过")).wait_for()
    await new.look()
    await new.tap("link", "谁看过", then="谁看过")
    await page.get_by_text("newcomers-library").first.wait_for()
    await new.tap("link", "同意", then="我的同意")
    await new.tap("link", "撤回，退出桂花分", then="撤回同意")
    await new.tap("button", "确认撤回", then="已经结束")
    await new.tap("link", "我的权利", then="我的权利")
    await new.tap("link", "看看会发生什么", then="彻底离开")
    await new.tap("button", "确认离开并销毁", then="已经离开")


@pytest.mark.parametrize("how", ["finger", "keyboard", "elder", "english"])
async def test_somebody_new_gets_a_perk_and_out_again(
    chromium: Any, city: Server, library: httpx2.AsyncClient, how: str
) -> None:
    """Nine taps from the door to a consent given, used and withdrawn, three more to be forgotten."""
    async with page_of(chromium, bypass_csp=True) as page:
        asked = {"elder": "/?mode=elder", "english": "/?lang=en"}.get(how, "/")
        await page.goto(city.base_url + asked)
        new = Newcomer(page, english=how == "english", keyboard=how == "keyboard")
        await way(new, city.person(name="钱小新"), library)
        assert new.taps == STEPS
        assert set(new.scrolled) <= BELOW | (BELOW_LARGE if how == "elder" else set())
