"""The credit office's desk: who may sit there, and the verbs of `/v1/staff` with the clerk whom the login proved."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from api.tool import registration
from core import clock, ids
from core.settings import ROOT
from tests.api.conftest import Server
from tests.api.pagereader import Browser
from tests.api.rightsworld import bureau
from tests.scoringworld import penalty

CLERKS = "/v1/staff/clerks"
SCOPES = [
    "staff:assessments", "staff:audits", "staff:clients", "staff:disputes", "staff:incidents", "staff:quality",
    "staff:releases", "staff:repairs", "staff:reviews",
]  # fmt: skip


class Office:
    """An office's own system, and its clerks' browsers."""

    def __init__(self, server: Server, http: httpx2.AsyncClient) -> None:
        """`http` holds `staff:clerks` and what clerks may be given."""
        self.server, self.http = server, http
        self.visitors: list[Browser] = []

    def visitor(self) -> Browser:
        """A browser in which nobody sits."""
        self.visitors.append(Browser(self.server))
        return self.visitors[-1]

    async def link(self, number: str, *scopes: str) -> str:
        """The secret of a new clerk's link."""
        answer = await self.http.post(CLERKS, json={"clerk": number, "scopes": list(scopes) or SCOPES})
        assert answer.status_code == 201, answer.text
        return answer.json()["link"].partition("#")[2]

    async def joined(self, number: str, *scopes: str, person: Mapping[str, Any] | None = None) -> Browser:
        """A clerk who has used their link."""
        browser = self.visitor()
        await browser.go("/desk/join")
        await browser.submit(action="/desk/join", secret=await self.link(number, *scopes))
        await log_in(browser, person or self.server.person())
        return browser

    async def sql(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Behind the doors."""
        connection = await asyncpg.connect(self.server.house.settings.database_url)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()


@asynccontextmanager
async def opened(server: Server, client_id: str, scopes: Iterable[str]) -> AsyncGenerator[Office]:
    """An office of its own, which names clerks, for the length of a block."""
    entry = await registration.add(
        server.house.settings, client_id=client_id, role="staff", name="信用办", scopes=["staff:clerks", *scopes]
    )
    async with httpx2.AsyncClient(base_url=server.base_url, auth=server.as_client(entry), timeout=30) as http:
        made = Office(server, http)
        yield made
        for one in made.visitors:
            await one.http.aclose()


async def log_in(browser: Browser, person: Mapping[str, Any]) -> None:
    """At the identity provider's form."""
    await browser.submit(login=person["login"], password=person["password"])


@pytest_asyncio.fixture(scope="module")
async def office(server: Server) -> AsyncIterator[Office]:
    """The office of these tests."""
    async with opened(server, "desk-office", SCOPES) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def two(office: Office) -> tuple[Browser, Browser]:
    """Two clerks at their desks."""
    return await office.joined("1001"), await office.joined("1002")


class TestLogin:
    """The link once, the identity provider each time."""

    async def test_a_link_makes_an_account_a_clerk_and_afterwards_the_login_is_enough(self, office: Office) -> None:
        """The second time no link is needed; the page says which number sits there; nothing of the person is kept."""
        person = office.server.person()
        browser = await office.joined("2001", person=person)
        assert (browser.answer.url.path, "2001" in browser.page.text) == ("/desk", True)
        assert person["name"] not in browser.answer.text
        await browser.submit(action="/desk/leave")
        await browser.go("/desk/releases")
        assert browser.answer.url.path == "/idp/authorize"
        await log_in(browser, person)
        assert browser.answer.url.path == "/desk/releases"
        rows = await office.sql("select c::text as all from auth.clerk c where number = '2001'")
        assert person["id_number"] not in rows[0]["all"]

    async def test_whoever_is_no_clerk_gets_no_desk(self, office: Office) -> None:
        """Told so, and no cookie; a link is good once, for one account."""
        person, secret = office.server.person(), await office.link("2002")
        browser = office.visitor()
        await browser.go("/desk/login")
        await log_in(browser, person)
        assert (browser.answer.status_code, "不是工作人员" in browser.page.text) == (403, True)
        for who, status in ((person, 200), (office.server.person(), 410), (person, 409)):
            browser = office.visitor()
            await browser.go("/desk/join")
            await browser.submit(action="/desk/join", secret=secret)
            await log_in(browser, who)
            assert browser.answer.status_code == status, browser.page.text
        assert browser.http.cookies.get("osm_desk") is None

    async def test_one_person_is_one_clerk_whatever_numbers_the_office_gives(self, office: Office) -> None:
        """A second number for the same account is refused: two clerks are two proved persons."""
        person = office.server.person()
        await office.joined("2003", person=person)
        second = await office.joined("2004", person=person)
        assert (second.answer.status_code, "已经是另一个工号" in second.page.text) == (409, True)

    async def test_an_office_gives_no_scope_that_it_has_not(self, office: Office) -> None:
        """Nor may a clerk be given the right to name clerks; a number is given once."""
        for scopes in (["staff:calendar"], ["staff:clerks"]):
            answer = await office.http.post(CLERKS, json={"clerk": "2005", "scopes": scopes})
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
        await office.link("2006")
        answer = await office.http.post(CLERKS, json={"clerk": "2006", "scopes": SCOPES})
        assert (answer.status_code, answer.json()["code"]) == (409, "clerk_exists")

    async def test_an_ended_clerk_is_out_at_the_next_request(self, office: Office) -> None:
        """And the token behind the desk is dead; their account may become a clerk again."""
        person = office.server.person()
        browser = await office.joined("2007", person=person)
        listed = (await office.http.get(CLERKS)).json()["clerks"]
        mine = next(one["id"] for one in listed if one["clerk"] == "2007")
        assert (await office.http.delete(f"{CLERKS}/{mine}")).status_code == 204
        await browser.go("/desk")
        assert browser.answer.url.path == "/idp/authorize"
        again = await office.joined("2007", person=person)
        assert again.answer.url.path == "/desk"

    async def test_a_clerk_sees_what_their_scopes_open(self, office: Office) -> None:
        """No queue, no page and no button beyond; a denied look is in the log."""
        browser = await office.joined("2008", "staff:reviews")
        assert "人工复核" in browser.page.text
        assert "信用修复" not in browser.page.text
        for path in (
            "/desk/releases",
            "/desk/audits",
            "/desk/partners",
            f"/desk/matters/disputes/{ids.show('di', ids.new())}",
        ):
            await browser.go(path)
            assert browser.answer.status_code == 403, path
        denied = await office.sql("select 1 from core.audit_entry where actor = 'desk-office' and outcome = 'denied'")
        assert denied

    @pytest.mark.parametrize("path", ["leave", "releases/rl_1/approve", "audits", "incidents", "matters/reviews/rv_1"])
    async def test_no_form_works_without_the_desks_token(
        self, office: Office, two: tuple[Browser, Browser], path: str
    ) -> None:
        """A missing or another's CSRF token changes nothing."""
        for csrf in ({}, {"csrf": "0" * 64}):
            answer = await two[0].http.post(f"/desk/{path}", data={"purpose": "handling", **csrf})
            assert (answer.status_code, "csrf_failed" in answer.text) == (403, True)


class TestMatters:
    """Opening, for a reason, and answering."""

    async def test_nothing_is_read_before_a_reason_and_the_person_sees_who_and_why(
        self, office: Office, two: tuple[Browser, Browser]
    ) -> None:
        """The words are not on the page that asks why; afterwards the citizen reads clerk and purpose."""
        browser = two[0]
        async with office.server.logged_in(office.server.person()) as me:
            await office.server.join(me)
            asked = (await me.post("/v1/me/reviews", json={"about": "score", "words": "请人看看我的分数"})).json()
            await browser.go("/desk")
            assert asked["id"] in browser.answer.text
            await browser.go(f"/desk/matters/reviews/{asked['id']}")
            assert "请人看看我的分数" not in browser.answer.text
            action = f"/desk/matters/reviews/{asked['id']}"
            refused = await browser.submit(action=action, purpose="")
            assert browser.answer.status_code == 422, refused.text
            await browser.go(action)
            page = await browser.submit(action=action, purpose="complaint")
            assert "请人看看我的分数" in page.text
            page = await browser.submit(
                action=f"{action}/answer", outcome="kept", reasons="核对过，无误。", purpose="complaint"
            )
            assert "已办理" in page.text
            seen = (await me.get("/v1/me/accesses")).json()["accesses"]
            assert {(one["action"], one["purpose"]) for one in seen} >= {
                ("review.read", "complaint"), ("review.answer", "complaint"),
            }  # fmt: skip
            assert "1001" in str(seen)

    async def test_disputes_and_repairs_have_their_pages_and_steps(
        self, office: Office, two: tuple[Browser, Browser]
    ) -> None:
        """Both are opened for a reason; an accepted piece of evidence and a checked condition are on the page."""
        browser, person = two[0], office.server.person()
        async with bureau(office.server, "volunteer") as source, office.server.logged_in(person) as me:
            await office.server.join(me)
            for ref in ("desk-1", "desk-2"):
                await source.push(penalty(ref, person["id_number"], days=200))
            first, second = (await me.get("/v1/me/records", params={"kind": "N01"})).json()["records"]
            body = {"record": first["id"], "reason": "lapsed", "words": "复议决定已撤销它"}
            asked = (await me.post("/v1/me/disputes", json=body)).json()["id"]
            body = {"record": second["id"], "words": "已经缴清并学习", "pledge": 1}
            mended = await me.post("/v1/me/repairs", json=body)
        action = f"/desk/matters/disputes/{asked}"
        await browser.go(action)
        page = await browser.submit(action=action, purpose="handling")
        assert (browser.answer.status_code, "复议决定已撤销它" in page.text) == (200, True)
        page = await browser.submit(action=f"{action}/steps", act="forward", purpose="handling")
        assert "来源单位核实中" in page.text
        assert mended.status_code == 201, mended.text
        action = f"/desk/matters/repairs/{mended.json()['id']}"
        await browser.go(action)
        page = await browser.submit(action=action, purpose="supervision")
        assert "已经缴清并学习" in page.text
        names = [one.attributes["value"] for one in page.all("input", name="met")]
        page = await browser.submit(action=f"{action}/check", met=names[:1], purpose="supervision")
        assert "已办理" in page.text

    async def test_the_queue_counts_working_days(self, office: Office, two: tuple[Browser, Browser]) -> None:
        """What is overdue says so and stands first."""
        async with office.server.logged_in(office.server.person()) as me:
            await office.server.join(me)
            asked = (await me.post("/v1/me/reviews", json={"about": "score", "words": "x"})).json()["id"]
        await office.sql(
            "update auth.matter set answer_by = $1 where id = $2",
            clock.civil() - timedelta(days=7),
            ids.read("rv", asked),
        )
        page = await two[0].go("/desk")
        rows = page.all("section", id="reviews")[0].all("tr")[1:]
        assert "逾期" in rows[0].text
        assert asked in two[0].answer.text


class TestTwoPersons:
    """Releases, clients, assessments: a second person only."""

    async def test_a_draft_is_approved_by_another_clerk_alone(
        self, office: Office, two: tuple[Browser, Browser]
    ) -> None:
        """The drafter's page has no button and their form is refused; a colleague's approval names them."""
        first, second = two
        later = (clock.today() + timedelta(days=60)).isoformat()
        file = next((ROOT / "policy").glob("statutes*"))
        file = next(file.iterdir()) if file.is_dir() else file
        body = {"kind": "statutes", "name": "desk.toml", "body": file.read_text(), "effective_on": later}
        drafted = (await office.http.post("/v1/staff/releases", json={**body, "clerk": "1001"})).json()
        path = f"/desk/releases/{drafted['id']}"
        page = await first.go(path)
        assert not page.all("form", action=f"{path}/approve?from={path}")
        token = page.all("input", name="csrf")[0].attributes["value"]
        answer = await first.http.post(f"{path}/approve", data={"csrf": token})
        assert (answer.status_code, "second_person_needed" in answer.text) == (409, True)
        await second.go(path)
        page = await second.submit(action=f"{path}/approve?from={path}")
        assert "desk-office/1002" in page.text

    async def test_what_is_grave_needs_a_fresh_login(self, office: Office, two: tuple[Browser, Browser]) -> None:
        """After ten minutes an approval leads to the login first, and back to the page."""
        browser = await office.joined("2009")
        await office.sql(
            "update auth.seat set proved_at = $1 where session = sha256($2)",
            clock.wall() - timedelta(minutes=11),
            browser.http.cookies["osm_desk"].encode(),
        )
        page = await browser.go("/desk/assessments")
        token = page.all("input", name="csrf")[0].attributes["value"]
        answer = await browser.http.post(
            "/desk/assessments/pia_1/decide?from=/desk/assessments", data={"csrf": token, "approved": "true"}
        )
        assert answer.url.path == "/idp/authorize"
        assert "desk%2Fcallback" in str(answer.url)

    async def test_a_partner_is_assessed_and_approved_by_two_clerks(
        self, office: Office, two: tuple[Browser, Browser]
    ) -> None:
        """Not by whoever drafted it; what the office's system asked for is no approval of its own clerk."""
        first, second = two
        asked = {
            "subject_kind": "partner", "subject": "desk-shop", "document": "0" * 64, "risks": "风险一",
            "measures": "措施一",
            "valid_until": (clock.today() + timedelta(days=90)).isoformat(),
        }  # fmt: skip
        await first.go("/desk/assessments")
        page = await first.submit(action="/desk/assessments", **asked)
        assert "另一位同事决定" in page.text
        page = await second.go("/desk/assessments")
        [form] = [
            one
            for one in page.all("form")
            if "/decide" in one.attributes["action"] and one.all("button", **{"aria-label": "通过 desk-shop"})
        ]
        page = await second.submit(action=form.attributes["action"], approved="true")
        assert "desk-office/1002" in page.text
        _, jwk = await office.server.register(
            "keyholder", "partner", "eligibility:check", perks=["library.deposit-free"]
        )
        body = {
            "client_id": "desk-shop",
            "role": "partner",
            "name": "店",
            "scopes": ["eligibility:check"],
            "jwks": [jwk["jwk"]],
            "perks": ["library.deposit-free"],
        }
        assert (await office.http.post("/v1/staff/clients", json=body)).status_code == 201
        page = await first.go("/desk/partners")
        assert "风险一" in page.text
        assert not [one for one in page.all("form") if "/approve" in one.attributes["action"]]


class TestBoards:
    """Numbers, the log, incidents."""

    async def test_the_log_is_searched_for_a_reason_alone(self, office: Office, two: tuple[Browser, Browser]) -> None:
        """Without one nothing is searched; with one the search is an entry itself, with the clerk."""
        browser = two[0]
        await browser.go("/desk/audits")
        await browser.submit(action="/desk/audits", purpose="")
        assert browser.answer.status_code == 422
        await browser.go("/desk/audits")
        page = await browser.submit(action="/desk/audits", purpose="inspection", actor="desk-office")
        assert "clerk.name" in page.text
        found = await office.sql(
            "select detail->>'clerk' as clerk from core.audit_entry "
            "where action = 'audit.search' and actor = 'desk-office'"
        )
        assert {one["clerk"] for one in found} == {"1001"}

    async def test_boards_and_quality_are_pages(self, two: tuple[Browser, Browser]) -> None:
        """Each with the desk's navigation and nothing of a person."""
        for path, words in (("/desk/board", "普及与公平"), ("/desk/quality", "来源质量"), ("/desk/releases", "现行")):
            page = await two[0].go(path)
            assert (two[0].answer.status_code, words in page.text) == (200, True)

    async def test_an_incident_is_opened_reported_and_closed_by_a_second(
        self, office: Office, two: tuple[Browser, Browser]
    ) -> None:
        """Counted at once, its clock beside it; whoever opened it does not close it."""
        first, second = two
        await first.go("/desk/incidents")
        now = clock.civil().astimezone(clock.CITY_ZONE)
        times = {"first": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}", "last": f"{now:%Y-%m-%dT%H:%M}"}
        page = await first.submit(
            action="/desk/incidents", kinds=["identity"], cause="密钥外泄", measures="已停用", **times
        )
        assert "须在" in page.text
        for step, more in (("report", {}), ("notify", {"notice": "请留意可疑来电。"})):
            action = next(
                one.attributes["action"] for one in first.page.all("form") if f"/{step}" in one.attributes["action"]
            )
            await first.submit(action=action, **more)
        close = next(one.attributes["action"] for one in first.page.all("form") if "/close" in one.attributes["action"])
        await first.submit(action=close)
        assert (first.answer.status_code, "second_person_needed" in first.page.text) == (409, True)
        await second.go("/desk/incidents")
        page = await second.submit(action=close)
        assert "已结束" in page.text
