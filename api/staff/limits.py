"""How often a counter may ask, and how often about one presented person, known or not: guessing gains nothing."""

from core.errors import TooMany
from core.shortlived import Store

HOUR = 3600
PER_OFFICE = 1200
PER_CLERK = 120
WRONG_PER_CLERK = 20
PER_PERSON = 30


async def spend(short: Store, *, office: str, clerk: str, shown: bytes) -> None:
    """Count one presented proof; `shown` is a digest of who was presented. Raises TooMany."""
    counts = (
        (f"counter|{office}", PER_OFFICE),
        (f"counter|{office}|{clerk}", PER_CLERK),
        (f"counter||{shown.hex()}", PER_PERSON),
    )
    for key, most in counts:
        if await short.count(key, HOUR) > most:
            raise TooMany("Too many people were presented within the hour.", retry_after=HOUR)
    if await short.peek(_wrong(office, clerk)) is not None:
        raise TooMany("Too many presented proofs were wrong; ask the head of the office.", retry_after=HOUR)


async def wrong(short: Store, *, office: str, clerk: str) -> None:
    """Count one wrong proof; too many within an hour stop the clerk for an hour."""
    if await short.count(f"counter|wrong|{office}|{clerk}", HOUR) >= WRONG_PER_CLERK:
        await short.put(_wrong(office, clerk), b"1", HOUR)


def _wrong(office: str, clerk: str) -> str:
    return f"counter|stopped|{office}|{clerk}"
