"""An operator's cards: the place of each number in its lists, and numbers that are lost or replaced.

Promises that no answer depends on whether a number is bound to anybody, or whether anybody consents. A number is kept
as a keyed digest alone; `api` makes it, for the same digest finds a card at a counter.
"""

from collections.abc import Sequence

from core import ids
from incentives.citycard.entrance import Entrance

MOST = 5000
_ISSUE = "select * from incentives.issue_cards($1, $2)"
_RETIRE = "select * from incentives.retire_card($1, $2, $3, $4, $5)"


async def issue(entrance: Entrance, *, token: bytes, digests: Sequence[bytes]) -> list[int]:
    """The place of each card, in order; repeating changes nothing. Raises TokenDead."""
    if not digests:
        return []
    return [row["place"] for row in await entrance.ask(_ISSUE, token, list(digests))]


async def lose(entrance: Entrance, *, token: bytes, digest: bytes) -> None:
    """Let a number be 0 in every list from now on, and open no counter. Raises TokenDead."""
    await entrance.ask(_RETIRE, token, digest, None, None, ids.new())


async def replace(entrance: Entrance, *, token: bytes, old: bytes, new: bytes, sealed_number: bytes) -> int:
    """Let a number take another's place, with whoever is bound to it; gives the new number's place. TokenDead."""
    rows = await entrance.ask(_RETIRE, token, old, new, sealed_number, ids.new())
    return rows[0]["place"]
