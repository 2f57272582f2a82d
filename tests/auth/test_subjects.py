"""Whom a source may send about, as the scorer's door sees it while the citizen's door decides."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from auth.consent import ledger, subjects
from auth.consent.rows import Consent
from core import clock
from core.db import Doors
from tests.gateworld import LIBRARY, world
from tests.scoringworld import processing

SOURCES = ("library", "utilities")


class Citizen:
    """Somebody at the citizen's door, and what the sources know of them."""

    def __init__(self, doors: Doors, citizen_id: uuid.UUID, proof: bytes) -> None:
        """`proof` is of a live session."""
        self.doors, self.id, self.proof = doors, citizen_id, proof
        self.digest = citizen_id.bytes * 2

    async def gives(self, purpose: str = "score", sources: tuple[str, ...] = SOURCES) -> Consent:
        """Give a consent that names these sources."""
        async with self.doors.work("citizen", proof=self.proof) as session:
            return await ledger.give(
                session, self.doors.ring, citizen_id=self.id, purpose=purpose, notice_version=1,
                notice_digest="ab" * 32, expires_on=clock.today() + timedelta(days=300),
                processing=processing(purpose), shared=purpose != "score",
                source_digests=dict.fromkeys(sources, self.digest) if purpose == "score" else None,
            )  # fmt: skip

    async def known_to(self) -> set[str]:
        """The sources that find the citizen behind the digest."""
        async with self.doors.work("scorer") as session:
            return {
                source
                for source in SOURCES
                for found in (await subjects.subjects_of(session, source=source, digests=[self.digest])).values()
                if found.citizen_id == self.id
            }

    async def feeds(self) -> dict[str, list[str]]:
        """What each source reads in its feed."""
        async with self.doors.work("scorer") as session:
            return {
                source: [one.state for one in await subjects.feed(session, source=source, since=0, limit=10)]
                for source in SOURCES
            }


@pytest_asyncio.fixture
async def ann(doors: Doors, database: str) -> AsyncIterator[Citizen]:
    """Somebody."""
    async with world(database) as laid:
        yield Citizen(doors, *await laid.logged_in())


class TestName:
    """`subjects.name`."""

    async def test_the_sources_of_the_consent_find_the_citizen(self, ann: Citizen) -> None:
        """Each under the digest agreed with it; another purpose changes nothing; a source that is left out leaves."""
        await ann.gives()
        await ann.gives(purpose=f"share:p/{LIBRARY}")
        assert await ann.known_to() == {"library", "utilities"}
        await ann.gives(sources=("utilities",))
        assert await ann.known_to() == {"utilities"}
        assert await ann.feeds() == {"library": ["left"], "utilities": ["joined"]}

    async def test_nobody_is_named_under_somebody_elses_consent(self, ann: Citizen, database: str) -> None:
        """The database takes the citizen from the proof and the sources from their live consent, whatever is asked."""
        given = await ann.gives()
        async with world(database) as laid:
            bob = Citizen(ann.doors, *await laid.logged_in())
        async with bob.doors.work("citizen", proof=bob.proof) as session:
            await subjects.name(session, {"library": b"x" * 32}, citizen_id=ann.id, consent_id=given.id)
            await subjects.leave(session, ann.id)
        async with ann.doors.work("citizen", proof=ann.proof) as session:
            await subjects.name(session, {"police": b"x" * 32, **dict.fromkeys(SOURCES, ann.digest)},
                                citizen_id=ann.id, consent_id=given.id)  # fmt: skip
        assert await ann.known_to() == {"library", "utilities"}
        assert await ann.feeds() == {"library": ["joined"], "utilities": ["joined"]}


class TestLeave:
    """`subjects.leave`."""

    async def test_withdrawing_tells_every_source(self, ann: Citizen) -> None:
        """Nobody is behind the digest with the next statement, and each feed says so."""
        given = await ann.gives()
        async with ann.doors.work("citizen", proof=ann.proof) as session:
            await ledger.withdraw(session, ann.doors.ring, citizen_id=ann.id, consent_id=given.id)
        assert await ann.known_to() == set()
        assert await ann.feeds() == {"library": ["left"], "utilities": ["left"]}

    async def test_an_optional_source_stops_alone(self, ann: Citizen) -> None:
        """The other one goes on."""
        given = await ann.gives()
        async with ann.doors.work("citizen", proof=ann.proof) as session:
            await ledger.drop_source(
                session, ann.doors.ring, citizen_id=ann.id, consent_id=given.id, source="library", core=()
            )
        assert await ann.known_to() == {"utilities"}

    async def test_the_jobs_reach_only_what_is_over(self, ann: Citizen) -> None:
        """A live consent's lines stay, whatever the jobs ask."""
        await ann.gives()
        async with ann.doors.work("jobs") as session:
            await subjects.leave(session, ann.id)
        assert await ann.known_to() == {"library", "utilities"}
