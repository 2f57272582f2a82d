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

PATH = "/v1/partner/eligibility"
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
HEADERS: dict[str, list[tuple[str, str]]] = {
    "key": [("Idempotency-Key", "k-1")],
    "long key": [("Idempotency-Key", "x" * 300)],
    "two keys": [("Idempotency-Key", "k-1"), ("Idempotency-Key", "k-2")],
    "no proof": [("DPoP", "")],
    "wrong host": [("Host", "x y")],
}


@pytest_asyncio.fixture
async def shop(database: str, ring: Keyring) -> AsyncIterator[Shop]:
    """A merchant with the shipped perks in force."""
    async with open_shop(database, ring) as opened:
        yield opened


def told(answer: httpx2.Response) -> tuple[int, Any, list[str]]:
    """What an answer says but for ids, times, signatures and what is left of a quota."""
    text = re.sub(rb'"(decision_id|valid_until|receipt|request_id)":"[^"]*"', rb'"\1":""', answer.content)
    names = sorted({name for name in answer.headers if name != "dpop-nonce"})
    return answer.status_code, text, names


async def both(shop: Shop, body: bytes, more: list[tuple[str, str]], who: str = "p_library") -> list[Any]:
    """The same request by either door: a `charset` is what the express door does not take."""
    answers: list[httpx2.Response] = []
    for kind in ("application/json", "application/json; charset=utf-8"):
        headers = httpx2.Headers([("Content-Type", kind), *((n, v.replace("k-", f"{kind[-4:]}-")) for n, v in more)])
        answers.append(await shop.callers[who].request("POST", PATH, content=body, headers=headers))
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

    async def test_of_anybody(self, shop: Shop) -> None:
        """A client without the scope is refused alike."""
        express, framework = await both(shop, BODIES["plain"], [], "p_orders")
        assert express == framework
        assert express[0] == 403

    async def test_of_a_grant(self, shop: Shop) -> None:
        """Both grant."""
        for kind in ("application/json", "application/json; charset=utf-8"):
            code = await shop.city.code(await shop.city.citizen(THRESHOLD))
            body = msgspec.json.encode({"perk": LIBRARY, "holder": {"code": code}})
            answer = await shop.callers["p_library"].request("POST", PATH, content=body, headers={"Content-Type": kind})
            assert answer.json()["result"] == "granted"


class TestDoor:
    """What takes the express door."""

    async def test_a_plain_check_does_and_nothing_else(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        """The framework sees everything but the plain check, which it never sees."""
        seen: list[str] = []
        express = shop.http._transport.app
        inner = express.app

        async def framework(scope: Any, receive: Any, send: Any) -> None:
            seen.append(f"{scope['method']} {scope['path']}")
            await inner(scope, receive, send)

        framework.before_send, framework.before_request = inner.before_send, inner.before_request
        framework.state = inner.state
        monkeypatch.setattr(express, "app", framework)
        await shop.ask(holder=HOLDER)
        seen.clear()
        assert (await shop.ask(holder=HOLDER)).status_code == 200
        assert seen == []
        await shop.callers["p_library"].request("GET", "/v1/partner/perks")
        assert seen == ["GET /v1/partner/perks"]
