"""Judges the sealed log: every entry against its leaf, every leaf against every signed head, the tail included.

Reads as the owner of the database, in one snapshot, entry by entry. Promises to find an entry that was altered,
removed, put in or moved, and to name its place: by number and id where the leaf still tells, by the stretch between two
heads where leaves were rewritten to match. What no head outside covers yet, and what was never entered, it cannot see.
"""

import uuid
from collections.abc import AsyncGenerator, Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core import checkpoint, clock, ids, leaves, merkle, sealer
from core.checkpoint import BadCheckpoint

RETENTION_YEARS = 10
_AT_ONCE = 2_000
_ROWS = f"""
  select l.seq, l.entry_id, l.hash, e.xid, {leaves.COLUMNS}
  from core.audit_leaf l left join core.audit_entry e on e.id = l.entry_id order by l.seq
"""  # noqa: S608  (our own column names)
_UNSEALED = """
  select id from core.audit_entry e
  where xid < (select below_xid from core.audit_head order by size desc limit 1)
    and not exists (select from core.audit_leaf l where l.entry_id = e.id) order by id
"""

Progress = Callable[[int, int], None]


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, and where: the number in the log and the entry's id, as far as they can be told."""

    what: str
    seq: int | None = None
    entry: uuid.UUID | None = None

    def __str__(self) -> str:
        """One line for a person."""
        place = [f"seq {self.seq}"] if self.seq is not None else []
        place += [ids.show("ac", self.entry)] if self.entry else []
        return f"{', '.join(place)}: {self.what}" if place else self.what


class Known(msgspec.Struct, frozen=True):
    """A head that verified; `where` says who kept it."""

    size: int
    root: bytes
    at: datetime
    where: str


def known(notes: Iterable[str], key: Ed25519PublicKey, where: str) -> tuple[list[Known], list[Fault]]:
    """The heads among notes, and a fault for each note that does not hold."""
    good: list[Known] = []
    bad: list[Fault] = []
    for number, note in enumerate(notes, 1):
        try:
            head = checkpoint.verify(note, key)
        except BadCheckpoint as error:
            bad.append(Fault(f"head {number} of {where}: {error}"))
        else:
            good.append(Known(head.size, head.root, head.at, where))
    return good, bad


async def verify(
    connection: Any, key: Ed25519PublicKey, *, outside: Iterable[Known] = (), progress: Progress | None = None
) -> AsyncGenerator[Fault]:
    """Every fault of the log; none when all is well. `outside` are heads that were kept elsewhere."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        total = await connection.fetchval("select coalesce(max(seq) + 1, 0) from core.audit_leaf")
        rows = await connection.fetch("select note from core.audit_head order by size")
        inside, bad = known((row["note"] for row in rows), key, "the database")
        for fault in bad:
            yield fault
        nodes = {(row[0], row[1]): row[2] for row in await connection.fetch("select * from core.audit_node")}
        judge = _Judge([*inside, *outside], nodes)
        async for row in connection.cursor(_ROWS, prefetch=_AT_ONCE):
            for fault in judge.faults(row):
                yield fault
            if progress and row["seq"] % _AT_ONCE == 0:
                progress(row["seq"], total)
        if progress:
            progress(total, total)
        for fault in judge.rest(max((head.size for head in inside), default=0)):
            yield fault
        for row in await connection.fetch(_UNSEALED):
            yield Fault("was put in among entries that were sealed without it", entry=row["id"])


class _Judge:
    """Walks the leaves once, growing the tree again."""

    def __init__(self, heads: Iterable[Known], nodes: dict[tuple[int, int], bytes]) -> None:
        self._heads = sorted(heads, key=lambda head: head.size)
        self._nodes = nodes
        self._tree = merkle.Frontier()
        self._next = 0
        self._place = 0  # in the heads
        self._sealed_until = 0
        self._comparable = True
        self._last: tuple[Any, Any] | None = None
        now = clock.civil()
        self._swept_before = now.replace(year=now.year - RETENTION_YEARS, day=min(now.day, 28))

    def faults(self, row: Any) -> list[Fault]:
        """What is wrong with one leaf and its entry, and with the heads that end there."""
        found: list[Fault] = []
        seq: int = row["seq"]
        if seq != self._next:
            found.append(Fault(f"the leaves up to seq {seq - 1} were removed", seq=self._next))
            self._comparable = False
        found += self._entry(row)
        self._next = seq + 1
        for piece, root in self._tree.append(row["hash"]):
            if self._comparable and self._nodes.get((piece.level, piece.index), root) != root:
                found.append(Fault(f"the stored subtree of {1 << piece.level} leaves that ends here differs", seq=seq))
        while self._place < len(self._heads) and self._heads[self._place].size <= self._next:
            found += self._head(self._heads[self._place])
            self._place += 1
        return found

    def _entry(self, row: Any) -> list[Fault]:
        seq, entry_id = row["seq"], row["entry_id"]
        if row["id"] is None:
            self._last = None
            return [] if self._swept(seq) else [Fault("was removed", seq=seq, entry=entry_id)]
        if leaves.leaf(sealer.entry(row)) != row["hash"]:
            return [Fault("was altered after it was sealed", seq=seq, entry=entry_id)]
        before, self._last = self._last, (row["xid"], entry_id)
        if before is not None and before > self._last and not self._begins(seq):
            return [Fault("stands where it was not sealed", seq=seq, entry=entry_id)]
        return []

    def _begins(self, seq: int) -> bool:
        """Whether a head ends right before this leaf: order holds within a round of the sealer."""
        return self._place > 0 and self._heads[self._place - 1].size == seq

    def _swept(self, seq: int) -> bool:
        """Whether the retention is over: ten years after the head that first covered it."""
        covering = next((head for head in self._heads[self._place :] if head.size > seq), None)
        return covering is not None and covering.at < self._swept_before

    def _head(self, head: Known) -> list[Fault]:
        if not self._comparable:
            return []
        if head.size == self._tree.size and head.root == self._tree.root():
            self._sealed_until = head.size
            return []
        self._comparable = False
        stretch = (
            f"entries were put in, removed, moved or rewritten between seq {self._sealed_until} and {head.size - 1}"
        )
        return [Fault(f"{stretch}: the head of {head.at:%Y-%m-%d %H:%M:%S} kept by {head.where} does not cover them")]

    def rest(self, inside: int) -> list[Fault]:
        """What is wrong with the end: leaves that heads speak of and that are gone, leaves that no head covers."""
        found: list[Fault] = []
        if self._place < len(self._heads):
            newest = self._heads[-1]
            tail = f"the tail up to seq {newest.size - 1} was removed: {newest.where} keeps a head over it"
            found.append(Fault(tail, seq=self._next))
        if self._next > inside:
            found.append(Fault("the leaves from here on are under no head of the database", seq=inside))
        return found
