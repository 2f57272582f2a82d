"""How points are counted, for everybody who wants to count with a pencil."""

import tomllib
from collections.abc import AsyncIterator

import pytest_asyncio

from core.settings import ROOT
from tests.api.conftest import Server
from tests.api.pagereader import Browser
from tests.rulebook import card

CASES = {
    file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in (ROOT / "policy" / "cases").glob("*.toml")
}


@pytest_asyncio.fixture
async def stranger(server: Server) -> AsyncIterator[Browser]:
    """Somebody without a login."""
    browser = Browser(server)
    yield browser
    await browser.http.aclose()


class TestRules:
    """`/points`."""

    async def test_a_stranger_finds_it_on_the_first_page(self, stranger: Browser) -> None:
        """Before anybody is asked for anything."""
        assert [one for one in (await stranger.go("/")).all("a") if one.attributes["href"] == "/points"]
        assert "没有任何记录的人，加上清白年度的10分，一共110.0分，是“铜”" in (await stranger.go("/points")).text

    async def test_every_rule_stands_there_with_its_points(self, stranger: Browser) -> None:
        """Indicators with each, deductions with theirs, tiers; nothing that is switched off."""
        page = (await stranger.go("/points")).text
        for rule in card().indicators():
            assert rule.name in page
            if not rule.levels:
                assert f"每{rule.unit}{rule.points / 10:g}分" in page
        for one in card().deductions:
            assert one.name in page
            assert f"每项{one.points / 10:g}分" in page
        assert [tier.name for tier in card().tiers if tier.name not in page] == []
        assert "无偿献血" not in page
        assert card().basis.shown() in page

    async def test_in_english(self, stranger: Browser) -> None:
        """Numbers and rules, with the names that the scorecard gives."""
        page = (await stranger.go("/points?lang=en")).text
        assert "Everybody starts at 100 points" in page
        assert "Regular obligations kept" in page
        assert "0.5 points a month" in page


class TestCases:
    """`/points/cases`."""

    async def test_every_case_in_force_is_there(self, stranger: Browser) -> None:
        """By its title, with what it is about."""
        page = await stranger.go("/points/cases")
        linked = {one.attributes["href"].removeprefix("/points/cases/") for one in page.all("a")}
        assert set(CASES) <= linked
        assert [one["situation"] for one in CASES.values() if one["situation"] not in page.text] == []

    async def test_a_case_leads_to_its_points(self, stranger: Browser) -> None:
        """Step by step, and it ends at what the case file expects."""
        for name in sorted(CASES)[::15]:
            expected = CASES[name]["expect"]
            page = await stranger.go(f"/points/cases/{name}")
            assert page.all("h1")[0].text == CASES[name]["title"]
            assert f"与案例预期一致：{expected['points']:g}分，{expected['tier']}" in page.text
            assert [one.text[:3] for one in page.all("h2")] == ["第一步", "第二步", "第三步", "第四步", "第五步"]

    async def test_one_that_is_not_in_force_is_not_found(self, stranger: Browser) -> None:
        """Whatever its name."""
        for name in ("nothing", "%2e%2e%2fcatalogue", "x" * 300):
            assert (await stranger.http.get(f"/points/cases/{name}")).status_code == 404
