"""A counter of the credit office, as tests go there."""

import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec

from api.tool.caller import Signed
from tests import eavesdropping
from tests.api.conftest import Server

PIN = "204816"


class Office(msgspec.Struct, frozen=True):
    """One office's system; `http` calls as it."""

    server: Server
    client_id: str
    auth: Signed
    http: httpx2.AsyncClient

    async def knows(self, person: Mapping[str, Any], *, card_no: str | None = None, clerk: str = "0001") -> Any:
        """The person comes with their ID card, and perhaps a city card."""
        body = {"clerk": clerk, "id_card": id_card(person)["id_card"], "face_compared": True}
        return await self.http.post(
            "/v1/staff/people", json=body if card_no is None else body | {"card": {"card_no": card_no, "pin": PIN}}
        )

    async def opens(self, holder: Mapping[str, Any], *, clerk: str = "0001", purpose: str = "consent") -> Any:
        """The answer to opening an assisted session."""
        body = {"clerk": clerk, "purpose": purpose, "holder": holder}
        return await self.http.post("/v1/staff/assisted-sessions", json=body)

    @asynccontextmanager
    async def sitting(self, holder: Mapping[str, Any], **how: str) -> AsyncGenerator[tuple[httpx2.AsyncClient, str]]:
        """`/v1/me` of the citizen who sits there, and the session's id."""
        opened = await self.opens(holder, **how)
        assert opened.status_code == 201, opened.text
        auth = self.auth.holding(opened.json()["access_token"])
        async with httpx2.AsyncClient(base_url=self.server.base_url, auth=auth, timeout=30) as me:
            yield me, opened.json()["id"]

    async def proves(self, session_id: str, holder: Mapping[str, Any]) -> Any:
        """The card is read once more."""
        return await self.http.post(f"/v1/staff/assisted-sessions/{session_id}/proofs", json={"holder": holder})


@asynccontextmanager
async def office(server: Server) -> AsyncGenerator[Office]:
    """A new office."""
    client_id = f"counter-{secrets.token_hex(4)}"
    auth, _ = await server.register(client_id, "staff", "staff:counter")
    async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=30) as http:
        yield Office(server, client_id, auth, http)


def new_card() -> str:
    """A city card's number."""
    number = "99" + "".join(secrets.choice("0123456789") for _ in range(14))
    eavesdropping.somebody(number)
    return number


def id_card(person: Mapping[str, Any]) -> dict[str, Any]:
    """What the reader reads."""
    return {"id_card": {"name": person["name"], "number": person["id_number"]}}


def with_pin(card_no: str, pin: str = PIN) -> dict[str, Any]:
    """The city card, and what was typed."""
    return {"card_no": card_no, "pin": pin}
