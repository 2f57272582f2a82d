"""Lanes: a place each, and a later turn for whoever finds none."""

import uuid
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from incentives.events.lanes import Lanes

A, B = uuid.UUID(int=1), uuid.UUID(int=2)


class TestEnter:
    """Who gets in."""

    def test_eight_at_a_time_and_one_where_it_fails(self) -> None:
        """Whoever fails holds one place; another webhook's lane is not touched by it."""
        lanes = Lanes()
        assert [lanes.enter(A, failing=False) is None for _ in range(10)] == [True] * 8 + [False] * 2
        assert [lanes.enter(B, failing=True) is None for _ in range(3)] == [True, False, False]
        lanes.leave(B)
        assert lanes.enter(B, failing=True) is None

    @given(st.integers(1, 200))
    def test_a_long_queue_does_not_come_all_at_once(self, many: int) -> None:
        """Each is sent away for longer than the one before, a minute at most."""
        lanes = Lanes()
        lanes.enter(A, failing=True)
        waits = [lanes.enter(A, failing=True) or timedelta(0) for _ in range(many)]
        assert waits == sorted(waits)
        assert timedelta(seconds=0.5) <= waits[0]
        assert waits[-1] <= timedelta(minutes=1)
