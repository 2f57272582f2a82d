"""The citizen's page over real HTTP, read without scripts: what it says, what it asks for, what it refuses."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api.requests import content_policy
from core.errors import Conflict
from tests.api.conftest import Server
from tests.api.pagereader import Browser, Element

PERK = "library.deposit-free"
DEARER = "rental.deposit-free"
MEMBER_PAGES = (
    "/", "/perks", "/records", "/accesses", "/consents", "/history", f"/code?perk={PERK}", "/consents/new", "/whatif",
)  # fmt: skip
DEMO = "示范规则，未经任何城市采用"


@pytest_asyncio.fixture
async def browser(server: Server) -> AsyncIterator[Browser]:
    """Somebody who is not logged in."""
    visitor = Browser(server)
    yield visitor
    await visitor.http.aclose()


@pytest_asyncio.fixture(scope="module")
async def bureau(server: Server) -> Any:
    """The signing auth of a library bureau whose loans count."""
    try:
        auth, _ = await server.register("library", "source", "records:write", kinds=["P04"])
    except Conflict:
        pytest.fail("another test module registers the source `library`; take its fixture")
    return auth


async def lend(server: Server, bureau: Any, person: Mapping[str, Any], month: str) -> None:
    """One loan returned in time."""
    fields = {"loan": f"L-{month}", "due_on": f"{month}-25", "returned_on": f"{month}-18"}
    line = {
        "ref": f"{person['login']}-{month}",
        "version": 1,
        "kind": "P04",
        "id_number": person["id_number"],
        "occurred_on": f"{month}-18",
        "fields": fields,
    }
    async with httpx2.AsyncClient(base_url=server.base_url, auth=bureau) as source:
        sent = await source.post(
            "/v1/source/records", content=json.dumps(line), headers={"Content-Type": "application/x-ndjson"}
        )
    assert sent.json()["accepted"] == 1, sent.text


def check_frame(answer: httpx2.Response, page: Element, *, lang: str = "zh-CN") -> None:
    """What holds for every page of ours."""
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == content_policy()
    assert answer.headers["cache-control"] == "no-store"
    assert page.all("html")[0].attributes["lang"] == lang
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert page.all("title")[0].text.endswith("桂花分" if lang == "zh-CN" else "Osmanthus")
    assert not [one.tag for one in page if "style" in one.attributes or one.tag == "style"]
    assert not [one for one in page for name in one.attributes if name.startswith("on")]
    assert all("src" in one.attributes and not one.text for one in page.all("script"))
    assert all("alt" in one.attributes for one in page.all("img"))
    names = [one.attributes["id"] for one in page if "id" in one.attributes]
    assert len(names) == len(set(names))
    check_headings(page)
    check_fields(page)


def check_headings(page: Element) -> None:
    """Levels go down one at a time (WCAG 2.2, 1.3.1)."""
    levels = [int(one.tag[1]) for one in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


def check_fields(page: Element) -> None:
    """Every field that one can see has a label, every button a name, every form that writes a token."""
    labelled = {one.attributes.get("for") for one in page.all("label")}
    wrapped = {id(field) for label in page.all("label") for field in label.all("input")}
    for field in page.all("input"):
        assert field.attributes.get("type") == "hidden" or id(field) in wrapped or field.attributes["id"] in labelled
    assert all(button.text for button in page.all("button"))
    for form in page.all("form", method="post"):
        assert form.all("input", name="csrf")[0].attributes["value"]


class TestWelcome:
    """GET / for nobody in particular."""

    async def test_a_stranger_reads_what_it_is_and_may_log_in(self, browser: Browser) -> None:
        """Voluntary, rewards only, leaves no trace; one way in; and that no city adopted these rules."""
        page = await browser.go("/")
        check_frame(browser.answer, page)
        for words in ("自愿", "只奖励，不惩罚", "随时退出并删除", DEMO):
            assert words in page.text
        assert [one.text for one in page.all("a", _class="button wide")] == ["登录"]
        assert not page.all("form")


class TestDoor:
    """Who may see a page."""

    @pytest.mark.parametrize("path", [path for path in MEMBER_PAGES if path != "/"])
    async def test_nobody_goes_to_the_login_and_comes_back(self, server: Server, browser: Browser, path: str) -> None:
        """The address, with its parameters, is kept."""
        answer = await browser.http.get(path, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?return_to=%2F")
        await browser.log_in(server.person(), answer.headers["location"].partition("return_to=")[2])
        assert browser.answer.url.raw_path.decode() == path

    @pytest.mark.parametrize("path", ["/consents", "/code", "/consents/co_0/withdraw", "/records/rc_0/hide"])
    async def test_a_form_of_nobody_does_nothing(self, browser: Browser, path: str) -> None:
        """Without a session every form leads to the login."""
        answer = await browser.http.post(path, data={"csrf": "x"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?return_to=%2F")

    async def test_a_form_without_the_sessions_token_does_nothing(self, server: Server, browser: Browser) -> None:
        """A page says so, with the status 403, and no consent exists."""
        await browser.log_in(server.person())
        form = browser.page.all("form", action="/consents")[0]
        fields = {one.attributes["name"]: one.attributes.get("value", "") for one in form.all("input")}
        for csrf in ("", "somebody-else's"):
            answer = await browser.http.post("/consents", data={**fields, "csrf": csrf})
            assert (answer.status_code, "为了您的安全" in answer.text) == (403, True)
        assert "没有给过任何同意" in (await browser.go("/consents")).text

    async def test_a_form_from_another_site_does_nothing(self, server: Server, browser: Browser) -> None:
        """Even with the right token."""
        await browser.log_in(server.person())
        csrf = browser.page.all("input", name="csrf")[0].attributes["value"]
        answer = await browser.http.post("/code", data={"csrf": csrf}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403

    async def test_an_app_token_opens_no_page(self, server: Server) -> None:
        """A page needs the session's cookie: a token sees the stranger's page."""
        async with server.logged_in(server.person()) as me:
            assert (await me.get("/v1/me")).status_code == 200
            assert "登录" in (await me.get("/")).text
            assert (await me.get("/consents", follow_redirects=False)).status_code == 303


class TestEveryPage:
    """What holds everywhere."""

    async def test_members_pages_are_well_made(self, server: Server, browser: Browser) -> None:
        """One h1, headings in order, labels, tokens in forms, nothing inline; navigation says where one is."""
        await browser.join(server.person(), "library", "volunteer")
        for path in MEMBER_PAGES:
            page = await browser.go(path)
            assert browser.answer.status_code == 200, path
            check_frame(browser.answer, page)
            assert len([one for one in page.all("nav")[0] if "aria-current" in one.attributes]) == 1, path

    async def test_who_has_not_joined_is_told_so_everywhere(self, server: Server, browser: Browser) -> None:
        """Pages without content are pages still: what it is about, and the way on."""
        await browser.log_in(server.person())
        for path in ("/records", "/history", "/whatif"):
            page = await browser.go(path)
            check_frame(browser.answer, page)
            assert (browser.answer.status_code, page.all("h1")[0].text) == (404, "您还没有加入")

    async def test_elder_mode_is_remembered(self, server: Server, browser: Browser) -> None:
        """`?mode=elder` sets a cookie; bars and words take the place of pictures; the way back is on every page."""
        await browser.join(server.person())
        assert "class" not in browser.page.all("html")[0].attributes
        await browser.go("/?mode=elder")
        page = await browser.go("/")
        assert page.all("html")[0].attributes["class"] == "elder"
        assert (len(page.all("meter")), len(page.all("svg"))) == (5, 0)
        back = page.all("a", _class="mode")[-1]
        assert back.text == "标准版"
        assert "class" not in (await browser.go("/" + back.attributes["href"])).all("html")[0].attributes

    async def test_an_unknown_page_of_ones_own_is_a_page(self, server: Server, browser: Browser) -> None:
        """Somebody else's consent answers like none, in words."""
        await browser.log_in(server.person())
        page = await browser.go("/consents/co_00000000000000000000000000/withdraw")
        check_frame(browser.answer, page)
        assert (browser.answer.status_code, page.all("h1")[0].text) == (404, "没有找到")


