"""What every short-lived store promises; both test files below it run this one class against a real server."""

import asyncio
import secrets

from core.shortlived import Store, epoch_began

RACERS = 20
MOMENT = 0.05  # seconds; long enough for a round trip, short enough to wait for


def fresh() -> str:
    """A key that no other test uses."""
    return secrets.token_hex(8)


class StoreConformance:
    """A class per verb would repeat the fixture; the verbs are few."""

    async def test_claim_is_won_once(self, store: Store) -> None:
        """The first caller takes the key, the second does not."""
        key = fresh()
        assert [await store.claim(key, 60), await store.claim(key, 60)] == [True, False]

    async def test_claim_is_won_by_exactly_one_of_racing_callers(self, store: Store) -> None:
        """However many ask at once, one is told yes."""
        key = fresh()
        told = await asyncio.gather(*(store.claim(key, 60) for _ in range(RACERS)))
        assert sum(told) == 1

    async def test_an_expired_claim_is_won_by_exactly_one_of_racing_callers(self, store: Store) -> None:
        """A claim ends with its time, and then again one caller wins."""
        key = fresh()
        assert await store.claim(key, MOMENT)
        await asyncio.sleep(2 * MOMENT)
        told = await asyncio.gather(*(store.claim(key, 60) for _ in range(RACERS)))
        assert sum(told) == 1

    async def test_count_goes_up_by_one_for_each_of_racing_callers(self, store: Store) -> None:
        """No count is lost and none is given twice."""
        key = fresh()
        counts = await asyncio.gather(*(store.count(key, 60) for _ in range(RACERS)))
        assert sorted(counts) == list(range(1, RACERS + 1))

    async def test_counts_of_a_list_go_up_together(self, store: Store) -> None:
        """A key that stands twice counts twice; lists in opposite orders lose nothing and never wait in a ring."""
        one, other = fresh(), fresh()
        assert await store.count_all([one, other, one], 60) == {one: 2, other: 1}
        lists = [[one, other] if turn % 2 else [other, one] for turn in range(RACERS)]
        told = await asyncio.gather(*(store.count_all(keys, 60) for keys in lists))
        assert sorted(counts[one] for counts in told) == list(range(3, RACERS + 3))
        assert sorted(counts[other] for counts in told) == list(range(2, RACERS + 2))
        assert [await store.count(key, 60) for key in (one, other)] == [RACERS + 3, RACERS + 2]

    async def test_counts_of_a_list_begin_anew_after_the_window(self, store: Store) -> None:
        """As a single count does."""
        key = fresh()
        assert await store.count_all([key, key], MOMENT) == {key: 2}
        await asyncio.sleep(2 * MOMENT)
        assert await store.count_all([key], 60) == {key: 1}

    async def test_count_begins_anew_after_its_window(self, store: Store) -> None:
        """The window is opened by the first count and not moved by the next ones."""
        key = fresh()
        assert [await store.count(key, MOMENT), await store.count(key, 60)] == [1, 2]
        await asyncio.sleep(2 * MOMENT)
        assert await store.count(key, 60) == 1

    async def test_peek_leaves_the_value(self, store: Store) -> None:
        """A value can be looked at any number of times, byte for byte."""
        key, value = fresh(), bytes(range(256))
        await store.put(key, value, 60)
        assert [await store.peek(key), await store.peek(key)] == [value, value]

    async def test_put_replaces_value_and_time(self, store: Store) -> None:
        """The last put counts."""
        key = fresh()
        await store.put(key, b"old", MOMENT)
        await store.put(key, b"new", 60)
        await asyncio.sleep(2 * MOMENT)
        assert await store.peek(key) == b"new"

    async def test_take_gives_the_value_to_exactly_one_of_racing_callers(self, store: Store) -> None:
        """One caller gets the value, the others nothing, and it is gone."""
        key = fresh()
        await store.put(key, b"once", 60)
        told = await asyncio.gather(*(store.take(key) for _ in range(RACERS)))
        assert (told.count(b"once"), told.count(None)) == (1, RACERS - 1)
        assert await store.peek(key) is None

    async def test_an_expired_value_is_absent(self, store: Store) -> None:
        """Neither peek nor take gives what has expired."""
        key = fresh()
        await store.put(key, b"late", MOMENT)
        await asyncio.sleep(2 * MOMENT)
        assert [await store.peek(key), await store.take(key)] == [None, None]

    async def test_the_verbs_do_not_share_keys(self, store: Store) -> None:
        """A claim, a count and a value of one name are three things."""
        key = fresh()
        await store.put(key, b"value", 60)
        assert await store.claim(key, 60)
        assert await store.count(key, 60) == 1
        assert await store.peek(key) == b"value"

    async def test_epoch_stays_while_the_store_remembers(self, store: Store) -> None:
        """Racing first callers agree on one epoch, and it dates from the past."""
        told = await asyncio.gather(*(store.epoch() for _ in range(RACERS)))
        assert len(set(told)) == 1
        assert epoch_began(told[0]) > 0

    async def test_sweep_keeps_what_lives(self, store: Store) -> None:
        """Sweeping removes expired rows and nothing else."""
        dead, alive = fresh(), fresh()
        await store.put(dead, b"", MOMENT)
        await store.put(alive, b"kept", 60)
        await asyncio.sleep(2 * MOMENT)
        await store.sweep()
        assert await store.sweep() == 0
        assert await store.peek(alive) == b"kept"
