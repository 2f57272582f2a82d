"""Which key signs when."""

from datetime import UTC, datetime, timedelta

import pytest

from core import signingkeys

OVERLAP = timedelta(minutes=30)
TURN = datetime(2027, 1, 1, tzinfo=UTC)


def names(at: datetime, serial: int = 0) -> signingkeys.Names:
    """The names at an instant."""
    return signingkeys.names(at, family="as-at", serial=serial, overlap=OVERLAP)


class TestNames:
    """`signingkeys.names`."""

    @pytest.mark.parametrize(
        ("at", "current", "following", "previous"),
        [
            (TURN - timedelta(seconds=1), "as-at-2026q4", "as-at-2027q1", None),
            (TURN, "as-at-2027q1", "as-at-2027q2", "as-at-2026q4"),
            (TURN + OVERLAP - timedelta(seconds=1), "as-at-2027q1", "as-at-2027q2", "as-at-2026q4"),
            (TURN + OVERLAP, "as-at-2027q1", "as-at-2027q2", None),
            (datetime(2027, 3, 31, 23, 59, tzinfo=UTC), "as-at-2027q1", "as-at-2027q2", None),
            (datetime(2027, 4, 1, tzinfo=UTC), "as-at-2027q2", "as-at-2027q3", "as-at-2027q1"),
        ],
    )
    def test_by_the_quarter(self, at: datetime, current: str, following: str, previous: str | None) -> None:
        """A quarter a key; the next one is known a quarter ahead, the last one for twice a token's life."""
        assert names(at) == signingkeys.Names(current, following, previous)

    def test_every_key_is_published_before_and_after_it_signs(self) -> None:
        """Through three years, whoever reads the keys at any time can check every token that is then alive."""
        at = datetime(2026, 1, 1, tzinfo=UTC)
        while at.year < 2029:
            signer = names(at).current
            assert signer in names(at - timedelta(days=80)).published()
            assert signer in names(at + timedelta(minutes=15)).published()
            at += timedelta(hours=7)

    def test_the_emergency_switch(self) -> None:
        """Another serial shares no key with the one before."""
        assert names(TURN, 1).current == "as-at-2027q1.1"
        assert set(names(TURN, 1).published()).isdisjoint(names(TURN).published())
