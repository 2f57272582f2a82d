"""The page of sliders, read without scripts: what one may suppose, and what it would give."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from api.pages import frame, wanting
from core import clock
from tests.api.conftest import Server
from tests.api.pagereader import Browser
from tests.rulebook import book, card


@pytest_asyncio.fixture
async def browser(server: Server) -> AsyncIterator[Browser]:
    """Somebody who joined, without a record."""
    visitor = Browser(server)
    await visitor.join(server.person())
    yield visitor
    await visitor.http.aclose()


class TestSliders:
    """`/whatif`."""

    async def test_what_one_supposes_is_counted_and_kept_nowhere(self, browser: Browser) -> None:
        """Twenty hours give four points, a day in each of three weeks; address, history, points stay as they were."""
        page = await browser.go("/whatif")
        slider = page.all("input", name="do.volunteering")[0]
        assert (slider.attributes["min"], slider.attributes["max"], slider.attributes["value"]) == ("0", "50", "0")
        page = await browser.submit(action="/whatif", **{"do.volunteering": "20"})
        day = clock.today() + timedelta(days=15)
        assert page.all("section", id="outcome")[0].all("span", _class="sum num")[0].text == "110.0 → 114.0"
        assert f"到{day.year}年{day.month}月{day.day}日您有114分，比不这样多4分" in page.text
        assert page.all("input", name="do.volunteering")[0].attributes["value"] == "20"
        assert browser.answer.url.query == b""
        assert "110.0" in (await browser.go("/")).all("p", _class="big num")[0].text

    async def test_nothing_supposed_says_what_is(self, browser: Browser) -> None:
        """The points of today, and how far the next tier is."""
        await browser.go("/whatif")
        page = await browser.submit(action="/whatif")
        assert "离“银”还差10.0分" in page.all("section", id="outcome")[0].text

    @pytest.mark.parametrize("units", ["999", "-1", "x", "１"])
    async def test_what_no_slider_says_is_a_page(self, browser: Browser, units: str) -> None:
        """A form of somebody else's making is told what is wrong."""
        await browser.go("/whatif")
        page = await browser.submit(action="/whatif", **{"do.volunteering": units})
        assert (browser.answer.status_code, page.all("h1")[0].text) == (422, "填写有误")


class TestWanting:
    """Hours cannot count before their source may send."""

    @pytest.mark.parametrize(
        ("allowed", "there", "named"),
        [
            ((), ("utilities", "volunteer"), ["志愿服务"]),
            (("volunteer",), ("utilities", "volunteer"), []),
            ((), ("utilities",), []),  # nobody sends it here: allowing it would change nothing
        ],
    )
    def test_the_source_is_named(self, allowed: tuple[str, ...], there: tuple[str, ...], named: list[str]) -> None:
        """As long as it is there and not allowed."""
        found = wanting.missing(card(), book(), allowed=allowed, there=there)
        assert found.get("volunteering", []) == named

    def test_a_page_says_so_with_the_way_to_allow_it(self) -> None:
        """In the list of ways and beside the slider."""
        allow = frame.ENVIRONMENT.get_template("parts.html").module.allow
        assert str(allow(["志愿服务"])) == (
            '<span class="note allow">要先<a href="/consents/new">同意</a>从这里取：志愿服务</span>'
        )
        assert str(allow([])) == ""
