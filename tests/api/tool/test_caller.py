"""The signing client against a real server: what `osmanthus call` and the seed stand on."""

import asyncio
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api import cli
from api.tool import caller, registration
from core.errors import Invalid


async def registered(server: Any, **more: Any) -> dict[str, Any]:
    """A kit with one fresh partner in it, called `shop`."""
    wanted = {"role": "partner", "name": "试验商户", "scopes": ["eligibility:check"], **more}
    entry = await registration.add(server.house.settings, client_id=f"shop-{secrets.token_hex(4)}", **wanted)
    return {"base_url": server.base_url, "issuer": server.base_url, "citizens": [], "clients": {"shop": entry}}


class TestSigned:
    """Tokens and proofs."""

    async def test_one_token_serves_many_requests_each_with_its_own_proof(self, server: Any) -> None:
        """The token is asked for once; every request is accepted."""
        kit = await registered(server)
        asked: list[str] = []

        async def note(request: httpx2.Request) -> None:
            asked.append(request.url.path)

        async with httpx2.AsyncClient(base_url=kit["base_url"], event_hooks={"request": [note]}) as http:
            auth = caller.signed(kit, "shop")
            answers = [await http.get("/v1/partner/perks", auth=auth) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 200]

    async def test_a_key_that_was_not_registered_gets_no_token(self, server: Any) -> None:
        """The refusal quotes the token endpoint."""
        kit = await registered(server)
        kit["clients"]["shop"]["jwk"] = (await registered(server))["clients"]["shop"]["jwk"]
        with pytest.raises(caller.TokenRefusedError, match="invalid_client"):
            await caller.once(kit, "shop", "GET", "/v1/partner/perks", content=None, headers={})


class TestRegistration:
    """`client add`."""

    async def test_a_source_gets_a_digest_key_and_everybody_a_private_key_once(self, server: Any) -> None:
        """What is printed is all that the client needs, and the database keeps the public half."""
        kit = await registered(server, role="source", scopes=["records:write"], kinds=["P01"])
        entry = kit["clients"]["shop"]
        assert set(entry) == {"client_id", "role", "jwk", "scopes", "kinds", "digest_key"}
        assert entry["jwk"]["d"]
        assert len(bytes.fromhex(entry["digest_key"])) == 32

    async def test_a_fault_is_told_with_its_member(self, server: Any) -> None:
        """A scope that the role may not have is refused."""
        with pytest.raises(Invalid) as refused:
            await registered(server, scopes=["records:write"])
        assert {error.pointer for error in refused.value.errors} == {"/scopes"}


class TestCall:
    """`osmanthus call`, in a thread of its own since it runs its own loop."""

    @pytest.fixture
    def osmanthus(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
        """Run the tool with a kit; its exit status, output and errors."""

        async def run(kit: dict[str, Any], *arguments: str) -> tuple[int, str, str]:
            path = tmp_path / "kit.json"
            path.write_text(json.dumps(kit))
            status = await asyncio.to_thread(cli.main, ["call", *arguments, "--kit", str(path)])
            said = capsys.readouterr()
            return status, said.out, said.err

        return run

    async def test_an_answer_is_printed_and_is_a_success(self, server: Any, osmanthus: Callable[..., Any]) -> None:
        """The body goes to standard output, the status to standard error."""
        status, out, err = await osmanthus(await registered(server), "get", "/v1/partner/perks", "--as", "shop")
        assert (status, err.strip()) == (0, "200 OK")
        assert json.loads(out)

    async def test_a_refusal_is_a_failure(self, server: Any, osmanthus: Callable[..., Any]) -> None:
        """Exit 0 only on success; the problem is printed."""
        body = '{"perk": "no.such", "holder": {"code": "x"}}'
        status, out, _ = await osmanthus(await registered(server), "POST", "/v1/source/records", body, "--as", "shop")
        assert status == 1
        assert json.loads(out)["status"] >= 400

    async def test_an_unknown_client_is_a_misuse(self, server: Any, osmanthus: Callable[..., Any]) -> None:
        """The message names the clients that there are."""
        status, _, err = await osmanthus(await registered(server), "GET", "/v1/partner/perks", "--as", "nobody")
        assert status == 2
        assert "it has shop" in err

    async def test_json_that_is_none_is_told_before_anything_is_sent(
        self, server: Any, osmanthus: Callable[..., Any]
    ) -> None:
        """A slip of the shell's quoting is one sentence."""
        status, _, err = await osmanthus(await registered(server), "POST", "/x", "{perk: 1}", "--as", "shop")
        assert status == 1
        assert err.startswith("osmanthus: ")

    async def test_a_server_that_is_away_is_one_sentence(self, server: Any, osmanthus: Callable[..., Any]) -> None:
        """No traceback for a server that does not run."""
        kit = await registered(server) | {"base_url": "http://127.0.0.1:1"}
        status, _, err = await osmanthus(kit, "GET", "/v1/partner/perks", "--as", "shop")
        assert status == 1
        assert "127.0.0.1:1" in err
