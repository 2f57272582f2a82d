"""Registration of clients by the owner."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.tool.signing import fresh_key, public_half
from auth import clients, digestkeys
from auth.tables import client
from core.errors import Invalid
from core.keys import Keyring

PARTNER: dict[str, Any] = {
    "client_id": "library",
    "role": "partner",
    "name": "图书馆",
    "scopes": ["eligibility:check"],
    "perks": ["library.deposit-free"],
}


class TestAdd:
    """`clients.add`."""

    async def test_keeps_the_public_half(self, owner_session: AsyncSession, ring: Keyring) -> None:
        """A private JWK may be given; its public half is stored, and the client is found."""
        key = fresh_key()
        made = await clients.add(owner_session, ring, jwks=[key], **PARTNER)
        stored = await owner_session.scalar(select(client.c.jwks).where(client.c.client_id == "library"))
        assert key["d"] not in str(stored)
        assert await clients.get(owner_session, "library") == made
        assert await clients.get(owner_session, "nobody") is None

    async def test_twice(self, owner_session: AsyncSession, ring: Keyring) -> None:
        """An id is taken once."""
        await clients.add(owner_session, ring, jwks=[fresh_key()], **PARTNER)
        with pytest.raises(clients.ClientExists):
            await clients.add(owner_session, ring, jwks=[fresh_key()], **PARTNER)

    async def test_f39_no_kid_twice(self, owner_session: AsyncSession, ring: Keyring) -> None:
        """F39: two keys of one kid are refused, two of two kids are taken."""
        first, second = fresh_key(), fresh_key()
        with pytest.raises(Invalid) as refused:
            await clients.add(owner_session, ring, jwks=[first, {**second, "kid": first["kid"]}], **PARTNER)
        assert [fault.code for fault in refused.value.errors] == ["duplicate_kid"]
        assert len((await clients.add(owner_session, ring, jwks=[first, second], **PARTNER)).jwks) == 2

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"client_id": "Library"}, "bad_id"),
            ({"client_id": "x"}, "bad_id"),
            ({"role": "king"}, "unknown_role"),
            ({"name": " "}, "missing"),
            ({"scopes": []}, "missing"),
            ({"scopes": ["records:write"]}, "scope_not_for_role"),
            ({"role": "staff", "perks": [], "scopes": ["staff:*"]}, "scope_not_for_role"),
            ({"jwks": []}, "keys"),
            ({"jwks": [{"kty": "oct", "k": "AAAA"}]}, "bad_key"),
            ({"jwks": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}, "bad_key"),
            ({"redirect_uris": ["https://a.example/"]}, "missing"),
            ({"redirect_uris": ["http://a.example/"], "contact": "12345"}, "redirect"),
            ({"redirect_uris": ["https://a.example/"], "contact": "12345", "purposes": ["A b"]}, "bad_purpose"),
            ({"purposes": ["library-deposit-free"]}, "not_for_role"),
            ({"role": "source", "scopes": ["records:write"], "redirect_uris": ["https://a.example/"]}, "redirect"),
            ({"kinds": ["P01"]}, "not_for_role"),
            ({"role": "source", "scopes": ["records:write"]}, "not_for_role"),
            ({"digest_key": b"x" * 32}, "not_for_role"),
            ({"role": "source", "scopes": ["records:write"], "perks": [], "digest_key": b"short"}, "too_short"),
        ],
        ids=repr,
    )
    async def test_refused(
        self, owner_session: AsyncSession, ring: Keyring, changed: dict[str, Any], code: str
    ) -> None:
        """What does not fit is named, and nothing is stored."""
        with pytest.raises(Invalid) as refused:
            await clients.add(owner_session, ring, **{"jwks": [public_half(fresh_key())], **PARTNER, **changed})
        assert code in {fault.code for fault in refused.value.errors}
        assert await clients.get(owner_session, "library") is None

    @pytest.mark.parametrize(
        ("address", "holds"),
        [
            ("https://app.example/back", True),
            ("http://127.0.0.1:9000/back", True),
            ("http://[::1]/back", True),
            ("http://app.example/back", False),
            ("https://app.example/back#x", False),
            ("https://user@app.example/back", False),
            ("javascript:alert(1)", False),
            ("https://", False),
            ("https://[::1/back", False),
            ("https://äpp.example/", False),
        ],
    )
    async def test_f22_redirect_addresses(
        self, owner_session: AsyncSession, ring: Keyring, address: str, *, holds: bool
    ) -> None:
        """F22: https, or http to the device itself; no fragment, no user info."""
        app: dict[str, Any] = {
            "client_id": "app",
            "role": "citizen",
            "name": "应用",
            "scopes": ["me"],
            "redirect_uris": [address],
        }
        if holds:
            assert (await clients.add(owner_session, ring, **app)).public
        else:
            with pytest.raises(Invalid):
                await clients.add(owner_session, ring, **app)

    def test_staff_scopes(self) -> None:
        """Staff may hold `staff:<noun>` and nothing of others."""
        assert clients.may_hold("staff", "staff:releases")
        assert not clients.may_hold("staff", "staff:")
        assert not clients.may_hold("staff", "me")
        assert not clients.may_hold("partner", "staff:releases")


class TestDigestKeys:
    """`digestkeys.of`."""

    async def test_sealed_and_back(self, owner_session: AsyncSession, ring: Keyring) -> None:
        """A source's key is stored sealed and comes back; partners and strangers are absent."""
        water: dict[str, Any] = {"client_id": "water", "role": "source", "name": "水务", "scopes": ["records:write"]}
        await clients.add(owner_session, ring, jwks=[fresh_key()], digest_key=b"k" * 32, kinds=["P01"], **water)
        await clients.add(owner_session, ring, jwks=[fresh_key()], **PARTNER)
        held = await owner_session.scalar(select(client.c.sealed_digest_key).where(client.c.client_id == "water"))
        assert held is not None
        assert b"k" * 32 not in held
        found = await digestkeys.of(owner_session, ring, ["water", "library", "nobody"])
        assert found == {"water": b"k" * 32}
