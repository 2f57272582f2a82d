"""Each test citizen comes out as the list says, through the public API."""

from typing import Any

import pytest

from api.sandbox import points
from tests.api.sandbox.conftest import HOUSING, LIBRARY, RENTAL, Shop

CHECK = "/v1/partner/eligibility"
BY_CODE = (
    "granted", "open_dispute", "just_below", "below", "held", "not_enrolled", "withdrew", "consent_expired",
    "three_open_orders", "defaulted",
    "code_expired", "code_used", "code_not_for_you", "over_cap",
)  # fmt: skip
BY_SUBJECT = (
    "granted", "open_dispute", "just_below", "below", "held", "not_enrolled", "withdrew", "consent_expired",
    "three_open_orders", "defaulted",
    "share_ended", "over_cap",
)  # fmt: skip


async def _listed(shop: Shop, perk: str) -> dict[str, dict[str, Any]]:
    answer = await shop.http.get("/v1/sandbox/citizens", params={"perk": perk})
    assert answer.status_code == 200, answer.text
    return {one["citizen"]: one for one in answer.json()["citizens"]}


class TestCitizens:
    """`GET /v1/sandbox/citizens`."""

    async def test_there_is_one_for_every_outcome(self, shop: Shop) -> None:
        """The names below are the list, and each says why it comes out so."""
        for perk in (LIBRARY, RENTAL):
            listed = await _listed(shop, perk)
            assert {one for one, told in listed.items() if "code" in told["holder"]} >= set(BY_CODE)
            assert {one for one, told in listed.items() if "subject" in told["holder"]} >= set(BY_SUBJECT)
            assert all(one["why"].isascii() and one["why"].endswith((".", ").")) for one in listed.values())

    async def test_what_no_citizen_brings_about_is_told_too(self, shop: Shop) -> None:
        """A perk of others, and, where the perk has one, the budget of each partner."""
        answer = await shop.http.get("/v1/sandbox/citizens", params={"perk": HOUSING})
        assert {one["reason"] for one in answer.json()["arranged"]} == {"perk_unknown", "budget_spent"}
        subject = (await shop.subject("granted"))["subject"]
        asked = await shop.http.post(CHECK, json={"perk": "no.such-perk", "holder": {"subject": subject}})
        assert asked.json()["reason"] == "perk_unknown"

    async def test_a_perk_of_others_is_refused(self, shop: Shop) -> None:
        """422, since the list is of the caller's perks."""
        answer = await shop.http.get("/v1/sandbox/citizens", params={"perk": "transit.monthly"})
        assert (answer.status_code, answer.json()["code"]) == (422, "perk_unknown")


class TestCodes:
    """`POST /v1/sandbox/codes`, then a check."""

    @pytest.mark.parametrize("perk", [LIBRARY, RENTAL])
    @pytest.mark.parametrize("citizen", BY_CODE)
    async def test_a_code_comes_out_as_promised(self, shop: Shop, perk: str, citizen: str) -> None:
        """The result and the reason are those that were told with the code."""
        drawn = await shop.draw(citizen, perk)
        will: Any = drawn["will"]
        assert will == (await _listed(shop, perk))[citizen]
        answer = await shop.http.post(CHECK, json={"perk": perk, "holder": {"code": drawn["code"]}, **will["send"]})
        got = answer.json()
        assert (answer.status_code, got["result"], got.get("reason")) == (200, will["check"], will["reason"])

    async def test_who_is_not_there_is_refused(self, shop: Shop) -> None:
        """422 with the names that there are; somebody whose share ended has no code to show."""
        for citizen in ("nobody", "share_ended"):
            answer = await shop.http.post("/v1/sandbox/codes", json={"perk": LIBRARY, "citizen": citizen})
            assert (answer.status_code, answer.json()["code"]) == (422, "unknown_citizen")
            assert "just_below" in answer.json()["detail"]


class TestSubjects:
    """`POST /v1/sandbox/subjects`, then a check."""

    @pytest.mark.parametrize("citizen", BY_SUBJECT)
    async def test_a_subject_comes_out_as_promised(self, shop: Shop, citizen: str) -> None:
        """As often as one asks; personal causes look alike."""
        shared = await shop.subject(citizen, RENTAL)
        will: Any = shared["will"]
        for _ in range(2):
            body = {"perk": RENTAL, "holder": {"subject": shared["subject"]}, **will["send"]}
            got = (await shop.http.post(CHECK, json=body)).json()
            assert (got["result"], got.get("reason")) == (will["check"], will["reason"])


class TestPoints:
    """The records that make so many points."""

    def test_every_threshold_of_a_perk_has_its_citizens(self) -> None:
        """From 110 to 155 points, to the tenth."""
        assert [tenths for tenths in range(1100, 1550) if points.mix(tenths) is None] == []
        assert points.mix(900) is None
        assert points.mix(2000) is None
