"""What a citizen does twice at once, or while something else happens to them, ends as if done in turn."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2

from api.worker import jobs
from auth.consent import ledger
from core import clock
from tests.api.conftest import Server

PERK = "library.deposit-free"


async def _count(server: Server, statement: str) -> int:
    owner = await asyncpg.connect(server.owner_url)
    try:
        return await owner.fetchval(statement)
    finally:
        await owner.close()


async def _live(server: Server) -> int:
    return await _count(server, "select count(*) from auth.live_consent where purpose = 'score'")


class TestJoining:
    """An impatient thumb."""

    async def test_six_taps_are_one_consent(self, lone_server: Server) -> None:
        """Every tap is answered well, one consent lives, and one thread leads to the records."""
        async with lone_server.logged_in(lone_server.person()) as me:
            answers = await asyncio.gather(*(lone_server.join(me) for _ in range(6)))
            assert {answer.status_code for answer in answers} == {201}
            assert (await me.get("/v1/me/score")).json()["points"] == 110.0
        assert await _live(lone_server) == 1
        assert await _count(lone_server, "select count(*) from scoring.link") == 1

    async def test_after_six_renewals_one_withdrawal_ends_everything(self, lone_server: Server) -> None:
        """No forgotten consent lives on behind the one that was withdrawn."""
        async with lone_server.logged_in(lone_server.person()) as me:
            await lone_server.join(me)
            await asyncio.gather(*(lone_server.join(me) for _ in range(6)))
            assert await _live(lone_server) == 1
            consents = (await me.get("/v1/me/consents")).json()["consents"]
            given = [one["id"] for one in consents if one["state"] == "given"]
            ended = (await me.delete(f"/v1/me/consents/{given[0]}")).json()
            assert ended["erased_at"] is not None
            assert (await me.get("/v1/me/score")).status_code == 404
        assert await _live(lone_server) == 0
        assert await _count(lone_server, "select count(*) from keys.person_key where purpose = 'records'") == 0

    async def test_renewing_while_withdrawing_leaves_a_whole_state(self, lone_server: Server) -> None:
        """Whichever comes first: a live consent has its points, and without one nothing is left."""
        async with lone_server.logged_in(lone_server.person()) as me:
            for _ in range(6):
                one = (await lone_server.join(me)).json()["id"]
                await asyncio.gather(lone_server.join(me), me.delete(f"/v1/me/consents/{one}"))
                live = await _live(lone_server)
                assert live == await _count(lone_server, "select count(*) from scoring.link")
                assert (await me.get("/v1/me/score")).status_code == (200 if live else 404)


class TestSweeping:
    """The jobs against a citizen who comes back on the last day."""

    async def test_a_renewal_that_comes_first_is_not_swept(self, lone_server: Server) -> None:
        """The sweep waits for the citizen's turn and looks again."""
        server = lone_server
        async with server.logged_in(server.person()) as me:
            await server.join(me)
        owner = await asyncpg.connect(server.owner_url)
        citizen = await owner.fetchval("select citizen_id from scoring.link")
        await owner.execute("update scoring.live set until = $1", clock.civil() - timedelta(days=31))
        async with server.house.doors.work("citizen") as session:
            await ledger.turn(session, citizen_id=citizen)
            sweeping = asyncio.create_task(jobs.once(server.house, clock.today()))
            while not await owner.fetchval("select count(*) from pg_locks where locktype = 'advisory' and not granted"):
                await asyncio.sleep(0.01)
            await owner.execute("update scoring.live set until = $1", clock.civil() + timedelta(days=300))
        await sweeping
        assert await owner.fetchval("select count(*) from scoring.live") == 1
        await owner.close()

    async def test_codes_that_died_leave_no_notice(self, lone_server: Server) -> None:
        """The consent in a drawn code is over after a minute; nobody needs to hear that, code by code."""
        server = lone_server
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            await me.post("/v1/me/credit-code", json={"perk": PERK})
            owner = await asyncpg.connect(server.owner_url)
            await owner.execute("update auth.consent set expires_at = now() - interval '1 minute' where one_use")
            await owner.close()
            await jobs.once(server.house, clock.today())
            accesses = (await me.get("/v1/me/accesses")).json()["accesses"]
        assert "consent.expire" not in {one["action"] for one in accesses}


class TestDrawingAgain:
    """A new code for a perk whose last one was shown a moment ago."""

    async def test_a_merchant_who_missed_the_answer_still_gets_it(self, lone_server: Server) -> None:
        """The used code's decision repeats by its key, though the citizen drew a new code meanwhile."""
        server = lone_server
        library, _ = await server.register("reading-room", "partner", "eligibility:check", perks=[PERK])
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            code = (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]
            first = await _ask(server, library, code)
            await me.post("/v1/me/credit-code", json={"perk": PERK})
            again = await _ask(server, library, code)
        assert first["result"] == "granted"
        assert again == first

    async def test_an_unused_older_code_dies(self, lone_server: Server) -> None:
        """Only the newest of the unused ones is good."""
        server = lone_server
        library, _ = await server.register("reading-room", "partner", "eligibility:check", perks=[PERK])
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            older = (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]
            await me.post("/v1/me/credit-code", json={"perk": PERK})
            assert (await _ask(server, library, older))["reason"] == "code_expired"


async def _ask(server: Server, library: httpx2.Auth, code: str) -> Mapping[str, Any]:
    async with httpx2.AsyncClient(base_url=server.base_url, auth=library) as http:
        answer = await http.post(
            "/v1/partner/eligibility",
            json={"perk": PERK, "holder": {"code": code}},
            headers={"Idempotency-Key": "the-same"},
        )
    assert answer.status_code == 200, answer.text
    return answer.json()
