"""The proof that an entry is in the log, for the person whom it is about."""

import uuid

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import db, leaves, merkle, sealer, tree
from core.errors import NotFound

_MINE = f"select {leaves.COLUMNS} from core.audit_entry e where e.id = $1 and e.owner = $2"  # noqa: S608  (our names)
_PLACE = """
  select l.seq, h.size, h.note from core.audit_leaf l
  cross join lateral (select size, note from core.audit_head order by size desc limit 1) h
  where l.entry_id = $1 and l.seq < h.size
"""


class Sealed(msgspec.Struct, frozen=True):
    """Entry `text` with `salt` is leaf `seq` of the tree of `size` leaves whose signed head is `note`, by `path`."""

    text: str
    salt: bytes
    seq: int
    size: int
    path: list[bytes]
    note: str


async def of(session: AsyncSession, *, owner: uuid.UUID, entry_id: uuid.UUID) -> Sealed | None:
    """The proof for an entry about `owner`; None while it is not sealed. Raises NotFound."""
    connection = await db.raw(session)
    row = await connection.fetchrow(_MINE, entry_id, owner)
    if row is None:
        raise NotFound
    place = await connection.fetchrow(_PLACE, entry_id)
    if place is None:
        return None
    entry = sealer.entry(row)
    path = await tree.over(connection, merkle.inclusion_ranges(place["seq"], place["size"]))
    return Sealed(leaves.payload(entry).decode(), entry.salt, place["seq"], place["size"], path, place["note"])
