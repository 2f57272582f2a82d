"""The mini-program's sample under Node: its own tests, and its way through a real server; WeChat is stood in for."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from api.tool import registration
from core import clock
from core.settings import ROOT
from tests.api.conftest import Server
from tests.api.conftest import server as server  # noqa: PLC0414  (the fixture, for the tests of this folder)
from tests.wechatserver import APPID, SECRET, WeChat, wechat

pytestmark = pytest.mark.interop

SAMPLE = ROOT / "deploy" / "miniprogram"
HOSTS = ("https://", "http://")
SUFFIXES = {".js", ".wxml", ".wxss", ".json"}


@pytest_asyncio.fixture
async def weixin(server: Server) -> AsyncIterator[WeChat]:
    """The server knows a mini-program, and WeChat answers from loopback."""
    async with wechat() as there:
        state: Any = server.application.state
        known = server.house
        settings = msgspec.structs.replace(
            known.settings, wechat_appid=APPID, wechat_secret=SECRET, wechat_api=there.origin
        )
        await registration.add(
            settings, client_id="miniprogram", role="citizen", name="小程序", scopes=["me"],
            redirect_uris=["https://miniprogram.invalid/"],
        )  # fmt: skip
        state.house = msgspec.structs.replace(known, settings=settings)
        yield there
        state.house = known


async def node(**environ: str) -> tuple[int | None, str]:
    """Run the sample's tests."""
    if shutil.which("node") is None:
        pytest.skip("NOT RUN: no node on PATH")
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(
        "node",
        "--test",
        "test/",
        cwd=SAMPLE,
        env={**os.environ, **environ},
        stdout=pipe,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(running.communicate(), 120)
    return running.returncode, said.decode()


class TestSample:
    """`deploy/miniprogram`."""

    async def test_it_logs_in_joins_draws_and_withdraws(self, server: Server, weixin: WeChat) -> None:
        """By the lib's own modules alone; whoever proved no name cannot join; a used code opens nothing."""
        person = server.person()
        given = {
            "base": server.base_url, "codes": [weixin.login("o-sample-1"), weixin.login("o-sample-2")],
            "login": person["login"], "password": person["password"],
            "until": (clock.today() + timedelta(days=300)).isoformat(),
        }  # fmt: skip
        status, said = await node(CITY=json.dumps(given))
        assert status == 0, said
        assert "# skipped 0" in said or "ℹ skipped 0" in said

    def test_its_pages_are_whole_and_fetch_nothing_from_elsewhere(self) -> None:
        """Each page has its script and its markup; no address of another host but the city's own placeholder."""
        listed = json.loads((SAMPLE / "app.json").read_text())["pages"]
        for page in listed:
            assert (SAMPLE / f"{page}.js").is_file()
            assert (SAMPLE / f"{page}.wxml").is_file()
        assert {one.parent.name for one in SAMPLE.glob("pages/*/*.js")} == {page.split("/")[1] for page in listed}
        for file in SAMPLE.rglob("*"):
            if (
                file.suffix in {".js", ".wxml", ".wxss", ".json"}
                and "nacl" not in file.parts
                and "test" not in file.parts
            ):
                text = file.read_text().replace("https://credit.example.city", "")
                assert not [host for host in HOSTS if host in text], file
