"""What the tests of repairs, declarations and commitments share: a bureau, a clerk, somebody with a penalty."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec

from api.tool.caller import Signed
from tests.api.conftest import Server
from tests.scoringworld import ndjson

LOOK = {"clerk": "0017", "purpose": "repair"}
KINDS = ["P01", "P06", "P08", "P09", "P12", "P13", "P14", "P15", "N01", "N02", "N03", "N05", "N06"]


class Bureau(msgspec.Struct, frozen=True):
    """A source in the notice's core list; `http` calls as it."""

    client_id: str
    http: httpx2.AsyncClient

    async def push(self, *lines: Any) -> dict[str, Any]:
        """Send lines; all are well-formed."""
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await self.http.post("/v1/source/records", content=ndjson(*lines), headers=headers)
        assert answer.json()["rejected"] == [], answer.text
        return answer.json()


@asynccontextmanager
async def bureau(server: Server, name: str = "enforcement", **more: Any) -> AsyncGenerator[Bureau]:
    """A bureau; registered with the name that the notice has for it."""
    auth, _ = await server.register(name, "source", "records:write", **{"kinds": KINDS, **more})
    async with client(server, auth) as http:
        yield Bureau(name, http)


@asynccontextmanager
async def clerk(server: Server, name: str, scope: str = "staff:repairs") -> AsyncGenerator[httpx2.AsyncClient]:
    """A staff system."""
    auth, _ = await server.register(name, "staff", scope)
    async with client(server, auth) as http:
        yield http


@asynccontextmanager
async def client(server: Server, auth: Signed | None) -> AsyncGenerator[httpx2.AsyncClient]:
    """Somebody at the server."""
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=30) as http:
        yield http


async def points(me: httpx2.AsyncClient) -> float:
    """The citizen's points as they see them."""
    return (await me.get("/v1/me/score")).json()["points"]


def code(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, answer.json().get("code", "")
