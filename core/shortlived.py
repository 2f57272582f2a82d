"""What is remembered for seconds or minutes: replay ids, rate counters, values that are taken once.

One port, two stores (`core.short.postgres`, `core.short.redis`); one conformance test passes on both.

Promises: each verb is one atomic step that is visible to every process at once and survives the caller's rollback;
among racing callers `claim` and `take` succeed for exactly one; a store that cannot be reached raises
`StoreUnavailable`, it never lets a caller through (`core.short.forgetting`). Does not promise to survive a crash of the
store: it may come back empty, and then `epoch` has changed, so whoever relies on memory refuses what is older.
"""

from collections.abc import Sequence
from typing import Protocol


class Store(Protocol):
    """The port. Keys are text of the caller's making, up to 512 characters, and hold no personal data in the clear.

    `in_database`: claims and counts are rows of our own database, which a gate function can write in its own trip.
    """

    in_database: bool

    async def claim(self, key: str, ttl: float) -> bool:
        """Take `key` for `ttl` seconds; True for the first caller alone until then."""
        ...

    async def count(self, key: str, window: float) -> int:
        """Count one more under `key`; the first count opens a window of `window` seconds. Returns the count, from 1."""
        ...

    async def count_all(self, keys: Sequence[str], window: float) -> dict[str, int]:
        """Count once for every key of the list, which may repeat itself, in one step; the counts after it, by key."""
        ...

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep `value` under `key` for `ttl` seconds, in place of what was there."""
        ...

    async def take(self, key: str) -> bytes | None:
        """Remove and return the value, for exactly one of racing callers; None when there is none."""
        ...

    async def peek(self, key: str) -> bytes | None:
        """The value, left where it is; None when there is none."""
        ...

    async def epoch(self) -> str:
        """`<unix milliseconds>-<random>` of the moment when the store was found empty; another one after it forgot."""
        ...

    async def sweep(self) -> int:
        """Remove what has expired; returns how many rows (a store that does so by itself returns 0)."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


def connect(*, redis_url: str | None, postgres_url: str, size: int = 8) -> Store:
    """The store of this deployment: Redis when it has one, else the PostgreSQL of this door's DSN.

    Nothing is connected yet. `size` bounds the connections; a caller waits for a free one, at most five seconds.
    """
    if redis_url:
        from core.short.redis import RedisStore  # noqa: PLC0415  (a deployment without Redis need not load its client)

        return RedisStore(redis_url, size=size)
    from core.short.postgres import PostgresStore  # noqa: PLC0415  (the same the other way round)

    return PostgresStore(postgres_url, size=size)


def epoch_began(epoch: str) -> float:
    """The moment of an epoch, in unix seconds of the store's clock."""
    return int(epoch.partition("-")[0]) / 1000
