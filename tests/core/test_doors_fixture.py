"""The fixtures that every other test stands on."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import DOORS, Doors, role


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
        assert await owner_session.scalar(text("select count(*) from core.short_epoch")) == 0
