"""What else a clerk does at the desk: charges, the calendar, drafts with their faults, an account after a death."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from api.releases import rehearsing
from core import clock, statutory
from tests.api.conftest import Server
from tests.api.office import Office as Counter
from tests.api.office import id_card, new_card, with_pin
from tests.api.pagereader import Browser
from tests.api.rehearsed import CARD, STRICTER
from tests.api.shopworld import assess
from tests.api.test_desk import Office, opened
from tests.api.test_orders import Shop
from tests.api.test_orders import shop as shop  # noqa: PLC0414  (the fixture, for the tests of this module)

SCOPES = ["staff:calendar", "staff:counter", "staff:orders", "staff:releases"]
NEW = "/desk/releases/new"
DECEASED = "/desk/counter/deceased"


@pytest_asyncio.fixture(scope="module")
async def office(server: Server) -> AsyncIterator[Office]:
    """The office of these tests."""
    async with opened(server, "desk-work", SCOPES) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def two(office: Office) -> tuple[Browser, Browser]:
    """Two clerks at their desks."""
    return await office.joined("4001", *SCOPES), await office.joined("4002", *SCOPES)


async def upload(browser: Browser, path: str, name: str, body: bytes, **fields: str) -> str:
    """Send a form with a file; the text of the page that answers."""
    page = await browser.go(path)
    csrf = page.all("input", name="csrf")[0].attributes["value"]
    browser.answer = await browser.http.post(path, data={"csrf": csrf, **fields}, files={"file": (name, body)})
    return browser.answer.text


class TestCharges:
    """A disputed charge."""

    async def test_a_charge_is_opened_for_a_reason_and_decided_in_yuan(
        self, two: tuple[Browser, Browser], shop: Shop
    ) -> None:
        """It waits with the day on which the clock decides; 2.50 yuan remain, and the citizen reads why and who."""
        order = await shop.settled()
        assert (await shop.me.post(f"/v1/me/orders/{order}/dispute", json={"reason": "amount"})).status_code == 200
        page = await two[0].go("/desk")
        row = next(one for one in page.all("section", id="orders")[0].all("tr")[1:] if order in str(_links(one)))
        assert "5.00元，金额不对" in row.text
        assert "个工作日" in row.text
        path = f"/desk/matters/orders/{order}"
        await two[0].go(path)
        page = await two[0].submit(action=path, purpose="handling")
        assert "一分不收" in page.text
        await two[0].submit(action=f"{path}/decision", decision="uphold", answer="多收了一半。", yuan="两块五")
        assert two[0].answer.status_code == 422
        await two[0].go(path)
        await two[0].submit(action=path, purpose="handling")
        page = await two[0].submit(action=f"{path}/decision", decision="uphold", answer="多收了一半。", yuan="2.50")
        assert "还欠2.5" in page.text, page.text
        assert "多收了一半。" in (await shop.me.get("/orders")).text


def _links(element: Any) -> list[str]:
    return [one.attributes["href"] for one in element.all("a")]


class TestCalendar:
    """A year's notice."""

    async def test_a_year_is_loaded_from_its_file_with_the_clerks_number(
        self, office: Office, two: tuple[Browser, Browser]
    ) -> None:
        """Until then it is provisional; a wrong line is named; the entry names who."""
        year = clock.today().year + 2
        page = await two[0].go("/desk/calendar")
        assert next(one.text for one in page.all("tr") if str(year) in one.text).endswith("按法定节假日和周末")
        fields = {"year": str(year), "notice": "国办发明电〔测试〕1号"}
        said = await upload(two[0], "/desk/calendar", "n.csv", b"day,kind\n2027-13-01,off\n", **fields)
        assert (two[0].answer.status_code, "/1" in said) == (422, True)
        off = [date(year, 1, 1) + timedelta(days=day) for day in range(365)]
        lines = [f"{day},off" for day in off if statutory.is_holiday(day)]
        body = "\n".join(["day,kind", *lines]).encode()
        said = await upload(two[0], "/desk/calendar", "n.csv", body, **fields)
        assert "国办发明电〔测试〕1号" in said
        found = await office.sql("select actor from core.audit_entry where action = 'workdays.load'")
        assert "desk-work/4001" in {one["actor"] for one in found}
        await office.sql("delete from core.workday where extract(year from day) = $1", year)


