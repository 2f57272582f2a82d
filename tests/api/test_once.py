"""An Idempotency-Key at the citizen's desk: repairs, declarations, commitments and disputes are opened once."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio

from tests.api.canary import dump
from tests.api.conftest import Server, serving
from tests.api.rightsworld import Bureau, bureau, code
from tests.clones import clone
from tests.scoringworld import TODAY, penalty

MARK = "鱻鱻鱻"
DECLARE = {
    "kind": "P14", "source": "enforcement", "title": MARK, "happened_on": str(TODAY - timedelta(days=20)),
    "evidence": "证书", "pledge": 1,
}  # fmt: skip
COMMIT = {
    "item": "rectification", "version": 1, "source": "enforcement", "due_on": str(TODAY + timedelta(days=30)),
    "words": MARK,
}  # fmt: skip
ROUTES = ("repairs", "declarations", "commitments", "disputes")
WORDS = {"declarations": "title"}


class Desk(msgspec.Struct):
    """Somebody with a penalty that can be repaired and disputed."""

    server: Server
    me: httpx2.AsyncClient
    record: str

    async def ask(self, route: str, key: str, **more: Any) -> httpx2.Response:
        """Open something of this route."""
        bodies: dict[str, dict[str, Any]] = {
            "repairs": {"record": self.record, "words": MARK, "pledge": 1},
            "disputes": {"record": self.record, "reason": "not_true", "words": MARK},
            "declarations": DECLARE,
            "commitments": COMMIT,
        }
        headers = {"Idempotency-Key": key}
        return await self.me.post(f"/v1/me/{route}", json={**bodies[route], **more}, headers=headers)

    async def opened(self, route: str) -> list[str]:
        """The ids of what is there."""
        found = (await self.me.get(f"/v1/me/{route}")).json()
        return [one["id"] for one in found["items" if route == "disputes" else route]]


@pytest_asyncio.fixture(scope="module")
async def place(cluster: Any, city_template: str, ring: Any) -> AsyncIterator[tuple[Server, Bureau]]:
    """A server of this file's own, with a bureau."""
    async with (
        clone(cluster, city_template) as url,
        serving(url, ring.file, published=True) as server,
        bureau(server) as source,
    ):
        yield server, source


@pytest_asyncio.fixture
async def desk(place: tuple[Server, Bureau]) -> AsyncIterator[Desk]:
    """Somebody new."""
    server, source = place
    person = server.person()
    async with server.logged_in(person) as me:
        await server.join(me)
        await source.push(penalty(f"n-{secrets.token_hex(4)}", person["id_number"], days=120))
        (record,) = (await me.get("/v1/me/records")).json()["records"]
        yield Desk(server, me, record["id"])


@pytest.mark.parametrize("route", ROUTES)
class TestOnce:
    """One key, one effect."""

    async def test_a_repeat_is_answered_with_the_first_result(self, desk: Desk, route: str) -> None:
        """Same key and input: the same answer, marked as a repeat, and one matter; its words are not kept with it."""
        key = secrets.token_hex(8)
        first = await desk.ask(route, key)
        assert (first.status_code, first.headers.get("idempotent-replayed")) == (201, None), first.text
        again = await desk.ask(route, key)
        assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        assert again.json() == first.json()
        assert await desk.opened(route) == [first.json()["id"]]
        kept = (await dump(desk.server.owner_url))["core.idempotency"]
        assert key in kept
        assert MARK not in kept
        assert MARK.encode().hex() not in kept

    async def test_another_input_conflicts(self, desk: Desk, route: str) -> None:
        """The answer names the member that differs, and nothing is opened; the operation is a part of the input."""
        key = secrets.token_hex(8)
        assert (await desk.ask(route, key)).status_code == 201
        member = WORDS.get(route, "words")
        other = await desk.ask(route, key, **{member: "别的话"})
        assert code(other) == (409, "idempotency_conflict")
        assert [one["pointer"] for one in other.json()["errors"]] == [f"/{member}"]
        elsewhere = await desk.ask("disputes" if route == "repairs" else "repairs", key)
        assert code(elsewhere) == (409, "idempotency_conflict")
        assert len(await desk.opened(route)) == 1

    async def test_two_at_once_open_one(self, desk: Desk, route: str) -> None:
        """Of racing requests with one key one opens the matter; the others are told of it."""
        key = secrets.token_hex(8)
        answers = await asyncio.gather(*(desk.ask(route, key) for _ in range(4)))
        assert {one.status_code for one in answers} == {201}, [one.text for one in answers]
        assert len({one.json()["id"] for one in answers}) == 1
        assert sum("idempotent-replayed" in one.headers for one in answers) == 3
        assert len(await desk.opened(route)) == 1

    async def test_a_refused_request_leaves_its_key_free(self, desk: Desk, route: str) -> None:
        """What opened nothing is not remembered; a key that is none is refused."""
        key = secrets.token_hex(8)
        bad = {"record": "rc_" + "0" * 26} if route in {"repairs", "disputes"} else {"source": "nobody"}
        assert (await desk.ask(route, key, **bad)).status_code in {404, 422}
        assert (await desk.ask(route, key)).status_code == 201
        assert (await desk.ask(route, "x" * 256)).status_code == 422
