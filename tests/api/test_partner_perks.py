"""`GET /v1/partner/perks`: the terms of zones and programmes, as they are for the caller."""

from datetime import date
from typing import Any

import httpx2
import pytest

from api.partner.perks import places_of
from core import clock
from core.settings import ROOT
from incentives import rulebook
from incentives.book.perks import Perk
from tests.api.conftest import Server

TICKET = "tourism.ticket"
FILE = (ROOT / "policy" / "perks" / "tourism.toml").read_text(encoding="utf-8")
ELSEWHERE = """
[[perk.programme]]
id = "autumn"
name = "秋季惠民游"
partners = ["pagoda"]
from = 2027-09-01
until = 2027-09-30
percent = 25

[[perk]]
id = "tourism.annual-pass"
"""


@pytest.fixture(scope="module")
def ticket() -> Perk:
    """The shipped ticket, with a programme of one partner's beside the spring's."""
    body = FILE.replace('\n[[perk]]\nid = "tourism.annual-pass"\n', ELSEWHERE, 1)
    return next(one for one in rulebook.read(body, "tourism") if one.id == TICKET)


class TestPlaces:
    """What holds elsewhere."""

    @pytest.mark.parametrize(
        ("partner", "day", "shown"),
        [
            ("garden", date(2026, 12, 1), ["spring"]),
            ("garden", date(2027, 4, 15), ["spring"]),
            ("garden", date(2027, 4, 16), []),
            ("pagoda", date(2027, 4, 16), ["autumn"]),
            ("pagoda", date(2026, 12, 1), ["spring", "autumn"]),
        ],
    )
    def test_whose_and_when(self, ticket: Perk, partner: str, day: date, shown: list[str]) -> None:
        """The caller's places with terms of their own, until their last day; a zone that only counts has none."""
        assert [one.place for one in places_of(ticket, partner, day)] == shown

    def test_their_own_numbers_over_the_perks(self, ticket: Perk) -> None:
        """Thirty percent up to 40.00 in spring, where twenty up to 30.00 is usual; the rest is the perk's."""
        (spring,) = places_of(ticket, "garden", date(2027, 3, 1))
        assert (spring.sort, spring.terminals) == ("programme", ("garden-1", "garden-2"))
        assert (spring.from_on, spring.until_on) == (date(2027, 3, 1), date(2027, 4, 15))
        usual = rulebook.terms(ticket)
        assert (usual.percent, usual.cap, usual.place) == (20, 3000, None)
        assert (spring.terms.percent, spring.terms.cap, spring.terms.place) == (30, 4000, "春季惠民游")
        assert spring.terms.standard_route == usual.standard_route


class TestSee:
    """The call."""

    async def test_each_perk_has_its_places(self, server: Server) -> None:
        """As the rule book in force says them for this partner today."""
        auth, _ = await server.register(
            "gardens", "partner", "eligibility:check", perks=[TICKET, "library.deposit-free"]
        )
        async with httpx2.AsyncClient(base_url=server.base_url, auth=auth) as http:
            found: dict[str, Any] = {one["perk"]: one for one in (await http.get("/v1/partner/perks")).json()["perks"]}
            listed = (await http.get("/v1/rules/perks")).json()
        assert found["library.deposit-free"]["places"] == []
        rules = next(one for one in listed["perks"] if one["id"] == TICKET)
        today = clock.today()
        apart = [one for one in rules["places"] if one["percent"]]
        wanted = [one["id"] for one in apart if date.fromisoformat(one["until_on"]) >= today]
        assert [one["place"] for one in found[TICKET]["places"]] == wanted
