"""`POST /v1/partner/eligibility/batch`: what a merchant sends and gets, and what its limits are."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api.partner import limits
from core.keys import Keyring
from tests.api.shopworld import Shop, open_shop
from tests.api.test_partner_eligibility import opened_receipt
from tests.gateworld import LIBRARY, THRESHOLD
from tests.incentives.test_eligibility import sizes

PATH = "/v1/partner/eligibility/batch"


@pytest_asyncio.fixture
async def shop(stocked: str, ring: Keyring) -> AsyncIterator[Shop]:
    """A merchant with the shipped perks in force."""
    async with open_shop(stocked, ring) as opened:
        yield opened


async def ask(shop: Shop, checks: list[dict[str, Any]], caller: str = "p_library", **headers: str) -> httpx2.Response:
    """One list."""
    return await shop.callers[caller].request("POST", PATH, json={"checks": checks}, headers=headers)


def check(code: str, **more: Any) -> dict[str, Any]:
    """One member."""
    return {"perk": LIBRARY, "holder": {"code": code}, **more}


class TestAnswer:
    """The answers and their receipt."""

    async def test_members_are_as_alone_and_one_receipt_is_over_all(self, shop: Shop, ring: Keyring) -> None:
        """In order, with the members of a single answer; the receipt holds them all and verifies elsewhere."""
        codes = [await shop.city.code(await shop.city.citizen(points)) for points in (THRESHOLD, THRESHOLD - 1)]
        checks = [check(codes[0], amount=45_000), check(codes[1], amount=5), check("CC1:NEVER"), check(codes[0])]
        answer = await ask(shop, checks)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        results = body["results"]
        assert [(one["result"], one.get("reason"), one.get("payable_deposit")) for one in results] == [
            ("granted", None, 15_000), ("standard_route", None, 5), ("standard_route", "code_expired", None),
            ("standard_route", "code_used", None),
        ]  # fmt: skip
        alone = (await shop.ask(holder={"code": codes[0]}, amount=45_000)).json()
        assert results[0].keys() == alone.keys() - {"receipt", "reason"}
        assert results[0]["terms"] == alone["terms"]
        header, claims = opened_receipt(ring, body["receipt"])
        assert header["typ"] == "decision-receipt+jwt"
        assert claims["results"] == results
        assert (claims["aud"], claims["iss"]) == ("p_library", "http://127.0.0.1:8000")

    async def test_a_repeat_has_the_same_bytes(self, shop: Shop) -> None:
        """With its key: every member, and the receipt, as the first time."""
        checks = [check(await shop.city.code(await shop.city.citizen())), check("CC1:NEVER")]
        keyed = {"Idempotency-Key": "k1"}
        first, again = await ask(shop, checks, **keyed), await ask(shop, checks, **keyed)
        assert first.content == again.content
        assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
        other = await ask(shop, checks[:1], **keyed)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")

    async def test_what_does_not_fit_is_named_and_nothing_decided(self, shop: Shop) -> None:
        """None, too many, unknown members, two holders: 422 with the pointer of the member."""
        code = await shop.city.code(await shop.city.citizen())
        two = {"perk": LIBRARY, "holder": {"code": code, "subject": "x"}}
        for checks, pointer in (
            ([], "/checks"), ([check(code)] * 101, "/checks"), ([check(code), two], "/checks/1/holder"),
            ([check(code), check(code, points=5)], "/checks/1/points"),
        ):  # fmt: skip
            refused = await ask(shop, checks)
            assert refused.status_code == 422, refused.text
            assert [one["pointer"] for one in refused.json()["errors"]] == [pointer]
        assert await sizes(shop.city) == [0, 0, 0]

    async def test_a_hundred(self, shop: Shop) -> None:
        """The largest list is answered, with a body of CC1 codes far below the limit of bodies."""
        checks = [check(f"CC1:{number:0134}") for number in range(100)]
        answer = await ask(shop, checks)
        assert (answer.status_code, len(answer.json()["results"])) == (200, 100)


class TestProbing:
    """Asking again and again gains nothing, in lists as alone."""

    async def test_one_value(self, shop: Shop) -> None:
        """Known or not, a value is counted in every list and alone; the thirty-first question is 429."""
        known = await shop.city.share(await shop.city.citizen())
        for value in (known, "su_nobody"):
            asked = {"perk": LIBRARY, "holder": {"subject": value}}
            answer = await ask(shop, [asked] * 20)
            assert answer.headers["RateLimit"] == '"value";r=10;t=60'
            assert (await shop.ask(holder={"subject": value})).headers["RateLimit"] == '"value";r=9;t=60'
            decided = await sizes(shop.city)
            refused = await ask(shop, [check("CC1:OTHER"), *[asked] * 10])
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
            assert await sizes(shop.city) == decided
            assert (await ask(shop, [asked], "p_other")).status_code == 200

    async def test_one_terminal(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        """A counter that asks about many different people is stopped; the partner's others go on."""
        monkeypatch.setattr(limits, "PER_TERMINAL", 5)
        checks = [check(f"CC1:{number}", terminal="desk 1") for number in range(4)]
        assert (await ask(shop, checks)).headers["RateLimit"] == '"terminal";r=1;t=60'
        assert (await shop.ask(holder={"code": "CC1:5"}, terminal="desk 1")).status_code == 200
        assert (await shop.ask(holder={"code": "CC1:6"}, terminal="desk 1")).status_code == 429
        assert (await shop.ask(holder={"code": "CC1:6"}, terminal="desk 2")).status_code == 200
        assert (await shop.ask(holder={"code": "CC1:7"})).status_code == 200

    async def test_one_partner(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        """Made-up values count like real ones; a list counts as many as it has; another partner goes on."""
        monkeypatch.setattr(limits, "PER_PARTNER", 60)
        for start in (0, 40):
            answer = await ask(shop, [check(f"CC1:{number}") for number in range(start, start + 40)])
        assert (answer.status_code, answer.headers["RateLimit"]) == (429, '"partner";r=0;t=60')
        assert (await shop.ask(holder={"code": "CC1:Z"})).status_code == 429
        assert (await shop.ask("p_other", holder={"code": "CC1:Z"})).status_code == 200


class TestGrantedToken:
    """A token that stands for one consent."""

    async def test_scope(self, shop: Shop) -> None:
        """Without `eligibility:check` a list is refused like a check."""
        refused = await ask(shop, [check("CC1:NEVER")], "p_orders")
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
