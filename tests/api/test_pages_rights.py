"""The page of rights, in a browser: take away, ask, leave."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest_asyncio

from api.citizen.me import RIGHTS
from tests.api.cast import log_in
from tests.api.conftest import Server
from tests.api.contract import operations


@pytest_asyncio.fixture
async def browser(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody new, logged in by the page."""
    async with httpx2.AsyncClient(base_url=server.base_url, follow_redirects=False) as http:
        await log_in(http, server.person())
        yield http


def form(browser: httpx2.AsyncClient, **members: str) -> dict[str, Any]:
    """A form of our page."""
    return {"data": {"csrf": str(browser.cookies.get("osm_csrf")), **members}}


class TestRights:
    """`/rights`."""

    async def test_everything_is_found_from_there(self, browser: httpx2.AsyncClient) -> None:
        """Each right has its button, and every page of a member leads to it."""
        page = (await browser.get("/rights")).text
        for address in ("/rights/export", "/rights/leave", "/rights/ask", "/records", "/accesses", "/consents"):
            assert f'"{address}"' in page, address
        assert '"/rights"' in (await browser.get("/accesses")).text

    async def test_a_question_and_its_state(self, browser: httpx2.AsyncClient) -> None:
        """What was asked stands there with its day; a form of nobody's is refused in words."""
        asked = await browser.post("/rights/ask", **form(browser, about="profile.name", words="少了一个字"))
        assert asked.status_code == 200
        assert "少了一个字" in asked.text
        assert "少了一个字" in (await browser.get("/rights")).text
        for about, words in (("score", ""), ("points", "x"), ("co_1", "x")):
            refused = await browser.post("/rights/ask", **form(browser, about=about, words=words))
            assert refused.status_code == 422, about

    async def test_the_archive(self, browser: httpx2.AsyncClient) -> None:
        """The button gives the ZIP."""
        answer = await browser.get("/rights/export")
        assert (answer.status_code, answer.content[:2]) == (200, b"PK")

    async def test_leaving(self, browser: httpx2.AsyncClient) -> None:
        """First what will happen, then the number of the certificate; the login is gone from the browser too."""
        before = (await browser.get("/rights/leave")).text
        assert "依法留下的" in before
        left = await browser.post("/rights/leave", **form(browser))
        assert left.status_code == 200, left.text
        number = re.findall(r"le_[0-9A-Z]{26}", left.text)[0]
        assert number in before
        assert (await browser.get(f"/v1/rules/erasures/{number}")).json()["certificate_id"] == number
        assert browser.cookies.get("osm_session") is None
        assert (await browser.get("/rights")).status_code == 303


class TestMe:
    """`GET /v1/me`."""

    async def test_every_right_is_an_operation(self, server: Server, browser: httpx2.AsyncClient) -> None:
        """Each right that `/v1/me` names leads to an operation that exists, with the law behind it."""
        document = (await browser.get("/openapi.json")).json()
        known = {(one.method, one.template.count("{"), one.template.split("{")[0]) for one in operations(document)}
        shown = (await browser.get("/v1/me")).json()["rights"]
        assert len(shown) == len(RIGHTS)
        for one in shown:
            assert (one["method"], one["href"].count("{"), one["href"].split("{")[0]) in known, one
            assert "条" in one["law"]
