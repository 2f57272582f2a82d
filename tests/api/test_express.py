"""The express door: whatever comes, the same answer as by the framework's way."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio

from core.keys import Keyring
from tests.api.shopworld import Shop, open_shop
from tests.gateworld import LIBRARY, RENTAL, THRESHOLD

PATH, ORDERS = "/v1/partner/eligibility", "/v1/partner/orders"
HOLDER = {"subject": "su_00000000000000000000000000"}
BODIES: dict[str, bytes] = {
    "plain": msgspec.json.encode({"perk": LIBRARY, "holder": HOLDER, "amount": 100}),
    "another's perk": msgspec.json.encode({"perk": RENTAL, "holder": HOLDER}),
    "no holder": msgspec.json.encode({"perk": LIBRARY, "holder": {}}),
    "two holders": msgspec.json.encode({"perk": LIBRARY, "holder": {**HOLDER, "code": "CC1:X"}}),
    "unknown member": msgspec.json.encode({"perk": LIBRARY, "holder": HOLDER, "income": 1}),
    "negative amount": msgspec.json.encode({"perk": LIBRARY, "holder": HOLDER, "amount": -1}),
    "no JSON": b"{",
    "no text": b'{"perk": "\xff"}',
    "nested": b"[" * 2000,
    "empty": b"",
    "long": b" " * 5000 + b"{}",
    "U+0000": msgspec.json.encode({"perk": "\0", "holder": HOLDER}),
}
_OPEN = {"out_order_no": "k-1", "perk": LIBRARY, "holder": HOLDER, "deposit": 100}
OPENINGS: dict[str, bytes] = {
    "plain": msgspec.json.encode(_OPEN),
    "by a decision": msgspec.json.encode({"out_order_no": "k-1", "perk": LIBRARY, "decision_id": "dc_nothing"}),
    "with an end and lines": msgspec.json.encode(
        {**_OPEN, "planned_end": "2020-01-01T00:00:00+08:00", "items": [{"name": "x", "amount": 1}], "terminal": "t"}
    ),
    "a ticket": msgspec.json.encode({**_OPEN, "visit_on": "2020-01-01", "items": [{"name": "x", "amount": 1}]}),
    "text for a number": msgspec.json.encode({**_OPEN, "deposit": "100"}),
    "a time without a zone": msgspec.json.encode({**_OPEN, "planned_end": "2020-01-01T00:00:00"}),
    "no number": msgspec.json.encode({"perk": LIBRARY, "holder": HOLDER}),
    "two holders": msgspec.json.encode({**_OPEN, "decision_id": "dc_nothing"}),
    "unknown member": msgspec.json.encode({**_OPEN, "income": 1}),
    "negative deposit": msgspec.json.encode({**_OPEN, "deposit": -1}),
    **{name: BODIES[name] for name in ("no JSON", "no text", "nested", "empty", "long")},
}
HEADERS: dict[str, list[tuple[str, str]]] = {
    "key": [("Idempotency-Key", "k-1")],
    "long key": [("Idempotency-Key", "x" * 300)],
    "two keys": [("Idempotency-Key", "k-1"), ("Idempotency-Key", "k-2")],
    "no key": [],
    "no proof": [("Idempotency-Key", "k-1"), ("DPoP", "")],
    "wrong host": [("Idempotency-Key", "k-1"), ("Host", "x y")],
}


_PASSING = rb'"(decision_id|valid_until|receipt|request_id|order_id|out_order_no|opened_at|next_at)":"[^"]*"'


@pytest_asyncio.fixture
async def shop(stocked: str, ring: Keyring) -> AsyncIterator[Shop]:
    """A merchant with the shipped perks in force."""
    async with open_shop(stocked, ring) as opened:
        yield opened


def told(answer: httpx2.Response) -> tuple[int, Any, list[str]]:
    """What an answer says but for ids, times, signatures and what is left of a quota."""
    text = re.sub(_PASSING, rb'"\1":""', answer.content)
    names = sorted({name for name in answer.headers if name != "dpop-nonce"})
    return answer.status_code, text, names


async def both(
    shop: Shop, body: bytes, more: list[tuple[str, str]], who: str = "p_library", path: str = PATH
) -> list[Any]:
    """The same request by either door: a `charset` is what the express door does not take. Numbers and keys differ."""
    answers: list[httpx2.Response] = []
    for kind in ("application/json", "application/json; charset=utf-8"):
        headers = httpx2.Headers([("Content-Type", kind), *((n, v.replace("k-", f"{kind[-4:]}-")) for n, v in more)])
        sent = body.replace(b'"k-1"', f'"{kind[-4:]}-1"'.encode())
        answers.append(await shop.callers[who].request("POST", path, content=sent, headers=headers))
    return [told(answer) for answer in answers]


class TestSame:
    """Two doors, one answer."""

    @pytest.mark.parametrize("body", BODIES)
    async def test_of_any_body(self, shop: Shop, body: str) -> None:
        """Status, words and names of headers are those of the framework's way."""
        express, framework = await both(shop, BODIES[body], [])
        assert express == framework

    @pytest.mark.parametrize("header", HEADERS)
    async def test_of_any_header(self, shop: Shop, header: str) -> None:
        """The same with headers that are odd, twice or missing."""
        express, framework = await both(shop, BODIES["plain"], HEADERS[header])
        assert express == framework

    @pytest.mark.parametrize("body", OPENINGS)
    async def test_of_any_order(self, shop: Shop, body: str) -> None:
        """Opening an order, whatever is sent."""
        express, framework = await both(shop, OPENINGS[body], [("Idempotency-Key", "k-1")], path=ORDERS)
        assert express == framework
        assert (express[0] == 201) == (body in {"plain", "text for a number"}), express

    @pytest.mark.parametrize("header", HEADERS)
    async def test_of_any_header_of_an_order(self, shop: Shop, header: str) -> None:
        """The same with headers that are odd, twice or missing."""
        express, framework = await both(shop, OPENINGS["plain"], HEADERS[header], path=ORDERS)
        assert express == framework

    async def test_of_anybody(self, shop: Shop) -> None:
        """A client without the scope is refused alike."""
        for body, who, path in ((BODIES, "p_orders", PATH), (OPENINGS, "p_other", ORDERS)):
            express, framework = await both(shop, body["plain"], [("Idempotency-Key", "k-1")], who, path)
            assert express == framework
            assert express[0] == 403

    async def test_of_a_grant(self, shop: Shop) -> None:
        """Both grant, and open an order on it."""
        for kind in ("application/json", "application/json; charset=utf-8"):
            code = await shop.city.code(await shop.city.citizen(THRESHOLD))
            body = msgspec.json.encode({"perk": LIBRARY, "holder": {"code": code}})
            answer = await shop.callers["p_library"].request("POST", PATH, content=body, headers={"Content-Type": kind})
            assert answer.json()["result"] == "granted"
            order = {"out_order_no": kind[-4:], "perk": LIBRARY, "decision_id": answer.json()["decision_id"]}
            headers = {"Content-Type": kind, "Idempotency-Key": kind[-4:]}
            body = msgspec.json.encode(order)
            opened = await shop.callers["p_library"].request("POST", ORDERS, content=body, headers=headers)
            assert opened.json()["status"] == "open"


class TestDoor:
    """What takes the express door."""

    async def test_a_plain_check_does_and_nothing_else(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        """The framework sees everything but the plain check and the plain order, which it never sees."""
        seen: list[str] = []
        express = vars(shop.http)["_transport"].app
        inner = express.app

        async def framework(scope: Any, receive: Any, send: Any) -> None:
            seen.append(f"{scope['method']} {scope['path']}")
            await inner(scope, receive, send)

        for name in ("before_send", "before_request", "state"):
            setattr(framework, name, getattr(inner, name))
        monkeypatch.setattr(express, "app", framework)
        await shop.ask(holder=HOLDER)
        seen.clear()
        assert (await shop.ask(holder=HOLDER)).status_code == 200
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k-1"}
        opened = await shop.callers["p_library"].request("POST", ORDERS, content=OPENINGS["plain"], headers=headers)
        assert (opened.status_code, seen) == (201, [])
        for path in ("/v1/partner/perks", ORDERS):
            await shop.callers["p_library"].request("GET", path)
        assert seen == ["GET /v1/partner/perks", f"GET {ORDERS}"]
