"""A transaction of the citizen door names its caller's proof, and the database finds out whose it is."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event, text

from core.db import Doors
from tests.gateworld import World, world

NOW = text("select auth.citizen_now()")


@pytest_asyncio.fixture
async def city(database: str) -> AsyncIterator[World]:
    """A world on the clone that `doors` opens."""
    async with world(database) as laid:
        yield laid


async def _now(doors: Doors, proof: bytes | None) -> uuid.UUID | None:
    async with doors.work("citizen", proof=proof) as session:
        return await session.scalar(NOW)


class TestProof:
    """`Doors.work(proof=…)` and `auth.citizen_now()`."""

    async def test_a_live_session_says_who(self, doors: Doors, city: World) -> None:
        """The hash of a live session is the citizen; without it, or with another, there is nobody."""
        citizen_id, proof = await city.logged_in()
        assert await _now(doors, proof) == citizen_id
        assert await _now(doors, None) is None
        assert await _now(doors, b"\0" * 32) is None

    @pytest.mark.parametrize("change", ["ended_at = now()", "expires_at = now() - interval '1 second'"])
    async def test_a_dead_session_is_nobody(self, doors: Doors, city: World, change: str) -> None:
        """Logged out or expired."""
        _, proof = await city.logged_in()
        await city.do(f"update auth.session set {change}")
        assert await _now(doors, proof) is None

    @pytest.mark.parametrize(
        "change",
        [
            "update auth.token set revoked_at = now()",
            "update auth.token set expires_at = now()",
            "update auth.token set scope = 'records:write'",
            "update auth.client set disabled_at = now()",
        ],
    )
    async def test_a_token_of_an_app_says_who_while_it_lives(self, doors: Doors, city: World, change: str) -> None:
        """Not when revoked, expired, of another scope, or of a disabled app."""
        citizen_id, _ = await city.logged_in()
        await city.partner("app", role="citizen")
        proof = await city.token("app", scope="me", citizen_id=citizen_id)
        assert await _now(doors, proof) == citizen_id
        await city.do(change)
        assert await _now(doors, proof) is None

    async def test_it_ends_with_the_transaction(self, doors: Doors, city: World) -> None:
        """The next transaction on the same connection is nobody again, and an unused proof is not kept for it."""
        _, proof = await city.logged_in()
        alone = Doors(str(city.engine.url.render_as_string(hide_password=False)).replace("+asyncpg", ""), doors.ring,
                      "osmanthus", size=1)  # fmt: skip
        for used in (True, False):
            async with alone.work("citizen", proof=proof) as session:
                if used:
                    await session.execute(NOW)
            assert await _now(alone, None) is None
        await alone.close()

    async def test_it_costs_no_statement(self, doors: Doors, city: World) -> None:
        """The proof travels with BEGIN."""
        _, proof = await city.logged_in()
        sent: list[str] = []

        def note(*args: Any) -> None:
            sent.append(args[2])

        event.listen(doors.engine("citizen").sync_engine, "before_cursor_execute", note)
        assert await _now(doors, proof) is not None
        assert sent == ["select auth.citizen_now()"]
