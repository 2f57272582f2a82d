"""Where somebody is logged in, and an end to it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from tests.api.conftest import PASSWORD, Server
from tests.api.conftest import server as server  # noqa: PLC0414  (the fixture, for pytest)
from tests.api.identity.client import follow, submit

PLACE = "/v1/me/sessions"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1) MicroMessenger/8.0.60 canary-of-a-browser"


@asynccontextmanager
async def browsing(server: Server, person: Mapping[str, Any], device: str = "") -> AsyncIterator[httpx2.AsyncClient]:
    """A browser in which this person is logged in."""
    async with httpx2.AsyncClient(base_url=server.base_url, timeout=30, headers={"User-Agent": device}) as browser:
        form = await follow(browser, await browser.get("/login", params={"return_to": "/v1/me"}))
        done = await follow(browser, await submit(browser, form, login=person["login"], password=PASSWORD))
        assert done.status_code == 200, done.text
        browser.headers["X-CSRF-Token"] = str(browser.cookies["osm_csrf"])
        yield browser


class TestSee:
    """GET /v1/me/sessions."""

    async def test_sessions_and_apps(self, server: Server) -> None:
        """Every live login with a few plain words, which one asks, the apps, and the account; nobody else's."""
        person = server.person()
        async with (
            browsing(server, person, IPHONE) as phone,
            browsing(server, person, "Windows Firefox") as desk,
            server.logged_in(person) as app,
            browsing(server, server.person()),
        ):
            seen = (await phone.get(PLACE)).json()
            assert {one["device"]: one["current"] for one in seen["sessions"]} == {
                "苹果手机 · 微信": True,
                "Windows 电脑 · 火狐浏览器": False,
                "未知设备": False,
            }
            assert [(one["name"], one["current"]) for one in seen["apps"]] == [("应用", False)]
            assert [one["kind"] for one in seen["accounts"]] == ["identity_provider"]
            assert "canary" not in (await phone.get(PLACE)).text
            assert [one["current"] for one in (await app.get(PLACE)).json()["apps"]] == [True]
            assert (await desk.post("/logout")).status_code == 303
            assert len((await phone.get(PLACE)).json()["sessions"]) == 2


class TestEnd:
    """DELETE /v1/me/sessions/{id}."""

    async def test_a_page_session(self, server: Server) -> None:
        """It is dead with its next request; ending it again finds nothing; the owner sees that it was ended."""
        person = server.person()
        async with browsing(server, person) as one, browsing(server, person) as other:
            listed = (await one.get(PLACE)).json()["sessions"]
            (theirs,) = [each["id"] for each in listed if not each["current"]]
            assert (await one.delete(f"{PLACE}/{theirs}")).json() == {"ended": 1}
            assert (await other.get("/v1/me")).status_code == 401
            assert (await one.get("/v1/me")).status_code == 200
            assert (await one.delete(f"{PLACE}/{theirs}")).status_code == 404
            actions = [entry["action"] for entry in (await one.get("/v1/me/accesses")).json()["accesses"]]
            assert actions.count("session.end") == 1

    async def test_an_app(self, server: Server) -> None:
        """Its access token is dead at once."""
        person = server.person()
        async with browsing(server, person) as browser, server.logged_in(person) as app:
            (held,) = (await browser.get(PLACE)).json()["apps"]
            assert (await browser.delete(f"{PLACE}/{held['id']}")).status_code == 200
            assert (await app.get("/v1/me")).status_code == 401
            assert (await browser.get(PLACE)).json()["apps"] == []
            assert (await browser.delete(f"{PLACE}/{held['id']}")).status_code == 404

    async def test_not_ones_own(self, server: Server) -> None:
        """Another citizen's session or app answers like an absent one, and lives on."""
        theirs, stranger = server.person(), server.person()
        async with browsing(server, theirs) as victim, browsing(server, stranger) as other, server.logged_in(theirs):
            seen = (await victim.get(PLACE)).json()
            for one in (seen["sessions"][0]["id"], seen["apps"][0]["id"], "se_nonsense", "ap_nonsense", "x"):
                assert (await other.delete(f"{PLACE}/{one}")).status_code == 404
            assert (await victim.get(PLACE)).json() == seen

    async def test_the_asking_one(self, server: Server) -> None:
        """Ending the session that asks is a logout."""
        async with browsing(server, server.person()) as browser:
            (own,) = (await browser.get(PLACE)).json()["sessions"]
            assert (await browser.delete(f"{PLACE}/{own['id']}")).status_code == 200
            assert (await browser.get(PLACE)).status_code == 401


class TestEndOthers:
    """DELETE /v1/me/sessions."""

    async def test_all_but_one(self, server: Server) -> None:
        """Every other session and every app of the caller ends; nobody else's does."""
        person = server.person()
        async with (
            browsing(server, person) as one,
            browsing(server, person) as other,
            server.logged_in(person) as app,
            browsing(server, server.person()) as stranger,
        ):
            assert (await one.delete(PLACE)).json() == {"ended": 3}  # the app came by a page session of its own
            statuses = [(await each.get("/v1/me")).status_code for each in (one, other, app, stranger)]
            assert statuses == [200, 401, 401, 200]

    async def test_by_an_app(self, server: Server) -> None:
        """An app that asks stays, and no page session does."""
        person = server.person()
        async with browsing(server, person) as browser, server.logged_in(person) as app:
            assert (await app.delete(PLACE)).status_code == 200
            assert [(await each.get("/v1/me")).status_code for each in (browser, app)] == [401, 200]


class TestPage:
    """登录与设备."""

    async def test_see_and_end(self, server: Server) -> None:
        """The page names this device and ends another by a form; without the form's token nothing happens."""
        person = server.person()
        async with browsing(server, person, IPHONE) as phone, browsing(server, person, "Windows Edg/1") as desk:
            del phone.headers["X-CSRF-Token"]
            page = await phone.get("/sessions")
            assert "这台设备" in page.text
            assert "Windows 电脑 · Edge 浏览器" in page.text
            assert "canary" not in page.text
            assert (await phone.post("/sessions/end-others", data={"csrf": "x"})).status_code == 403
            assert (await submit(phone, page)).status_code == 303
            assert (await desk.get("/v1/me")).status_code == 401
            assert "Edge" not in (await phone.get("/sessions")).text

    @pytest.mark.parametrize("path", ["end-others", "se_nonsense/end"])
    async def test_strangers(self, server: Server, path: str) -> None:
        """Somebody who is not logged in is led to the login."""
        async with httpx2.AsyncClient(base_url=server.base_url) as nobody:
            answer = await nobody.post(f"/sessions/{path}")
            assert answer.headers["location"].startswith("/login")
