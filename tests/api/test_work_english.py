"""The console, the desk and the counter in English: every page that a link leads to, and what stays Chinese says so."""

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from api.tool import registration
from tests.api import office as readers
from tests.api.conftest import Server
from tests.api.pagereader import Browser, Element
from tests.api.test_consoles import PERK, Owner
from tests.api.test_desk import SCOPES, Office, opened
from tests.api.test_pages_english import unmarked

_FILES = ("/console/statements/", "/slip")
ALL = [*SCOPES, "staff:counter", "staff:orders", "staff:calendar"]


@pytest_asyncio.fixture(scope="module")
async def owner(server: Server) -> AsyncIterator[Owner]:
    """A shop with an order."""
    entry = await registration.add(
        server.house.settings, client_id="spoken-shop", role="partner", name="South Gate Books",
        scopes=["eligibility:check", "orders:write"], perks=[PERK],
    )  # fmt: skip
    async with httpx2.AsyncClient(base_url=server.base_url, auth=server.as_client(entry), timeout=30) as http:
        made = Owner(server, http, entry)
        await made.order()
        yield made
        for one in made.visitors:
            await one.http.aclose()


@pytest_asyncio.fixture(scope="module")
async def office(server: Server) -> AsyncIterator[Office]:
    """An office with a review that waits."""
    async with opened(server, "spoken-office", ALL) as made:
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            await me.post("/v1/me/reviews", json={"about": "score", "words": "请人看看我的分数"})
        yield made


async def walked(browser: Browser, start: str) -> dict[str, list[str]]:
    """What is Chinese and does not say so, by page: every page of a set that a link leads to, from its first on."""
    waiting, seen, wrong = [start], set[str](), dict[str, list[str]]()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        page = await browser.go(path)
        assert browser.answer.status_code == 200, path
        assert page.all("html")[0].attributes["lang"] == "en", path
        assert [one.text for one in page.all("a", _class="mode", lang="zh-CN")] == ["中文"], path
        if found := unmarked(page):
            wrong[path] = found
        there = {one.attributes["href"].partition("#")[0].partition("?")[0] for one in page.all("a")}
        waiting += sorted(
            one
            for one in there - seen - {*waiting}
            if one.startswith(start) and not any(file in one for file in _FILES)
        )
    assert len(seen) > 3, seen
    return wrong


def lang(page: Element) -> str:
    """The language of a page."""
    return page.all("html")[0].attributes["lang"]


class TestConsole:
    """`/console?lang=en`."""

    async def test_every_page_speaks_english(self, owner: Owner) -> None:
        """From the link on; the choice stays; a problem has English advice; the way back is Chinese."""
        browser = owner.visitor()
        assert unmarked(await browser.go("/console?lang=en")) == []
        await browser.submit(action="/console/open", secret=(await owner.made(name="PC"))["link"].partition("#")[2])
        assert await walked(browser, "/console") == {}
        lost = await browser.go("/console/statements/2999-01-01")
        assert (lang(lost), unmarked(lost)) == ("en", [])
        assert lang(await browser.go("/console?lang=zh")) == "zh-CN"


class TestDesk:
    """`/desk?lang=en`."""

    async def test_every_page_speaks_english(self, office: Office) -> None:
        """From the link on, a matter with its citizen's own words marked as Chinese, a search, and out."""
        browser = office.visitor()
        assert unmarked(await browser.go("/desk/join?lang=en")) == []
        await browser.submit(action="/desk/join", secret=await office.link("4001", *ALL))
        person = office.server.person()
        await browser.submit(login=person["login"], password=person["password"])
        assert await walked(browser, "/desk") == {}
        first = await browser.go("/desk")
        for matter in [
            one.attributes["href"] for one in first.all("a") if "/matters/reviews/" in one.attributes["href"]
        ]:
            await browser.go(matter)
            opened = await browser.submit(action=matter, purpose="handling")
            if "请人看看我的分数" in [one.text for one in opened.all("span", lang="zh-CN")]:
                break
        else:
            pytest.fail("nobody's words are marked as Chinese")
        assert unmarked(opened) == []
        said = {"outcome": "kept", "reasons": "checked"}
        answered = await browser.submit(action=f"{matter}/answer", **said)
        assert answered.all("a", _class="mode", lang="zh-CN")[0].attributes["href"] == f"{matter}?lang=zh"
        assert await self.assisted(browser, office) == {}
        await browser.go("/desk/audits")
        found = await browser.submit(action="/desk/audits", purpose="inspection")
        assert unmarked(found) == []
        assert found.all("a", _class="mode", lang="zh-CN")[0].attributes["href"] == "/desk/audits?lang=zh"
        assert unmarked(await browser.submit(action="/desk/leave")) == []

    async def assisted(self, browser: Browser, office: Office) -> dict[str, list[str]]:
        """What is Chinese on the pages of somebody who came with a card and joins."""
        person, card_no = office.server.person(), readers.new_card()
        system = readers.Office(office.server, "spoken-office", office.http.auth, office.http)
        assert (await system.knows(person, card_no=card_no)).status_code == 201
        await browser.go("/desk/counter")
        shown = {"purpose": "consent", "card_no": card_no, "pin": readers.PIN, "login_code": ""}
        assert unmarked(await browser.submit(action="/desk/counter", **shown)) == []
        begun = browser.answer.url.path
        await browser.go(f"{begun}/join")
        assert unmarked(await browser.submit(action=f"{begun}/join")) == []
        return await walked(browser, begun)


class TestCounter:
    """`/counter?lang=en`."""

    async def test_the_tea_house_speaks_english(self, owner: Owner) -> None:
        """The link, the counter, a tick for a code, and the ordinary way for none; the city's own names are marked."""
        browser = owner.visitor()
        assert unmarked(await browser.go("/counter?lang=en")) == []
        body = {"perk": PERK, "name": "Front desk", "deposit": 10000}
        made = await owner.http.post("/v1/partner/counters", json=body)
        assert made.status_code == 201, made.text
        await browser.submit(action="/counter/open", secret=made.json()["link"].partition("#")[2])
        assert unmarked(browser.page) == []
        assert unmarked(await browser.submit(action="/counter/check", code=await owner.code())) == []
        assert "Granted" in browser.page.text or "The usual way" in browser.page.text
        assert unmarked(await browser.submit(action="/counter/check", code="CC1-NOBODY")) == []
