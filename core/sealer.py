"""The sealer: numbers the committed entries, hangs them in the tree and signs its head, in one transaction.

Writers wait for nobody. An entry is taken once its transaction is surely over: below the oldest one still running.
Promises: every committed entry gets exactly one number, in the order of transactions; one sealer works at a time; a
process killed in the middle sealed nothing. Does not promise when: a transaction that stays open holds up what began
after it, which `waiting` tells. After a restore into another cluster, transaction numbers begin anew: seen, and
everything unsealed is looked for again.
"""

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import checkpoint, clock, db, leaves, merkle, tree
from core.checkpoint import Checkpoint
from core.keys import Keyring
from core.leaves import Sealable

KID = "log-1"
MOST = 10_000
_LOCK = 0x05EA1
_STORED_LEVELS = 8

_STATE = (
    "select coalesce((select size from core.audit_head order by size desc limit 1), 0) as size, "
    "coalesce((select below_xid from core.audit_head order by size desc limit 1), 0) as below, "
    "pg_snapshot_xmax(pg_current_snapshot())::text::bigint as newest"
)
_TAKE = f"""
  with now as materialized (
    select pg_snapshot_xmin(s)::text::bigint as oldest, pg_snapshot_xmax(s)::text::bigint as newest
    from pg_current_snapshot() s
  )
  select {leaves.COLUMNS}, e.xid, now.oldest from now join core.audit_entry e
    on e.xid >= $1 and (e.xid < now.oldest or $3 and e.xid >= now.newest)
  where not exists (select from core.audit_leaf l where l.entry_id = e.id)
  order by e.xid, e.id limit $2
"""  # noqa: S608  (our own column names)
_WAITING = (
    "select coalesce(extract(epoch from now() - min(uuid_extract_timestamp(e.id))), 0) from core.audit_entry e "
    "where e.xid >= coalesce((select below_xid from core.audit_head order by size desc limit 1), 0) "
    "and e.xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint "
    "and not exists (select from core.audit_leaf l where l.entry_id = e.id)"
)


class Head(msgspec.Struct, frozen=True):
    """A signed head: `note` is what the outside keeps; `full` says that more entries are waiting."""

    size: int
    note: str
    full: bool = False


def origin(city_code: str) -> str:
    """The log's name in its checkpoints."""
    return f"osmanthus/{city_code}"


def signing_key(ring: Keyring) -> Ed25519PrivateKey:
    """The key that signs heads, published as `log-1`."""
    private: Any = ring.ed25519(KID).private_key
    return private


async def seal(session: AsyncSession, key: Ed25519PrivateKey, *, name: str, most: int = MOST) -> Head | None:
    """Seal what may be sealed; the new head, None when there was nothing or another sealer is at work."""
    connection: Any = await db.raw(session)
    if not await connection.fetchval(f"select pg_try_advisory_xact_lock({_LOCK})"):
        return None
    state = await connection.fetchrow(_STATE)
    restored = state["below"] > state["newest"]  # numbers of another cluster: visible, yet beyond the newest
    taken = await connection.fetch(_TAKE, 0 if restored else state["below"], most, restored)
    if not taken:
        return None
    frontier = merkle.Frontier(state["size"], await tree.roots(connection, merkle.pieces(0, state["size"])))
    await _hang(connection, frontier, taken)
    full = len(taken) == most
    below = taken[-1]["oldest"] if not full else state["below"] if restored else taken[-1]["xid"]
    head = Checkpoint(name, frontier.size, frontier.root(), clock.civil())
    note = checkpoint.sign(head, key)
    await connection.execute(
        "insert into core.audit_head (size, root, note, at, below_xid) values ($1, $2, $3, $4, $5)",
        head.size, head.root, note, head.at, below,
    )  # fmt: skip
    return Head(head.size, note, full)


async def _hang(connection: Any, frontier: merkle.Frontier, taken: Sequence[Any]) -> None:
    """Number the entries and store their leaves and the subtrees that they complete."""
    sealed: list[tuple[int, uuid.UUID, bytes]] = []
    nodes: list[tuple[int, int, bytes]] = []
    for row in taken:
        hashed = leaves.leaf(entry(row))
        sealed.append((frontier.size, row["id"], hashed))
        nodes += [
            (piece.level, piece.index, root)
            for piece, root in frontier.append(hashed)
            if piece.level and piece.level % _STORED_LEVELS == 0
        ]
    await connection.copy_records_to_table(
        "audit_leaf", schema_name="core", columns=["seq", "entry_id", "hash"], records=sealed
    )
    await connection.copy_records_to_table(
        "audit_node", schema_name="core", columns=["level", "index", "hash"], records=nodes
    )


def entry(row: Any) -> Sealable:
    """The entry of a row that holds `leaves.COLUMNS`."""
    return Sealable(*(row[name] for name in Sealable.__struct_fields__))


async def waiting(session: AsyncSession) -> float:
    """For how many seconds the oldest unsealed entry has been waiting; 0 when none is."""
    return float(await session.scalar(text(_WAITING)) or 0)
