"""`DELETE /v1/me`: nothing is left that finds the person again, and a certificate says what was done."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import asyncpg
import httpx2
import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError, SecurityWarning
from joserfc.jwk import KeySet

from api.citizen import leaving as verb
from core import ids
from tests.api.canary import dump, found
from tests.api.conftest import Server
from tests.api.test_export import pushed, source
from tests.scoringworld import hours, penalty, water

# Where a random number of somebody who left may still stand, and why.
STAYS = {
    "auth.consent": "evidence that processing was consented to",
    "auth.consent_event": "the same: what became of it",
    "core.audit_entry": "who looked, for ten years",
    "keys.erased": "the list that is applied again after a restore",
}
NAME = "诸葛孔明"


async def look(server: Server, query: str, *values: Any) -> list[asyncpg.Record]:
    """Read behind the doors."""
    connection = await asyncpg.connect(server.owner_url)
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


async def citizen_of(server: Server, consent: str) -> Any:
    """The citizen behind a consent."""
    (row,) = await look(server, "select citizen_id from auth.consent where id = $1", ids.read("co", consent))
    return row["citizen_id"]


async def settled(server: Server, me: httpx2.AsyncClient, person: Mapping[str, Any], name: str) -> Any:
    """A person with records, words, matters, a code; returns their inner id."""
    auth = await source(server, name)
    given = (await server.join(me)).json()
    who = person["id_number"]
    if name == "utilities":
        await pushed(server, auth, water("r1", who), hours("h1", who), penalty("n1", who))
        held = (await me.get("/v1/me/records")).json()["records"]
        await me.post(f"/v1/me/records/{held[0]['id']}/statement", json={"words": "我的话"})
    await me.put("/v1/me/records/categories/P12/refusal")
    await me.post("/v1/me/reviews", json={"about": "score", "words": "请看一下"})
    await me.post("/v1/me/credit-code", json={"perk": "library.deposit-free"})
    return await citizen_of(server, given["id"])


def opened(certificate: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of a certificate, verified offline with the published keys."""
    kid = json.loads(_bytes(certificate.split(".", maxsplit=1)[0]))["kid"]
    keys = KeySet.import_key_set({"keys": [key for key in jwks["keys"] if key["kid"] == kid]})
    with pytest.warns(SecurityWarning, match="EdDSA"):
        held = jws.deserialize_compact(certificate, keys, algorithms=["EdDSA"])
    assert held.headers()["typ"] == "erasure-certificate+jwt"
    return json.loads(held.payload)


