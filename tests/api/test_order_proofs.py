"""The proof of an order is spent, and its holder counted, in the statement that opens it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from core.keys import Keyring
from tests.api.shopworld import BASE, Shop, open_shop
from tests.gateworld import LIBRARY

ORDERS = "/v1/partner/orders"
_BOOKS = (
    "incentives.perk_order", "incentives.decision", "core.audit_entry",
    "core.short_count where key like 'check|%|%'",
)  # fmt: skip


@pytest_asyncio.fixture
async def shop(stocked: str, ring: Keyring) -> AsyncIterator[Shop]:
    """A merchant with the shipped perks in force."""
    async with open_shop(stocked, ring) as opened:
        yield opened


def asked(**more: Any) -> dict[str, Any]:
    """An order with a number of its own."""
    return {"out_order_no": secrets.token_hex(8), "perk": LIBRARY, "deposit": 100, **more}


async def proof(shop: Shop) -> str:
    """A proof for one order."""
    caller = shop.callers["p_library"]
    token = await caller.token()
    return caller.signer.proof("POST", BASE + ORDERS, access_token=token, nonce=await caller.nonce())


async def sent(shop: Shop, body: dict[str, Any], by: str) -> httpx2.Response:
    """An order with this proof."""
    caller = shop.callers["p_library"]
    headers = {"Authorization": f"DPoP {await caller.token()}", "DPoP": by, "Idempotency-Key": secrets.token_hex(8)}
    return await caller.http.post(ORDERS, json=body, headers=headers)


async def books(shop: Shop) -> list[int]:
    """How many orders, decisions, entries and counted values there are."""
    return [(await shop.city.rows(f"select count(*) from {table}"))[0]["count"] for table in _BOOKS]


async def subject(shop: Shop) -> dict[str, str]:
    """A holder who has the points and allowed the library to ask."""
    return {"subject": await shop.city.share(await shop.city.citizen())}


class TestProof:
    """One proof, one order."""

    async def test_of_racing_copies_one_opens(self, shop: Shop) -> None:
        """Sixteen orders with one proof: one is opened, fifteen are refused and leave nothing."""
        holder, by, before = await subject(shop), await proof(shop), await books(shop)
        answers = await asyncio.gather(*(sent(shop, asked(holder=holder), by) for _ in range(16)))
        assert sorted(one.status_code for one in answers) == [201] + [401] * 15
        assert {one.json()["code"] for one in answers if one.status_code == 401} == {"invalid_dpop_proof"}
        assert [now - then for now, then in zip(await books(shop), before, strict=True)] == [1, 1, 2, 1]

    async def test_of_a_decision(self, shop: Shop) -> None:
        """An order by a decision names nobody anew and counts nobody; its proof is spent all the same."""
        decision = (await shop.ask(holder=await subject(shop))).json()["decision_id"]
        by, before = await proof(shop), (await books(shop))[3]
        opened = await sent(shop, asked(decision_id=decision), by)
        assert (opened.status_code, opened.json()["status"]) == (201, "open"), opened.text
        assert "ratelimit" not in opened.headers
        again = await sent(shop, asked(decision_id=decision), by)
        assert (again.status_code, again.json()["code"]) == (401, "invalid_dpop_proof")
        assert (await books(shop))[3] == before

    @pytest.mark.parametrize("wrong", [{"deposit": -1}, {"holder": {}}, {"visit_on": "2020-01-01"}])
    async def test_what_is_refused_spends_it_too(self, shop: Shop, wrong: dict[str, Any]) -> None:
        """A proof that came with a body that we refuse is no good for another."""
        holder, by = await subject(shop), await proof(shop)
        assert (await sent(shop, {**asked(holder=holder), **wrong}, by)).status_code == 422
        assert (await sent(shop, asked(holder=holder), by)).status_code == 401

    async def test_a_store_elsewhere(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the store is no table of ours, proof and count are spent there first; the answers are the same."""
        monkeypatch.setattr(type(shop.house.short), "in_database", False)
        holder, by = await subject(shop), await proof(shop)
        first, again = await sent(shop, asked(holder=holder), by), await sent(shop, asked(holder=holder), by)
        assert (first.status_code, first.json()["status"], again.status_code) == (201, "open", 401)
        assert first.headers["ratelimit"] == '"value";r=29;t=60'

    async def test_undone_is_unspent(self, shop: Shop) -> None:
        """What fails inside the statement leaves no order, no entry and no count; the answer spends the proof."""
        table, holder = "alter table incentives.order_step", await subject(shop)
        await shop.city.do(f"{table} add constraint broken check (event <> 'open') not valid")
        by, before = await proof(shop), await books(shop)
        assert (await sent(shop, asked(holder=holder), by)).status_code == 500
        assert await books(shop) == before
        await shop.city.do(f"{table} drop constraint broken")
        assert (await sent(shop, asked(holder=holder), by)).status_code == 401
        assert (await sent(shop, asked(holder=holder), await proof(shop))).json()["status"] == "open"


class TestLimits:
    """Orders count as checks do."""

    async def test_of_one_holder(self, shop: Shop) -> None:
        """The thirty-first about one holder in a minute is refused, and opens nothing; whoever it is."""
        unknown = {"subject": "su_00000000000000000000000000"}
        answers = [await sent(shop, asked(holder=unknown), await proof(shop)) for _ in range(30)]
        assert {(one.status_code, one.json()["status"]) for one in answers} == {(201, "standard_route")}
        assert [answers[0].headers["ratelimit"], answers[-1].headers["ratelimit"]] == [
            '"value";r=29;t=60', '"value";r=0;t=60',
        ]  # fmt: skip
        before = await books(shop)
        refused = await sent(shop, asked(holder=unknown), await proof(shop))
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert await books(shop) == before
