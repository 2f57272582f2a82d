"""Tokens for clients that act for themselves. F numbers: FAPI 2.0 as testable points."""

from tests.api.oauth.app import World


class TestToken:
    async def test_a_partner_gets_a_token_and_is_let_in(self, world: World) -> None:
        """private_key_jwt, a DPoP proof with our nonce, then a guarded door."""
        caller = world.caller("library")
        answer = await caller.request("GET", "/v1/partner/perks")
        assert answer.status_code == 200, answer.text
        assert answer.json() == ["library.deposit-free"]
