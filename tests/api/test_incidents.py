"""Incidents: whose data was read is counted, told and forgotten; the desk never reads who."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from api.pages import acts, words
from auth import incidents
from core import clock, ids
from tests.api.conftest import Server

CAUSE = {"cause": "密钥外泄", "measures": "已停用密钥"}
NOTICE = "有单位的密钥外泄，有人可能看过您提交的内容。密钥已停用。请留意可疑来电，联系 12345。"
LOOK = {"clerk": "A-17", "purpose": "review"}


class Desk:
    """The incidents' desk of a server, a prying office, and people whose matters it read."""

    def __init__(self, server: Server, http: httpx2.AsyncClient) -> None:
        """`http` is the desk's system."""
        self.server, self.http = server, http

    async def open(self, **more: Any) -> httpx2.Response:
        """Open an incident about the last hour."""
        now = clock.civil()
        body = {"clerk": "A01", "kinds": ["matters"], "from": _at(now, -60), "to": _at(now, 1), **CAUSE, **more}
        return await self.http.post("/v1/staff/incidents", json=body)

    async def step(self, incident_id: str, name: str, clerk: str = "A01", **more: Any) -> httpx2.Response:
        """Report, notify or close."""
        return await self.http.post(f"/v1/staff/incidents/{incident_id}/{name}", json={"clerk": clerk, **more})

    async def prying(self, client_id: str) -> httpx2.AsyncClient:
        """A reviews' office."""
        auth, _ = await self.server.register(client_id, "staff", "staff:reviews")
        return httpx2.AsyncClient(base_url=self.server.base_url, auth=auth)


def _at(now: Any, minutes: int) -> str:
    return (now + timedelta(minutes=minutes)).isoformat()


@pytest_asyncio.fixture
async def desk(server: Server) -> AsyncIterator[Desk]:
    """A desk of its own."""
    auth, _ = await server.register(f"desk-{ids.new().hex}", "staff", "staff:incidents")
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth) as http:
        yield Desk(server, http)


async def read_matters(office: httpx2.AsyncClient, people: list[httpx2.AsyncClient]) -> None:
    """Each asks for a review; the office opens it twice."""
    for me in people:
        asked = (await me.post("/v1/me/reviews", json={"about": "score", "words": "x"})).json()
        for _ in range(2):
            assert (await office.get(f"/v1/staff/reviews/{asked['id']}", params=LOOK)).status_code == 200


class TestWhole:
    """From the first hour to the last."""

    async def test_the_persons_concerned_are_counted_told_and_forgotten(self, server: Server, desk: Desk) -> None:
        """Two of three are told, in plain words; the list is sealed until a second person closes, then gone."""
        async with AsyncExitStack() as stack:
            people = [await stack.enter_async_context(server.logged_in(server.person())) for _ in range(3)]
            office = await stack.enter_async_context(await desk.prying("prying"))
            await read_matters(office, people[:2])
            opened = await desk.open(client_id="prying", kinds=["matters", "eligibility"])
            assert opened.status_code == 201, opened.text
            made = opened.json()
            assert (made["state"], made["persons"], made["overdue"]) == ("opened", 2, False)
            assert made["numbers"] == [
                {"kind": "eligibility", "persons": 0, "accesses": 0},
                {"kind": "matters", "persons": 2, "accesses": 4},
            ]
            row = await _row(server, made["id"])
            assert len(row["sealed_persons"]) > 2 * 16
            assert str(row["owner"]) not in opened.text
            assert row["owner"].bytes not in row["sealed_persons"]
            assert (await desk.step(made["id"], "report")).json()["state"] == "reported"
            assert (await desk.step(made["id"], "notify", notice=NOTICE)).json()["state"] == "notified"
            told = [(await me.get("/v1/me/accesses")).json()["accesses"] for me in people]
            assert [entries[0]["action"] == "incident.notify" for entries in told if entries] == [True, True]
            assert told[2] == []
            kinds = "您能不能享受便利、您提交的复核和更正"
            assert words.remark(told[0][0]["detail"]) == f"涉及：{kinds}。{NOTICE}"
            own = await desk.step(made["id"], "close")
            assert (own.status_code, own.json()["code"]) == (409, "second_person_needed")
            closed = (await desk.step(made["id"], "close", clerk="A02")).json()
            assert (closed["state"], closed["persons"]) == ("closed", 2)
            assert (await _row(server, made["id"]))["sealed_persons"] is None
            assert (await desk.http.get(f"/v1/staff/incidents/{made['id']}")).json() == closed
            listed = (await desk.http.get("/v1/staff/incidents", params={"limit": 1})).json()
            assert listed["incidents"][0]["id"] == made["id"]

    async def test_by_anybody_counts_more_than_by_one(self, server: Server, desk: Desk) -> None:
        """Without a client every reader counts, with one it alone; nothing in another time."""
        async with AsyncExitStack() as stack:
            me = await stack.enter_async_context(server.logged_in(server.person()))
            for name in ("reader-a", "reader-b"):
                office = await stack.enter_async_context(await desk.prying(name))
                await read_matters(office, [me])
            one = (await desk.open(client_id="reader-a")).json()
            anybody = (await desk.open()).json()
            assert (one["persons"], one["numbers"][0]["accesses"]) == (1, 2)
            assert anybody["numbers"][0]["accesses"] >= 4
            past = clock.civil() - timedelta(days=400)
            before = (await desk.open(**{"from": past.isoformat(), "to": _at(past, 60)})).json()
            assert before["persons"] == 0

    async def test_the_order_is_kept(self, desk: Desk) -> None:
        """Nobody is told before the report, nothing is closed before they are told, and nothing twice."""
        made = (await desk.open()).json()
        for step, more in (("notify", {"notice": NOTICE}), ("close", {})):
            answer = await desk.step(made["id"], step, "A02", **more)
            assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state"), step
        assert (await desk.step(made["id"], "report")).status_code == 200
        assert (await desk.step(made["id"], "report")).json()["code"] == "wrong_state"
        assert (await desk.step(ids.show("in", ids.new()), "report")).status_code == 404

    @pytest.mark.parametrize(
        ("more", "pointer"),
        [
            ({"to": "2020-01-01T00:00:00+08:00"}, "/to"),
            ({"known_at": "2999-01-01T00:00:00Z"}, "/known_at"),
            ({"client_id": "nobody-at-all"}, "/client_id"),
            ({"kinds": ["everything"]}, "/kinds/0"),
            ({"clerk": "张三"}, "/clerk"),
        ],
    )
    async def test_what_cannot_be_is_refused(self, desk: Desk, more: dict[str, Any], pointer: str) -> None:
        """With its place."""
        answer = await desk.open(**more)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


