"""How often a partner may ask, and how often about one presented value, known or not: probing gains nothing.

Limits are published in every answer (draft-ietf-httpapi-ratelimit-headers). Both are counted in the short-lived store,
so they hold across processes; a partner's own total is drawn from it in lots, so that a busy partner's count is not one
hot row, and may be overrun by one lot a process at most.
"""

import time

from core.errors import TooMany
from core.shortlived import Store

WINDOW = 60
PER_PARTNER = 12_000
PER_VALUE = 30
LOT = 20


class Limits:
    """The limits of one process."""

    def __init__(self, short: Store) -> None:
        """`short` counts."""
        self._short = short
        self._lots: dict[str, tuple[float, int, int]] = {}  # partner: until (monotonic), left of the lot, left beyond

    async def count(self, *, partner: str, value: bytes) -> list[tuple[str, str]]:
        """Count one check of `value` (a digest) by `partner`; returns the RateLimit headers. Raises TooMany."""
        beyond = await self._draw(partner)
        of_value = PER_VALUE - await self._short.count(f"check|{partner}|{value.hex()}", WINDOW)
        name, left = ("value", of_value) if of_value <= beyond else ("partner", beyond)
        headers = [
            ("RateLimit-Policy", f'"partner";q={PER_PARTNER};w={WINDOW}, "value";q={PER_VALUE};w={WINDOW}'),
            ("RateLimit", f'"{name}";r={max(0, left)};t={WINDOW}'),
        ]
        if left < 0:
            detail = f"At most {PER_VALUE} checks of one value and {PER_PARTNER} in all within {WINDOW} s."
            problem = TooMany(detail, retry_after=WINDOW)
            problem.headers.update(headers)
            raise problem
        return headers

    async def _draw(self, partner: str) -> int:
        """Take one from the partner's lot, drawing a new one when it is empty or old; how many are left then."""
        until, left, beyond = self._lots.get(partner, (0.0, 0, 0))
        if left == 0 or time.monotonic() > until:
            drawn = await self._short.count(f"check|{partner}", WINDOW)
            until, left, beyond = time.monotonic() + WINDOW, LOT, PER_PARTNER - drawn * LOT
        self._lots[partner] = (until, left - 1, beyond)
        return beyond + left - 1
