"""The client that merchants copy from the docs works as it stands."""

import asyncio
import json
import sys
from pathlib import Path

from core.settings import ROOT
from tests.api.conftest import Server

PERK = "library.deposit-free"
EXAMPLE = ROOT / "docs" / "examples" / "partner.py"


async def _run(*words: str) -> str:
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await child.communicate()
    assert child.returncode == 0, said.decode()
    return said.decode()


class TestPartner:
    """docs/examples/partner.py."""

    def test_it_is_short_enough_to_copy(self) -> None:
        """Eighty lines at the most."""
        assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 80

    async def test_it_gets_a_grant_for_a_fresh_code(self, server: Server, tmp_path: Path) -> None:
        """Token, proof, nonce, question, answer: from the kit to `granted`."""
        _, entry = await server.register("copied", "partner", "eligibility:check", perks=[PERK])
        kit = tmp_path / "kit.json"
        kit.write_text(
            json.dumps({"base_url": server.base_url, "issuer": server.base_url, "clients": {"copied": entry}})
        )
        async with server.logged_in(server.person()) as me:
            await server.join(me)
            code = (await me.post("/v1/me/credit-code", json={"perk": PERK})).json()["code"]
        said = await _run(str(kit), "copied", PERK, code, "20000")
        assert said.startswith("200 ")
        assert json.loads(said[4:])["payable_deposit"] == 0
        assert json.loads((await _run(str(kit), "copied", PERK, code))[4:])["reason"] == "code_used"
