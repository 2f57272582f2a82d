"""How often an operator may have a list made: a list is decided anew at each asking, which is work.

Counted in the short-lived store, so that it holds across processes, and told in every answer
(draft-ietf-httpapi-ratelimit-headers). An operator with many gates fetches once and hands the list on.
"""

from core.errors import TooMany
from core.shortlived import Store

WINDOW = 60
MOST = 30


async def count(short: Store, *, operator: str, perk: str) -> dict[str, str]:
    """Count one list of an operator's perk; the RateLimit headers. Raises TooMany, which has them too."""
    left = MOST - await short.count(f"list|{operator}|{perk}", WINDOW)
    headers = {"RateLimit-Policy": f'"list";q={MOST};w={WINDOW}', "RateLimit": f'"list";r={max(0, left)};t={WINDOW}'}
    if left < 0:
        detail = f"At most {MOST} lists of one perk within {WINDOW} s."
        problem = TooMany(detail, retry_after=WINDOW)
        problem.headers.update(headers)
        raise problem
    return headers
