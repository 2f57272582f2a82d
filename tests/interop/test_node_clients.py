"""Foreign clients: oauth4webapi and jose, in Node, as a merchant's system and as a citizens' app.

The packages are installed into a temporary directory when these tests run; without Node or a registry they are skipped
and say so.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.conftest import Server
from tests.api.conftest import server as server  # noqa: PLC0414  (the fixture, for the tests of this folder)
from tests.api.identity.client import detail, submit

pytestmark = pytest.mark.interop

PERK = "library.deposit-free"
PACKAGES = ("oauth4webapi@3.8.8", "jose@6.2.17")
SCRIPTS = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with our scripts and the packages that they import."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        pytest.skip("NOT RUN: no node or npm on PATH")
    place = tmp_path_factory.mktemp("node")
    for script in SCRIPTS.iterdir():
        shutil.copy(script, place)
    (place / "package.json").write_text('{"private": true, "type": "module"}')
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", *PACKAGES]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"NOT RUN: npm could not install {' '.join(PACKAGES)}: {done.stderr[-300:]}")
    return place


async def run(place: Path, script: str, given: Mapping[str, Any]) -> "asyncio.subprocess.Process":
    """Start a script with what it needs to know."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        "node", script, json.dumps(given), cwd=place, stdin=pipe, stdout=pipe, stderr=pipe
    )


async def told(process: "asyncio.subprocess.Process") -> dict[str, Any]:
    """The next line of a script; its complaint, if it ends instead."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    assert line, (await process.stderr.read()).decode()
    return json.loads(line)


class TestPartner:
    """oauth4webapi and jose as a merchant's system."""

    async def test_it_asks_and_verifies_the_receipt(self, server: Server, node: Path) -> None:
        """Discovery, private_key_jwt, DPoP with our nonce, a grant; its receipt holds, a forged one does not."""
        _, entry = await server.register("foreign-library", "partner", "eligibility:check", perks=[PERK])
        async with server.logged_in(server.person()) as me:
            assert (await server.join(me)).status_code == 201
            code = (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]
        given = {"base_url": server.base_url, "kit": entry, "code": code, "perk": PERK}
        process = await run(node, "partner.mjs", given)
        heard = await told(process)
        assert await process.wait() == 0
        answer = heard["told"]["body"]
        assert (heard["told"]["status"], answer["result"], answer["payable_deposit"]) == (200, "granted", 0)
        assert heard["token"]["token_type"] == "dpop"
        assert heard["claims"]["client_id"] == entry["client_id"]
        assert heard["header"]["typ"] == "decision-receipt+jwt"
        signed = {name: value for name, value in heard["receipt"].items() if name in answer}
        assert signed == {name: value for name, value in answer.items() if name != "receipt"}
        assert heard["forged"] == "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"
        assert heard["rs"]["dpop_bound_access_tokens_required"] is True


class TestApp:
    """oauth4webapi as a citizens' app."""

    async def test_it_walks_par_authorize_token(self, server: Server, node: Path) -> None:
        """PAR, PKCE, DPoP, `iss` in the answer; the code works once, and using it again ends the token."""
        person = server.person()
        process = await run(node, "app.mjs", {"base_url": server.base_url, "citizen_client": server.citizen_client})
        address = (await told(process))["open"]
        landed = await _browse(server, person, address, server.citizen_client["redirect_uri"])
        assert process.stdin is not None
        process.stdin.write(f"{landed}\n".encode())
        heard = await told(process)
        assert await process.wait() == 0
        assert (heard["me"]["status"], heard["me"]["body"]["enrolled"]) == (200, False)
        assert heard["token"]["scope"] == "me"
        assert (heard["replay"]["status"], heard["replay"]["body"]["error"]) == (400, "invalid_grant")
        assert heard["revoked"] == 401


class TestStanding:
    """oauth4webapi as a merchant's system that asks a citizen for a standing consent."""

    async def test_it_asks_uses_and_renews(self, server: Server, node: Path) -> None:
        """PAR with authorization_details, the citizen's yes, code, check, refresh, check, introspection, revocation."""
        back = "https://library.example.city/back"
        _, entry = await server.register(
            "foreign-standing", "partner", "eligibility:check", perks=[PERK], redirect_uris=[back], contact="12345"
        )
        person = server.person()
        async with server.logged_in(person) as me:
            assert (await server.join(me)).status_code == 201
        given = {"base_url": server.base_url, "kit": entry, "details": detail(locations=None)}
        process = await run(node, "standing.mjs", given)
        landed = await _browse(server, person, (await told(process))["open"], back)
        assert process.stdin is not None
        process.stdin.write(f"{landed}\n".encode())
        heard = await told(process)
        assert await process.wait() == 0
        (granted,) = heard["token"]["authorization_details"]
        assert granted["subject"].startswith("su_")
        assert heard["token"]["grant_id"] == heard["renewed"]["grant_id"]
        assert "refresh_token" not in heard["renewed"]
        for one in (heard["told"], heard["again"]):
            assert (one["status"], one["body"]["result"]) == (200, "granted")
        assert (heard["seen"]["active"], heard["seen"]["sub"]) == (True, granted["subject"])
        assert (heard["revoked"], heard["after"]) == (200, 401)


async def _browse(server: Server, person: Mapping[str, Any], address: str, back: str) -> str:
    """Log in, allow, and end at the client's address."""
    async with httpx2.AsyncClient(base_url=server.base_url, timeout=30) as browser:
        page = await browser.get(address)
        while not page.headers.get("location", "").startswith(back):
            if page.is_redirect:
                page = await browser.get(page.url.join(page.headers["location"]))
                continue
            filled = {name: person[name] for name in ("login", "password") if f'name="{name}"' in page.text}
            page = await submit(browser, page, **(filled or {"decision": "allow", "separate": "yes"}))
        return str(page.headers["location"])
