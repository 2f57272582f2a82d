"""The newest edition of an entitlement list, made when it is asked for, and what changed since an older one.

Promises: whatever happened before the question is in the answer, a withdrawal of this second too; an edition that is
like the last has its number; two who ask at once get one edition. Each question leaves one entry, which everybody who
let the operator put them on the list reads. Promises no history: what changed more than `KEPT` editions ago is gone.
"""

import asyncpg
import msgspec

from core import ids
from core.bitlist import BitList
from core.errors import Problem
from incentives.citycard import lists
from incentives.eligibility import TokenDead

KEPT = 1000
_READ = "select * from incentives.entitlements($1, $2)"
_KEEP = "select * from incentives.keep_entitlements($1, $2, $3, $4, $5, $6, $7)"
_CHANGES = "select * from incentives.entitlement_changes($1, $2, $3)"


class DeltaGone(Problem):
    """What changed since that edition is not known any more."""

    code = "delta_gone"
    title = "Fetch the whole list"
    status = 410


class Edition(msgspec.Struct, frozen=True):
    """A list; `changed` is what it changes of the edition that was asked about, None for a whole list."""

    operator: str
    perk: str
    seq: int
    held: BitList
    changed: BitList | None


async def newest(
    pool: "asyncpg.Pool[asyncpg.Record]", key: bytes, *, token: bytes, perk: str, since: int | None
) -> Edition:
    """Make the edition of now. `key` draws the decoys. Raises TokenDead, DeltaGone."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_READ, token, perk)
        if not rows:
            detail = "Ask for a new access token."
            raise TokenDead(detail)
        (row,) = rows
        operator, size = row["operator_id"], row["size"]
        held = lists.compose(key, operator, perk, size=size, owned=row["owned"], granted=row["granted"])
        seq, changed = _turned(held, row["seq"], row["bits"])
        await connection.fetch(_KEEP, token, perk, seq, held.packed, changed, KEPT, ids.new())
        delta = None if since is None else await _since(connection, token, perk, since, seq, size)
    return Edition(operator, perk, seq, held, delta)


def _turned(held: BitList, seq: int | None, bits: bytes | None) -> tuple[int, bytes | None]:
    """The number of an edition, and the places that it changed: none for a repeat, empty where there is no telling."""
    if seq is None or bits is None:
        return 1, b""
    if bits == held.packed:
        return seq, None
    return seq + 1, lists.places(BitList(1, bits).changed(held)) if len(bits) == len(held.packed) else b""


async def _since(
    connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]", token: bytes, perk: str, since: int, seq: int,
    size: int,
) -> BitList:  # fmt: skip
    """What changed after an edition. Raises DeltaGone."""
    rows = await connection.fetch(_CHANGES, token, perk, since)
    kept = [row["changed"] for row in rows if row["changed"] is not None]
    if len(kept) != seq - since:  # of an edition to come, too
        raise DeltaGone("Ask without `since`.")
    return lists.together(size, kept)
