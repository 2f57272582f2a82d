"""Keys of access tokens turn by the calendar, and at once by the operator's switch."""

from datetime import UTC, datetime

import msgspec
import pytest

from api.deps import House
from auth import atjwt, server
from auth.refusals import TokenRefused
from core import clock, jose
from tests.api.identity.app import BASE, World
from tests.api.identity.client import Caller
from tests.api.identity.walks import ahead

PERKS = "/v1/partner/perks"


def to_the_turn() -> float:
    """The seconds until the next calendar quarter."""
    now = clock.wall()
    months = now.year * 12 + (now.month - 1) // 3 * 3 + 3
    return (datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC) - now).total_seconds()


async def kids(world: World) -> list[str]:
    """The published keys of access tokens."""
    keys = (await world.browser().get("/.well-known/jwks.json")).json()["keys"]
    return [key["kid"] for key in keys if key["kid"].startswith("as-at-")]


def signed_by(token: str) -> str:
    """The key that a token names."""
    return jose.parse(token).header["kid"]


class TestTurn:
    """From one quarter to the next."""

    async def test_no_token_dies_of_it(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A token of the last seconds of a quarter is good in the next; new ones name the key published before."""
        caller = world.caller("library")
        ahead(monkeypatch, caller.signer, seconds=to_the_turn() - 20)
        old = await caller.token()
        before = await kids(world)
        assert before[0] == signed_by(old)
        assert len(before) == 2
        ahead(monkeypatch, caller.signer, seconds=40)
        caller.signer.nonce = None
        assert (await caller.get(PERKS)).status_code == 200
        fresh = (await caller.grant({"grant_type": "client_credentials"}))["access_token"]
        now = await kids(world)
        assert signed_by(fresh) == before[1] == now[0]
        assert signed_by(old) == now[2]
        ahead(monkeypatch, caller.signer, seconds=atjwt.OVERLAP.total_seconds())
        assert signed_by(old) not in await kids(world)

    async def test_two_processes_agree(self, world: World) -> None:
        """Another process, with the same master key and no word from this one, reads this one's tokens."""
        token = await world.caller("library").token()
        assert atjwt.Issuer(BASE, world.house.ring).read(token).client_id == "library"

    async def test_the_emergency_switch(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """With another serial every token so far is refused at once, and new ones are signed by another key."""
        caller = world.caller("library")
        old = await caller.token()
        switched = msgspec.structs.replace(world.house.settings, token_key_serial=1)
        moved: House = msgspec.structs.replace(world.house, settings=switched)
        monkeypatch.setattr(world.state, "house", moved)
        try:
            answer = await caller.get(PERKS)
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
            assert (await Caller(caller.http, caller.signer).get(PERKS)).status_code == 200
            assert all(kid.endswith(".1") for kid in await kids(world))
        finally:
            world.state["house"] = world.house
        with pytest.raises(TokenRefused):
            server.of(BASE, world.house.ring, world.house.short, 1).tokens.read(old)
