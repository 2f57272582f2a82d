"""SIGKILL in the middle of a push and of a check: all or nothing, and sending again is enough."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest_asyncio

from api import app
from api.tool import demo_city
from api.worker import jobs
from core import clock, embedded
from core.keys import Keyring
from tests.clones import clone
from tests.faults.deployment import LIBRARY, Deployment, bill
from tests.scoringworld import month

LINES = 20_000
NDJSON = {"Content-Type": "application/x-ndjson"}
RECORDS = "/v1/source/records"


@pytest_asyncio.fixture
async def city(
    cluster: embedded.Cluster, city_template: str, ring: Keyring, tmp_path: Path
) -> AsyncIterator[Deployment]:
    """A city in a process of its own, the shipped rule book in force."""
    async with clone(cluster, city_template) as url:
        made = Deployment(url, ring.file, log=tmp_path / "server.log")
        await made.start()
        yield made
        await made.close()


async def comes(city: Deployment, query: str, *values: Any) -> None:
    """Wait until the query finds something."""
    async with asyncio.timeout(60):
        while not await city.rows(query, *values):
            await asyncio.sleep(0.02)


@asynccontextmanager
async def held(city: Deployment, table: str) -> AsyncGenerator[None]:
    """Whoever wants to write this table waits until the end of the block."""
    connection = await asyncpg.connect(city.settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute(f"lock table {table} in share row exclusive mode")
            yield
    finally:
        await connection.close()


_WAITS = "select 1 from pg_locks where not granted and relation = $1::text::regclass"


def push_of(people: list[str]) -> bytes:
    """20,000 lines, of which every tenth is about one of these people."""
    strangers = [demo_city.id_number(date(1980, 1, 1), serial) for serial in range(10)]

    def about(number: int) -> str:
        return people[number // 10 % len(people)] if number % 10 == 0 else strangers[number % 10]

    lines = (bill(f"r{number}", about(number), month(1 + number % 3)) for number in range(LINES))
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


async def hung_up(city: Deployment, request: "asyncio.Task[httpx2.Response]") -> None:
    """Kill the server under a request that it has not answered."""
    assert not request.done(), request
    city.kill()
    request.cancel()
    with contextlib.suppress(httpx2.TransportError, asyncio.CancelledError):
        await request


async def half_of(body: bytes, sent: asyncio.Event) -> AsyncIterator[bytes]:
    """The first half of a body, and then nothing more, ever."""
    for start in range(0, len(body) // 2, 65536):
        yield body[start : start + 65536]
    sent.set()
    await asyncio.sleep(600)


class TestPush:
    """A push of 20,000 lines."""

    async def test_nothing_is_half_merged_and_resending_works(self, city: Deployment) -> None:
        """Killed while lines come in and while they are merged: no record, no point; the same body then goes in."""
        source = await city.client("utilities", "source", "records:write", kinds=["P01"])
        joined = [await city.citizen() for _ in range(3)]
        body = push_of([number for _, number in joined])
        await source.request("GET", "/v1/source/subjects")

        sent = asyncio.Event()
        first = asyncio.create_task(source.request("POST", RECORDS, content=half_of(body, sent), headers=NDJSON))
        await comes(city, "select 1 from scoring.staging having count(*) > 100")
        await self._killed(city, first)

        async with held(city, "scoring.record"):
            second = asyncio.create_task(source.request("POST", RECORDS, content=body, headers=NDJSON))
            await comes(city, _WAITS, "scoring.record")
            await self._killed(city, second)
        await self._swept(city)

        for me, _ in joined:
            assert (await me.get("/v1/me/score")).json()["points"] == 110.0
            assert (await me.get("/v1/me/records")).json()["records"] == []
        receipt = (await source.request("POST", RECORDS, content=body, headers=NDJSON)).json()
        assert (receipt["received"], receipt["accepted"]) == (LINES, LINES)
        stored = await city.rows("select count(*) as n, count(distinct ref) as refs from scoring.record")
        assert (stored[0]["n"], stored[0]["refs"]) == (LINES // 10, LINES // 10)
        for me, _ in joined:
            assert (await me.get("/v1/me/score")).json()["points"] > 110.0
        assert len(await city.rows("select 1 from scoring.batch")) == 1

    async def _killed(self, city: Deployment, request: "asyncio.Task[httpx2.Response]") -> None:
        """Kill, look, serve again."""
        await hung_up(city, request)
        assert await city.rows("select 1 from scoring.record union all select 1 from scoring.batch") == []
        assert await city.rows("select 1 from core.audit_entry where action = 'records.write'") == []
        await city.start()

    async def _swept(self, city: Deployment) -> None:
        """What the killed pushes left in staging goes with the jobs, an hour later."""
        left = "select 1 from scoring.staging"
        assert await city.rows(left)
        house = app.make_house(city.settings)
        await jobs.once(house, clock.today())
        assert await city.rows(left), "a push under way was swept"
        await city.rows("update scoring.staging set staged_at = staged_at - interval '61 minutes'")
        await jobs.once(house, clock.today())
        assert await city.rows(left) == []
        await asyncio.gather(house.short.close(), house.doors.close())


_DECIDED = "select id from incentives.decision"
_OVER = """select 1 where not exists (select from pg_stat_activity
where state = 'active' and pid <> pg_backend_pid() and query like '%incentives.check_%')"""
_ENTERED = "select 1 from core.audit_entry where action = 'eligibility.check'"


class TestCheck:
    """A check with a code."""

    async def test_decision_and_access_row_are_both_there_or_the_code_still_works(self, city: Deployment) -> None:
        """Killed before the statement: nothing. Killed within: both rows, and the same key hears the answer."""
        partner = await city.client("library", "partner", "eligibility:check", perks=[LIBRARY])
        me, _ = await city.citizen()
        drawn = await me.post("/v1/me/credit-code", json={"perk": LIBRARY})
        body = {"perk": LIBRARY, "holder": {"code": drawn.json()["code"]}, "amount": 10000}
        key = {"Idempotency-Key": "check-1"}
        await partner.token()
        await partner.request("GET", "/v1/partner/perks")

        async with held(city, "core.short_count"):  # before the statement every check is counted
            early = asyncio.create_task(partner.request("POST", "/v1/partner/eligibility", json=body, headers=key))
            await comes(city, _WAITS, "core.short_count")
            await self._killed(city, early)
        assert await city.rows(_DECIDED) == await city.rows(_ENTERED) == []

        async with held(city, "incentives.decision"):
            late = asyncio.create_task(partner.request("POST", "/v1/partner/eligibility", json=body, headers=key))
            await comes(city, _WAITS, "incentives.decision")
            await self._killed(city, late)
        await comes(city, _DECIDED)  # the statement was with the database already, and ends there
        assert len(await city.rows(_DECIDED)) == len(await city.rows(_ENTERED)) == 1

        await self._one_answer(city, partner, body, key)

    async def test_those_that_travel_together_are_whole_or_were_not(self, city: Deployment) -> None:
        """Twenty at once: whatever of them was decided has its access row, and every code not told of is still good."""
        partner = await city.client("library", "partner", "eligibility:check", perks=[LIBRARY])
        me, _ = await city.citizen()
        drawn = await me.post("/v1/me/credit-code", json={"perk": LIBRARY})
        code = {"perk": LIBRARY, "holder": {"code": drawn.json()["code"]}}
        others = [{"perk": LIBRARY, "holder": {"subject": f"nobody {number}"}} for number in range(20)]
        first = await partner.request("POST", "/v1/partner/eligibility", json=others[0])
        assert first.status_code == 200  # and what the partner may ask is drawn
        async with held(city, "core.short_count"):
            asked = [
                asyncio.create_task(partner.request("POST", "/v1/partner/eligibility", json=one)) for one in others
            ]
            await comes(city, f"{_WAITS} having count(*) = 2", "core.short_count")
            last = asyncio.create_task(partner.request("POST", "/v1/partner/eligibility", json=code))
            await asyncio.sleep(0.2)  # it waits for a turn
            assert not [one for one in asked if one.done()]
            await self._killed(city, last)
        await asyncio.gather(*asked, return_exceptions=True)
        await comes(city, _OVER)  # what was with the database already ends there
        decided = await city.rows(_DECIDED)
        assert len(decided) == len(await city.rows(_ENTERED)) <= 21
        answer = await partner.request("POST", "/v1/partner/eligibility", json=code)
        assert answer.json()["result"] == "granted"

    async def _killed(self, city: Deployment, request: "asyncio.Task[httpx2.Response]") -> None:
        await hung_up(city, request)
        await city.start()

    async def _one_answer(self, city: Deployment, partner: Any, body: dict[str, Any], key: dict[str, str]) -> None:
        """The same key hears what was decided; another request finds the code used; nothing was decided twice."""
        again = await partner.request("POST", "/v1/partner/eligibility", json=body, headers=key)
        assert (again.status_code, again.json()["result"]) == (200, "granted"), again.text
        assert again.headers["idempotent-replayed"] == "true"
        other = await partner.request("POST", "/v1/partner/eligibility", json=body)
        assert (other.json()["result"], other.json()["reason"]) == ("standard_route", "code_used")
        decided = await city.rows(
            "select count(*) filter (where granted) as yes, count(*) as n from incentives.decision"
        )
        assert (decided[0]["yes"], decided[0]["n"]) == (1, 2)
        assert len(await city.rows(_ENTERED)) == 2
