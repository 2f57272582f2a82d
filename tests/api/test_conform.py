"""The conformance kit of `docs/league`, from outside, against this city; and that it sees what is wrong."""

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from core import embedded
from core.keys import Keyring
from core.settings import ROOT
from incentives.recognition import credential
from incentives.recognition.trust import About, Entry, Keys
from tests.api.visitworld import Town, opened
from tests.api.wallet.cast import Holder, recognise
from tests.walletapp import Wallet


def _load() -> ModuleType:
    file = ROOT / "docs/league/conform.py"
    spec = importlib.util.spec_from_file_location("conform", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["conform"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


kit: Any = _load()


@pytest_asyncio.fixture(scope="module")
async def town(
    cluster: embedded.Cluster, city_template: str, ring: Keyring, tmp_path_factory: Any
) -> AsyncIterator[Town]:
    """A city that trusts a neighbour and is on the list itself, and has issued a copy."""
    folder: Path = tmp_path_factory.mktemp("conform")
    async with opened(cluster, city_template, ring, folder) as made:
        base, http = made.server.base_url, made.wallet
        keys = (await http.get("/.well-known/jwks.json")).json()["keys"]
        mine = tuple(one for one in keys if one["kid"].startswith("cred-"))
        about = About("990000", "示范市", credential.VCT, "1", (f"{base}/status-lists",))
        await made.trust(made.roots.list([made.neighbour.entry(), Entry(base, Keys(mine), about)]))
        async with made.server.logged_in(made.server.person()) as me:
            assert (await made.server.join(me)).status_code == 201
            given = await recognise(me)
            await Holder(me, Wallet(http, base), given.json()["id"]).copies(2)
        yield made


class TestConform:
    """`conform.conform`."""

    async def test_this_city_passes(self, town: Town) -> None:
        """Every line; with the pinned signers, and without."""
        pinned = json.loads(town.roots.file.read_text())
        lines = list[str]()
        city = kit.City(town.server.base_url, pinned)
        assert await asyncio.to_thread(kit.conform, city, lines.append), "\n".join(lines)
        assert lines[-1] == "17 of 17 passed"

    @pytest.mark.parametrize(
        ("check", "path", "change"),
        [
            ("metadata", "/.well-known/openid-credential-issuer", {"credential_issuer": "https://elsewhere.example"}),
            ("metadata", "/.well-known/openid-credential-issuer", {"nonce_endpoint": "https://elsewhere.example/n"}),
            ("grant", "/.well-known/oauth-authorization-server", {"grant_types_supported": ["client_credentials"]}),
            ("jwks", "/.well-known/jwks.json", {"keys": [{"kid": "cred-1", "kty": "EC", "crv": "P-256", "d": "x"}]}),
            ("nonces", "/oid4vci/nonce", {"c_nonce": "always"}),
        ],
    )
    async def test_it_sees(self, town: Town, check: str, path: str, change: dict[str, Any]) -> None:
        """A city that says something else does not pass."""

        class Other(kit.City):
            def send(self, address: str, body: bytes | None = None, **headers: str) -> Any:
                told = super().send(address, body, **headers)
                return told._replace(body=json.dumps({**told.json(), **change}).encode()) if address == path else told

        with pytest.raises((ValueError, KeyError)):
            await asyncio.to_thread(getattr(kit, check), Other(town.server.base_url))
