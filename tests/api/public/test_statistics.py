"""`/v1/rules/statistics` and `/v1/staff/statistics`: made by the jobs, public, signed, the same for the office."""

import asyncpg
import httpx2

from api.public import statistics
from core import clock
from scoring.reports import quarter
from tests.api.conftest import Server


async def _begun_long_ago(server: Server) -> None:
    """Something was done a year ago."""
    owner = await asyncpg.connect(server.owner_url)
    await owner.execute(
        "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, detail) values "
        "(uuidv7(interval '-1 year'), now() - interval '1 year', 'system', 'x', 'x', 'x', 'done', '{}')"
    )
    await owner.close()


class TestStatistics:
    """The last quarter that is over."""

    async def test_they_are_there_after_the_jobs_round_and_signed(self, lone_server: Server) -> None:
        """404 before it; then the document with its digest and signature, a list with its name, 304 for who has it."""
        name = quarter.over(clock.today()).name
        path = f"/v1/rules/statistics/{name}"
        async with httpx2.AsyncClient(base_url=lone_server.base_url) as anyone:
            await statistics.keep(lone_server.house)
            assert (await anyone.get(path)).status_code == 404, "the city began after that quarter"
            await _begun_long_ago(lone_server)
            await statistics.keep(lone_server.house)
            found = await anyone.get(path)
            assert found.status_code == 200, found.text
            assert found.headers["x-jws-signature"].count(".") == 2
            again = await anyone.get(path, headers={"If-None-Match": found.headers["etag"]})
            assert again.status_code == 304
            assert (await anyone.get("/v1/rules/statistics")).json() == {"quarters": [name]}
            assert (await anyone.get("/v1/rules/statistics/2026-Q9")).status_code == 404
        auth, _ = await lone_server.register("auditors", "staff", "staff:audits")
        async with httpx2.AsyncClient(base_url=lone_server.base_url, auth=auth) as office:
            assert (await office.get(f"/v1/staff/statistics/{name}")).json() == found.json()
