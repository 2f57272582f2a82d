"""A bureau says yes or no about a citizen, who alone sees it: nothing of the answer stays anywhere."""

import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from core import embedded
from core.keys import Keyring
from scoring.feeds import verification
from tests import eavesdropping
from tests.api.conftest import Server, serving
from tests.api.test_staff_clients import Office
from tests.clones import clone
from tests.historyserver import Bureau, answering

_VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[ T][0-9:.+]+Z?"
    r"|[0-9a-f]{32}|\\+x[0-9a-f]+|\b\d+\b"
)
_TABLES = """
select format('%I.%I', schemaname, tablename) from pg_tables
where schemaname in ('keys', 'core', 'auth', 'scoring', 'incentives')
  and tablename !~ '^(short_|audit_(leaf|node|head))'
"""


class World:
    """A server, and a bureau that answers marriage questions."""

    def __init__(self, server: Server, bureau: Bureau) -> None:
        """Two persons registered the bureau's address."""
        self.server, self.bureau = server, bureau

    async def dump(self) -> list[str]:
        """Every row of every table of ours, without what is another each time."""
        owner = await asyncpg.connect(self.server.owner_url)
        try:
            found: list[str] = []
            for (table,) in await owner.fetch(_TABLES):
                found += [f"{table} {row[0]}" for row in await owner.fetch(f"select x::text from {table} x")]
            return sorted(_VARYING.sub("*", row) for row in found)
        finally:
            await owner.close()

    async def ask(self, me: httpx2.AsyncClient, kind: str = "marriage") -> httpx2.Response:
        """One question by a citizen."""
        return await me.post("/v1/me/verifications", json={"kind": kind})


@pytest_asyncio.fixture(scope="module")
async def world(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[World]:
    """A server of these tests."""
    async with clone(cluster, city_template) as url, serving(url, ring.file, published=True) as server:
        await server.register("civil-affairs", "source", "records:write", kinds=["P12"])
        auths = {name: (await server.register(name, "staff", "staff:clients"))[0] for name in ("one", "two")}
        async with answering(server.base_url) as bureau, httpx2.AsyncClient(base_url=server.base_url) as http:
            office = Office(server, http, auths)
            body = {"purpose": "verify:marriage", "address": bureau.address}
            approved = await office.approve(await office.ask("clients/civil-affairs/addresses", body))
            assert approved.status_code == 200, approved.text
            yield World(server, bureau)


class TestAsking:
    """The question, the answer, and what is left."""

    async def test_yes_and_no_leave_the_same(self, world: World) -> None:
        """Whether yes or no, the whole database is the same afterwards, and no log line tells the two apart."""
        left: dict[bool, list[str]] = {}
        heard: dict[bool, list[str]] = {}
        for said in (True, False):
            world.bureau.reply = lambda _question, said=said: (200, b'{"answer":true}' if said else b'{"answer":false}')
            async with world.server.logged_in(world.server.person()) as me:
                await me.get("/v1/me")
                before, listened = await world.dump(), len(eavesdropping.heard)
                answer = await world.ask(me)
                assert (answer.status_code, answer.json()) == (200, {"kind": "marriage", "answer": said})
                assert answer.headers["cache-control"] == "no-store"
                after = await world.dump()
                for row in before:
                    after.remove(row)
                left[said] = after
                heard[said] = [
                    _VARYING.sub("*", line) for line in eavesdropping.heard[listened:] if "verifications" in line
                ]
        assert left[True] == left[False]
        assert heard[True] == heard[False] != []
        assert sorted({row.split(" ")[0] for row in left[True]}) == ["auth.consent", "core.audit_entry"]

    async def test_what_a_bureau_adds_is_refused_and_nowhere(self, world: World) -> None:
        """An answer that says more than yes or no is none: 503, and what it added is in no table and no log."""
        for body in (b'{"answer":true,"spouse":"canary-wife"}', b'"canary-wife"', b"[true]", b'{"answer":1}', b""):
            world.bureau.reply = lambda _question, body=body: (200, body)
            async with world.server.logged_in(world.server.person()) as me:
                answer = await world.ask(me)
            assert (answer.status_code, answer.json()["code"]) == (503, "not_reached")
            assert "canary-wife" not in answer.text
        assert "canary-wife" not in "\n".join(await world.dump())
        assert "canary-wife" not in "\n".join(eavesdropping.heard)

    async def test_the_bureau_learns_a_digest(self, world: World) -> None:
        """It is asked for one kind and purpose, about its own digest of the person, who sees that it was asked."""
        world.bureau.asked.clear()
        world.bureau.reply = lambda _question: (200, b'{"answer":true}')
        person = world.server.person()
        async with world.server.logged_in(person) as me:
            await world.ask(me)
            entries = (await me.get("/v1/me/accesses")).json()["accesses"]
            exported = (await me.get("/v1/me/score")).status_code
        (asked,) = world.bureau.asked
        assert (asked["kind"], asked["purpose"]) == ("marriage", "verify:marriage/self")
        assert re.fullmatch(r"[0-9a-f]{64}", asked["subject"])
        assert person["id_number"] not in str(asked)
        assert [one["purpose"] for one in entries if one["action"] == "verify.ask"] == ["verify:marriage/self"]
        assert exported == 404, "asking enrols nobody"

    async def test_nobody_answers(self, world: World) -> None:
        """A kind that no bureau answers is 404; one that is away is 503, and the question was noted all the same."""
        async with world.server.logged_in(world.server.person()) as me:
            assert (await world.ask(me, "real_estate")).status_code == 404
            assert (await world.ask(me, "religion")).status_code == 422
            world.bureau.reply = lambda _question: (500, b"")
            assert (await world.ask(me)).status_code == 503
            entries = (await me.get("/v1/me/accesses")).json()["accesses"]
        assert [one["action"] for one in entries].count("verify.ask") == 1


class TestRead:
    """What is an answer."""

    @pytest.mark.parametrize(
        ("body", "said"),
        [(b'{"answer":true}', True), (b' {"answer": false} ', False), (b'{"answer":null}', None), (b"true", None),
         (b'{"answer":true,"x":1}', None), (b'{"answer":true}' + b" " * 64, None), (b"\xff", None)],
    )  # fmt: skip
    def test_nothing_but_yes_and_no(self, body: bytes, said: Any) -> None:
        """A yes, a no, or none."""
        assert verification.read(body) is said
