"""The credit office's desk in a real browser, with a city's quarter behind it: boards, a rehearsal, a window.

Two clerks put a stricter scorecard through its rehearsal and approve it under the report; a clerk runs an assisted
session from the card to the slip. The pictures are looked at where $SHOTS says where to put them.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest
import pytest_asyncio

from api.public import statistics
from api.releases import rehearsing
from api.tool import registration
from auth import citizens, realname
from core import clock, embedded
from core.db import Doors
from core.keys import Keyring
from scoring.reports import quarter
from tests.api.conftest import Server, serving
from tests.api.office import PIN, Office, id_card, new_card
from tests.api.rehearsed import STRICTER
from tests.api.shopworld import assess
from tests.api.test_desk import CLERKS
from tests.clones import clone
from tests.conftest import PREFIX
from tests.scoringworld import City, hours, id_number, penalty, water

for needed in ("playwright.async_api", "axe_playwright_python.async_playwright"):
    pytest.importorskip(needed, reason="no browser's driver: make interop installs it")

from tests.interop.test_browser import GOOD, LOOKS, OPEN, RULES, axe, page_of  # noqa: E402  (after what it needs is known to be there)
from tests.interop.test_browser import chromium as chromium  # noqa: E402, PLC0414  (the fixture, and after what it needs)

pytestmark = pytest.mark.interop

PEOPLE = 96
SCOPES = [
    *("staff:assessments", "staff:audits", "staff:calendar", "staff:clients", "staff:counter", "staff:disputes"),
    *("staff:incidents", "staff:orders", "staff:quality", "staff:releases", "staff:repairs", "staff:reviews"),
]
# What was done in the quarter, by how many different people; the last is about too few to be shown.
ACTS = (
    ("consent.give", "done", 64), ("consent.withdraw", "done", 14), ("review.ask", "done", 23),
    ("dispute.open", "done", 12), ("repair.apply", "done", 11), ("report.issue", "done", 31),
    ("correction.ask", "done", 4), ("eligibility.check", "granted", 71), ("eligibility.check", "standard_route", 38),
)  # fmt: skip
PAGES = (
    *("/desk", "/desk/board", "/desk/quality", "/desk/calendar", "/desk/releases", "/desk/releases/new"),
    *("/desk/counter", "/desk/counter/deceased"),
)


class Town(msgspec.Struct, frozen=True):
    """A city with a quarter behind it, and an office."""

    server: Server
    counter: Office


@pytest_asyncio.fixture(scope="module")
async def town(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[Town]:
    """96 people of every age, with bills, hours and a few penalties; what they did last quarter; an office."""
    async with clone(cluster, city_template) as url:
        doors = Doors(url, ring, PREFIX)
        await populate(City(doors, url))
        await doors.close()
        async with serving(url, ring.file, published=True) as server:
            await assess(server.house)
            await statistics.keep(server.house)
            entry = await registration.add(
                server.house.settings, client_id="town-desk", role="staff", name="示范市信用办公室",
                scopes=["staff:clerks", *SCOPES],
            )  # fmt: skip
            auth = server.as_client(entry)
            async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=60) as http:
                yield Town(server, Office(server, "town-desk", auth, http))


async def populate(city: City) -> None:
    """People, records and a quarter's log."""
    lines: list[dict[str, Any]] = []
    for order in range(PEOPLE):
        who = id_number(order + 1, date(1945 + order * 60 // PEOPLE, 3, 4))
        async with city.doors.work("auth") as session:
            proved = realname.Proved("town", f"s{order}", "林*", who, clock.wall())
            known = await citizens.arrive(session, city.ring, proved=proved)
        await city.join(who, citizen_id=known)
        lines += [water(f"w{order}-{back}", who, back=back) for back in range(1, 2 + order % 5)]
        if order % 2:
            lines += [hours(f"h{order}-{day}", who, hours=8, days=day) for day in range(3, 11)]
        if order % 8 == 0:
            lines.append(penalty(f"n{order}", who))
    await city.push(*lines)
    last = quarter.over(clock.today()).instants(clock.CITY_ZONE)[0] + timedelta(days=30)
    owner = await asyncpg.connect(city.owner_url)
    for action, outcome, people in ACTS:
        await owner.execute(
            "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner, detail) select "
            "uuidv7(interval '-60 days'), $1, 'citizen', 'self', $2, 'score', $3, gen_random_uuid(), '{}' "
            "from generate_series(1, $4)", last, action, outcome, people,
        )  # fmt: skip
    await owner.close()


async def at_desk(page: Any, town: Town, number: str) -> None:
    """Follow a clerk's link and log in at the identity provider."""
    person = town.server.person()
    made = await town.counter.http.post(CLERKS, json={"clerk": number, "scopes": SCOPES})
    await page.goto(made.json()["link"])
    await page.get_by_role("button", name="登录并开通").click()
    await page.get_by_label("账号").fill(person["login"])
    await page.get_by_label("密码").fill(person["password"])
    await page.get_by_role("button", name="登录", exact=True).click()
    await page.get_by_role("heading", name="待办").wait_for()


async def pictured(page: Any, name: str) -> None:
    """A picture of the page in view, where $SHOTS says where to."""
    if shots := os.environ.get("SHOTS"):
        await asyncio.to_thread(Path(shots).mkdir, parents=True, exist_ok=True)
        await page.screenshot(path=Path(shots) / f"{name}.png", full_page=True)


async def faults(page: Any, name: str) -> dict[str, Any]:
    """What is wrong with the page in view, every fold of it open."""
    await page.evaluate(OPEN)
    await pictured(page, name)
    found = await page.evaluate(LOOKS)
    return {} if found == GOOD else {name: {part: value for part, value in found.items() if value}}


async def unread(page: Any, name: str) -> dict[str, Any]:
    """What axe finds: WCAG 2.2 AA and best practice."""
    found = await axe.Axe().run(page, options=RULES)
    bad = [(one["id"], [each["html"][:90] for each in one["nodes"]]) for one in found.response["violations"]]
    return {name: bad} if bad else {}


class TestRehearsal:
    """A draft, from its file to its approval."""

    async def test_two_clerks_put_a_draft_through_its_rehearsal(
        self, chromium: Any, town: Town, tmp_path: Path
    ) -> None:
        """Faults at their lines; then progress, report, and a colleague's approval by keyboard under the report."""
        later = clock.today() + timedelta(days=40)
        good, bad = tmp_path / f"{later}.toml", tmp_path / "wrong.toml"
        await asyncio.to_thread(good.write_text, STRICTER)
        await asyncio.to_thread(bad.write_text, STRICTER.replace("from = 125", 'from = "x"'))
        wrong: dict[str, Any] = {}
        async with (
            page_of(chromium, 1280, bypass_csp=True) as first,
            page_of(chromium, 1280, bypass_csp=True) as second,
        ):
            await at_desk(first, town, "1001")
            await at_desk(second, town, "1002")
            await first.get_by_role("link", name="规则", exact=True).click()
            await first.get_by_role("link", name="起草一份").click()
            await first.get_by_label("从哪一天起生效").fill(later.isoformat())
            await first.get_by_label("文件（TOML").set_input_files(bad)
            await first.get_by_role("button", name="检查并起草").click()
            await first.get_by_role("alert").get_by_text("什么都没有保存").wait_for()
            wrong |= await faults(first, "draft-faults") | await unread(first, "draft-faults")
            await first.get_by_label("文件（TOML").set_input_files(good)
            await first.get_by_label("文件名").fill(good.name)
            await first.get_by_role("button", name="检查并起草").click()
            await first.get_by_role("button", name="预演").click()
            await first.get_by_text("正在预演").wait_for()
            wrong |= await faults(first, "rehearsing")
            while await rehearsing.once(town.server.house):
                pass
            await first.get_by_role("link", name="报告").wait_for()  # the page renews itself
            await second.goto(first.url)
            await second.get_by_role("link", name="报告").click()
            wrong |= await faults(second, "report-1280") | await unread(second, "report")
            for width in (320, 390):
                await second.set_viewport_size({"width": width, "height": 844})
                wrong |= await faults(second, f"report-{width}")
            await second.get_by_label("我看过上面的报告和规则全文").focus()
            await second.keyboard.press("Space")
            await second.keyboard.press("Tab")
            await second.keyboard.press("Enter")
            await second.get_by_text("已批准，未生效").wait_for()
            assert "town-desk/1002" in await second.content()
        assert wrong == {}


class TestWindow:
    """An assisted session."""

    @pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
    async def test_from_the_card_to_the_slip(self, chromium: Any, town: Town, width: int, scheme: str) -> None:
        """Card, notice, yes, slip, points, records, a question, withdrawal, end; every page fit to read."""
        person, card_no, wrong = town.server.person(), new_card(), dict[str, Any]()
        await town.counter.knows(person, card_no=card_no)
        async with page_of(chromium, width, color_scheme=scheme, bypass_csp=True) as page:
            await at_desk(page, town, f"2{width}")
            await page.get_by_role("link", name="窗口代办").click()
            await page.get_by_label("加入，或更新同意").check()
            await page.get_by_label("市民卡号").fill(card_no)
            await page.get_by_label("六位密码").fill(PIN)
            await page.get_by_role("button", name="开始代办").click()
            await page.get_by_role("heading", name="张*明").wait_for()
            home = page.url
            wrong |= await faults(page, f"hub-{width}")
            await page.get_by_role("link", name="加入", exact=True).click()
            for tick in await page.get_by_role("checkbox").all():
                await tick.check()
            wrong |= await faults(page, f"join-{width}") | await unread(page, "join")
            await page.get_by_role("button", name="记下同意").click()
            async with page.context.expect_page() as opened:
                await page.get_by_role("status").get_by_role("link", name="打印回执").click()
            await (await opened.value).get_by_text("窗口代办").wait_for()
            await page.goto(f"{home}/questions")
            await page.get_by_label("照本人的话写").fill("我想知道为什么是一百分")
            await page.get_by_role("button", name="提交").click()
            await page.get_by_text("我想知道为什么是一百分").wait_for()
            for name in ("", "/points", "/records", "/consents", "/questions", "/accesses", "/leaving"):
                await page.goto(f"{home}{name}")
                where = f"window{name.replace('/', '-')}-{width}"
                wrong |= await faults(page, where) | await unread(page, where)
            await page.goto(f"{home}/consents")
            await page.locator("summary", has_text="撤回").first.click()
            await page.get_by_role("button", name="撤回“计算我的桂花分”").click()
            await page.get_by_text("谁都查不到了").wait_for()
            await page.get_by_role("button", name="办完了，结束").click()
            await page.get_by_text("把市民卡、身份证和打印的回执交还本人").wait_for()
            assert id_card(person)["id_card"]["number"] not in await page.content()
        assert wrong == {}


class TestBoards:
    """What an office's head looks at."""

    @pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
    async def test_every_page_is_fit_to_read(self, chromium: Any, town: Town, width: int, scheme: str) -> None:
        """Numbers, charts and tables with a quarter's data; nothing clipped, nothing that axe minds."""
        wrong: dict[str, Any] = {}
        async with page_of(chromium, width, color_scheme=scheme, bypass_csp=True) as page:
            await at_desk(page, town, f"3{width}")
            for path in PAGES:
                await page.goto(f"{town.server.base_url}{path}")
                where = f"{path.strip('/').replace('/', '-')}-{width}"
                wrong |= await faults(page, where) | await unread(page, where)
            await page.goto(f"{town.server.base_url}/desk/board")
            content = await page.content()
        assert wrong == {}
        assert ("64" in content, ">4<" in content) == (True, False)
