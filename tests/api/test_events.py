"""Who looks, as it happens: Server-Sent Events over real HTTP."""

import json
from contextlib import AsyncExitStack
from typing import Any

from api.citizen.events import LONGEST, MOST_STREAMS
from tests.api.conftest import Server
from tests.api.pagereader import Browser


def read(text: str) -> list[tuple[str, str, Any]]:
    """(event, id, data) of each event of a stream."""
    found: list[tuple[str, str, Any]] = []
    for block in text.split("\n\n"):
        said = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
        if said:
            found.append((said["event"], said["id"], json.loads(said["data"])))
    return found


class TestEvents:
    """`GET /v1/me/events`."""

    async def test_what_comes_while_one_listens_is_told(self, server: Server) -> None:
        """An entry written after `ready` arrives, the same as in the list; older ones do not; and then it ends."""
        page = Browser(server)
        await page.join(server.person())
        await page.go("/code?perk=library.deposit-free")
        async with page.http.stream("GET", "/v1/me/events", params={"seconds": 3}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()
            assert await anext(lines) == "event: ready"
            await page.submit(action="/code")
            told = read("event: ready\n" + "\n".join([line async for line in lines]))
        (newest, *_) = (await page.http.get("/v1/me/accesses")).json()["accesses"]
        await page.http.aclose()
        assert [(name, data["action"]) for name, _, data in told[1:]] == [("access", "credit_code.draw")]
        assert told[-1][1:] == (newest["id"], newest)

    async def test_whoever_comes_again_goes_on_from_there(self, server: Server) -> None:
        """With Last-Event-ID, what came between; without seconds the answer ends at once."""
        async with server.logged_in(server.person()) as me:
            ((_, ready, _),) = read((await me.get("/v1/me/events")).text)
            await server.join(me)
            again = await me.get("/v1/me/events", headers={"Last-Event-ID": ready})
            told = read(again.text)
        assert told[0][0] == "ready"
        assert [data["action"] for _, _, data in told[1:]] == ["consent.give"]

    async def test_nobody_hears_of_another(self, server: Server) -> None:
        """And a session that ended hears nothing more."""
        async with server.logged_in(server.person()) as me, server.logged_in(server.person()) as other:
            ((_, ready, _),) = read((await other.get("/v1/me/events")).text)
            await server.join(me)
            assert len(read((await other.get("/v1/me/events", headers={"Last-Event-ID": ready})).text)) == 1

    async def test_so_long_and_so_many(self, server: Server) -> None:
        """422 for longer, 429 with the time to wait for one stream too many, and 404 for an id that is none."""
        page = Browser(server)
        await page.log_in(server.person())
        me = page.http
        assert (await me.get("/v1/me/events", params={"seconds": LONGEST + 1})).status_code == 422
        assert (await me.get("/v1/me/events", headers={"Last-Event-ID": "rc_1"})).status_code == 404
        async with AsyncExitStack() as open_streams:
            lines: list[Any] = []  # kept: who lets go of one closes its stream
            for _ in range(MOST_STREAMS):
                stream = await open_streams.enter_async_context(me.stream("GET", "/v1/me/events?seconds=9"))
                lines.append(stream.aiter_lines())
                await anext(lines[-1])
            assert (await me.get("/v1/me/events")).status_code == 429
        await me.aclose()