class TestClock:
    """Four hours by the wall clock."""

    async def test_a_late_report_is_seen_to_be_late(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """In time a minute before, overdue a minute after, also once it came; operators are warned until it did."""
        http = desk.http
        known = clock.wall() - timedelta(hours=3, minutes=59)
        made = (await desk.open(known_at=known.isoformat())).json()
        assert made["overdue"] is False
        assert made["report_by"] == (known + timedelta(hours=4)).isoformat().replace("+00:00", "Z")
        assert not await _warned(http)
        late = (await desk.open(known_at=_at(known, -2))).json()
        assert late["overdue"] is True
        assert await _warned(http)
        assert "osmanthus_incidents_overdue 1.0" in (await http.get("/metrics")).text
        assert (await desk.step(late["id"], "report")).json()["overdue"] is True
        assert not await _warned(http)
        assert (await desk.step(made["id"], "report")).json()["overdue"] is False
        monkeypatch.setattr(clock, "_offset", timedelta(days=2))
        still = await http.get(f"/v1/staff/incidents/{made['id']}")
        assert still.json()["overdue"] is False


class TestKinds:
    """Which acts read what."""

    def test_every_act_that_a_person_reads_about_is_of_a_kind_or_reads_nothing(self) -> None:
        """A new act must be put here or there."""
        nothing = {
            "session.end", "card.unbind", "counter.end", "counter_code.draw", "death.approve", "death.erase",
            "after_death.say", "proxy.invite", "proxy.accept", "proxy.end", "consent.give", "consent.withdraw",
            "consent.drop_source", "consent.expire", "consent.outdate", "statement.told", "credit_code.draw", "leave",
            "review.ask", "correction.ask", "incident.notify", "dispute.open", "dispute.withdraw", "dispute.settle",
            "repair.apply", "repair.withdraw",
            "declaration.make", "declaration.withdraw", "commitment.make", "commitment.withdraw",
            "report.issue", "report.revoke", "history.ask", "verify.ask", "everyone.nightly",
            "order.dispute", "order.report-fault",
            "everyone.rehearsal", "everyone.card_list", "card.lose", "audit.search", "staff.refused",
            "plate.bind", "plate.unbind", "plate.confirm", "plate.moved",
            "credential.offer", "credential.issue", "credential.lapse",
        }  # fmt: skip
        read = {action for some in incidents.KINDS.values() for action in some}
        assert read | nothing == set(acts.ACTS)
        assert read & nothing == set()


async def _warned(http: httpx2.AsyncClient) -> bool:
    warnings = (await http.get("/healthz/ready")).json().get("warnings", [])
    return any("four hours" in one for one in warnings)


async def _row(server: Server, shown: str) -> asyncpg.Record:
    """The incident as it lies in the database, beside somebody whose matter was read."""
    owner = await asyncpg.connect(server.owner_url)
    try:
        query = (
            "select sealed_persons, (select owner from core.audit_entry where action = 'review.read' and actor = "
            "'prying' limit 1) as owner from core.incident where id = $1"
        )
        row = await owner.fetchrow(query, ids.read("in", shown))
        assert row is not None
        return row
    finally:
        await owner.close()