class TestDrafts:
    """From a file to an approval."""

    async def test_faults_stand_at_their_lines_and_the_text_stays_in_the_form(
        self, two: tuple[Browser, Browser]
    ) -> None:
        """Nothing is drafted; the line itself is beside what is wrong with it."""
        broken = CARD.replace("from = 120", 'from = "x"')
        later = (clock.today() + timedelta(days=30)).isoformat()
        fields = {"kind": "scorecard", "effective_on": later}
        said = await upload(two[0], NEW, "wrong-tier.toml", broken.encode(), **fields)
        number = broken.splitlines().index('from = "x"') + 1
        assert (two[0].answer.status_code, f"第{number}行" in said) == (422, True)
        assert "wrong-tier.toml" in said
        assert "from = &#34;x&#34;" in said
        page = await two[0].go("/desk/releases")
        assert "wrong-tier.toml" not in page.text, page.text

    async def test_a_draft_is_rehearsed_and_approved_under_its_report(
        self, office: Office, two: tuple[Browser, Browser]
    ) -> None:
        """The page waits by itself while it runs; the drafter has no button; the report's digest goes with the form."""
        first, second = two
        await assess(office.server.house)
        later = (clock.today() + timedelta(days=45)).isoformat()
        await upload(first, NEW, f"{later}.toml", STRICTER.encode(), kind="scorecard", effective_on=later)
        path = first.answer.url.path
        assert path.startswith("/desk/releases/rl_"), first.answer.text
        await first.go(path)
        await first.submit(action=f"{path}/rehearse")
        assert first.answer.headers["refresh"] == "5"
        while await rehearsing.once(office.server.house):
            pass
        assert "1 份规则草案" in (await second.go("/desk")).text
        page = await first.go(path)
        assert "refresh" not in first.answer.headers
        report = next(one for one in _links(page) if "/desk/rehearsals/" in one)
        assert "请另一位同事" in (await first.go(report)).text
        await second.go(report)
        await second.submit(action=f"{path}/approve?from={report}")
        assert "desk-work/4002" in second.page.text, second.page.text
        await second.submit(action=f"{path}/withdraw")


class TestDeceased:
    """An account closed after a death."""

    async def test_two_clerks_close_it_and_the_list_names_nobody(
        self, office: Office, two: tuple[Browser, Browser]
    ) -> None:
        """Whoever recorded it cannot approve; then nobody is that citizen, and a relative's wish erases the rest."""
        counter = Counter(office.server, "desk-work", office.http.auth, office.http)
        gone, child, card = office.server.person(), office.server.person(), new_card()
        assert (await counter.knows(child, card_no=card)).status_code == 201
        async with office.server.logged_in(gone) as me:
            await office.server.join(me)
            relative = id_card(child)["id_card"]
            page = await two[0].go(DECEASED)
            page = await two[0].submit(
                action=DECEASED, id_number=gone["id_number"], died_on=clock.today().isoformat(),
                document="示死证0001号", relative_name=relative["name"], relative_number=relative["number"],
                relation="child", relative_document="户口簿-1", lawful_interest="true",
            )  # fmt: skip
            assert "等第二个人批准" in page.text, page.text
            assert gone["id_number"] not in two[0].answer.text
            assert not [one for one in page.all("form") if "/approve" in one.attributes["action"]]
            assert "1 件去世后的账户关闭" in (await two[1].go("/desk")).text
            page = await two[1].go(DECEASED)
            [action] = [one.attributes["action"] for one in page.all("form") if "/approve" in one.attributes["action"]]
            page = await two[1].submit(action=action)
            assert "已关闭" in page.text, page.text
            assert (await me.get("/v1/me")).status_code == 401
        action = action.partition("/approve")[0] + "/erasure"
        page = await two[1].submit(action=action, **with_pin(card))
        assert "已经全部销毁" in page.text, page.text

    @pytest.mark.parametrize("path", ["/desk/calendar", NEW, DECEASED])
    async def test_a_clerk_without_the_scope_opens_nothing(self, office: Office, path: str) -> None:
        """403, for each page and for its form."""
        browser = await office.joined(f"41{len(path):02}", "staff:orders")
        await browser.go(path)
        assert browser.answer.status_code == 403
