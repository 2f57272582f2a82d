"""The demo city's people as the seeding brings them in."""

import httpx2

from api.tool import seed
from api.tool.demo_city import COUNTER, people
from core import clock
from tests.api.conftest import (
    Server,
    server,  # noqa: F401  (the fixture; tests here ask for it by name)
)


class TestCardOnly:
    """Who has a card and no telephone."""

    async def test_they_join_at_a_counter(self, server: Server) -> None:  # noqa: F811  (the fixture of this name)
        """No login is made; the consent lives, and the counter's session is over."""
        _, entry = await server.register(COUNTER, "staff", "staff:counter")
        kit = {"base_url": server.base_url, "issuer": server.base_url, "clients": {COUNTER: entry}}
        (person,) = [one for one in people(clock.today()) if one.note == "card_only"]
        assert person.login is None
        await seed._joins(person)(kit)
        async with seed._me(kit, person) as me:
            assert (await me.get("/v1/me")).json()["enrolled"] is True
            assert (await me.get("/v1/me/score")).json()["points"] == 110.0
        async with httpx2.AsyncClient(base_url=server.base_url, auth=me.auth) as gone:
            assert (await gone.get("/v1/me")).status_code == 401
