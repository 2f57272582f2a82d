"""Two cities as two processes, strangers but for a signed list: a visit, a foreign wallet, a gate without a line."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api.tool.league import running, visiting
from api.tool.league.cities import HIGH
from api.tool.league.running import League
from api.tool.league.visit import Visit
from tests.incentives import gates
from tests.interop import npmscript
from tests.interop.npmscript import Script

pytestmark = pytest.mark.interop

VERSION = "0.4.6"
FINAL = 100  # how the library names OpenID4VP 1.0


def free() -> int:
    """The first of two ports that nobody has."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


async def morning(league: League, folder: Path) -> None:
    """A tourism gate of the host learns, home and host are cut off, and a visitor comes."""
    async with httpx2.AsyncClient(timeout=30) as http:
        visit = Visit(league, http)
        await visit.draw("high", visit.wallet)
    signers = {str(one.kid): one.as_dict(private=False) for one in league.roots}
    gate = gates.visitors.VisitorGate(
        folder, host=visit.host.base_url, audience="old-town", signers=signers,
        accepts={visit.home.base_url: [f"over_{visit.home.city.threshold(HIGH)}"]},
    )  # fmt: skip
    with httpx2.Client(timeout=30) as line:
        assert gate.learn(lambda address: line.get(address).raise_for_status().content) == []
    visit.home.cut()
    visit.host.cut()
    try:
        question, copy = gate.question(), visit.wallet.fresh()
        shown = copy.show({*question["any_of"], "city"}, audience=question["audience"], nonce=question["nonce"])
        assert gate.admit(shown).facts == {"city": visit.home.city.code}
        with pytest.raises(gates.visitors.Refused):
            gate.admit(shown)
    finally:
        visit.home.heal()
        visit.host.heal()


@pytest.fixture(scope="module")
def wallet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Script]:
    """A wallet that we did not write: npm's @openid4vc, which speaks OpenID4VCI and OpenID4VP."""
    packages = [f"@openid4vc/{name}@{VERSION}" for name in ("oauth2", "openid4vci", "openid4vp")]
    with npmscript.running(tmp_path_factory.mktemp("wallet"), "wallet.mjs", *packages, talk=Script) as script:
        yield script


@pytest_asyncio.fixture(scope="module")
async def league(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[League]:
    """Two cities that recognise each other."""
    async with running.living(tmp_path_factory.mktemp("league"), free(), 2, reset=False) as cities:
        yield cities


class TestForeignWallet:
    """It takes an offer at home and answers a merchant of the host, by the standards alone."""

    async def test_it_is_recognised(self, league: League, wallet: Script) -> None:
        """Three copies by OpenID4VCI 1.0, each with a key of its own; one shown by OpenID4VP 1.0 is granted, once."""
        copies = (await self.taken(league, wallet, 3))["copies"]
        assert len({copy["jwk"]["x"] for copy in copies}) == len(copies)
        first, again, other = [await self.shown(league, wallet, copies[place]) for place in (0, 0, 1)]
        assert first["told"]["version"] == FINAL
        assert [one["told"]["answer"]["result"] for one in (first, again, other)] == [
            "granted",
            "standard_route",
            "granted",
        ]
        assert [one["heard"]["result"] for one in (first, again, other)] == ["granted", "standard_route", "granted"]
        assert [one["path"][0] for one in first["told"]["asked"]] == ["over_110", "city"]

    async def test_the_wrong_words(self, league: League, wallet: Script) -> None:
        """The error is the standard's, so the wallet can say what happened."""
        told = await self.taken(league, wallet, 1, words="000000")
        assert "invalid_grant" in told["refused"]

    async def taken(self, league: League, wallet: Script, count: int, **changed: Any) -> dict[str, Any]:
        """What the wallet says after an offer of home."""
        async with httpx2.AsyncClient(timeout=30) as http:
            offer = await Visit(league, http).offer("high")
        given = {"offer": offer["offer_uri"], "words": offer["tx_code"], "count": count} | changed
        return await asyncio.to_thread(wallet.ask, "receive", **given)

    async def shown(self, league: League, wallet: Script, copy: Any) -> dict[str, Any]:
        """What the wallet was told, and what the merchant heard."""
        async with httpx2.AsyncClient(timeout=30) as http:
            visit = Visit(league, http)
            question = await visit.ask("metro", "transit.discount", 300)
            told = await asyncio.to_thread(wallet.ask, "present", uri=question["uri"], copy=copy)
            return {"told": told, "heard": (await visit.see("metro", question)).json()}


async def test_a_visit(league: League, tmp_path: Path) -> None:
    """Everything that the visit claims holds, and a gate without a line lets the visitor in once."""
    said = list[str]()
    await morning(league, tmp_path / "gate")
    assert await visiting.report(league, said.append), "\n".join(said)
    assert sum(line.strip().startswith("held") for line in said) == len(visiting.CLAIMS)
