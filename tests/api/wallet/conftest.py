"""Somebody new for a test, on the server that API tests share; lists are not kept here, so that nobody waits."""

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from incentives.credentials import lists
from tests.api.conftest import Server
from tests.api.wallet.cast import Holder, recognise
from tests.walletapp import Wallet


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is made anew for everybody who asks."""
    monkeypatch.setattr(lists, "_FRESH", 0)


@pytest_asyncio.fixture
async def holder(server: Server) -> AsyncIterator[Holder]:
    """Somebody new: 110.0 points by the shipped scorecard."""
    async with server.logged_in(server.person()) as me, httpx2.AsyncClient(timeout=30) as http:
        assert (await server.join(me)).status_code == 201
        given = await recognise(me)
        assert given.status_code == 201, given.text
        yield Holder(me, Wallet(http, server.base_url), given.json()["id"])
