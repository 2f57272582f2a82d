"""Assisted sessions in a clerk's browser: begun by what the citizen shows, done before them, and theirs to read."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import text

from api.tool import registration
from tests.api.conftest import Server
from tests.api.office import PIN, Office, id_card, new_card, with_pin
from tests.api.pagereader import Browser
from tests.api.test_desk import CLERKS, log_in

DESK = "/desk/counter"
CODES = {"purpose": "consent", "card_no": "", "pin": "", "login_code": ""}


class Window(msgspec.Struct, frozen=True):
    """An office with its reader's system and two clerks at their desks."""

    office: Office
    first: Browser
    second: Browser

    async def came(self) -> tuple[Any, str]:
        """Somebody who came with both cards."""
        person, card_no = self.office.server.person(), new_card()
        assert (await self.office.knows(person, card_no=card_no)).status_code == 201
        return person, card_no

    async def begun(self, card_no: str, *, purpose: str = "consent") -> str:
        """A session at the first desk; its address."""
        await self.first.go(DESK)
        await self.first.submit(action=DESK, **{**CODES, "card_no": card_no, "pin": PIN, "purpose": purpose})
        assert "还剩14分钟" in self.first.page.text, self.first.page.text
        return self.first.answer.url.path

    async def joined(self, address: str) -> None:
        """The citizen says yes."""
        await self.first.go(f"{address}/join")
        await self.first.submit(action=f"{address}/join")


@pytest_asyncio.fixture(scope="module")
async def window(server: Server) -> AsyncIterator[Window]:
    """The window of these tests."""
    entry = await registration.add(
        server.house.settings,
        client_id="window",
        role="staff",
        name="信用窗口",
        scopes=["staff:clerks", "staff:counter"],
    )
    auth = server.as_client(entry)
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=30) as http:
        browsers = []
        for number in ("3001", "3002"):
            made = await http.post(CLERKS, json={"clerk": number, "scopes": ["staff:counter"]})
            browser = Browser(server)
            await browser.go("/desk/join")
            await browser.submit(action="/desk/join", secret=made.json()["link"].partition("#")[2])
            await log_in(browser, server.person())
            browsers.append(browser)
        yield Window(Office(server, "window", auth, http), *browsers)
        for browser in browsers:
            await browser.http.aclose()


class TestBegin:
    """What a citizen shows at the desk."""

    async def test_the_card_and_its_pin_open_a_session_of_this_clerk_alone(self, window: Window) -> None:
        """The name masked; another clerk of the office finds nothing, and whose it is is in no list."""
        person, card_no = await window.came()
        address = await window.begun(card_no)
        assert person["name"] not in window.first.answer.text
        assert card_no not in window.first.answer.text
        await window.second.go(address)
        assert (window.second.answer.status_code, "已经结束" in window.second.page.text) == (404, True)
        await window.second.go(DESK)
        assert address not in window.second.answer.text

    async def test_a_code_from_the_phone_opens_one_once(self, window: Window) -> None:
        """Drawn on the page of one's city cards, said to the clerk."""
        phone = Browser(window.office.server)
        await phone.log_in(window.office.server.person(), "/cards")
        page = await phone.submit(action="/cards/counter-code")
        [code] = [one.text for one in page.all("strong") if "-" in one.text]
        await phone.http.aclose()
        for status in (200, 403):
            await window.first.go(DESK)
            await window.first.submit(action=DESK, **{**CODES, "login_code": code.lower()})
            assert window.first.answer.status_code == status

    async def test_whatever_is_wrong_is_the_same_page(self, window: Window) -> None:
        """A wrong PIN and an unknown card; the card's person reads of the first. No proof at all is a form to mend."""
        person, card_no = await window.came()
        said = []
        for number in (card_no, new_card()):
            await window.first.go(DESK)
            await window.first.submit(action=DESK, **{**CODES, "card_no": number, "pin": "193746"})
            said.append((window.first.answer.status_code, "没有核对上" in window.first.page.text))
        assert said == [(403, True)] * 2
        await window.first.go(DESK)
        await window.first.submit(action=DESK, **CODES)
        assert window.first.answer.status_code == 422
        async with window.office.server.logged_in(person) as me:
            seen = (await me.get("/v1/me/accesses")).json()["accesses"][0]
        assert (seen["action"], seen["outcome"], seen["detail"]["clerk"]) == ("counter.open", "denied", "3001")

    async def test_a_number_that_was_typed_is_no_identity_card(self, window: Window) -> None:
        """An ID number is no secret: the form has no place for one, and takes none."""
        person, _ = await window.came()
        await window.first.go(DESK)
        assert "id_card" not in window.first.answer.text
        await window.first.submit(action=DESK, **{**CODES, "id_card": person["id_number"]})
        assert window.first.answer.status_code == 422

    async def test_what_the_reader_began_runs_on_at_the_desk(self, window: Window) -> None:
        """In this clerk's name: it appears in their list, and in nobody else's."""
        person, _ = await window.came()
        opened = (await window.office.opens(id_card(person), clerk="3001")).json()
        await window.first.go(DESK)
        assert f"{DESK}/{opened['id']}" in window.first.answer.text
        await window.first.go(f"{DESK}/{opened['id']}")
        assert "读卡系统读过身份证" in window.first.page.text
        await window.second.go(f"{DESK}/{opened['id']}")
        assert window.second.answer.status_code == 404


