"""Those who audit the city read numbers and acts, and never whose data it was; who was found reads of it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest
import pytest_asyncio
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from api.worker import sealing
from core import clock, ids
from tests.api.conftest import Server

LOOK = {"clerk": "A-17", "purpose": "review"}
AUDITOR = {"clerk": "B07", "purpose": "yearly-audit"}


@pytest_asyncio.fixture
async def auditor(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """A system of the auditors."""
    async with _staff(server, await _auth(server, "staff:audits")) as http:
        yield http


async def _auth(server: Server, scope: str, name: str = "") -> httpx2.Auth:
    auth, _ = await server.register(name or f"s-{ids.new().hex}", "staff", scope)
    return auth


def _staff(server: Server, auth: httpx2.Auth) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=server.base_url, auth=auth)


def quarter_of(day: datetime) -> str:
    """2026-Q4."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


async def enter(server: Server, purpose: str, outcome: str, *, persons: int, each: int) -> None:
    """Entries about so many persons, as a partner's acts leave them."""
    owner = await asyncpg.connect(server.owner_url)
    try:
        await owner.execute(
            "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner) "
            "select uuidv7(), now(), 'partner', 'made-up', 'eligibility.check', $1, $2, p.id "
            "from (select gen_random_uuid() as id from generate_series(1, $3)) p, generate_series(1, $4)",
            purpose, outcome, persons, each,
        )  # fmt: skip
    finally:
        await owner.close()


def span() -> dict[str, str]:
    """The last hour."""
    now = clock.civil()
    return {"from": (now - timedelta(hours=1)).isoformat(), "to": (now + timedelta(minutes=1)).isoformat()}