class TestJoin:
    """The notice and the consent."""

    async def test_the_notice_comes_first_and_agreeing_gives_points(self, server: Server, browser: Browser) -> None:
        """The whole notice, core sources, a switch for each optional one, none of them set; then 110 points."""
        page = await browser.log_in(server.person(name="张三明"))
        check_frame(browser.answer, page)
        assert page.all("h1")[0].text == "张*明，要加入桂花分吗？"
        assert "18岁以前的事一律不计" in page.all("div", role="region")[0].text
        switches = page.all("input", type="checkbox")
        assert [one.attributes["value"] for one in switches] == ["library", "volunteer", "civic"]
        assert not any("checked" in one.attributes for one in switches)
        page = await browser.submit(action="/consents", optional_sources=["civic"])
        assert browser.answer.url.path == "/"
        assert page.all("p", _class="big num")[0].text == "110.0"
        assert page.all("p", _class="pill")[0].text == "铜"
        assert "张三明" not in browser.answer.text

    async def test_a_no_is_as_easy_and_is_not_asked_about_again(self, server: Server, browser: Browser) -> None:
        """One tap, no reasons; the first page asks nothing more, and leads to the notice if one wants to."""
        await browser.log_in(server.person())
        page = await browser.submit(action="/consents/refuse")
        check_frame(browser.answer, page)
        assert (browser.answer.url.path, page.all("h1")[0].text) == ("/", "您还没有加入")
        assert page.all("form", action="/consents") == []
        page = await browser.go("/consents/new")
        assert page.all("form", action="/consents")
        await browser.submit(action="/consents")
        assert "110.0" in browser.answer.text

    async def test_a_notice_that_changed_meanwhile_is_not_agreed_to(self, server: Server, browser: Browser) -> None:
        """A page says so and leads to the new one."""
        await browser.log_in(server.person())
        page = await browser.submit(action="/consents", digest="0" * 64)
        check_frame(browser.answer, page)
        assert (browser.answer.status_code, page.all("h1")[0].text) == (409, "告知书更新了")

    @pytest.mark.parametrize("day", ["2020-01-01", "2099-01-01", "tomorrow", ""])
    async def test_a_day_that_cannot_be_is_a_page(self, server: Server, browser: Browser, day: str) -> None:
        """At most twelve months; what is no day is told in words too."""
        await browser.log_in(server.person())
        page = await browser.submit(action="/consents", expires_on=day)
        assert (browser.answer.status_code, page.all("h1")[0].text) == (422, "填写有误")

    async def test_a_minor_is_told_why_not_and_until_when(self, server: Server, browser: Browser) -> None:
        """No form, the day of adulthood."""
        page = await browser.log_in(server.person(born=date(2012, 6, 1)))
        check_frame(browser.answer, page)
        assert "年满18周岁" in page.text
        assert page.all("time")[0].attributes["datetime"] == "2030-06-01"
        assert not page.all("form", action="/consents")


