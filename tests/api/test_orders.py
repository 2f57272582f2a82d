"""Orders over HTTP: what a merchant sends and gets, what the citizen sees on the page, what the office decides."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest_asyncio

from core import clock
from tests.api.cast import log_in
from tests.api.conftest import Server
from tests.gateworld import LIBRARY, world

ORDERS = "/v1/partner/orders"
GARDEN = "tourism.ticket"


class Shop(msgspec.Struct, frozen=True):
    """A merchant and one of its customers."""

    server: Server
    http: httpx2.AsyncClient
    me: httpx2.AsyncClient
    subject: str
    visitor: str

    async def open(self, **more: Any) -> httpx2.Response:
        """A request to open; a new number and key unless told."""
        key = more.pop("key", secrets.token_hex(8))
        body = {"out_order_no": secrets.token_hex(8), "perk": LIBRARY, "holder": {"subject": self.subject}, **more}
        return await self.http.post(ORDERS, json=body, headers={"Idempotency-Key": key})

    async def act(self, order: str, action: str, **body: Any) -> httpx2.Response:
        """One action."""
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        return await self.http.post(f"{ORDERS}/{order}/{action}", json=body or None, headers=headers)

    async def settled(self) -> str:
        """An order with a charge of 5.00 that waits for payment."""
        order = (await self.open(deposit=10000)).json()["order_id"]
        await self.act(order, "start")
        await self.http.post(f"{ORDERS}/{order}/return", json={}, headers={"Idempotency-Key": secrets.token_hex(8)})
        done = await self.act(order, "settle", items=[{"name": "rent", "amount": 500}])
        assert done.json()["status"] == "settling", done.text
        return order


@pytest_asyncio.fixture
async def shop(server: Server) -> AsyncIterator[Shop]:
    """A library with a customer of many points, who allowed it to ask and is logged in on the page."""
    name = f"lib-{secrets.token_hex(4)}"
    auth, entry = await server.register(name, "partner", "orders:write", perks=[LIBRARY, GARDEN])
    assert entry
    person = server.person()
    async with (
        httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=60) as http,
        httpx2.AsyncClient(base_url=server.base_url, timeout=60) as me,
        world(server.owner_url) as city,
    ):
        await log_in(me, person)
        me.headers["X-CSRF-Token"] = str(me.cookies.get("osm_csrf"))
        assert (await server.join(me)).status_code == 201
        mine = (await city.rows("select citizen_id from auth.consent where purpose = 'score' order by given_at desc"))[
            0
        ]
        await city.do("update scoring.standing set points = 1900 where citizen_id = :c", c=mine["citizen_id"])
        subjects = [await city.share(mine["citizen_id"], name, perk) for perk in (LIBRARY, GARDEN)]
        yield Shop(server, http, me, *subjects)


class TestPartner:
    """`/v1/partner/orders`."""

    async def test_the_answer_has_the_members_of_the_contract(self, shop: Shop) -> None:
        """201, then each action 200; a repeat of the key says so."""
        body = {"deposit": 45000, "key": "k", "out_order_no": secrets.token_hex(4)}
        opened = await shop.open(**body)
        assert opened.status_code == 201, opened.text
        told = opened.json()
        assert {
            "order_id", "out_order_no", "status", "settlement", "waived_amount", "payable_deposit", "allowed_actions",
            "seq", "planned_end",
        } <= set(told)  # fmt: skip
        assert (told["status"], told["allowed_actions"]) == ("open", ["start", "cancel"])
        assert (told["waived_amount"], told["payable_deposit"]) == (30000, 15000)
        again = await shop.open(**body)
        assert (again.status_code, again.json(), again.headers["idempotent-replayed"]) == (201, told, "true")
        started = await shop.act(told["order_id"], "start")
        assert (started.status_code, started.json()["status"], started.json()["seq"]) == (200, "active", 2)
        found = await shop.http.get(ORDERS, params={"out_order_no": body["out_order_no"]})
        assert [one["status"] for one in found.json()["orders"]] == ["active"]

    async def test_what_is_refused(self, shop: Shop) -> None:
        """No key, an unknown member, two holders, a number that was used, an action that is not possible."""
        bare = await shop.http.post(ORDERS, json={"out_order_no": "n", "perk": LIBRARY, "holder": {"code": "x"}})
        assert (bare.status_code, bare.json()["code"]) == (400, "idempotency_key_missing")
        assert (await shop.open(points=1)).json()["code"] == "unknown_field"
        assert (await shop.open(decision_id="dc_x")).json()["errors"][0]["pointer"] == "/holder"
        assert (await shop.open(out_order_no="no blanks")).status_code == 422
        opened = (await shop.open()).json()
        used = await shop.open(out_order_no=opened["out_order_no"])
        assert (used.status_code, used.json()["code"], used.json()["order"]["status"]) == (409, "order_exists", "open")
        early = await shop.act(opened["order_id"], "settle", items=[])
        assert (early.status_code, early.json()["code"]) == (409, "illegal_transition")
        assert early.json()["allowed_actions"] == ["cancel", "start"]

    async def test_a_stranger_gets_the_standard_route(self, shop: Shop) -> None:
        """201 with the whole deposit payable, and no reason."""
        answer = (await shop.open(holder={"subject": "su_nobody"}, deposit=10000)).json()
        assert (answer["status"], answer["reason"], answer["payable_deposit"]) == ("standard_route", None, 10000)
        assert answer["allowed_actions"] == []


class TestCitizen:
    """`/v1/me/orders` and the page."""

    async def test_the_page_says_what_comes_next(self, shop: Shop) -> None:
        """Where it stands, what it costs, what the clock does; the form disputes, and the answer is shown."""
        order = await shop.settled()
        page = (await shop.me.get("/orders")).text
        assert "已结算，等待付款" in page
        assert "待付5.00元" in page
        assert "还没有付清，会提醒您" in page
        form = {"csrf": str(shop.me.cookies.get("osm_csrf")), "order": order, "reason": "broken"}
        assert (await shop.me.post("/orders", data=form)).status_code == 303
        mine = (await shop.me.get("/v1/me/orders")).json()["orders"][0]
        assert (mine["status"], mine["disputed_for"]) == ("disputed", "broken")
        assert [one["event"] for one in mine["history"]] == ["open", "start", "return", "settle", "dispute"]

    async def test_a_fault_is_reported_with_a_button(self, shop: Shop) -> None:
        """The clock stops; a second report is told what is possible."""
        order = (await shop.open()).json()["order_id"]
        await shop.act(order, "start")
        assert "报告故障" in (await shop.me.get("/orders")).text
        said = await shop.me.post(f"/v1/me/orders/{order}/report-fault")
        assert (said.status_code, said.json()["status"]) == (200, "clock_stopped")
        again = await shop.me.post(f"/v1/me/orders/{order}/report-fault")
        assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")

    async def test_who_leaves_with_something_out_is_told(self, shop: Shop) -> None:
        """409 with the orders, which now close within 30 days; with nothing out, it is possible."""
        order = (await shop.open()).json()["order_id"]
        await shop.act(order, "start")
        left = await shop.me.delete("/v1/me")
        assert (left.status_code, left.json()["code"]) == (409, "orders_open")
        assert [one["order_id"] for one in left.json()["orders"]] == [order]
        async with world(shop.server.owner_url) as city:
            rows = await city.rows("select close_by from incentives.perk_order where object = :id", id=order)
            assert rows[0]["close_by"] is not None
        await shop.act(order, "cancel")
        assert (await shop.me.delete("/v1/me")).status_code == 200

    async def test_no_code_is_drawn_for_what_an_order_would_refuse(self, shop: Shop) -> None:
        """With three orders running the page says so in private, and nobody is sent to the counter with a code."""
        for _ in range(3):
            assert (await shop.open(deposit=1000)).json()["status"] == "open"
        refused = await shop.me.post("/v1/me/credit-code", json={"perk": LIBRARY})
        assert refused.status_code == 409
        assert refused.json()["code"] == "not_granted"
        perks = {one["perk"]: one for one in (await shop.me.get("/v1/me/perks")).json()["perks"]}
        assert perks[LIBRARY]["missing"]["reason"] == "exposure"
        assert "最多三单" in perks[LIBRARY]["missing"]["text"]


class TestTicket:
    """A ticket on the citizen's page and at the gate."""

    async def test_it_is_sold_shown_and_used(self, shop: Shop) -> None:
        """The page names its day, its text opens the gate once, and another gate's word for it is a conflict."""
        sold = {"perk": GARDEN, "holder": {"subject": shop.visitor}, "visit_on": clock.today().isoformat()}
        wrong = await shop.open(**sold)
        assert wrong.json()["errors"][0]["pointer"] == "/visit_on"
        order = (await shop.open(**sold, items=[{"name": "garden", "amount": 8000}])).json()
        assert (order["status"], order["payable_deposit"], order["admission"]["form"]) == ("open", 6400, "ticket")
        page = (await shop.me.get("/orders")).text
        assert "只在这一天有效" in page
        assert "<svg" in (await shop.me.get(f"/orders/{order['order_id']}/ticket")).text
        ticket = (await shop.me.get(f"/v1/me/orders/{order['order_id']}/ticket")).json()["text"]
        for visit, expected in (("g1", 200), ("g1", 200), ("g2", 409)):
            seen = await shop.http.post("/v1/partner/visits", json={"ticket": ticket, "visit_id": visit})
            assert seen.status_code == expected, seen.text
        none = await shop.http.post("/v1/partner/visits", json={"ticket": "TK1:NOTHING", "visit_id": "g3"})
        assert none.status_code == 404
        gone = await shop.me.get(f"/v1/me/orders/{order['order_id']}/ticket")
        assert (gone.status_code, gone.json()["code"]) == (409, "no_ticket")
        assert "核销入园" in (await shop.me.get("/orders")).text