class TestExport:
    """`GET /v1/staff/audits/{quarter}`."""

    async def test_a_quarter_in_numbers_small_cells_hidden_and_signed(
        self, server: Server, auditor: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Twelve persons are shown, three are not, nor does any total give them back; the statement says the same."""
        await enter(server, "q.shown", "granted", persons=12, each=2)
        await enter(server, "q.hidden", "granted", persons=3, each=20)
        await enter(server, "q.refused", "denied", persons=2, each=1)
        await sealing.once(server.house)
        quarter = quarter_of(clock.civil().astimezone(clock.CITY_ZONE))
        early = await auditor.get(f"/v1/staff/audits/{quarter}", params=AUDITOR)
        assert (early.status_code, early.json()["code"]) == (409, "quarter_running")
        monkeypatch.setattr(clock, "_offset", timedelta(days=93))
        answer = await auditor.get(f"/v1/staff/audits/{quarter}", params=AUDITOR)
        assert answer.status_code == 200, answer.text
        made = answer.json()
        cells = {one["purpose"]: one for one in made["accesses"]}
        assert cells["q.shown"] | {"actor_kind": "partner"} == {
            "actor_kind": "partner", "purpose": "q.shown", "outcome": "granted", "accesses": 24, "persons": 12,
            "suppressed": False,
        }  # fmt: skip
        for name in ("q.hidden", "q.refused"):
            assert [cells[name][key] for key in ("accesses", "persons", "suppressed")] == [None, None, True]
        assert all(one["suppressed"] or one["persons"] >= 10 for one in made["accesses"])
        assert made["denied"] == {"accesses": None, "suppressed": True}
        assert sum(one["suppressed"] for one in made["accesses"]) >= 2
        assert made["acts"]["release.approve"] >= 1
        assert made["log_begin"] is None
        assert made["log_end"]["size"] >= 1
        keys = KeySet.import_key_set((await auditor.get("/.well-known/jwks.json")).json())
        with pytest.warns(SecurityWarning, match="RFC 9864"):
            said = jws.deserialize_compact(made["statement"], keys, algorithms=["EdDSA"])
        assert said.protected["typ"] == "audit-export+jwt"
        told = msgspec.json.decode(said.payload)
        assert {name: told[name] for name in made if name != "statement"} == {
            name: value for name, value in made.items() if name != "statement"
        }

    async def test_the_export_is_an_act_of_the_log(
        self, server: Server, auditor: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By whom, which quarter, and why."""
        monkeypatch.setattr(clock, "_offset", timedelta(days=93))
        made = await auditor.get("/v1/staff/audits/2025-Q1", params=AUDITOR)
        assert (made.status_code, made.json()["accesses"], made.json()["total"]) == (
            200,
            [],
            {"accesses": 0, "suppressed": False},
        )
        owner = await asyncpg.connect(server.owner_url)
        row = await owner.fetchrow(
            "select purpose, detail::jsonb ->> 'clerk' as clerk from core.audit_entry where action = 'audit.export' "
            "and detail ->> 'quarter' = '2025-Q1'"
        )
        await owner.close()
        assert row is not None
        assert (row["purpose"], row["clerk"]) == ("yearly-audit", "B07")

    @pytest.mark.parametrize(
        ("quarter", "params", "status"),
        [("2026-Q5", AUDITOR, 404), ("2026", AUDITOR, 404), ("2025-Q1", {"clerk": "B07"}, 422),
         ("2025-Q1", {"clerk": "王五", "purpose": "x"}, 422), ("2099-Q1", AUDITOR, 409)],
    )  # fmt: skip
    async def test_what_cannot_be_asked(
        self, auditor: httpx2.AsyncClient, quarter: str, params: dict[str, str], status: int
    ) -> None:
        """No quarter, no purpose, no staff number, not over."""
        assert (await auditor.get(f"/v1/staff/audits/{quarter}", params=params)).status_code == status


class TestSearch:
    """`POST /v1/staff/audit-searches`."""

    async def test_who_was_found_reads_who_searched_and_why(self, server: Server, auditor: httpx2.AsyncClient) -> None:
        """The hits name nobody; each person has one entry a search; another one has none."""
        async with AsyncExitStack() as stack:
            me = await stack.enter_async_context(server.logged_in(server.person()))
            other = await stack.enter_async_context(server.logged_in(server.person()))
            auth = await _auth(server, "staff:reviews", "searched-office")
            office = await stack.enter_async_context(_staff(server, auth))
            asked = (await me.post("/v1/me/reviews", json={"about": "score", "words": "x"})).json()
            for _ in range(3):
                await office.get(f"/v1/staff/reviews/{asked['id']}", params=LOOK)
            body = {**AUDITOR, **span(), "actor": "searched-office", "action": "review.read"}
            found = await auditor.post("/v1/staff/audit-searches", json=body)
            assert found.status_code == 200, found.text
            entries = found.json()["entries"]
            assert [(one["by"], one["clerk"], one["about_person"]) for one in entries] == [
                ("searched-office", "A-17", True)
            ] * 3
            owner = await _owner_of(server, asked["id"])
            assert owner not in found.text
            assert "owner" not in found.text
            mine = (await me.get("/v1/me/accesses")).json()["accesses"]
            assert (mine[0]["action"], mine[0]["purpose"]) == ("audit.search", "yearly-audit")
            assert mine[0]["detail"] == {"clerk": "B07", "entries": 3}
            assert sum(one["action"] == "audit.search" for one in mine) == 1
            assert (await other.get("/v1/me/accesses")).json()["accesses"] == []

    async def test_nobody_is_looked_for_by_their_own_id(self, server: Server, auditor: httpx2.AsyncClient) -> None:
        """A citizen's acts have no actor in the answer, and their id as the actor finds nothing."""
        async with server.logged_in(server.person()) as me:
            asked = (await me.post("/v1/me/reviews", json={"about": "score", "words": "x"})).json()
            owner = await _owner_of(server, asked["id"])
            by_id = await auditor.post("/v1/staff/audit-searches", json={**AUDITOR, **span(), "actor": owner})
            assert by_id.json() == {"entries": [], "more": False}
            acts = await auditor.post("/v1/staff/audit-searches", json={**AUDITOR, **span(), "action": "review.ask"})
            assert {one["by"] for one in acts.json()["entries"]} == {None}
            assert owner not in acts.text

    async def test_limits(self, auditor: httpx2.AsyncClient) -> None:
        """A quarter's time, a hundred entries, sixty searches an hour."""
        now = clock.civil()
        long = {"from": (now - timedelta(days=93)).isoformat(), "to": now.isoformat()}
        for wrong in (long, {"from": now.isoformat(), "to": now.isoformat()}, {**span(), "limit": 101}):
            assert (await auditor.post("/v1/staff/audit-searches", json={**AUDITOR, **wrong})).status_code == 422
        body = {**AUDITOR, **span(), "action": "no.such", "limit": 1}
        answers = [(await auditor.post("/v1/staff/audit-searches", json=body)).status_code for _ in range(61)]
        assert set(answers[:60]) == {200}
        assert answers[60] == 429


class TestRefused:
    """Staff without the scope."""

    async def test_a_refused_look_is_seen_by_whose_matter_it_was(self, server: Server) -> None:
        """The same 403 whether there is such a matter or not; the person reads of the try."""
        async with server.logged_in(server.person()) as me:
            asked = (await me.post("/v1/me/reviews", json={"about": "score", "words": "x"})).json()
            auth = await _auth(server, "staff:releases", "nosy-system")
            async with _staff(server, auth) as nosy:
                nobody = ids.show("rv", ids.new())
                answers = [
                    await nosy.get(f"/v1/staff/reviews/{one}", params=LOOK) for one in (asked["id"], nobody, "x")
                ]
                assert {one.status_code for one in answers} == {403}
                bodies: list[dict[str, Any]] = [one.json() for one in answers]
                assert len({tuple(sorted((k, str(v)) for k, v in b.items() if k != "request_id")) for b in bodies}) == 1
            newest = (await me.get("/v1/me/accesses")).json()["accesses"][0]
            assert (newest["action"], newest["outcome"], newest["by_kind"]) == ("staff.refused", "denied", "staff")
            assert newest["detail"] == {"request": "GET /v1/staff/reviews/{review_id}", "scope": "staff:reviews"}
            owner = await asyncpg.connect(server.owner_url)
            query = "select count(*) from core.audit_entry where action = 'staff.refused' and actor = 'nosy-system'"
            assert await owner.fetchval(query) == 3
            await owner.close()


async def _owner_of(server: Server, shown: str) -> str:
    owner = await asyncpg.connect(server.owner_url)
    try:
        query = "select citizen_id::text from auth.matter where id = $1"
        return str(await owner.fetchval(query, ids.read("rv", shown)))
    finally:
        await owner.close()
