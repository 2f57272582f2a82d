"""Two cities as two processes, strangers but for a signed list: a visit between them, and a gate without a line."""

import socket
from pathlib import Path

import httpx2
import pytest

from api.tool.league import running, visiting
from api.tool.league.cities import HIGH
from api.tool.league.running import League
from api.tool.league.visit import Visit
from tests.incentives import gates

pytestmark = pytest.mark.interop


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


async def test_a_visit(tmp_path: Path) -> None:
    """Everything that the visit claims holds, and a gate without a line lets the visitor in once."""
    said = list[str]()
    async with running.living(tmp_path, free(), 2, reset=False) as league:
        await morning(league, tmp_path / "gate")
        assert await visiting.report(league, said.append), "\n".join(said)
    assert sum(line.strip().startswith("held") for line in said) == len(visiting.CLAIMS)
