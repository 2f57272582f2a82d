"""`/v1/rules/incentives` and what the office owes: made by the jobs, public, signed, small cells hidden."""

from datetime import timedelta

import httpx2

from api.public import measures
from core import clock
from scoring.reports import quarter as quarters
from tests.api.conftest import Server
from tests.api.worker.test_lapses import days_later


class TestReport:
    """A quarter."""

    async def test_it_is_owed_until_it_is_there(self, lone_server: Server) -> None:
        """Owed from the end of the quarter; made by the jobs, once; then public, signed, and no longer owed."""
        auth, _ = await lone_server.register("auditor", "staff", "staff:audits")
        running = quarters.over(clock.today()).next
        name, wait = running.name, (running.next.first - clock.today()).days
        async with (
            httpx2.AsyncClient(base_url=lone_server.base_url, auth=auth, timeout=60) as office,
            httpx2.AsyncClient(base_url=lone_server.base_url, timeout=60) as anyone,
            days_later(lone_server, wait),
        ):
            (owed,) = (await office.get("/v1/staff/obligations")).json()["obligations"]
            assert (owed["quarter"], owed["done"], owed["late"]) == (name, False, False)
            assert (await anyone.get(f"/v1/rules/incentives/{name}")).status_code == 404
            await measures.keep(lone_server.house)
            await measures.keep(lone_server.house)
            found = await anyone.get(f"/v1/rules/incentives/{name}")
            assert found.status_code == 200, found.text
            assert "x-jws-signature" in found.headers
            assert (found.json()["quarter"], found.json()["in_time"]) == (name, True)
            assert found.json()["due_on"] == owed["due_on"]
            assert (await anyone.get("/v1/rules/incentives")).json() == {"quarters": [name]}
            (owed,) = (await office.get("/v1/staff/obligations")).json()["obligations"]
            assert owed["done"] is True
        async with (
            httpx2.AsyncClient(base_url=lone_server.base_url, auth=auth, timeout=60) as office,
            days_later(lone_server, wait + 100 + timedelta(days=40).days),
        ):
            (owed,) = (await office.get("/v1/staff/obligations")).json()["obligations"]
            assert owed["late"] is True