class TestJourney:
    """A person with a card and no telephone, from joining to leaving."""

    async def test_join_see_ask_withdraw_and_every_page_is_theirs_to_read(self, window: Window) -> None:
        """The consent is theirs, given at a counter; each page left an entry with the clerk's number."""
        person, card_no = await window.came()
        address = await window.begun(card_no)
        await window.first.go(f"{address}/points")
        assert (window.first.answer.status_code, "还没有加入" in window.first.page.text) == (404, True)
        await window.joined(address)
        slip = next(one.attributes["href"] for one in window.first.page.all("a") if one.text == "打印回执")
        assert "窗口代办" in (await window.first.go(slip)).text
        for page, words in (
            ("points", "分数和便利"),
            ("records", "没有这位市民的记录"),
            ("accesses", "柜台在您在场时代您操作"),
        ):
            assert words in (await window.first.go(f"{address}/{page}")).text, page
        await window.first.go(f"{address}/questions")
        await window.first.submit(action=f"{address}/questions", words="我想请人看看")
        assert "我想请人看看" in window.first.page.text
        async with window.office.server.logged_in(person) as me:
            (given,) = (await me.get("/v1/me/consents")).json()["consents"]
            seen = [one["detail"] for one in (await me.get("/v1/me/accesses?limit=50")).json()["accesses"]]
        assert given["state"] == "given"
        asked = {one["request"] for one in seen if one.get("clerk") == "3001" and "request" in one}
        assert {f"GET {DESK}/{{session_id}}/{page}" for page in ("points", "records", "accesses")} <= asked
        await window.first.go(f"{address}/consents")
        await window.first.submit(action=f"{address}/consents/{given['id']}/withdraw")
        assert "已撤回" in window.first.page.text

    async def test_leaving_takes_the_card_once_more(self, window: Window) -> None:
        """Without it nothing happens; with it the certificate is shown, and the session is gone with the person."""
        _, card_no = await window.came()
        address = await window.begun(card_no, purpose="leaving")
        await window.joined(address)
        await window.first.go(f"{address}/leaving")
        await window.first.submit(action=f"{address}/leaving")
        assert (window.first.answer.status_code, "再出示一次卡" in window.first.page.text) == (401, True)
        await window.first.go(f"{address}/leaving")
        await window.first.submit(action=f"{address}/leaving", **with_pin(card_no))
        assert "已经全部销毁" in window.first.page.text
        await window.first.go(address)
        assert window.first.answer.status_code == 404


class TestEnd:
    """It ends by hand, by the clock, and with the desk."""

    async def test_ended_is_over_everywhere(self, window: Window) -> None:
        """The button; repeating it changes nothing."""
        _, card_no = await window.came()
        address = await window.begun(card_no)
        await window.first.submit(action=f"{address}/end")
        assert "已经结束" in window.first.page.text
        await window.first.go(address)
        assert window.first.answer.status_code == 404

    async def test_a_quarter_of_an_hour(self, window: Window) -> None:
        """The clock ends it, whatever is clicked."""
        _, card_no = await window.came()
        address = await window.begun(card_no)
        async with window.office.server.house.doors.claims("auth") as session:
            await session.execute(text("update auth.assisted set expires_at = now() - interval '1 second'"))
        await window.first.go(f"{address}/consents")
        assert window.first.answer.status_code == 404

    @pytest.mark.parametrize("page", ["", "/join", "/points", "/records", "/consents", "/questions", "/leaving"])
    async def test_a_clerk_without_the_scope_opens_nothing(self, window: Window, page: str) -> None:
        """A stranger's browser is sent to log in; no page is open to whoever guesses an address."""
        stranger = Browser(window.office.server)
        await stranger.go(f"{DESK}/as_{'0' * 26}{page}")
        assert stranger.answer.url.path == "/idp/authorize"
        await stranger.http.aclose()

    async def test_whoever_gets_up_leaves_nobody_sitting(self, window: Window) -> None:
        """Leaving the desk ends the sessions of its clerk."""
        _, card_no = await window.came()
        address = await window.begun(card_no)
        await window.first.submit(action="/desk/leave")
        async with window.office.server.house.doors.claims("auth") as session:
            live = "select count(*) from auth.assisted where clerk = '3001' and ended_at is null and expires_at > now()"
            assert (await session.execute(text(live))).scalar_one() == 0
        assert address
