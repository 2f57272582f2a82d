"""What a consent's last weeks look like from outside: reminders, the end, the wait, the renewal, the erasure."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from api.staff import publication
from api.worker import jobs
from core import clock
from core.settings import ROOT
from tests.api.conftest import Server

NOTICE = (ROOT / "policy/notices/score-v1.zh.md").read_text(encoding="utf-8")
LATER = clock.today() + timedelta(days=40)


async def _sql(server: Server, statement: str, *values: Any) -> Any:
    owner = await asyncpg.connect(server.owner_url)
    try:
        return await owner.fetchval(statement, *values)
    finally:
        await owner.close()


@asynccontextmanager
async def days_later(server: Server, days: int) -> AsyncIterator[None]:
    """The civil clock moved by days."""
    async with moved_by(server, timedelta(days=days)):
        yield


@asynccontextmanager
async def moved_by(server: Server, moved: timedelta) -> AsyncIterator[None]:
    """The civil clock moved, in this process and in the database; back again at the end."""
    set_to = "insert into core.civil_offset values (true, $1) on conflict (one) do update set moved = excluded.moved"
    await _sql(server, set_to, moved)
    clock.move(moved)
    try:
        yield
    finally:
        await _sql(server, set_to, timedelta(0))
        clock.move(timedelta(0))


async def _round(server: Server) -> None:
    await jobs.once(server.house, clock.today())


async def _reminded(me: httpx2.AsyncClient) -> list[Mapping[str, Any]]:
    return (await me.get("/v1/me/reminders")).json()["reminders"]


async def _events(server: Server, state: str) -> list[str]:
    return await _sql(
        server, "select coalesce(array_agg(about order by id), '{}') from auth.consent_event where state = $1", state
    )


class TestReminders:
    """30, 7 and 1 days."""

    async def test_each_day_is_told_once_and_never_before(self, lone_server: Server) -> None:
        """However often the jobs run; what the citizen sees is the newest."""
        server, last = lone_server, clock.today() + timedelta(days=40)
        async with server.logged_in(server.person()) as me:
            await server.join(me, expires_on=last.isoformat())
            for days, told in [(9, []), (10, ["30"]), (12, ["30"]), (32, ["30"]), (33, ["30", "7"]),
                               (38, ["30", "7"]), (39, ["30", "7", "1"]), (40, ["30", "7", "1"])]:  # fmt: skip
                async with days_later(server, days):
                    await _round(server)
                    await _round(server)
                    assert await _events(server, "reminded") == told, days
            async with days_later(server, 40):
                (one,) = await _reminded(me)
            assert (one["why"], one["expires_on"]) == ("ends", last.isoformat())

    async def test_a_short_consent_is_not_reminded_at_its_birth(self, lone_server: Server) -> None:
        """Given for five days, told on the last but one; a job that slept tells only the nearest day."""
        server = lone_server
        async with server.logged_in(server.person()) as me, server.logged_in(server.person()) as other:
            await server.join(me, expires_on=(clock.today() + timedelta(days=5)).isoformat())
            await server.join(other, expires_on=(clock.today() + timedelta(days=50)).isoformat())
            await _round(server)
            assert await _events(server, "reminded") == []
            async with days_later(server, 45):
                await _round(server)
                assert await _events(server, "reminded") == ["7"]


class TestWaiting:
    """After the last day."""

    async def test_nothing_is_used_and_a_renewal_restores(self, lone_server: Server) -> None:
        """404 with the way back, no perk, no code, no row computed; after the renewal the same points."""
        server = lone_server
        async with server.logged_in(server.person()) as me:
            given = (await server.join(me, expires_on=(clock.today() + timedelta(days=10)).isoformat())).json()
            points = (await me.get("/v1/me/score")).json()["points"]
            async with days_later(server, 11):
                gone = (await me.get("/v1/me/score")).json()
                assert (gone["code"], gone["consent_state"]) == ("not_enrolled", "expired")
                assert gone["renew_before"] == (clock.today() + timedelta(days=30)).isoformat()
                await _round(server)
                assert await _sql(server, "select count(*) from scoring.live") == 1
                before = await _sql(server, "select max(computed_at) from scoring.standing")
                await jobs.once(server.house, clock.today())
                assert await _sql(server, "select max(computed_at) from scoring.standing") == before
                assert (await me.get("/v1/me/records")).json()["code"] == "not_enrolled"
                drawn = await me.post("/v1/me/credit-code", json={"perk": "library.deposit-free"})
                assert drawn.json()["code"] == "not_granted"
                (one,) = await _reminded(me)
                assert (one["why"], one["erased_on"]) == ("ended", gone["renew_before"])
                assert (await me.get(f"/v1/me/consents/{given['id']}")).json()["needs_renewal"] is True
                assert (await server.join(me)).status_code == 201
                assert (await me.get("/v1/me/score")).json()["points"] == points
                assert await _reminded(me) == []
                older = (await me.get(f"/v1/me/consents/{given['id']}")).json()
                assert (older["state"], older["needs_renewal"]) == ("superseded", False)

    async def test_after_the_grace_everything_is_gone(self, lone_server: Server) -> None:
        """Erased by the first round, noted with its instant and a receipt."""
        server = lone_server
        async with server.logged_in(server.person()) as me:
            given = (await server.join(me, expires_on=(clock.today() + timedelta(days=10)).isoformat())).json()
            async with days_later(server, 12):
                await _round(server)
            async with days_later(server, 40):
                await _round(server)
                assert await _sql(server, "select count(*) from scoring.live") == 1
            async with days_later(server, 42):
                await _round(server)
                assert await _sql(server, "select count(*) from scoring.live") == 0
                shown = (await me.get(f"/v1/me/consents/{given['id']}")).json()
                signed = (await me.get(f"/v1/me/consents/{given['id']}/receipts")).json()["receipts"]
            assert (shown["state"], shown["needs_renewal"]) == ("expired", False)
            assert shown["erased_at"] is not None
            assert [one["state"] for one in signed] == ["given", "expired", "erased"]


class TestWiderNotice:
    """A new notice that widens what is done."""

    @pytest.mark.parametrize("widens", [True, False])
    async def test_only_a_wider_one_stops_what_the_older_consents_allow(
        self, lone_server: Server, *, widens: bool
    ) -> None:
        """PIPL article 14: on its day, and not before; the citizen is told, and agreeing anew restores."""
        server = lone_server
        async with server.logged_in(server.person()) as me:
            given = (await server.join(me)).json()
            on = clock.today() + timedelta(days=3)
            await _publish(server, NOTICE.replace("version = 1", f"version = 2\nwidens = {str(widens).lower()}"), on)
            await _round(server)
            assert (await me.get("/v1/me/score")).status_code == 200
            async with days_later(server, 3):
                await _round(server)
                score = await me.get("/v1/me/score")
                shown = (await me.get(f"/v1/me/consents/{given['id']}")).json()
                if not widens:
                    assert (score.status_code, shown["state"], shown["needs_renewal"]) == (200, "given", False)
                    return
                assert (score.json()["code"], score.json()["consent_state"]) == ("not_enrolled", "outdated")
                assert (shown["state"], shown["needs_renewal"]) == ("outdated", True)
                assert [one["why"] for one in await _reminded(me)] == ["outdated"]
                assert (await server.join(me)).json()["code"] == "notice_outdated"
                newer = (await me.get("/v1/rules/notices/score/2")).json()
                again = await server.join(me, notice={"version": 2, "digest": newer["digest"]})
                assert again.status_code == 201
                assert (await me.get("/v1/me/score")).status_code == 200
            async with days_later(server, 40):
                await _round(server)
                assert (await me.get("/v1/me/score")).status_code == 200


async def _publish(server: Server, body: str, on: date) -> None:
    async with server.house.doors.work("staff") as session:
        drafted = await publication.draft(
            session, kind="notice", name="score-v2.zh.md", body=body, effective_on=on, by="drafter"
        )
        await publication.approve(session, release_id=drafted.id, by="approver")


class TestRefusals:
    """No nagging."""

    async def test_a_no_is_quiet_for_ninety_days(self, lone_server: Server) -> None:
        """For this purpose alone, with the day; and the citizen may still say yes unasked."""
        server = lone_server
        async with server.logged_in(server.person()) as me:
            said = await me.post("/v1/me/refusals", json={"purpose": "score"})
            assert said.status_code == 201, said.text
            again = (clock.today() + timedelta(days=90)).isoformat()
            assert said.json() == {
                "purpose": "score", "refused_on": clock.today().isoformat(), "ask_again_on": again,
            }  # fmt: skip
            async with days_later(server, 89):
                assert len((await me.get("/v1/me/refusals")).json()["refusals"]) == 1
            async with days_later(server, 90):
                assert (await me.get("/v1/me/refusals")).json()["refusals"] == []
            assert (await server.join(me)).status_code == 201
            assert (await me.get("/v1/me/refusals")).json()["refusals"] == []
            assert (await me.post("/v1/me/refusals", json={"purpose": "score"})).json()["code"] == "consent_lives"
            nonsense = await me.post("/v1/me/refusals", json={"purpose": "everything"})
            assert (nonsense.status_code, nonsense.json()["code"]) == (422, "purpose_not_offered")
