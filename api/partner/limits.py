"""How often a partner may ask, and how often about one presented value, known or not: probing gains nothing.

Limits are published in every answer (draft-ietf-httpapi-ratelimit-headers); both count in the short-lived store, so
they hold across processes.
"""

import asyncio

from core.errors import TooMany
from core.shortlived import Store

WINDOW = 60
PER_PARTNER = 12_000
PER_VALUE = 30


async def count(short: Store, *, partner: str, value: bytes) -> dict[str, str]:
    """Count one check of `value` (a digest) by `partner`; returns the RateLimit headers. Raises TooMany."""
    by_value, by_partner = await asyncio.gather(
        short.count(f"check|{partner}|{value.hex()}", WINDOW), short.count(f"check|{partner}", WINDOW)
    )
    left = {"value": PER_VALUE - by_value, "partner": PER_PARTNER - by_partner}
    name = min(left, key=lambda each: left[each])
    headers = {
        "RateLimit-Policy": f'"partner";q={PER_PARTNER};w={WINDOW}, "value";q={PER_VALUE};w={WINDOW}',
        "RateLimit": f'"{name}";r={max(0, left[name])};t={WINDOW}',
    }
    if left[name] < 0:
        detail = f"At most {PER_VALUE} checks of one value and {PER_PARTNER} in all within {WINDOW} s."
        problem = TooMany(detail, retry_after=WINDOW)
        problem.headers.update(headers)
        raise problem
    return headers
