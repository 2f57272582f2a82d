"""The fixtures that every other test stands on."""

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import DOORS, Doors, role
from core.pgerrors import is_unavailable


class TestDoors:
    """A clone with every door."""

    async def test_every_door_logs_in_as_its_own_role(self, doors: Doors) -> None:
        """Each door's session runs as the login role of that door."""
        for door in DOORS:
            async with doors.work(door) as session:
                assert await session.scalar(text("select session_user")) == role("osmanthus", door)

    async def test_the_partner_door_reads_no_table(self, partner_session: AsyncSession) -> None:
        """The partner's role has no table grant at all."""
        with pytest.raises(DBAPIError, match="permission denied"):
            await partner_session.execute(text("select * from scoring.standing"))

    async def test_the_operator_sees_the_migrated_tables(self, owner_session: AsyncSession) -> None:
        """The template was migrated to the head."""
        assert await owner_session.scalar(text("select count(*) from core.short_epoch")) is not None


class TestBrief:
    """How long a transaction may be where somebody waits."""

    async def test_the_doors_where_somebody_waits(self, doors: Doors) -> None:
        """A minute at the doors of citizens, partners and the office, on the raw pool, too; jobs take their time."""
        limits = {}
        for door in DOORS:
            async with doors.work(door) as session:
                limits[door] = await session.scalar(text("show transaction_timeout"))
        pool = await doors.pool()
        assert await pool.fetchval("show transaction_timeout") == "1min"
        assert {door for door, limit in limits.items() if limit == "1min"} == {
            "citizen",
            "citycard",
            "partner",
            "staff",
        }
        assert set(limits.values()) == {"1min", "0"}

    async def test_what_takes_longer_is_a_database_that_is_away(self, doors: Doors) -> None:
        """Ended by PostgreSQL: 503 and again, never a fault of the caller's."""
        pool = await doors.pool()
        async with pool.acquire() as connection:
            await connection.execute("set transaction_timeout = '50ms'")
            with pytest.raises(asyncpg.PostgresError) as raised:
                await connection.execute("select pg_sleep(20)")
        assert is_unavailable(raised.value)
        assert await pool.fetchval("select 1") == 1
