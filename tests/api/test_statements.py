"""The daily statement: the one way in which a partner hears that a consent ended."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime, time, timedelta
from typing import Any

import httpx2

from core import clock
from core.clock import CITY_ZONE
from tests.api.conftest import Server
from tests.api.worker.test_lapses import days_later, moved_by

LIBRARY = "library.deposit-free"


async def share(me: httpx2.AsyncClient, partner: str) -> Mapping[str, Any]:
    """A standing consent with a partner."""
    notice = (await me.get("/v1/rules/notices/share/1")).json()
    given = await me.post(
        "/v1/me/consents",
        json={
            "purpose": f"share:{partner}/{LIBRARY}",
            "notice": {"version": 1, "digest": notice["digest"]},
            "expires_on": (clock.today() + timedelta(days=100)).isoformat(),
        },
    )
    assert given.status_code == 201, given.text
    return given.json()


class TestStatement:
    """`GET /v1/partner/statements/{date}`."""

    async def test_the_ends_of_a_finished_day_in_no_order_of_time(self, lone_server: Server) -> None:
        """Not before midnight; only this partner's; by random id; each citizen reads that the partner was told."""
        server, day = lone_server, clock.today()
        mine, _ = await server.register("reading-room", "partner", "eligibility:check", perks=[LIBRARY])
        theirs, _ = await server.register("other-room", "partner", "eligibility:check", perks=[LIBRARY])
        async with AsyncExitStack() as stack:
            people = [await stack.enter_async_context(server.logged_in(server.person())) for _ in range(6)]
            partner = await stack.enter_async_context(httpx2.AsyncClient(base_url=server.base_url, auth=mine))
            other = await stack.enter_async_context(httpx2.AsyncClient(base_url=server.base_url, auth=theirs))
            subjects = []
            for me in people:
                await server.join(me)
                given = await share(me, "reading-room")
                subjects.append(given["subject"])
            for me in people[:5]:
                held = (await me.get("/v1/me/consents")).json()["consents"]
                await me.delete(f"/v1/me/consents/{next(one['id'] for one in held if one['subject'])}")
            early = await partner.get(f"/v1/partner/statements/{day}")
            assert (early.status_code, early.json()["code"]) == (404, "statement_not_ready")
            async with days_later(server, 2):
                found = (await partner.get(f"/v1/partner/statements/{day}")).json()
                assert [one["subject"] for one in found["ended"]] == sorted(subjects[:5])
                assert {one["perk"] for one in found["ended"]} == {LIBRARY}
                assert set(found["ended"][0]) == {"subject", "perk"}
                pages = await _pages(partner, f"/v1/partner/statements/{day}")
                assert pages == found["ended"]
                assert (await other.get(f"/v1/partner/statements/{day}")).json()["ended"] == []
                assert (await partner.get(f"/v1/partner/statements/{day - timedelta(days=1)}")).json()["ended"] == []
                assert (await partner.get("/v1/partner/statements/today")).status_code == 404
                told = await people[0].get("/v1/me/accesses")
                entries = [one for one in told.json()["accesses"] if one["action"] == "statement.told"]
                assert [(one["by"], one["detail"]) for one in entries] == [("名称 reading-room", {"day": str(day)})]
                stays = (await people[5].get("/v1/me/accesses")).json()["accesses"]
                assert "statement.told" not in {one["action"] for one in stays}

    async def test_nothing_of_a_day_while_somebody_may_still_be_at_it(self, lone_server: Server) -> None:
        """What began at 23:59:59 may be committed after midnight: the day is told two minutes later, and then stays."""
        mine, _ = await lone_server.register("night-room", "partner", "eligibility:check", perks=[LIBRARY])
        day = clock.today() + timedelta(days=1)
        midnight = datetime.combine(day + timedelta(days=1), time(), CITY_ZONE) - clock.wall()
        async with httpx2.AsyncClient(base_url=lone_server.base_url, auth=mine) as partner:
            for after, status in (
                (timedelta(seconds=1), 404),
                (timedelta(minutes=1), 404),
                (timedelta(minutes=2), 200),
            ):
                async with moved_by(lone_server, midnight + after):
                    said = await partner.get(f"/v1/partner/statements/{day}")
                    assert said.status_code == status, said.text
                    assert status == 200 or said.json()["available_after"] == str(day)


async def _pages(partner: httpx2.AsyncClient, address: str) -> list[Mapping[str, str]]:
    """The statement again, two lines at a time."""
    found, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await partner.get(address, params=params)).json()
        found += page["ended"]
        if (cursor := page["next_cursor"]) is None:
            return found
