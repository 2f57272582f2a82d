"""A source is asked for the history of somebody who has just joined, once, signed, and what it says is judged."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio

from api.worker import histories
from core import embedded
from core.keys import Keyring
from scoring.feeds import pulls
from tests.api.conftest import Server, serving
from tests.api.test_staff_clients import Office
from tests.clones import clone
from tests.historyserver import Bureau, answering
from tests.scoringworld import month

DONE = "update scoring.history_pull set next_at = now() - interval '1 second'"


class World:
    """A server, a bureau that answers, and how to look behind."""

    def __init__(self, server: Server, bureau: Bureau, office: Office, digest_key: bytes) -> None:
        """`digest_key` is agreed with the bureau."""
        self.server, self.bureau, self.office, self.digest_key = server, bureau, office, digest_key

    async def rows(self, query: str, *values: Any) -> list[Any]:
        """Read behind the doors."""
        import asyncpg

        owner = await asyncpg.connect(self.server.owner_url)
        try:
            return await owner.fetch(query, *values)
        finally:
            await owner.close()

    async def state(self) -> list[tuple[Any, ...]]:
        """The questions."""
        return [tuple(row) for row in await self.rows("select source, state, attempts from scoring.history_pull")]

    def answers(self, *backs: int, **more: Any) -> None:
        """The bureau sends bills about whoever it is asked about."""

        def reply(question: dict[str, Any]) -> tuple[int, bytes]:
            lines = [
                {"ref": f"h{back}", "version": 1, "kind": "P01", "subject": question["subject"],
                 "occurred_on": f"{month(back)}-01",
                 "fields": {"account": "a", "period": month(back), "on_time": True}, **more}
                for back in backs
            ]  # fmt: skip
            return 200, b"\n".join(msgspec.json.encode(line) for line in lines)

        self.bureau.reply = reply


_EMPTY = "truncate scoring.link, scoring.batch, scoring.record, auth.source_subject, auth.consent cascade"


@pytest_asyncio.fixture(scope="module")
async def made(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[World]:
    """A server of these tests; `utilities` is registered, and two persons have said where it answers."""
    async with clone(cluster, city_template) as url, serving(url, ring.file, published=True) as server:
        _, entry = await server.register("utilities", "source", "records:write", kinds=["P01", "N01"])
        auths = {name: (await server.register(name, "staff", "staff:clients"))[0] for name in ("one", "two")}
        async with (
            answering(server.base_url) as bureau,
            httpx2.AsyncClient(base_url=server.base_url) as http,
        ):
            yield World(server, bureau, Office(server, http, auths), bytes.fromhex(entry["digest_key"]))


@pytest_asyncio.fixture
async def world(made: World) -> World:
    """The same as on its first day."""
    await made.rows(_EMPTY)
    made.bureau.asked.clear()
    made.bureau.slow, made.bureau.reply = 0.0, lambda _question: (204, b"")
    asked = await made.office.ask("clients/utilities/addresses", {"purpose": "history", "address": made.bureau.address})
    assert (await made.office.approve(asked, by="one")).status_code == 409
    approved = await made.office.approve(asked)
    assert approved.status_code == 200, approved.text
    return made


class TestAsking:
    """The job, the bureau, the citizen."""

    async def test_joining_brings_the_history(self, world: World) -> None:
        """Once: the question holds a digest, the kinds in force and the window; the records count and are explained."""
        world.answers(1, 2, 3)
        person = world.server.person()
        async with world.server.logged_in(person) as me:
            await world.server.join(me)
            before = (await me.get("/v1/me/score")).json()["points"]
            assert await histories.turn(world.server.house) == 1
            assert await histories.turn(world.server.house) == 0
            (asked,) = world.bureau.asked
            assert asked["kinds"] == ["N01", "P01"]
            assert asked["since"] < asked["until"]
            assert person["id_number"] not in str(asked)
            assert (await me.get("/v1/me/score")).json()["points"] == before + 1.5
            (shown,) = (await me.get("/v1/me/histories")).json()["histories"]
            assert (shown["source"], shown["state"]) == ("名称 utilities", "received")
            actions = [one["action"] for one in (await me.get("/v1/me/accesses")).json()["accesses"]]
            assert "history.ask" in actions
        rows = await world.rows("select via, received from scoring.batch")
        assert [tuple(row) for row in rows] == [("pull", 3)]

    async def test_nothing(self, world: World) -> None:
        """A bureau that holds nothing says so, and is not asked again."""
        async with world.server.logged_in(world.server.person()) as me:
            await world.server.join(me)
            assert await histories.turn(world.server.house) == 1
            assert await world.state() == [("utilities", "nothing", 1)]

    async def test_trouble_is_tried_again_with_pauses(self, world: World) -> None:
        """A fault, a redirect, too much: later again, five times in all, and then it has failed; nothing is taken."""
        away = {"location": "http://127.0.0.1:1/elsewhere"}
        replies: list[Any] = [(500, b""), (302, b"", away), (200, b"x" * (9 << 20)), (403, b"no"), (503, b"")]
        world.bureau.reply = lambda _question: replies[len(world.bureau.asked) - 1]
        async with world.server.logged_in(world.server.person()) as me:
            await world.server.join(me)
            for attempt in range(1, len(pulls.PAUSES) + 1):
                assert await histories.turn(world.server.house) == 0
                assert await histories.turn(world.server.house) == 0, "not before the pause is over"
                last = attempt == len(pulls.PAUSES)
                assert await world.state() == [("utilities", "failed" if last else "waiting", attempt)]
                await world.rows(DONE)
            await histories.turn(world.server.house)
            assert len(world.bureau.asked) == len(pulls.PAUSES)
            assert (await me.get("/v1/me/histories")).json()["histories"][0]["state"] == "failed"
        assert await world.rows("select from scoring.batch") == []

    async def test_another_persons_record_is_refused(self, world: World) -> None:
        """An answer about somebody else is not taken, even if they take part, too."""
        other = world.server.person()
        async with world.server.logged_in(other) as them:
            await world.server.join(them)
            await histories.turn(world.server.house)
        theirs = world.bureau.asked[0]["subject"]
        world.answers(1, subject=theirs)
        async with world.server.logged_in(world.server.person()) as me:
            await world.server.join(me)
            await histories.turn(world.server.house)
        assert await world.rows("select from scoring.record") == []
        rows = await world.rows("select code from scoring.batch_rejection")
        assert [row["code"] for row in rows] == ["malformed"]

    async def test_it_stops_with_the_consent(self, world: World) -> None:
        """Who withdraws is not asked about any more; nothing is left of the question."""
        async with world.server.logged_in(world.server.person()) as me:
            given = (await world.server.join(me)).json()
            world.bureau.reply = lambda _question: (503, b"")
            await histories.turn(world.server.house)
            await me.delete(f"/v1/me/consents/{given['id']}")
            await world.rows(DONE)
            await histories.turn(world.server.house)
        assert len(world.bureau.asked) == 1
        assert await world.state() == []

    async def test_withdrawn_while_the_bureau_answers(self, world: World) -> None:
        """An answer that comes after the withdrawal is dropped unstored."""
        world.answers(1)
        world.bureau.slow = 0.4
        async with world.server.logged_in(world.server.person()) as me:
            given = (await world.server.join(me)).json()
            asking = asyncio.create_task(histories.turn(world.server.house))
            async with asyncio.timeout(5):
                while not await world.state():  # the question is written down before it is asked
                    await asyncio.sleep(0.01)
            await me.delete(f"/v1/me/consents/{given['id']}")
            await asking
        assert await world.rows("select from scoring.record") == []
        assert await world.state() == []

    async def test_a_killed_try_has_been_made(self, world: World) -> None:
        """A try is written down before it is made: killed in the middle, it is repeated after its pause, harmlessly."""
        world.answers(1)
        async with world.server.logged_in(world.server.person()) as me:
            await world.server.join(me)
            house = world.server.house
            async with house.doors.work("scorer") as session:
                await pulls.prepare(session, sources=["utilities"])
                (begun,) = await pulls.begin(session, sources=["utilities"])
            assert begun.attempt == 1
            assert await histories.turn(house) == 0
            await world.rows(DONE)
            assert await histories.turn(house) == 1
        assert await world.state() == [("utilities", "received", 2)]

    async def test_two_workers_ask_once(self, world: World) -> None:
        """Two processes at once ask each question once."""
        world.answers(1)
        async with world.server.logged_in(world.server.person()) as me:
            await world.server.join(me)
            done = await asyncio.gather(*(histories.turn(world.server.house) for _ in range(4)))
        assert sum(done) == 1
        assert len(world.bureau.asked) == 1


class TestAddresses:
    """Where a source answers is fixed at its registration."""

    @pytest.mark.parametrize(
        "address",
        ["http://bureau.example/x", "https://user@bureau.example/x", "https://bureau.example/x?y", "ftp://x/y",
         "https://", "https://bureau.example/x#y", "http://10.0.0.1/x", "https://bureau.example:99999/x"],
    )  # fmt: skip
    async def test_what_is_no_address(self, world: World, address: str) -> None:
        """Only https, without user, query or fragment."""
        asked = await world.office.ask("clients/utilities/addresses", {"purpose": "history", "address": address})
        assert (asked.status_code, asked.json()["code"]) == (422, "bad_address")

    async def test_a_partner_has_none(self, world: World) -> None:
        """Only sources are asked."""
        await world.office.server.register("shop", "partner", "eligibility:check", perks=["library.credit-card"])
        asked = await world.office.ask(
            "clients/shop/addresses", {"purpose": "history", "address": "https://a.example/x"}
        )
        assert asked.status_code == 422

    async def test_taken_away(self, world: World) -> None:
        """Without an address nobody is asked about."""
        await world.office.approve(
            await world.office.ask("clients/utilities/addresses", {"purpose": "history", "address": None})
        )
        async with world.server.logged_in(world.server.person()) as me:
            await world.server.join(me)
        assert await histories.turn(world.server.house) == 0
        assert await world.state() == []
        async with httpx2.AsyncClient(base_url=world.server.base_url) as http:
            keys = (await http.get("/.well-known/jwks.json")).json()["keys"]
        assert "ask-1" in {key["kid"] for key in keys}
