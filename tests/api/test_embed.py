"""`/embed`: in the frames of named portals alone, for the browser that brings the session, and nothing to press."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from core import settings as all_settings
from core.settings import SettingMissing
from tests.api.conftest import Server
from tests.api.pagereader import Browser
from tests.api.test_pages_english import unmarked

PORTAL = "https://portal.example.city"


@pytest_asyncio.fixture
async def browser(server: Server) -> AsyncIterator[Browser]:
    """A browser at a server that names two portals."""
    state: Any = server.application.state
    known = server.house
    named = msgspec.structs.replace(known.settings, embed_origins=f"{PORTAL},https://www.example.city")
    state.house = msgspec.structs.replace(known, settings=named)
    made = Browser(server)
    yield made
    await made.http.aclose()
    state.house = known


class TestEmbed:
    """GET /embed."""

    async def test_only_named_portals_may_frame_it(self, browser: Browser) -> None:
        """frame-ancestors names them, no older header forbids it; every other page stays closed to frames."""
        await browser.go("/embed")
        policy = browser.answer.headers["content-security-policy"]
        assert policy.endswith(f"frame-ancestors {PORTAL} https://www.example.city")
        assert "x-frame-options" not in browser.answer.headers
        await browser.go("/")
        assert browser.answer.headers["x-frame-options"] == "DENY"
        assert browser.answer.headers["content-security-policy"].endswith("frame-ancestors 'none'")

    async def test_a_portal_asks_for_english(self, browser: Browser) -> None:
        """By the address of the frame."""
        page = await browser.go("/embed?lang=en")
        assert (page.all("html")[0].attributes["lang"], unmarked(page)) == ("en", [])
        assert "This portal cannot see your points" in page.text

    async def test_without_portals_it_is_absent(self, server: Server) -> None:
        """404, and no frame."""
        browser = Browser(server)
        await browser.go("/embed")
        assert (browser.answer.status_code, browser.answer.headers["x-frame-options"]) == (404, "DENY")
        await browser.http.aclose()

    async def test_points_for_who_is_logged_in_and_a_link_for_others(self, server: Server, browser: Browser) -> None:
        """Each state has its words; nothing of the person's name; every link opens a window; no form, no script."""
        stranger = await browser.go("/embed")
        person = server.person()
        await browser.log_in(person)
        outside = await browser.go("/embed")
        async with server.logged_in(person) as me:
            await server.join(me)
        inside = await browser.go("/embed")
        assert "打开我的桂花分" in stranger.text
        assert "您还没有加入" in outside.text
        assert "看每一分从哪里来" in inside.text
        assert person["name"] not in browser.answer.text
        for page in (stranger, outside, inside):
            assert not page.all("form", "script")
            assert {one.attributes["target"] for one in page.all("a")} == {"_blank"}
        assert browser.answer.headers["cache-control"] == "no-store"


class TestOrigins:
    """OSMANTHUS_EMBED_ORIGINS."""

    @pytest.mark.parametrize("origin", ["*", "https://x.example/path", "http://x.example", "https://x;script-src *"])
    def test_what_is_no_origin_stops_the_start(self, origin: str) -> None:
        """Nothing but an origin comes into the policy."""
        with pytest.raises(SettingMissing, match="OSMANTHUS_EMBED_ORIGINS"):
            all_settings.read({"OSMANTHUS_EMBED_ORIGINS": f"{PORTAL},{origin}"})
