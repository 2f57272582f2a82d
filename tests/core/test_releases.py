"""A file rules only after two persons and not before its day."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids, releases
from core.errors import NotFound

TODAY = clock.today()
KIND = "a kind of these tests"


async def _draft(
    session: AsyncSession, body: str = "points = 1", days: int = 0, name: str = "a.toml"
) -> releases.Release:
    return await releases.draft(
        session, kind=KIND, name=name, body=body, effective_on=TODAY + timedelta(days=days), by="li"
    )


class TestApprove:
    """The second person."""

    async def test_a_draft_rules_nothing(self, staff_session: AsyncSession) -> None:
        """What one person wrote is not in force."""
        await _draft(staff_session)
        assert await releases.in_force(staff_session, on=TODAY, kind=KIND) == []

    async def test_the_drafter_cannot_approve(self, staff_session: AsyncSession) -> None:
        """Two persons are two persons."""
        drafted = await _draft(staff_session)
        with pytest.raises(releases.SecondPersonNeeded):
            await releases.approve(staff_session, release_id=drafted.id, by="li")

    async def test_the_database_refuses_one_person_too(self, staff_session: AsyncSession) -> None:
        """A bug in the code above cannot put a lone draft in force."""
        drafted = await _draft(staff_session)
        with pytest.raises(DBAPIError, match="two_persons"):
            await staff_session.execute(
                text("update core.release set approved_by = drafted_by, approved_at = now() where id = :id"),
                {"id": drafted.id},
            )

    async def test_a_second_person_puts_it_in_force(self, staff_session: AsyncSession) -> None:
        """Approved and its day come: it rules."""
        drafted = await _draft(staff_session)
        await releases.approve(staff_session, release_id=drafted.id, by="wang")
        assert [one.id for one in await releases.in_force(staff_session, on=TODAY, kind=KIND)] == [drafted.id]

    async def test_approving_twice_is_refused(self, staff_session: AsyncSession) -> None:
        """A release is approved once."""
        drafted = await _draft(staff_session)
        await releases.approve(staff_session, release_id=drafted.id, by="wang")
        with pytest.raises(releases.AlreadyApproved):
            await releases.approve(staff_session, release_id=drafted.id, by="zhao")

    async def test_an_unknown_release_is_not_found(self, staff_session: AsyncSession) -> None:
        """There is nothing to approve."""
        with pytest.raises(NotFound):
            await releases.approve(staff_session, release_id=ids.new(), by="wang")


class TestInForce:
    """What rules on a day."""

    async def test_a_later_release_takes_over_on_its_day(self, staff_session: AsyncSession) -> None:
        """Until its day the older one rules; the older one stays readable."""
        old = await _draft(staff_session)
        new = await _draft(staff_session, "points = 2", days=3)
        for one in (old, new):
            await releases.approve(staff_session, release_id=one.id, by="wang")
        assert [one.id for one in await releases.in_force(staff_session, on=TODAY + timedelta(days=2), kind=KIND)] == [
            old.id
        ]
        assert [one.id for one in await releases.in_force(staff_session, on=TODAY + timedelta(days=3), kind=KIND)] == [
            new.id
        ]
        assert (await releases.get(staff_session, release_id=old.id)).body == "points = 1"

    async def test_drafting_the_same_bytes_again_is_the_same_release(self, staff_session: AsyncSession) -> None:
        """A repeated draft adds nothing."""
        assert (await _draft(staff_session)).id == (await _draft(staff_session)).id
