"""The demo city's people as the seeding brings them in."""

from datetime import date

import httpx2
import pytest

from api.tool import seed
from api.tool.demo_city import COUNTER, people
from core import clock
from core.months import shift
from scoring.book import repairfile
from tests.api.conftest import (
    Server,
    server,  # noqa: F401  (the fixture; tests here ask for it by name)
)
from tests.rulebook import text


class TestCardOnly:
    """Who has a card and no telephone."""

    async def test_they_join_at_a_counter(self, server: Server) -> None:  # noqa: F811  (the fixture of this name)
        """No login is made; the consent lives, and the counter's session is over."""
        _, entry = await server.register(COUNTER, "staff", "staff:counter")
        _, cards = await server.register("city-card", "citycard", "citycard", perks=["transit.discount"])
        kit = {
            "base_url": server.base_url,
            "issuer": server.base_url,
            "clients": {COUNTER: entry, "city-card": cards},
        }
        await seed._cards(kit)
        (person,) = [one for one in people(clock.today()) if one.note == "card_only"]
        assert person.login is None
        await seed._joins(person)(kit)
        async with seed._me(kit, person) as me:
            assert (await me.get("/v1/me")).json()["enrolled"] is True
            assert (await me.get("/v1/me/score")).json()["points"] == 110.0
            (card,) = (await me.get("/v1/me/cards")).json()["cards"]
            assert [one["name"] for one in card["known_to"]] == ["名称 city-card"]
        async with httpx2.AsyncClient(base_url=server.base_url, auth=me.auth) as gone:
            assert (await gone.get("/v1/me")).status_code == 401


class TestRights:
    """Who has something to walk through."""

    @pytest.mark.parametrize("today", [date(2026, 11, 22), date(2026, 3, 1), date(2027, 5, 31)])
    def test_the_penalty_can_be_repaired(self, today: date) -> None:
        """Its minimum display time is over on whatever day the city is made, and no two lines share a ref."""
        (person,) = [one for one in people(today) if one.note == "repairable"]
        (penalty,) = person.records["enforcement"]
        least = repairfile.load(text("repair.toml"), "repair.toml").kinds["N01"].minimum_months
        assert shift(date.fromisoformat(penalty["document"]["effective_on"]), least) < today
        refs = [(source, one["ref"]) for each in people(today) for source, held in each.records.items() for one in held]
        assert len(set(refs)) == len(refs)
