"""Whatever a superuser does to the sealed log is found, and its place is named."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import audit, checkpoint, clock, db, ids, leaves, logcheck, merkle, sealer
from core.audit import Actor
from core.checkpoint import Checkpoint
from core.keys import Keyring
from tests.core.test_sealer import NAME, seal

ROUNDS, EACH = 3, 4


class Log:
    """A sealed log of twelve entries under three heads, the heads kept outside too, and a superuser at it."""

    def __init__(self, owner: asyncpg.Connection, doors: db.Doors, ring: Keyring) -> None:
        """`owner` is the superuser."""
        self.owner, self.doors, self.ring = owner, doors, ring
        self.key = sealer.signing_key(ring)
        self.notes: list[str] = []

    async def fill(self) -> None:
        """Three rounds of four entries."""
        for _ in range(ROUNDS):
            for number in range(EACH):
                async with self.doors.work("staff") as session:
                    await audit.write(
                        session, actor=Actor("staff", "x"), action="a", purpose="p", outcome="o", detail={"n": number}
                    )
            made = await seal(self.doors, self.ring)
            assert made is not None
            self.notes.append(made.note)
        await self.owner.execute("alter table core.audit_entry disable trigger all")

    async def faults(self, *, outside: bool = True) -> list[str]:
        """What the verifier says."""
        known, bad = logcheck.known(self.notes if outside else [], self.key.public_key(), "the archive")
        found = [one async for one in logcheck.verify(self.owner, self.key.public_key(), outside=known)]
        return [str(one) for one in (*bad, *found)]

    async def id_of(self, seq: int) -> uuid.UUID:
        """The entry at a number."""
        return await self.owner.fetchval("select entry_id from core.audit_leaf where seq = $1", seq)

    async def rehash(self) -> None:
        """What a superuser who knows the code does next: number the entries anew and make every leaf match."""
        await self.owner.execute("delete from core.audit_leaf")
        rows = await self.owner.fetch(f"select {leaves.COLUMNS} from core.audit_entry e order by e.xid, e.id")
        await self.owner.executemany(
            "insert into core.audit_leaf values ($1, $2, $3)",
            [(seq, row["id"], leaves.leaf(sealer.entry(row))) for seq, row in enumerate(rows)],
        )

    async def put_in(self, before: int) -> uuid.UUID:
        """An entry that was never written, beside the one at a number."""
        forged = ids.new()
        await self.owner.execute(
            "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, xid) "
            "select $1, at, actor_kind, actor, action, purpose, outcome, xid from core.audit_entry where id = $2",
            forged, await self.id_of(before),
        )  # fmt: skip
        return forged


@pytest_asyncio.fixture
async def log(database: str, doors: db.Doors, ring: Keyring) -> AsyncIterator[Log]:
    """A log that is well."""
    owner = await asyncpg.connect(database)
    laid = Log(owner, doors, ring)
    await laid.fill()
    yield laid
    await owner.close()


class TestWell:
    """Nothing happened."""

    async def test_an_honest_log_has_no_fault(self, log: Log) -> None:
        """Nor has one with entries that wait for their seal, nor an empty one."""
        async with log.doors.work("staff") as session:
            await audit.write(session, actor=Actor("staff", "x"), action="a", purpose="p", outcome="o")
        assert await log.faults() == []

    async def test_an_empty_log_is_well(self, database: str, ring: Keyring) -> None:
        """Before anything happened."""
        owner = await asyncpg.connect(database)
        key = sealer.signing_key(ring).public_key()
        assert [one async for one in logcheck.verify(owner, key)] == []
        await owner.close()


class TestAltered:
    """One word of one entry."""

    @pytest.mark.parametrize(
        "act",
        [
            "outcome = 'other'", "at = at + interval '1 second'", "owner = gen_random_uuid()", "actor = 'y'",
            "detail = '{\"n\": 9}'", "salt = '\\x00'", "purpose = 'q'", "action = 'b'", "actor_kind = 'system'",
        ],
    )  # fmt: skip
    async def test_it_is_named(self, log: Log, act: str) -> None:
        """By number and id, whichever member it was."""
        entry = await log.id_of(6)
        await log.owner.execute(f"update core.audit_entry set {act} where id = $1", entry)
        assert await log.faults() == [f"seq 6, {ids.show('ac', entry)}: was altered after it was sealed"]

    async def test_with_its_leaf_made_to_match(self, log: Log) -> None:
        """The head over it tells between which two heads it was."""
        await log.owner.execute("update core.audit_entry set outcome = 'other' where id = $1", await log.id_of(6))
        await log.rehash()
        (fault,) = await log.faults(outside=False)
        assert "rewritten between seq 4 and 7" in fault

    async def test_with_the_heads_signed_again_by_somebody_else(self, log: Log) -> None:
        """The heads in the database do not hold, and those outside tell where."""
        await log.owner.execute("update core.audit_entry set outcome = 'other' where id = $1", await log.id_of(6))
        await log.rehash()
        forged = Checkpoint(NAME, 12, merkle.leaf_hash(b"forged"), clock.civil())
        note = checkpoint.sign(forged, Ed25519PrivateKey.generate())
        await log.owner.execute("update core.audit_head set note = $1 where size >= 8", note)
        faults = await log.faults()
        assert sum("no signature by the log's key" in one for one in faults) == 2
        assert any("between seq 4 and 7: the head of" in one and "kept by the archive" in one for one in faults)


class TestRemoved:
    """An entry that is gone."""

    async def test_its_body(self, log: Log) -> None:
        """The leaf still names it."""
        entry = await log.id_of(5)
        await log.owner.execute("delete from core.audit_entry where id = $1", entry)
        assert await log.faults() == [f"seq 5, {ids.show('ac', entry)}: was removed"]

    async def test_its_body_and_leaf(self, log: Log) -> None:
        """The gap in the numbers tells."""
        await log.owner.execute("delete from core.audit_entry where id = $1", await log.id_of(5))
        await log.owner.execute("delete from core.audit_leaf where seq = 5")
        assert await log.faults() == ["seq 5: the leaves up to seq 5 were removed"]

    async def test_with_the_rest_moved_up(self, log: Log) -> None:
        """The head over it tells, and the end is short."""
        await log.owner.execute("delete from core.audit_entry where id = $1", await log.id_of(5))
        await log.rehash()
        first, second = await log.faults()
        assert "between seq 4 and 7" in first
        assert second.startswith("seq 11: the tail up to seq 11 was removed")


class TestPutIn:
    """An entry that was never written."""

    async def test_beside_sealed_ones(self, log: Log) -> None:
        """It has no leaf though its time is long sealed."""
        forged = await log.put_in(5)
        assert await log.faults() == [f"{ids.show('ac', forged)}: was put in among entries that were sealed without it"]

    async def test_with_the_rest_moved_down(self, log: Log) -> None:
        """The head over it tells, and the end is under no head."""
        await log.put_in(5)
        await log.rehash()
        first, second = await log.faults()
        assert "between seq 4 and 7" in first
        assert second == "seq 12: the leaves from here on are under no head of the database"


class TestMoved:
    """Two entries change places."""

    async def test_it_is_seen(self, log: Log) -> None:
        """Both by their order and by the head over them."""
        five, six = await log.id_of(5), await log.id_of(6)
        await log.owner.execute("update core.audit_leaf set seq = -seq where seq in (5, 6)")
        await log.owner.execute("update core.audit_leaf set seq = 11 + seq where seq < 0")
        assert [await log.id_of(5), await log.id_of(6)] == [six, five]
        first, second = await log.faults()
        assert first == f"seq 6, {ids.show('ac', five)}: stands where it was not sealed"
        assert "between seq 4 and 7" in second


class TestTail:
    """The newest entries are gone with their leaves and heads."""

    async def test_only_what_is_kept_outside_tells(self, log: Log) -> None:
        """Inside, all looks well; the archive holds a head over more."""
        await log.owner.execute(
            "delete from core.audit_entry where id in (select entry_id from core.audit_leaf where seq >= 8)"
        )
        await log.owner.execute("delete from core.audit_leaf where seq >= 8")
        await log.owner.execute("delete from core.audit_head where size > 8")
        assert await log.faults(outside=False) == []
        assert await log.faults() == ["seq 8: the tail up to seq 11 was removed: the archive keeps a head over it"]


class TestStored:
    """The stored subtrees, from which proofs are made."""

    async def test_a_wrong_one_is_seen(self, log: Log) -> None:
        """A proof made from it would not hold."""
        await log.owner.execute(
            "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome) "
            "select uuidv7(), now(), 'system', 'test', 'a', 'p', 'o' from generate_series(1, 300)"
        )
        await seal(log.doors, log.ring)
        assert await log.faults() == []
        await log.owner.execute("update core.audit_node set hash = '\\x00'")
        assert await log.faults() == ["seq 255: the stored subtree of 256 leaves that ends here differs"]


class TestRetention:
    """Ten years later."""

    async def test_bodies_go_and_the_log_is_well(self, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
        """The sweep takes the bodies of ten years ago and says so; leaves and heads stay, the tree still verifies."""
        await log.owner.execute("alter table core.audit_entry enable trigger all")
        assert await swept(log) == 0
        await log.owner.execute("insert into core.civil_offset values (true, interval '3700 days')")
        monkeypatch.setattr(clock, "_offset", timedelta(days=3700))
        assert await swept(log) == 7
        assert await swept(log) == 5
        assert await swept(log) == 0
        assert await log.owner.fetch("select action, detail->>'entries' as n from core.audit_entry order by id") == [
            ("audit.sweep", "7"), ("audit.sweep", "5")
        ]  # fmt: skip
        await seal(log.doors, log.ring)
        assert await log.faults() == []
        assert await log.owner.fetchval("select count(*) from core.audit_leaf") == ROUNDS * EACH + 2

    async def test_a_body_that_went_before_its_time_is_missed(self, log: Log) -> None:
        """The heads say when it was sealed; a moved clock of the database does not help."""
        await log.owner.execute("delete from core.audit_entry where id = $1", await log.id_of(0))
        await log.owner.execute("insert into core.civil_offset values (true, interval '3700 days')")
        assert len(await log.faults()) == 1


async def swept(log: Log) -> int:
    """One round of the sweep, of seven entries at most."""
    async with log.doors.work("jobs") as session:
        return await audit.sweep(session, most=7)
