"""The short-lived store in Redis, for a deployment of several nodes.

Promises what `core.shortlived` promises on a single primary. Does not promise it when Redis evicts keys (set
`maxmemory-policy noeviction`) or fails over to a replica that lags: both forget without a new epoch.
"""

from collections.abc import Awaitable, Sequence
from typing import cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from core.short.forgetting import StoreUnavailable, epoch_word

_COUNT = """local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return n"""

_COUNT_ALL = """local found = {}
for at, key in ipairs(KEYS) do
  found[at] = redis.call('INCR', key)
  if found[at] == 1 then redis.call('PEXPIRE', key, ARGV[1]) end
end
return found"""


class RedisStore:
    """The port of `core.shortlived` on one Redis."""

    in_database = False

    def __init__(self, url: str, *, size: int = 8, prefix: str = "osmanthus:short:") -> None:
        """`url` is `redis://` or `rediss://`; connected at first use; callers wait for a free connection for 5 s."""
        settings = {"max_connections": size, "timeout": 5, "socket_connect_timeout": 2, "socket_timeout": 5}
        pool = BlockingConnectionPool.from_url(url, **settings)  # pyright: ignore[reportUnknownMemberType]  (untyped)
        self._redis = Redis.from_pool(pool)
        self._prefix = prefix

    async def claim(self, key: str, ttl: float) -> bool:
        """See `Store.claim`."""
        return await _said(self._redis.set(self._key("claim", key), b"1", nx=True, px=_ms(ttl))) is not None

    async def count(self, key: str, window: float) -> int:
        """See `Store.count`."""
        return cast("int", await _said(self._redis.eval(_COUNT, 1, self._key("count", key), _ms(window))))

    async def count_all(self, keys: Sequence[str], window: float) -> dict[str, int]:
        """See `Store.count_all`."""
        named = [self._key("count", key) for key in keys]
        counted = cast("list[int]", await _said(self._redis.eval(_COUNT_ALL, len(keys), *named, _ms(window))))
        return dict(zip(keys, counted, strict=True))

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """See `Store.put`."""
        await _said(self._redis.set(self._key("value", key), value, px=_ms(ttl)))

    async def take(self, key: str) -> bytes | None:
        """See `Store.take`."""
        return cast("bytes | None", await _said(self._redis.getdel(self._key("value", key))))

    async def peek(self, key: str) -> bytes | None:
        """See `Store.peek`."""
        return cast("bytes | None", await _said(self._redis.get(self._key("value", key))))

    async def epoch(self) -> str:
        """See `Store.epoch`."""
        name = self._key("epoch", "")
        while (held := await _said(self._redis.get(name))) is None:
            seconds, micros = cast("tuple[int, int]", await _said(self._redis.eval("return redis.call('TIME')", 0)))
            await _said(self._redis.set(name, epoch_word(int(seconds) * 1000 + int(micros) // 1000), nx=True))
        return cast("bytes", held).decode()

    async def sweep(self) -> int:
        """See `Store.sweep`; Redis expires by itself."""
        return 0

    async def close(self) -> None:
        """See `Store.close`."""
        await self._redis.aclose()

    def _key(self, kind: str, key: str) -> str:
        """The verbs' own name spaces, as the tables are in PostgreSQL."""
        return f"{self._prefix}{kind}:{key}"


def _ms(seconds: float) -> int:
    """Whole milliseconds, at least one."""
    return max(1, round(seconds * 1000))


async def _said(answer: object) -> object:
    """Redis's answer. StoreUnavailable when it cannot give one, whatever the reason: fail closed."""
    try:
        return await cast("Awaitable[object]", answer)
    except (RedisError, OSError) as error:
        raise StoreUnavailable from error
