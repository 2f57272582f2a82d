"""A partner's total is drawn in lots; racing requests share them."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest_asyncio

from api.partner.limits import LOT, PER_PARTNER, Limits
from core.keys import Keyring
from tests.api.shopworld import Shop, open_shop


@pytest_asyncio.fixture
async def shop(database: str, ring: Keyring) -> AsyncIterator[Shop]:
    """A merchant, and the store that counts."""
    async with open_shop(database, ring) as opened:
        yield opened


class TestLots:
    """What is drawn is used."""

    async def test_racing_requests_waste_nothing(self, shop: Shop) -> None:
        """Sixteen at a time draw a lot for fifty, each lot once, and the last is told what is really left."""
        limits = Limits(shop.house.short)
        for _ in range(10):
            asked = [(os.urandom(32), None) for _ in range(16)]
            await asyncio.gather(*(limits.of_one(partner="p", value=value, terminal=None) for value, _ in asked))
        rows = await shop.city.rows("select count from core.short_count where key = 'check|p'")
        assert [row["count"] for row in rows] == [-(-160 // LOT)]
        last = await limits.of_one(partner="p", value=os.urandom(32), terminal=None)
        assert last.left == {"partner": PER_PARTNER - 161}

    async def test_a_list_takes_what_it_needs(self, shop: Shop) -> None:
        """A hundred and one of a list are three lots, and forty-nine stay for the next one."""
        limits = Limits(shop.house.short)
        for taken in (2 * LOT + 1, LOT - 1):
            await limits.count(partner="q", asked=[(os.urandom(32), None) for _ in range(taken)])
        rows = await shop.city.rows("select count from core.short_count where key = 'check|q'")
        assert [row["count"] for row in rows] == [3]
