"""Questions that wait anyway go together: who travels with whom, in what order, and whose errors are whose."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.batching import Batcher


class Ferry:
    """Answers a question with itself, when it is let go; keeps what each trip asked."""

    def __init__(self, *, lanes: int = 1, most: int = 3) -> None:
        """A negative question is answered by an error of its own, 99 by one of everybody's."""
        self.trips: list[list[int]] = []
        self.off = asyncio.Event()
        self.under_way = self.widest = 0
        self.batcher: Batcher[int, int] = Batcher(self.cross, lanes=lanes, most=most)

    async def cross(self, asked: Sequence[int]) -> Sequence[int | Exception]:
        """One trip."""
        self.trips.append(list(asked))
        self.under_way += 1
        self.widest = max(self.widest, self.under_way)
        await self.off.wait()
        await asyncio.sleep(0)
        self.under_way -= 1
        if 99 in asked:
            message = "sunk"
            raise ConnectionError(message)
        return [ValueError(one) if one < 0 else one for one in asked]

    async def ask(self, *asked: int) -> list[asyncio.Task[int]]:
        """Ask one after the other, each under way before the next."""
        tasks: list[asyncio.Task[int]] = []
        for one in asked:
            tasks.append(asyncio.create_task(self.batcher.ask(one)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return tasks


class TestTrips:
    """Who goes with whom."""

    async def test_the_first_goes_alone_and_at_once(self) -> None:
        """Nobody waits for company."""
        ferry = Ferry()
        (task,) = await ferry.ask(1)
        assert ferry.trips == [[1]]
        ferry.off.set()
        assert await task == 1

    async def test_who_waits_goes_with_the_next(self) -> None:
        """In the order of arrival, no more than fit, each with its own answer."""
        ferry = Ferry()
        tasks = await ferry.ask(1, 2, 3, 4, 5, 6)
        assert ferry.trips == [[1]]
        ferry.off.set()
        assert await asyncio.gather(*tasks) == [1, 2, 3, 4, 5, 6]
        assert ferry.trips == [[1], [2, 3, 4], [5, 6]]

    async def test_another_lane_opens_when_half_a_trip_waits(self) -> None:
        """Two lanes of four seats: the first goes alone, two wait and go together, the rest with the first one back."""
        ferry = Ferry(lanes=2, most=4)
        tasks = await ferry.ask(1, 2)
        assert ferry.trips == [[1]]
        tasks += await ferry.ask(3, 4)
        assert ferry.trips == [[1], [2, 3]]
        ferry.off.set()
        assert await asyncio.gather(*tasks) == [1, 2, 3, 4]
        assert ferry.trips == [[1], [2, 3], [4]]

    async def test_a_trip_that_is_held_up_does_not_hold_up_others(self) -> None:
        """Whoever has waited long enough goes by another lane, while the first one is still under way."""
        held, gone = asyncio.Event(), asyncio.Event()

        async def cross(asked: Sequence[int]) -> Sequence[int]:
            if 1 in asked:
                held.set()
                await gone.wait()
            return asked

        batcher: Batcher[int, int] = Batcher(cross, lanes=2, most=16, patience=0.001)
        stuck = asyncio.create_task(batcher.ask(1))
        await held.wait()
        async with asyncio.timeout(30):
            assert await asyncio.gather(batcher.ask(2), batcher.ask(3)) == [2, 3]
            assert await batcher.ask(4) == 4
        assert not stuck.done()
        gone.set()
        assert await stuck == 1

    async def test_after_a_rest_it_goes_at_once_again(self) -> None:
        """An idle lane is free."""
        ferry = Ferry()
        ferry.off.set()
        for one in range(3):
            assert await ferry.batcher.ask(one) == one
        assert ferry.trips == [[0], [1], [2]]


class TestTrouble:
    """One traveller's bad day is not the others'."""

    async def test_an_error_of_one_is_that_ones(self) -> None:
        """The others have their answers."""
        ferry = Ferry()
        tasks = await ferry.ask(1, 2, -3, 4)
        ferry.off.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [found[0], found[1], found[3]] == [1, 2, 4]
        assert isinstance(found[2], ValueError)

    async def test_an_error_of_a_trip_is_everybodys_on_it(self) -> None:
        """Those behind travel on."""
        ferry = Ferry()
        tasks = await ferry.ask(1, 2, 99, 3, 4)
        ferry.off.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in found] == [int, ConnectionError, ConnectionError, ConnectionError, int]

    async def test_too_few_answers_leave_nobody_waiting(self) -> None:
        """Whose answer is whose is not known then: everybody on the trip is told so."""

        async def forgetful(asked: Sequence[int]) -> Sequence[int]:
            return asked[1:]

        batcher: Batcher[int, int] = Batcher(forgetful, lanes=1, most=3)
        found = await asyncio.gather(*(batcher.ask(one) for one in range(3)), return_exceptions=True)
        assert [type(one) for one in found] == [ValueError] * 3

    async def test_who_goes_away_concerns_nobody_else(self) -> None:
        """Under way or still waiting: the others are answered; whoever left while waiting is not asked about."""
        ferry = Ferry()
        tasks = await ferry.ask(1, 2, 3)
        tasks[0].cancel()
        tasks[1].cancel()
        await asyncio.sleep(0)
        ferry.off.set()
        assert await tasks[2] == 3
        assert ferry.trips == [[1], [3]]

    async def test_an_end_of_the_process_ends_those_under_way(self) -> None:
        """Their callers are cancelled, not left waiting."""
        ferry = Ferry()
        (task,) = await ferry.ask(1)
        (lane,) = [one for one in asyncio.all_tasks() if "_lane" in repr(one.get_coro())]
        lane.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


class TestAlways:
    """Whatever comes whenever."""

    @settings(deadline=None)
    @given(
        pauses=st.lists(st.integers(0, 5), max_size=40), lanes=st.integers(1, 3), most=st.integers(1, 4),
        gone=st.sets(st.integers(0, 39)),
    )  # fmt: skip
    async def test_each_is_asked_once_and_has_its_own_answer(
        self, pauses: list[int], lanes: int, most: int, gone: set[int]
    ) -> None:
        """In the order of arrival, within the lanes and the room of a trip; nobody is forgotten."""
        ferry = Ferry(lanes=lanes, most=most)
        ferry.off.set()
        tasks: list[asyncio.Task[int]] = []
        for number, pause in enumerate(pauses):
            tasks.append(asyncio.create_task(ferry.batcher.ask(number)))
            for _ in range(pause):
                await asyncio.sleep(0)
            if number in gone:
                tasks[-1].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        stayed = [one for one in found if not isinstance(one, asyncio.CancelledError)]
        assert all(isinstance(one, int) for one in stayed)
        assert {number for number, one in enumerate(found) if one == number} >= set(range(len(pauses))) - gone
        asked = [one for trip in ferry.trips for one in trip]
        assert asked == sorted(set(asked))
        assert set(stayed) <= set(asked)
        assert ferry.widest <= lanes
        assert all(len(trip) <= most for trip in ferry.trips)
