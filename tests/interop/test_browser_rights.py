"""A person's rights in a real browser: objecting, repairing, a report that others check, taking along, coming back.

Led by what the pages say, as test_newcomer.py; city and Chromium are those of test_browser.py. What was downloaded is
checked by the program that anybody can run, in a process of its own that knows nothing of the city but its keys.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.settings import ROOT
from tests.api.conftest import Server

for needed in ("playwright.async_api", "axe_playwright_python.async_playwright"):
    pytest.importorskip(needed, reason="no browser's driver: make interop installs it")

from tests.interop import test_browser as browsing  # noqa: E402  (after what it needs is known to be there)
from tests.interop.test_browser import GOOD, LOOKS, OPEN, RULES, axe, join, log_in, member, page_of  # noqa: E402  (same)

chromium, city, bureaus = browsing.chromium, browsing.city, browsing.bureaus  # its fixtures, for this module
pytestmark = pytest.mark.interop
Bureaus = Mapping[str, Any]


async def look(page: Any) -> None:
    """Everybody can read what came, with every fold open."""
    await page.evaluate(OPEN)
    assert await page.evaluate(LOOKS) == GOOD
    found = await axe.Axe().run(page, options=RULES)
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found.response["violations"]] == []


async def follow(page: Any, *links: str) -> None:
    """Press links by their names, one page after the other."""
    for name in links:
        await page.get_by_role("link", name=name, exact=True).first.click()


class TestRecords:
    """What is wrong, and what was put right."""

    async def test_an_objection_stops_the_deduction_and_has_a_clock(
        self, chromium: Any, city: Server, bureaus: Bureaus
    ) -> None:
        """In words of one's own; the deduction is gone with the next page, and back when the objection is."""
        async with page_of(chromium, bypass_csp=True) as page:
            await member(page, city, bureaus, "open_dispute")
            before = await page.locator("#score .big").inner_text()
            await follow(page, "记录")
            await page.get_by_text("提出异议（免费）").first.click()
            await page.get_by_label("哪里不对").first.fill("当天我不在现场")
            await page.get_by_role("button", name="提交异议").first.click()
            await page.get_by_text("前有下一步").wait_for()
            await look(page)
            await follow(page, "分数")
            assert float(await page.locator("#score .big").inner_text()) > float(before)
            await follow(page, "记录")
            await page.get_by_role("button", name="撤回异议").first.click()
            await follow(page, "分数")
            assert await page.locator("#score .big").inner_text() == before

    async def test_a_repair_says_by_when_it_is_answered(self, chromium: Any, city: Server, bureaus: Bureaus) -> None:
        """Conditions, the way, one's own words and the pledge; then a day, and the way back."""
        async with page_of(chromium, bypass_csp=True) as page:
            await member(page, city, bureaus, "repairable")
            await follow(page, "记录")
            await page.get_by_text("申请信用修复（免费）").first.click()
            await page.get_by_label("怎样改正的").first.fill("罚款已缴清，整改已完成")
            await page.get_by_role("checkbox").first.check()
            await page.get_by_role("button", name="提交申请").first.click()
            await page.get_by_text("前答复").first.wait_for()
            await look(page)
            await page.get_by_role("button", name="撤回修复申请").first.click()
            await page.get_by_text("申请信用修复（免费）").first.wait_for()


class TestReport:
    """A page for others."""

    async def test_it_shows_what_was_chosen_until_it_is_stopped(
        self, chromium: Any, city: Server, bureaus: Bureaus
    ) -> None:
        """A PDF comes; whoever has its number sees what its holder chose; stopped, the number says nothing."""
        async with page_of(chromium, bypass_csp=True) as page, page_of(chromium) as stranger:
            await member(page, city, bureaus, "high")
            await follow(page, "我的权利", "开具报告")
            await look(page)
            async with page.expect_download() as coming:
                await page.get_by_role("button", name="开具", exact=True).click()
            assert Path(await (await coming.value).path()).read_bytes().startswith(b"%PDF-")
            await page.reload()
            number = await page.locator("section[aria-labelledby=issued] .num").first.inner_text()
            said = await verified(stranger, city, number)
            assert "这份报告有效" in said
            await page.get_by_role("button", name="停用").click()
            await page.get_by_text("已停用").wait_for()
            assert "查不到有效的报告" in await verified(stranger, city, number)
            await follow(page, "谁查验过")
            await page.get_by_text("凭编号查验了您开具的报告").first.wait_for()


async def verified(page: Any, city: Server, number: str) -> str:
    """What somebody with a report's number sees."""
    await page.goto(f"{city.base_url}/verify")
    await page.get_by_label("报告编号").fill(number)
    await page.get_by_role("button", name="查验", exact=True).click()
    await page.get_by_role("status").wait_for()
    return await page.locator("main").inner_text()


class TestEverything:
    """Taking everything along, and leaving."""

    async def test_what_is_downloaded_is_counted_again_without_us(
        self, chromium: Any, city: Server, bureaus: Bureaus, tmp_path: Path
    ) -> None:
        """The archive's points are those of the page, to the tenth, by a program that knows our keys alone."""
        async with page_of(chromium) as page:
            await member(page, city, bureaus, "high")
            shown = await page.locator("#score .big").inner_text()
            await follow(page, "我的权利")
            async with page.expect_download() as coming:
                await follow(page, "下载")
            await (await coming.value).save_as(tmp_path / "export.zip")
        async with httpx2.AsyncClient(base_url=city.base_url) as http:
            (tmp_path / "jwks.json").write_text((await http.get("/.well-known/jwks.json")).text)
        checker = await asyncio.create_subprocess_exec(
            sys.executable, "-I", str(ROOT / "docs/examples/check_export.py"), "export.zip", "jwks.json",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, faults = await checker.communicate()
        assert (checker.returncode, faults.decode()) == (0, "")
        assert said.decode().rstrip().endswith("全部一致")
        assert json.dumps(float(shown)) in said.decode()

    async def test_who_left_may_come_back(self, chromium: Any, city: Server) -> None:
        """Everything is gone, with a number to prove it; the same person joins anew, with the points of anybody new."""
        async with page_of(chromium, bypass_csp=True) as page:
            person = city.person()
            await log_in(page, city, person)
            await join(page)
            await follow(page, "我的权利", "看看会发生什么")
            await look(page)
            await page.get_by_role("button", name="确认离开并销毁").click()
            await page.get_by_role("heading", name="已经全部销毁").wait_for()
            await log_in(page, city, person)
            await page.get_by_text("您还没有加入").wait_for()
            await join(page)
            assert await page.locator("#score .big").inner_text() == "110.0"

    async def test_who_withdrew_is_told_so_and_may_come_back(self, chromium: Any, city: Server) -> None:
        """One tap on the page of consents leads back."""
        async with page_of(chromium, bypass_csp=True) as page:
            await log_in(page, city, city.person())
            await join(page)
            await follow(page, "同意", "撤回，退出桂花分")
            await page.get_by_role("button", name="确认撤回").click()
            await follow(page, "好的")
            await page.get_by_text("您已经退出桂花分").wait_for()
            await look(page)
            await follow(page, "重新加入")
            await page.get_by_text("您已经退出，随时可以再加入").wait_for()
            await join(page)
            assert await page.locator("#score .big").inner_text() == "110.0"