class TestOffice:
    """`/v1/staff/orders`."""

    async def test_a_dispute_is_answered(self, shop: Shop) -> None:
        """It stands in the queue without a name; the answer reaches the citizen, and who looked, too."""
        order = await shop.settled()
        assert (await shop.me.post(f"/v1/me/orders/{order}/dispute", json={"reason": "amount"})).status_code == 200
        auth, _ = await shop.server.register(f"office-{secrets.token_hex(4)}", "staff", "staff:orders")
        async with httpx2.AsyncClient(base_url=shop.server.base_url, auth=auth, timeout=60) as desk:
            queue = (await desk.get("/v1/staff/orders", params={"limit": 100})).json()["items"]
            assert order in [one["order_id"] for one in queue]
            seen = await desk.get(f"/v1/staff/orders/{order}", params={"clerk": "K001", "purpose": "review"})
            assert seen.json()["disputed_for"] == "amount"
            body = {"clerk": "K001", "purpose": "review", "decision": "uphold", "answer": "确实多收了。"}
            done = await desk.post(f"/v1/staff/orders/{order}/decision", json=body)
            assert (done.status_code, done.json()["status"]) == (200, "settled"), done.text
        assert "确实多收了。" in (await shop.me.get("/orders")).text
        acts = {one["action"] for one in (await shop.me.get("/v1/me/accesses")).json()["accesses"]}
        assert {"order.open", "order.start", "order.dispute", "order.read", "order.uphold"} <= acts