def _bytes(text: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class TestLeave:
    """Alone."""

    async def test_nothing_finds_the_person_again(self, lone_server: Server) -> None:
        """No row of any table but the listed ones holds the citizen's number, subject, digests, name or words."""
        server, person = lone_server, lone_server.person(name=NAME)
        async with server.logged_in(person) as me:
            mine = await settled(server, me, person, "utilities")
            subjects = await look(server, "select distinct record_subject from scoring.record")
            digests = await look(server, "select id_digest from auth.citizen where id = $1", mine)
            ways = await look(server, "select digest from auth.account where citizen_id = $1", mine)
            keys = await look(server, "select wrapped from keys.person_key where owner = $1", mine)
            left = await me.delete("/v1/me")
            assert left.status_code == 200, left.text
            assert (await me.get("/v1/me")).status_code == 401
            assert (await me.delete("/v1/me")).status_code == 401
        tables = await dump(server.owner_url)
        holding = {name for name, rows in tables.items() if str(mine) in rows or mine.hex in rows}
        assert holding <= set(STAYS)
        assert "core.audit_entry" in holding
        whole = "\n".join(tables.values())
        secret = [str(row[0]) for row in subjects] + [row[0].hex() for row in [*digests, *ways, *keys]]
        assert len(secret) >= 6
        assert [value for value in secret if value in whole] == []
        words = {"name": NAME, "id_number": person["id_number"], "said": "我的话", "asked": "请看一下"}
        assert found(words, whole) == []

    async def test_the_certificate_says_what_was_destroyed(self, lone_server: Server) -> None:
        """Verified offline: rows by table, the keys, what remains and by which law, until when copies can be read."""
        server, person = lone_server, lone_server.person()
        async with server.logged_in(person) as me:
            mine = await settled(server, me, person, "utilities")
            wrapped = await look(server, "select purpose from keys.person_key where owner = $1", mine)
            before = (await me.get("/v1/me/leaving")).json()
            left = (await me.delete("/v1/me")).json()
            jwks = (await me.get("/.well-known/jwks.json")).json()
            again = (await me.get(f"/v1/rules/erasures/{before['certificate_id']}")).json()
        assert again == left
        assert before["certificate_id"] == left["certificate_id"]
        payload = opened(left["certificate"], jwks)
        rows = {one["table"]: one["rows"] for one in payload["destroyed"]}
        assert {
            "scoring.record": 3, "scoring.statement": 1, "scoring.refusal": 1, "scoring.standing": 1, "scoring.link": 1,
            "auth.matter": 1, "auth.citizen": 1, "auth.account": 1,
        }.items() <= rows.items()  # fmt: skip
        assert rows == {one["table"]: one["rows"] for one in before["destroyed"]}
        assert {key.split("/")[0] for key in payload["keys"]} == {row["purpose"] for row in wrapped}
        assert {"identity", "records", "cases"} <= {row["purpose"] for row in wrapped}
        assert all(one["law"] and one["why"] and one["until"] for one in payload["remains"])
        assert payload["unreadable_everywhere_by"] > payload["left_at"]
        assert str(mine) not in json.dumps(payload)
        assert person["id_number"] not in json.dumps(payload)
        with pytest.raises(BadSignatureError):
            opened(left["certificate"][:-8] + "AAAAAAAA", jwks)

    async def test_who_comes_back_is_somebody_new(self, lone_server: Server) -> None:
        """A second arrival has another number, no consent, no record, no entry, and can join again."""
        server, person = lone_server, lone_server.person()
        async with server.logged_in(person) as me:
            first = await settled(server, me, person, "utilities")
            await me.delete("/v1/me")
        async with server.logged_in(person) as me:
            assert (await me.get("/v1/me/consents")).json()["consents"] == []
            assert (await me.get("/v1/me/accesses")).json()["accesses"] == []
            assert (await me.get("/v1/me/reviews")).json()["items"] == []
            given = (await server.join(me)).json()
            assert await citizen_of(server, given["id"]) != first
            assert (await me.get("/v1/me/records")).json()["records"] == []
            assert (await me.delete("/v1/me")).status_code == 200

    async def test_every_way_in_is_shut_at_once(self, server: Server) -> None:
        """Another app's token and a browser's session of the same person are nobody's with the next request."""
        from tests.api.cast import log_in

        person = server.person()
        async with (
            server.logged_in(person) as me,
            server.logged_in(person) as phone,
            httpx2.AsyncClient(base_url=server.base_url, follow_redirects=False) as browser,
        ):
            await log_in(browser, person)
            assert (await phone.get("/v1/me")).status_code == (await browser.get("/v1/me")).status_code == 200
            await me.delete("/v1/me")
            assert [(await who.get("/v1/me")).status_code for who in (phone, browser, me)] == [401, 401, 401]

    async def test_sources_are_told_to_stop(self, lone_server: Server) -> None:
        """The feed says left, and what is sent afterwards is dropped."""
        server, person = lone_server, lone_server.person()
        async with server.logged_in(person) as me:
            await settled(server, me, person, "utilities")
            await me.delete("/v1/me")
        rows = await look(server, "select citizen_id, left_at from auth.source_subject")
        assert rows
        assert all(row["citizen_id"] is None and row["left_at"] is not None for row in rows)

    async def test_an_old_login_destroys_nothing(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """Eleven minutes after the login: 401 with the challenge, and everything is there."""
        from datetime import timedelta

        from api.identity import stepup

        async with server.logged_in(server.person()) as me:
            await me.get("/v1/me")
            now = stepup.clock.wall()
            later = type("Later", (), {"wall": staticmethod(lambda: now + timedelta(minutes=11))})
            with monkeypatch.context() as patch:
                patch.setattr(stepup, "clock", later)
                answer = await me.delete("/v1/me")
            assert (answer.status_code, answer.json()["code"]) == (401, "insufficient_user_authentication")
            assert (await me.get("/v1/me")).status_code == 200

    async def test_killed_in_the_middle_nothing_happened(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """A failure before the last act leaves everything as it was: points, keys, login; and it can be done again."""

        async def die(*_: object, **__: object) -> None:
            message = "killed"
            raise RuntimeError(message)

        person = server.person()
        async with server.logged_in(person) as me:
            given = (await server.join(me)).json()
            points = (await me.get("/v1/me/score")).json()
            with monkeypatch.context() as patch:
                patch.setattr(verb.leaving, "forget", die)
                assert (await me.delete("/v1/me")).status_code == 500
            assert (await me.get("/v1/me/score")).json() == points
            assert (await me.get(f"/v1/me/consents/{given['id']}")).json()["state"] == "given"
            assert (await me.delete("/v1/me")).status_code == 200


class TestTogether:
    """At the same time."""

    async def test_64_at_once_get_one_certificate(self, server: Server) -> None:
        """Every request that got in before the end has the same certificate; the rest are nobody's. No 5xx."""
        async with server.logged_in(server.person()) as me:
            given = (await server.join(me)).json()
            mine = await citizen_of(server, given["id"])
            answers = await asyncio.gather(*(me.delete("/v1/me") for _ in range(64)))
            assert {answer.status_code for answer in answers} <= {200, 401}
            certificates = {answer.json()["certificate"] for answer in answers if answer.status_code == 200}
        assert len(certificates) == 1
        entries = await look(server, "select 1 from core.audit_entry where owner = $1 and action = 'leave'", mine)
        assert len(entries) == 1

    async def test_what_else_is_done_at_the_same_time_leaves_nothing(self, server: Server) -> None:
        """Consents, codes, reviews and logins beside the leaving: done before it and erased, or refused. No 5xx."""
        person = server.person()
        async with server.logged_in(person) as me:
            given = (await server.join(me)).json()
            mine = await citizen_of(server, given["id"])
            beside = [
                *(server.join(me) for _ in range(8)),
                *(me.post("/v1/me/credit-code", json={"perk": "library.deposit-free"}) for _ in range(8)),
                *(me.post("/v1/me/reviews", json={"about": "score", "words": "请看"}) for _ in range(8)),
                *(me.put("/v1/me/records/categories/P12/refusal") for _ in range(8)),
            ]
            work = [*beside[:16], me.delete("/v1/me"), *beside[16:]]
            answers = await asyncio.gather(*work)
            assert [answer.text for answer in answers if answer.status_code >= 500] == []
        tables = await dump(server.owner_url)
        holding = {name for name, rows in tables.items() if str(mine) in rows}
        assert holding <= set(STAYS)
        query = "select 1 from auth.live_consent where citizen_id = $1 and not one_use"
        assert await look(server, query, mine) == []

    @pytest.mark.parametrize("late", ["consent", "code", "review"])
    async def test_who_comes_in_while_the_person_leaves_finds_nobody(self, server: Server, late: str) -> None:
        """A request that waited for the leaving's turn is refused afterwards, and writes nothing."""
        async with server.logged_in(server.person()) as me:
            given = (await server.join(me)).json()
            mine = await citizen_of(server, given["id"])
            connection = await asyncpg.connect(server.owner_url)
            async with connection.transaction():
                lock = "select pg_advisory_xact_lock(hashtextextended('auth.consent|' || $1::text, 0))"
                await connection.execute(lock, str(mine))
                leaves = asyncio.create_task(me.delete("/v1/me"))
                await _waiting(server, 1)
                comes = asyncio.create_task(
                    {
                        "consent": lambda: server.join(me),
                        "code": lambda: me.post("/v1/me/credit-code", json={"perk": "library.deposit-free"}),
                        "review": lambda: me.post("/v1/me/reviews", json={"about": "score", "words": "x"}),
                    }[late]()
                )
                await _waiting(server, 2)
            await connection.close()
            assert (await leaves).status_code == 200
            assert (await comes).status_code in {401, 404}
        rows = await look(server, "select 1 from auth.live_consent where citizen_id = $1", mine)
        assert rows == []
        assert await look(server, "select 1 from keys.person_key where owner = $1", mine) == []


async def _waiting(server: Server, count: int) -> None:
    """Until so many transactions of this database wait for somebody's turn."""
    query = (
        "select 1 from pg_locks where locktype = 'advisory' and not granted "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    async with asyncio.timeout(10):
        while len(await look(server, query)) < count:
            await asyncio.sleep(0.01)
