"""A consent lives from the moment it is given to the moment it ends, and for nothing but its purpose."""

import uuid
from datetime import date, timedelta

import pytest
from joserfc import jws
from joserfc.errors import SecurityWarning
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import ledger, terms
from auth.consent.rows import Consent
from core import clock, ids
from core.errors import Invalid, NotFound
from core.keys import Keyring
from tests.scoringworld import processing

DIGEST = b"\x01" * 32


@pytest.fixture
def citizen(somebody: uuid.UUID) -> uuid.UUID:
    """Who stands at the door."""
    return somebody


async def _give(
    session: AsyncSession, ring: Keyring, citizen: uuid.UUID, *, purpose: str = "score", months: int = 12
) -> Consent:
    digest = citizen.bytes * 2
    return await ledger.give(
        session,
        ring,
        citizen_id=citizen,
        purpose=purpose,
        notice_version=1,
        notice_digest="ab" * 32,
        expires_on=clock.today() + timedelta(days=30 * months),
        processing=processing(purpose),
        source_digests={"utilities": digest, "library": digest} if purpose == "score" else None,
        shared=purpose.startswith("share:"),
    )


class TestGive:
    """Giving."""

    async def test_it_lives_at_once(self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID) -> None:
        """The next statement sees it."""
        given = await _give(citizen_session, ring, citizen)
        live = await ledger.live(citizen_session, citizen_id=citizen, purpose="score")
        assert live == given
        assert given.state == "given"

    async def test_its_receipt_is_signed_and_names_nobody(
        self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID
    ) -> None:
        """The receipt verifies with the published key; an altered one does not."""
        given = await _give(citizen_session, ring, citizen)
        with pytest.warns(SecurityWarning, match="RFC 9864"):
            read = jws.deserialize_compact(given.receipt, ring.ed25519("rcpt-1"), algorithms=["EdDSA"])
        assert b'"code":"score"' in read.payload
        assert str(citizen).encode() not in read.payload

    @pytest.mark.parametrize("days", [-1, 0, 367, 4000])
    async def test_consent_for_ever_or_for_never_is_refused(
        self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID, days: int
    ) -> None:
        """国办发〔2020〕49号: no consent for life; at most twelve months."""
        with pytest.raises(Invalid) as raised:
            await ledger.give(
                citizen_session,
                ring,
                citizen_id=citizen,
                purpose="score",
                notice_version=1,
                notice_digest="ab" * 32,
                expires_on=clock.today() + timedelta(days=days),
                processing=processing(),
            )
        assert raised.value.errors[0].pointer == "/expires_on"

    async def test_giving_again_supersedes(
        self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID
    ) -> None:
        """One live consent per purpose."""
        first = await _give(citizen_session, ring, citizen)
        second = await _give(citizen_session, ring, citizen)
        states = {one.id: one.state for one in await ledger.of(citizen_session, citizen_id=citizen)}
        assert states == {first.id: "superseded", second.id: "given"}

    async def test_a_shared_consent_has_a_random_subject_of_its_own(
        self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID
    ) -> None:
        """Two recipients cannot find out that they serve the same person."""
        one = await _give(citizen_session, ring, citizen, purpose="share:a/library.deposit-free")
        other = await _give(citizen_session, ring, citizen, purpose="share:b/library.deposit-free")
        assert one.subject is not None
        assert one.subject.version == 4
        assert one.subject != other.subject


class TestWithdraw:
    """Withdrawing."""

    async def test_it_ends_with_the_next_statement(
        self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID
    ) -> None:
        """No live consent; what the sources see of it is in test_subjects."""
        given = await _give(citizen_session, ring, citizen)
        ended = await ledger.withdraw(citizen_session, ring, citizen_id=citizen, consent_id=given.id)
        assert ended.state == "withdrawn"
        assert await ledger.live(citizen_session, citizen_id=citizen, purpose="score") is None

    async def test_repeating_it_changes_nothing(
        self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID
    ) -> None:
        """The first end stands."""
        given = await _give(citizen_session, ring, citizen)
        first = await ledger.withdraw(citizen_session, ring, citizen_id=citizen, consent_id=given.id)
        assert await ledger.withdraw(citizen_session, ring, citizen_id=citizen, consent_id=given.id) == first

    async def test_nobody_withdraws_for_somebody_else(
        self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID
    ) -> None:
        """Another citizen's consent is absent."""
        given = await _give(citizen_session, ring, citizen)
        with pytest.raises(NotFound):
            await ledger.withdraw(citizen_session, ring, citizen_id=ids.new(), consent_id=given.id)


class TestDropSource:
    """Stopping one source."""

    async def test_an_optional_source_stops_alone(
        self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID
    ) -> None:
        """The other source goes on."""
        given = await _give(citizen_session, ring, citizen)
        left = await ledger.drop_source(
            citizen_session, ring, citizen_id=citizen, consent_id=given.id, source="library", core=["utilities"]
        )
        assert left.sources == ("utilities",)

    async def test_a_core_source_cannot_be_dropped_alone(
        self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID
    ) -> None:
        """Core is taken or refused whole, so that nobody hides a deduction behind a switch."""
        given = await _give(citizen_session, ring, citizen)
        with pytest.raises(ledger.CoreSource):
            await ledger.drop_source(
                citizen_session, ring, citizen_id=citizen, consent_id=given.id, source="utilities", core=["utilities"]
            )


class TestExpire:
    """Ending by itself."""

    async def test_after_its_last_day_it_is_dead_even_before_anybody_sweeps(
        self, citizen_session: AsyncSession, ring: Keyring, citizen: uuid.UUID
    ) -> None:
        """Liveness is read from the clock at use, not from a job's work."""
        until = clock.civil() - timedelta(seconds=1)
        await ledger.give_one_use(citizen_session, citizen_id=citizen, purpose="use:any/x", until=until)
        assert await ledger.live(citizen_session, citizen_id=citizen, purpose="use:any/x") is None


class TestAdultOn:
    """The 18th birthday."""

    @pytest.mark.parametrize(
        ("born", "adult"),
        [
            (date(2008, 11, 22), date(2026, 11, 22)),
            (date(2008, 2, 29), date(2026, 2, 28)),
            (date(1990, 1, 1), date(2008, 1, 1)),
        ],
    )
    def test_it_is_the_day_eighteen_years_later(self, born: date, adult: date) -> None:
        """A leap-day child is adult on the last day of February (Civil Code 202)."""
        assert terms.adult_on(born) == adult

    def test_the_day_before_is_too_early(self) -> None:
        """17 years and 364 days is a minor."""
        today = clock.today()
        born = today.replace(year=today.year - 18) + timedelta(days=1)
        with pytest.raises(terms.Minor):
            terms.must_be_adult(born)
        terms.must_be_adult(born - timedelta(days=1))
