"""Orders of test citizens: each opens as the list says, its citizen can speak, and the clock moves it."""

import secrets
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from core import clock
from tests.api.sandbox.conftest import HOUSING, LIBRARY, RENTAL, Shop

ORDERS = "/v1/partner/orders"
CITIZENS = (
    "granted", "open_dispute", "just_below", "below", "held", "not_enrolled", "withdrew", "consent_expired",
    "code_expired", "code_used", "code_not_for_you", "over_cap", "three_open_orders", "defaulted",
)  # fmt: skip


async def post(shop: Shop, path: str, body: dict[str, Any] | None = None, key: str = "") -> httpx2.Response:
    """One request with a key of its own."""
    return await shop.http.post(path, json=body, headers={"Idempotency-Key": key or secrets.token_hex(8)})


async def opened(shop: Shop, citizen: str = "granted", perk: str = LIBRARY, deposit: int = 20000) -> dict[str, Any]:
    """An order of a test citizen."""
    drawn = await shop.draw(citizen, perk)
    body = {
        "out_order_no": secrets.token_hex(8), "perk": perk, "holder": {"code": drawn["code"]},
        "deposit": drawn["will"]["send"].get("amount", deposit),
    }  # fmt: skip
    answer = await post(shop, ORDERS, body)
    assert answer.status_code == 201, answer.text
    return {**answer.json(), "will": drawn["will"]}


async def found(shop: Shop, order: dict[str, Any]) -> dict[str, Any]:
    """The order as it stands."""
    answer = await shop.http.get(ORDERS, params={"out_order_no": order["out_order_no"]})
    return answer.json()["orders"][0]


async def charged(shop: Shop) -> dict[str, Any]:
    """An order that somebody has to pay."""
    order = await opened(shop)
    at = f"{ORDERS}/{order['order_id']}"
    for action, body in (("start", None), ("return", {}), ("settle", {"items": [{"name": "late", "amount": 300}]})):
        answer = await post(shop, f"{at}/{action}", body)
        assert answer.status_code == 200, answer.text
    return answer.json()


class TestOpening:
    """`POST /v1/partner/orders` with a test citizen."""

    @pytest.mark.parametrize("citizen", CITIZENS)
    async def test_an_order_opens_as_promised(self, shop: Shop, citizen: str) -> None:
        """The status and the reason are those that were told with the code; personal causes look alike."""
        order = await opened(shop, citizen, RENTAL)
        assert order["status"] == order["will"]["order"], order
        assert order.get("reason") == order["will"]["reason"]

    async def test_by_subject_too(self, shop: Shop) -> None:
        """Somebody who lets you ask, with three orders running or with one unpaid."""
        for citizen in ("granted", "three_open_orders", "defaulted"):
            shared: Any = await shop.subject(citizen, RENTAL)
            body = {"out_order_no": secrets.token_hex(8), "perk": RENTAL, "holder": {"subject": shared["subject"]}}
            answer = await post(shop, ORDERS, {**body, "deposit": 100})
            assert answer.json()["status"] == shared["will"]["order"], answer.text

    async def test_lost_after_commit_is_one_order(self, shop: Shop) -> None:
        """The repeat with the same key gets the first answer, and there is one order."""
        drawn = await shop.draw("granted")
        body = {
            "out_order_no": secrets.token_hex(8), "perk": LIBRARY, "holder": {"code": drawn["code"]}, "deposit": 20000,
        }  # fmt: skip
        await shop.http.post("/v1/sandbox/faults", json={"fault": "lost_after_commit"})
        assert (await post(shop, ORDERS, body, key="lost-order")).status_code == 502
        again = await post(shop, ORDERS, body, key="lost-order")
        assert (again.status_code, again.json()["status"]) == (201, "open")
        assert again.headers["idempotent-replayed"] == "true"


class TestCitizen:
    """`POST /v1/sandbox/orders/{id}/citizen/…`."""

    async def test_a_reported_fault_stops_the_clock(self, shop: Shop) -> None:
        """The partner sees `clock_stopped` at its own door."""
        order = await opened(shop)
        at = f"/v1/sandbox/orders/{order['order_id']}/citizen"
        early = await shop.http.post(f"{at}/report-fault")
        assert (early.status_code, early.json()["code"]) == (409, "illegal_transition")
        await post(shop, f"{ORDERS}/{order['order_id']}/start")
        stopped = await shop.http.post(f"{at}/report-fault")
        assert (stopped.status_code, stopped.json()["status"]) == (200, "clock_stopped"), stopped.text
        assert (await found(shop, order))["status"] == "clock_stopped"

    async def test_a_dispute_waits_for_the_office(self, shop: Shop) -> None:
        """The partner sees `disputed`; another partner's order is absent."""
        order = await charged(shop)
        at = f"/v1/sandbox/orders/{order['order_id']}/citizen/dispute"
        disputed = await shop.http.post(at, json={"reason": "amount"})
        assert (disputed.status_code, disputed.json()["status"]) == (200, "disputed"), disputed.text
        auth, _ = await shop.server.register("nosy", "partner", "eligibility:check", perks=[LIBRARY])
        async with httpx2.AsyncClient(base_url=shop.server.base_url, auth=auth) as nosy:
            assert (await nosy.post(at, json={"reason": "amount"})).status_code == 404


class TestBudgets:
    """`POST /v1/sandbox/budgets`."""

    async def test_a_perk_without_one_says_so(self, shop: Shop) -> None:
        """409, since nothing of it can be spent."""
        answer = await shop.http.post("/v1/sandbox/budgets", json={"perk": "no.such", "spent": True})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_partner_budget")

    async def test_a_spent_budget_is_told_and_comes_back(self, shop: Shop) -> None:
        """`budget_spent` for checks and orders of this perk until it is given back; orders meanwhile stay exact."""
        running = await opened(shop, "granted", HOUSING)
        budget = {"perk": HOUSING, "spent": True}
        for _ in range(2):
            assert (await shop.http.post("/v1/sandbox/budgets", json=budget)).status_code == 200
        assert (await opened(shop, "granted", HOUSING))["reason"] == "budget_spent"
        assert (await shop.http.post("/v1/sandbox/budgets", json={**budget, "spent": False})).status_code == 200
        assert (await opened(shop, "granted", HOUSING))["status"] == "open"
        assert (await post(shop, f"{ORDERS}/{running['order_id']}/cancel")).json()["status"] == "cancelled"


class TestClock:
    """The civil clock moves orders."""

    async def test_an_order_that_nobody_starts_expires(self, shop: Shop) -> None:
        """With the move itself: the partner sees `expired` in its next request, and its token lives."""
        order = await opened(shop)
        try:
            assert (await shop.http.post("/v1/sandbox/clock", json={"advance": "P2D"})).status_code == 200
            assert (await found(shop, order))["status"] == "expired"
            assert (await opened(shop))["status"] == "open"
        finally:
            await shop.behind("delete from core.civil_offset")
            clock.move(timedelta(0))
