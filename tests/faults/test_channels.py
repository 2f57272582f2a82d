"""SIGKILL of the worker between what it asked a pay channel and the answer: it queries, with no new number."""

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from core import db
from core.keys import Keyring
from core.settings import ROOT
from tests.channelserver import Line, listening
from tests.channelworld import Counter, counter

WORKER = """
import asyncio, base64, sys
from pathlib import Path
import msgspec
from core import db
from core.keys import Keyring
from incentives.channels.account import Account
from incentives.channels.mirror import Mirror, asker
ring = Keyring(bytes(range(32)), Path(sys.argv[2]))
account = msgspec.json.decode(base64.b64decode(sys.argv[3]), type=Account)
held = {(account.partner, account.perk): account}
mirror = Mirror(db.Doors(sys.argv[1], ring, "osmanthus"), held, notify="https://x.example/{}", ask=asker(sandbox=True))
asyncio.run(mirror.look(sys.argv[4]))
"""


@pytest_asyncio.fixture(params=["wechat", "alipay"])
async def shop(request: pytest.FixtureRequest, database: str, doors: db.Doors) -> AsyncIterator[Counter]:
    """Either channel."""
    async with counter(request.param, database, doors) as made:
        yield made


class TestKilled:
    """The call that takes a deposit's rest or a fee."""

    @pytest.mark.parametrize("done", [True, False], ids=["the channel did it", "the channel never heard it"])
    async def test_between_the_question_and_the_answer(
        self, shop: Counter, database: str, ring: Keyring, *, done: bool
    ) -> None:
        """The call is stored; the next worker queries first, repeats at most the same number, and money moves once."""
        order = await shop.agreed()
        for action in ("start", "return"):
            order = await shop.till.act(order, action)
        order = await shop.till.act(order, "settle", items=[{"name": "x", "amount": 500}])
        before, heard = await shop.calls(order), len(shop.server.calls)
        line = Line(done=done)
        async with listening(shop.server, line) as origin:
            path = "" if shop.account.channel == "wechat" else "/gateway.do"
            account = msgspec.structs.replace(shop.account, origin=origin + path)
            told = base64.b64encode(msgspec.json.encode(account)).decode()
            row = await shop.row(order)
            worker = await asyncio.create_subprocess_exec(
                sys.executable, "-c", WORKER, database, str(ring.file), told, str(row["order_id"]),
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            async with asyncio.timeout(20):
                await line.hung.wait()
            worker.send_signal(signal.SIGKILL)
            assert await worker.wait() == -signal.SIGKILL
            line.cut.set()
        (asked,) = set(await shop.calls(order)) - set(before)
        assert asked[1] == "asked"
        assert len(shop.server.calls) - heard == 1 + done  # the look before it, and the call if it came through
        del shop.server.calls[:]
        assert (await shop.row(order))["busy_until"] is not None
        for _ in range(3):
            await shop.look(order, again=True)
            shop.pay(order)
        assert "query" in shop.server.calls[0] or shop.server.calls[0].startswith("GET")
        assert {number for number, _ in await shop.calls(order)} == {number for number, _ in [*before, asked]}
        ours = await shop.order(order)
        assert (ours["status"], ours["paid"], shop.taken(order), shop.frozen(order)) == ("settled", 500, 500, 0)
