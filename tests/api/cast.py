"""Everybody who may knock at a running server, each with real credentials."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import msgspec

from api.tool import registration
from api.tool.caller import Signed
from tests.api.conftest import Server
from tests.api.identity.client import follow, submit

LIBRARY = "library.deposit-free"
RENTAL = "rental.deposit-free"
CLIENTS: Mapping[str, tuple[str, list[str], dict[str, Any]]] = {
    "partner": ("partner", ["eligibility:check", "orders:write", "recognition"], {"perks": [LIBRARY, RENTAL]}),
    "source": ("source", ["records:write"], {"kinds": ["P01", "P04", "P08", "N01", "N05"]}),
    "staff": (
        "staff",
        [
            "staff:assessments",
            "staff:audits",
            "staff:clients",
            "staff:calendar",
            "staff:clerks",
            "staff:counter",
            "staff:disputes",
            "staff:orders",
            "staff:incidents",
            "staff:quality",
            "staff:releases",
            "staff:repairs",
            "staff:reviews",
        ],
        {},
    ),
    "other staff": ("staff", ["staff:somethingelse"], {}),
    "citycard": ("citycard", ["citycard"], {"perks": [LIBRARY]}),
}


class Cast(msgspec.Struct, frozen=True):
    """Clients by name: those above, `anonymous`, `citizen` (an app's token), `cookie` (a browser), `idle partner`.

    `citizen` takes part; `person` is their entry. `idle partner` holds a token of another scope alone.
    """

    server: Server
    person: Mapping[str, Any]
    clients: Mapping[str, httpx2.AsyncClient]
    entries: Mapping[str, dict[str, Any]]

    def of(self, audience: str) -> httpx2.AsyncClient:
        """Somebody whom this audience's door lets in."""
        return self.clients["anonymous" if audience in {"public", "outside"} else audience]


@asynccontextmanager
async def gathered(server: Server, prefix: str) -> AsyncGenerator[Cast]:
    """The cast at a server; `prefix` keeps its client ids apart from others'."""
    async with AsyncExitStack() as stack:
        clients: dict[str, httpx2.AsyncClient] = {}
        entries: dict[str, dict[str, Any]] = {}

        async def enter(name: str, auth: Signed | None) -> None:
            http = httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=60)
            clients[name] = await stack.enter_async_context(http)

        for name, (role, scopes, more) in CLIENTS.items():
            client_id = f"{prefix}-{name.replace(' ', '-')}"
            entries[name] = await registration.add(
                server.house.settings, client_id=client_id, role=role, name=name, scopes=scopes, **more
            )
            await enter(name, server.as_client(entries[name]))
        await enter("idle partner", server.as_client({**entries["partner"], "scopes": ["recognition"]}))
        await enter("anonymous", None)
        person = server.person()
        clients["citizen"] = await stack.enter_async_context(server.logged_in(person))
        assert (await server.join(clients["citizen"])).status_code == 201
        await enter("cookie", None)
        await log_in(clients["cookie"], person)
        yield Cast(server, person, clients, entries)


async def log_in(browser: httpx2.AsyncClient, person: Mapping[str, Any]) -> None:
    """A session cookie for a browser, through the identity provider's form."""
    form = await follow(browser, await browser.get("/login", params={"return_to": "/v1/me"}))
    landed = await follow(browser, await submit(browser, form, login=person["login"], password=person["password"]))
    assert landed.status_code == 200, landed.text
