"""The mini-program's pages drawn and tapped: WeChat's component framework from npm in jsdom, against a real server.

Not a telephone: layout, web view and the client's own widgets are not shown. With SCREENSHOTS set, the HTML that came
out is written there, one file a step. Skips loudly where npm or its packages are not to be had.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.conftest import Server
from tests.api.conftest import server as server  # noqa: PLC0414  (the fixture, for the tests of this folder)
from tests.interop.test_miniprogram import SAMPLE
from tests.interop.test_miniprogram import weixin as weixin  # noqa: PLC0414  (as above)
from tests.interop.test_node_clients import SCRIPTS, run, told
from tests.wechatserver import WeChat

pytestmark = pytest.mark.interop

PACKAGES = ("miniprogram-simulate@1.6.2", "j-component@1.4.10", "jsdom@22.1.0")  # each MIT
MACHINE = re.compile(r"undefined|null|\[object|\d{4}-\d\d-\d\d|share:|>score<")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages, and beside them the sample with the empty .json that the framework wants of each page."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("NOT RUN: no node or npm on PATH")
    folder = tmp_path_factory.mktemp("pages")
    (folder / "package.json").write_text('{"private": true}')
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", *PACKAGES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"NOT RUN: npm could not install {' '.join(PACKAGES)}: {done.stderr[-300:]}")
    shutil.copytree(SAMPLE, folder / "sample")
    for script in (folder / "sample" / "pages").glob("*/*.js"):
        script.with_suffix(".json").write_text('{"component": true}')
    shutil.copy(SCRIPTS / "pages.cjs", folder)
    return folder


def text(markup: str) -> str:
    """What a person reads."""
    return re.sub(r"<[^>]*>", " ", markup)


async def test_somebody_joins_shows_a_code_and_withdraws_by_tapping(
    server: Server, weixin: WeChat, place: Path
) -> None:
    """Each page says in words what it shows: names, days as people write them, and nothing of a machine's."""
    person = server.person()
    given = {
        "base": server.base_url, "codes": [weixin.login("o-pages-1")], "packages": str(place),
        "sample": str(place / "sample"), "login": person["login"], "password": person["password"],
    }  # fmt: skip
    came = await told(await run(place, "pages.cjs", given))
    seen: dict[str, str] = came["seen"]
    if folder := os.environ.get("SCREENSHOTS"):
        (Path(folder) / "miniprogram.json").write_text(json.dumps(seen, ensure_ascii=False))
    wanted = {
        "outside": ("您还没有加入",), "notice": ("个人信用积分告知书", "图书馆（可选）"), "joined": ("计算我的桂花分",),
        "points": ("110", "铜", "清白年度"), "code": ("免押金借书", "还有", "秒"), "withdrawn": ("现在没有有效的同意",),
    }  # fmt: skip
    for step, words in wanted.items():
        read = text(seen[step])
        assert [one for one in words if one not in read] == [], (step, read)
        assert MACHINE.findall(read) == [], (step, read)
    assert seen["picture"].startswith("data:image/svg+xml;base64,")
    assert came["asked"] == ["撤回这份同意？"]
