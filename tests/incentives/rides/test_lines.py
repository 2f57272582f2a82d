"""A line of usage, judged by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from incentives.rides import lines
from incentives.rides.lines import Judge, Rejected, Ride

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
JUDGE = Judge({"transit.discount"}, NOW)
LINE: dict[str, Any] = {
    "ride": "gate-7.a1", "index": 5, "perk": "transit.discount", "at": "2026-11-22T15:59:00+08:00", "gate": "gate-7",
    "fare": 300, "line": "metro-1",
}  # fmt: skip


def read(**other: Any) -> Ride | Rejected:
    """A good line but for some members; None takes one away."""
    said = {name: value for name, value in {**LINE, **other}.items() if value is not None}
    return JUDGE.read(1, msgspec.json.encode(said))


class TestRead:
    """What a line says, or why it is none."""

    def test_a_ride(self) -> None:
        """Every member, as it was sent."""
        ride = read()
        assert isinstance(ride, Ride)
        assert (ride.index, ride.fare, ride.at) == (5, 300, NOW - timedelta(minutes=1))

    @pytest.mark.parametrize(
        ("other", "code"),
        [
            ({"ride": ""}, "malformed"),
            ({"ride": "a b"}, "malformed"),
            ({"ride": "a" * 65}, "malformed"),
            ({"index": None}, "malformed"),
            ({"code": "CC1:X"}, "malformed"),
            ({"index": -1}, "malformed"),
            ({"fare": -1}, "malformed"),
            ({"fare": 3.5}, "malformed"),
            ({"fare": lines.MOST_FARE + 1}, "malformed"),
            ({"at": "2026-11-22T15:59:00"}, "malformed"),
            ({"gate": None}, "malformed"),
            ({"card_no": "1"}, "unknown_field"),
            ({"perk": "library.deposit-free"}, "perk_unknown"),
            ({"at": "2026-11-22T16:06:00+08:00"}, "future"),
            ({"at": "2026-10-20T15:59:00+08:00"}, "too_old"),
        ],
    )
    def test_what_is_none(self, other: dict[str, Any], code: str) -> None:
        """Each fault has its code."""
        refused = read(**other)
        assert isinstance(refused, Rejected)
        assert refused.code == code

    @pytest.mark.parametrize("raw", [b"{", b"\xff", b"[]", b'{"ride": 1}', None])
    def test_what_cannot_be_read(self, raw: bytes | None) -> None:
        """Nothing raises, and what has no name is told without."""
        refused = JUDGE.read(9, raw)
        assert isinstance(refused, Rejected)
        assert (refused.line, refused.ride, refused.code) == (9, None, "malformed")

    def test_a_clock_that_is_a_little_ahead(self) -> None:
        """Five minutes are forgiven."""
        assert isinstance(read(at="2026-11-22T16:05:00+08:00"), Ride)

    def test_a_fault_does_not_repeat_what_was_sent(self) -> None:
        """A number in the wrong place is not in the answer."""
        refused = read(card_no="6217001234567890")
        assert isinstance(refused, Rejected)
        assert "6217" not in refused.detail


class TestDigests:
    """What is kept of a ride."""

    def test_the_same_ride_in_other_bytes(self) -> None:
        """Another order of members and another zone say the same."""
        one, other = read(), read(at="2026-11-22T07:59:00Z")
        assert isinstance(one, Ride)
        assert isinstance(other, Ride)
        assert lines.fingerprint(b"k", one) == lines.fingerprint(b"k", other)

    @pytest.mark.parametrize("changed", [{"fare": 301}, {"index": 6}, {"gate": "gate-8"}, {"line": None}])
    def test_other_words(self, changed: dict[str, Any]) -> None:
        """Whatever differs is seen."""
        one, other = read(), read(**changed)
        assert isinstance(one, Ride)
        assert isinstance(other, Ride)
        assert lines.fingerprint(b"k", one) != lines.fingerprint(b"k", other)

    def test_without_the_key_nothing_can_be_tried(self) -> None:
        """Another deployment's digests are others; so are another operator's keys."""
        one = read()
        assert isinstance(one, Ride)
        assert lines.fingerprint(b"k", one) != lines.fingerprint(b"l", one)
        assert len({lines.key(b"k", "a", "r"), lines.key(b"l", "a", "r"), lines.key(b"k", "b", "r")}) == 3