class TestRecordsAndPoints:
    """What was sent, and what it gave."""

    async def test_a_loan_becomes_a_reason(self, server: Server, browser: Browser, bureau: Any) -> None:
        """Points, their reason and record, the source by its name, the change in words and as a line."""
        person = server.person()
        await browser.join(person, "library")
        await lend(server, bureau, person, "2026-09")
        page = await browser.go("/")
        assert page.all("p", _class="big num")[0].text == "110.3"
        assert "比上次 +0.3：收到了新的记录（图书馆）。图书馆按时还书 +0.3" in page.text
        assert "有1个月在图书馆借书并按时归还" in page.text
        assert DEMO in page.text
        records = await browser.go("/records")
        assert "名称 library报送" in records.text
        history = await browser.go("/history")
        assert "110.3 分" in history.all("desc")[0].text
        assert "您加入了，开始计分" in history.text

    async def test_a_positive_may_be_kept_from_counting(self, server: Server, browser: Browser, bureau: Any) -> None:
        """One button, and back again by another."""
        person = server.person()
        await browser.join(person, "library")
        await lend(server, bureau, person, "2026-08")
        page = await browser.go("/records")
        for wanted, points in (("/hide", "110.0"), ("/show", "110.3")):
            form = next(one for one in page.all("form") if one.attributes["action"].endswith(wanted))
            page = await browser.submit(action=form.attributes["action"])
            assert points in (await browser.go("/")).text
            page = await browser.go("/records")

    async def test_stopping_a_source_asks_first_and_erases(self, server: Server, browser: Browser, bureau: Any) -> None:
        """What it sent is gone, and the points from it; the switch is gone too."""
        person = server.person()
        await browser.join(person, "library")
        await lend(server, bureau, person, "2026-07")
        link = next(one for one in (await browser.go("/consents")).all("a") if one.text == "停用：图书馆")
        page = await browser.go(link.attributes["href"])
        check_frame(browser.answer, page)
        page = await browser.submit(action=link.attributes["href"])
        assert "停用：图书馆" not in page.text
        assert "现在没有您的记录" in (await browser.go("/records")).text

    async def test_a_newer_consent_without_a_source_erases_it(
        self, server: Server, browser: Browser, bureau: Any
    ) -> None:
        """Unticking a source in a renewed consent is the same as stopping it."""
        person = server.person()
        await browser.join(person, "library")
        await lend(server, bureau, person, "2026-06")
        page = await browser.go("/consents/new")
        assert "checked" in page.all("input", value="library")[0].attributes
        page = await browser.submit(action="/consents")
        assert page.all("p", _class="big num")[0].text == "110.0"
        assert "您停用了一个信息来源" in (await browser.go("/history")).text


