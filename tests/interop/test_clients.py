"""The one-file clients of docs/clients, each in its own language against a real server: what merchants copy works.

A language that is not on the machine is skipped and named. `make interop` installs what it may.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from api.tool import registration
from core.settings import ROOT
from tests.api.conftest import Server
from tests.api.conftest import server as server  # noqa: PLC0414  (the fixture, for the tests of this folder)

pytestmark = pytest.mark.interop

PERK = "library.deposit-free"
CLIENTS = ROOT / "docs" / "clients"
FILES = {
    "python": "merchant.py",
    "node": "merchant.mjs",
    "java": "Merchant.java",
    "go": "merchant.go",
    "php": "merchant.php",
}
SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
BODY = '{"type":"order.settled","timestamp":"2026-11-22T08:00:00Z","data":{"status":"settled","seq":5}}'


class Shop(msgspec.Struct, frozen=True):
    """A registered merchant, its kit on disk, and the server that it asks."""

    server: Server
    kit: Path

    async def code(self) -> str:
        """Somebody's fresh code for the perk."""
        async with self.server.logged_in(self.server.person()) as me:
            await self.server.join(me)
            return (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]


@pytest_asyncio.fixture(scope="session")
async def shop(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """One merchant whom every language plays."""
    entry = await registration.add(
        server.house.settings,
        client_id="copied-client",
        role="partner",
        name="抄来的客户端",
        scopes=["eligibility:check", "orders:write"],
        perks=[PERK],
    )
    kit = tmp_path_factory.mktemp("kit") / "kit.json"
    kit.write_text(
        json.dumps({"base_url": server.base_url, "issuer": server.base_url, "clients": {"copied-client": entry}})
    )
    yield Shop(server, kit)


def built(*command: str) -> None:
    """Run a compiler; it must be content."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """How each language is started here."""
    place = tmp_path_factory.mktemp("programs")
    found = {"python": [sys.executable, str(CLIENTS / FILES["python"])]}
    for name in ("node", "php"):
        if (program := shutil.which(name)) is not None:
            found[name] = [program, str(CLIENTS / FILES[name])]
    if (go := shutil.which("go")) is not None:
        built(go, "build", "-o", str(place / "merchant"), str(CLIENTS / FILES["go"]))
        found["go"] = [str(place / "merchant")]
    if (java := shutil.which("java")) is not None:
        found["java"] = [java, str(CLIENTS / FILES["java"])]
        if (compiler := shutil.which("javac")) is not None:
            built(compiler, "-d", str(place), str(CLIENTS / FILES["java"]))
            found["java"] = [java, "-XX:TieredStopAtLevel=1", "-cp", str(place), "Merchant"]
    return found


@pytest.fixture(params=FILES)
def program(request: pytest.FixtureRequest, programs: Mapping[str, list[str]]) -> list[str]:
    """The command of one language; skipped, loudly, where it is not there."""
    if request.param not in programs:
        pytest.skip(f"NOT RUN: no {request.param} on PATH; docs/clients/{FILES[request.param]} was not tried")
    return programs[request.param]


async def run(command: list[str], kit: Path, *words: str) -> tuple[int, str]:
    """Run a client to its end; its exit and what it said."""
    child = await asyncio.create_subprocess_exec(
        *command,
        str(kit),
        "copied-client",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(child.communicate(), 40)
    return child.returncode or 0, said.decode()


def answers(said: str) -> list[tuple[int, dict[str, Any]]]:
    """The lines `STATUS JSON` that a client printed."""
    return [(int(line[:3]), json.loads(line[4:])) for line in said.splitlines()]


def signature(body: str, moment: int, *, secret: str = SECRET) -> str:
    """The `v1` signature of Standard Webhooks over id, time and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"msg_1.{moment}.{body}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


@pytest.mark.parametrize("name", FILES.values())
def test_it_is_short_enough_to_copy(name: str) -> None:
    """Eighty lines at the most, of a width that a page shows."""
    lines = (CLIENTS / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 80
    assert max(map(len, lines)) <= 160


class TestCheck:
    """One question, with token, proof, nonce and receipt."""

    async def test_it_gets_a_grant_for_a_fresh_code(self, shop: Shop, program: list[str]) -> None:
        """From the kit to `granted`, and nothing to pay."""
        ended, said = await run(program, shop.kit, "check", PERK, await shop.code(), "20000")
        assert ended == 0, said
        ((status, answer),) = answers(said)
        assert (status, answer["result"], answer["payable_deposit"]) == (200, "granted", 0)


@contextmanager
def stuttering(server: Server, path: str) -> Iterator[list[str]]:
    """The first answer under `path` is lost after it was given, and a 503 comes instead; yields the keys that came."""
    handler, keys = server.front.app, list[str]()

    async def lose(_message: Any) -> None:
        """Nobody hears it."""

    async def stutter(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") != path or scope["type"] != "http":
            await handler(scope, receive, send)
            return
        keys.extend(value.decode() for name, value in scope["headers"] if name == b"idempotency-key")
        if len(keys) > 1:
            await handler(scope, receive, send)
            return
        await handler(scope, receive, lose)
        headers = [(b"content-type", b"text/html"), (b"retry-after", b"0")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": b"<h1>gateway</h1>"})

    server.front.app = stutter
    try:
        yield keys
    finally:
        server.front.app = handler


class TestOrder:
    """A whole order."""

    async def test_it_goes_from_the_check_to_the_settlement(self, shop: Shop, program: list[str]) -> None:
        """Check, open, start, return, settle at nothing: five answers, the last one settled."""
        number = f"T{uuid.uuid4().hex[:20]}"
        ended, said = await run(program, shop.kit, "order", PERK, await shop.code(), "20000", number)
        assert ended == 0, said
        told = answers(said)
        assert [status for status, _ in told] == [200, 201, 200, 200, 200]
        assert [one.get("status") for _, one in told[1:]] == ["open", "active", "returned", "settled"]
        assert {one["out_order_no"] for _, one in told[1:]} == {number}

    async def test_a_lost_answer_is_asked_for_with_the_same_key(self, shop: Shop, program: list[str]) -> None:
        """The order was opened, the answer lost, a gateway's page came: sent again it is the same order."""
        number = f"T{uuid.uuid4().hex[:20]}"
        with stuttering(shop.server, "/v1/partner/orders") as keys:
            ended, said = await run(program, shop.kit, "order", PERK, await shop.code(), "20000", number)
        assert ended == 0, said
        assert len(keys) == 2
        assert len(set(keys)) == 1
        assert answers(said)[-1][1]["status"] == "settled"


class TestWebhook:
    """Whether a webhook is the city's."""

    async def test_a_genuine_one_passes(self, shop: Shop, program: list[str]) -> None:
        """Also with the old secret's signature beside the new one's, as while a secret is rotated."""
        now = int(time.time())
        both = f"{signature(BODY, now, secret='whsec_b2xk')} {signature(BODY, now)}"
        assert await run(program, shop.kit, "webhook", SECRET, "msg_1", str(now), both, BODY) == (0, "")

    @pytest.mark.parametrize("wrong", ["body", "age", "secret"])
    async def test_another_does_not(self, shop: Shop, program: list[str], wrong: str) -> None:
        """A changed body, one of an hour ago, one signed with another secret."""
        now = int(time.time()) - (3600 if wrong == "age" else 0)
        signed = signature(BODY, now, secret="whsec_b2xk" if wrong == "secret" else SECRET)
        body = BODY.replace("settled", "defaulted") if wrong == "body" else BODY
        ended, said = await run(program, shop.kit, "webhook", SECRET, "msg_1", str(now), signed, body)
        assert ended == 1, said