class TestPerksAndCode:
    """What one may have, and the code for the counter."""

    async def test_what_one_may_have_comes_first(self, server: Server, browser: Browser) -> None:
        """The first page begins with perks, how each is used and its code; the points come after them."""
        page = await browser.join(server.person())
        first = page.all("section")[0]
        assert re.fullmatch(r"现在可以享受\d+项便利", first.all("h2")[0].text)
        offered = [one.attributes["href"] for one in first.all("a", _class="button small")]
        assert f"/code?perk={PERK}" in offered
        assert "60秒内有效" in first.text
        assert page.all("section")[1].attributes["id"] == "score"

    async def test_a_granted_perk_gives_a_code_after_saying_what_it_tells(
        self, server: Server, browser: Browser
    ) -> None:
        """First what the partner learns, then a QR with its quiet zone and a countdown; nothing keeps the code."""
        await browser.join(server.person())
        page = await browser.go("/perks")
        offered = [one.attributes["href"] for one in page.all("a", _class="button small")]
        assert f"/code?perk={PERK}" in offered
        assert f"/code?perk={DEARER}" not in offered
        page = await browser.go(f"/code?perk={PERK}")
        assert "您的分数、等级和任何记录" in page.text
        page = await browser.submit(action="/code")
        check_frame(browser.answer, page)
        code = page.all("p", _class="letters")[0].text
        assert re.fullmatch(r"CC1:[0-9A-Z $%*+./:-]{134}", code)
        assert code not in str(browser.answer.url)
        picture = page.all("svg", _class="qr")[0]
        assert picture.attributes["viewbox"] == "0 0 49 49"  # version 6 (41 modules) and 4 on each side
        assert picture.all("path")[0].attributes["fill"] == "#fff"
        assert 50 <= int(page.all("p", role="timer")[0].attributes["data-seconds"]) <= 60
        assert "hidden" in page.all("section", id="used")[0].attributes
        assert "您生成了一个信用码" in (await browser.go("/accesses?by=me")).text
        assert "没有别人查过您的信息" in (await browser.go("/accesses")).text

    async def test_a_perk_that_is_missing_says_what_is_missing_and_the_standard_way(
        self, server: Server, browser: Browser
    ) -> None:
        """Nothing to draw; a form sent all the same is answered in words, and nobody else knows."""
        await browser.join(server.person())
        page = await browser.go("/perks")
        assert "还差10.0分" in page.text
        assert "普通方式：" in page.text
        assert "件数：普通10件，凭信用20件" in page.text
        assert "付款期限：普通当场付款，凭信用10天" in page.text
        assert "古城片区" not in page.text  # it only counts a budget
        assert "园林成人票（旺季）：普通80元，凭信用64元" in page.text
        assert "这个月还可以用60次（共60次）" in page.text
        assert "春季惠民游（2027年3月1日至2027年4月15日）：优惠30%，最多40元" in page.text
        await browser.go(f"/code?perk={DEARER}")
        page = await browser.submit(action="/code")
        check_frame(browser.answer, page)
        assert (browser.answer.status_code, page.all("h1")[0].text) == (409, "现在还不能享受这项便利")

    @pytest.mark.parametrize("path", ["/code", "/code?perk=nothing", "/code?perk=%00"])
    async def test_an_unknown_perk_is_a_page(self, server: Server, browser: Browser, path: str) -> None:
        """It may have been taken out of force meanwhile."""
        await browser.log_in(server.person())
        page = await browser.go(path)
        assert (browser.answer.status_code, page.all("h1")[0].text) == (404, "没有这项权益")


class TestWithdraw:
    """Leaving."""

    async def test_leaving_asks_once_and_says_what_was_erased(self, server: Server, browser: Browser) -> None:
        """The confirmation says what happens; afterwards nothing is held, and joining is offered again."""
        await browser.join(server.person())
        page = await browser.go("/consents")
        link = next(one for one in page.all("a") if one.text == "撤回，退出桂花分").attributes["href"]
        page = await browser.go(link)
        check_frame(browser.answer, page)
        assert "立即删除，无法恢复" in page.text
        page = await browser.submit(action=link)
        check_frame(browser.answer, page)
        assert page.all("h1")[0].text == "“计算我的桂花分”已撤回"
        assert "全部删除" in page.text
        assert "要加入桂花分吗" in (await browser.go("/")).text
        assert "已撤回" in (await browser.go("/consents")).text
        assert "要加入桂花分吗" in (await browser.go("/consents/new")).text
        page = await browser.go("/accesses?by=me")
        assert ["您撤回同意" in page.text, "您给出同意" in page.text] == [True, True]
