"""The sealer takes every committed entry exactly once, whoever writes meanwhile and wherever it is killed."""

import asyncio
import random
import uuid

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import audit, checkpoint, clock, db, ids, leaves, merkle, pgerrors, sealer, tree
from core.audit import Actor
from core.keys import Keyring
from core.tables import audit_entry

NAME = "osmanthus/990000"
CHANCE = random.Random(4)  # noqa: S311  (a dance, not a secret)
ENTER = (
    "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome) "
    "values ($1, now(), 'system', 'test', 'test.act', 'test', 'done')"
)


@pytest_asyncio.fixture
async def owner(database: str) -> asyncpg.Connection:
    """The operator's connection to the doors' database."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def seal(doors: db.Doors, ring: Keyring, most: int = sealer.MOST) -> sealer.Head | None:
    """One round, committed."""
    async with doors.work("jobs") as session:
        return await sealer.seal(session, sealer.signing_key(ring), name=NAME, most=most)


async def enter(doors: db.Doors, count: int = 1) -> None:
    """Write entries, a transaction each."""
    for number in range(count):
        async with doors.work("staff") as session:
            await audit.write(
                session, actor=Actor("staff", "test"), action="test", purpose="test", outcome="done",
                owner=uuid.uuid4(), detail={"b": number, "a": [1.5, None, "桂"]},
            )  # fmt: skip


async def ids_of(owner: asyncpg.Connection, query: str) -> list[uuid.UUID]:
    """The first column of a query."""
    return [row[0] for row in await owner.fetch(query)]


async def is_whole(owner: asyncpg.Connection) -> bool:
    """Every entry has one leaf, numbered from 0 without a gap."""
    entries = await ids_of(owner, "select id from core.audit_entry order by id")
    numbers = await ids_of(owner, "select seq from core.audit_leaf order by seq")
    return numbers == list(range(len(entries))) and entries == await ids_of(
        owner, "select entry_id from core.audit_leaf order by entry_id"
    )


class TestSeal:
    """One round."""

    async def test_what_was_written_is_under_the_signed_head(
        self, doors: db.Doors, ring: Keyring, owner: asyncpg.Connection
    ) -> None:
        """The head verifies by the log's key and its root is that of the entries' own leaves, in their order."""
        await enter(doors, 5)
        made = await seal(doors, ring)
        assert made is not None
        head = checkpoint.verify(made.note, sealer.signing_key(ring).public_key())
        rows = await owner.fetch(f"select {leaves.COLUMNS} from core.audit_entry e order by e.xid, e.id")
        frontier = merkle.Frontier()
        for row in rows:
            frontier.append(leaves.leaf(sealer.entry(row)))
        assert (head.size, head.root, head.origin) == (5, frontier.root(), NAME)
        assert (clock.civil() - head.at).total_seconds() < 30
        assert await is_whole(owner)

    async def test_nothing_new_makes_no_new_head(self, doors: db.Doors, ring: Keyring) -> None:
        """An idle city signs nothing."""
        await enter(doors)
        assert await seal(doors, ring) is not None
        assert await seal(doors, ring) is None

    async def test_a_full_round_says_that_more_waits(
        self, doors: db.Doors, ring: Keyring, owner: asyncpg.Connection
    ) -> None:
        """Rounds of two, also when more than two entries are of one transaction."""
        async with doors.work("staff") as session:
            for _ in range(5):
                await audit.write(session, actor=Actor("staff", "x"), action="a", purpose="p", outcome="o")
        full = []
        while made := await seal(doors, ring, most=2):
            full.append((made.size, made.full))
        assert full == [(2, True), (4, True), (5, False)]
        assert await is_whole(owner)

    async def test_an_open_transaction_is_waited_for(
        self, doors: db.Doors, ring: Keyring, owner: asyncpg.Connection
    ) -> None:
        """What began later is sealed later; what commits late is not missed, and the wait is told."""
        slow = owner.transaction()
        await slow.start()
        await owner.execute(ENTER, ids.new())
        await enter(doors, 2)
        assert await seal(doors, ring) is None
        async with doors.work("jobs") as session:
            assert 0 < await sealer.waiting(session) < 30
        await slow.commit()
        made = await seal(doors, ring)
        assert made is not None
        assert made.size == 3
        async with doors.work("jobs") as session:
            assert await sealer.waiting(session) == 0
        assert await is_whole(owner)

    async def test_a_rolled_back_entry_is_never_sealed(
        self, doors: db.Doors, ring: Keyring, owner: asyncpg.Connection
    ) -> None:
        """The log holds what happened."""
        async with doors.work("staff") as session:
            await audit.write(session, actor=Actor("staff", "x"), action="a", purpose="p", outcome="o")
            await session.rollback()
        assert await seal(doors, ring) is None
        assert await ids_of(owner, "select 1 from core.audit_leaf") == []

    async def test_two_sealers_do_not_meet(self, doors: db.Doors, ring: Keyring) -> None:
        """While one is at work the other does nothing."""
        await enter(doors, 3)
        async with doors.work("jobs") as session:
            assert await sealer.seal(session, sealer.signing_key(ring), name=NAME) is not None
            assert await seal(doors, ring) is None

    async def test_killed_in_the_middle_nothing_was_sealed(
        self, doors: db.Doors, ring: Keyring, owner: asyncpg.Connection
    ) -> None:
        """A round that is cut leaves no leaf and no head; the next one begins where it began."""
        await enter(doors, 3)
        await seal(doors, ring)
        await enter(doors, 300)
        async with doors.work("jobs") as session:
            assert await sealer.seal(session, sealer.signing_key(ring), name=NAME) is not None
            await session.rollback()
        assert await owner.fetchval("select count(*) from core.audit_leaf") == 3
        made = await seal(doors, ring)
        assert made is not None
        assert made.size == 303
        assert await is_whole(owner)

    async def test_after_a_restore_elsewhere_nothing_is_missed(
        self, doors: db.Doors, ring: Keyring, owner: asyncpg.Connection
    ) -> None:
        """Transaction numbers of another cluster are far ahead; old and new entries are sealed all the same."""
        await enter(doors, 3)
        await seal(doors, ring)
        await enter(doors, 5)
        await owner.execute("alter table core.audit_entry disable trigger keep_entry")
        await owner.execute("update core.audit_entry set xid = xid + 1000000")
        await owner.execute("alter table core.audit_entry enable trigger keep_entry")
        await owner.execute("update core.audit_head set below_xid = below_xid + 1000000")
        await enter(doors, 4)
        while await seal(doors, ring, most=2):
            pass
        assert await is_whole(owner)
        await enter(doors, 2)
        assert await seal(doors, ring) is not None
        assert await is_whole(owner)


async def write_on(database: str) -> None:
    """Forty transactions of a writer, of which some roll back."""
    connection = await asyncpg.connect(database)
    for _ in range(40):
        turn = connection.transaction()
        await turn.start()
        for _ in range(CHANCE.randint(1, 3)):
            await connection.execute(ENTER, ids.new())
            await asyncio.sleep(CHANCE.random() / 300)
        await (turn.rollback() if CHANCE.random() < 0.2 else turn.commit())
    await connection.close()


async def seal_on(doors: db.Doors, ring: Keyring, over: asyncio.Event) -> None:
    """Rounds of any size; a killed one is tried again."""
    while not over.is_set():
        try:
            await seal(doors, ring, most=CHANCE.choice((3, 20, 1000)))
        except Exception as error:
            if not pgerrors.is_unavailable(error):
                raise


async def kill_on(owner: asyncpg.Connection, over: asyncio.Event) -> None:
    """Kill the sealer's backends, whatever they are doing."""
    while not over.is_set():
        await owner.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where usename = 'osmanthus_jobs' and datname = current_database()"
        )
        await asyncio.sleep(0.03)


class TestConcurrently:
    """Writers, long transactions, rollbacks and killed sealers side by side."""

    async def test_every_committed_entry_is_sealed_once(
        self, database: str, doors: db.Doors, ring: Keyring, owner: asyncpg.Connection
    ) -> None:
        """Eight writers in a random dance with a sealer whose backend is killed now and then."""
        over = asyncio.Event()
        others = [
            asyncio.create_task(seal_on(doors, ring, over)),
            asyncio.create_task(kill_on(owner, over)),
        ]
        await asyncio.gather(*(write_on(database) for _ in range(8)))
        over.set()
        await asyncio.gather(*others)
        while await seal(doors, ring):
            pass
        assert await owner.fetchval("select count(*) from core.audit_leaf") > 300
        assert await is_whole(owner)


class TestTree:
    """What is stored suffices for every proof."""

    async def test_roots_and_proofs_of_every_past_size(
        self, doors: db.Doors, ring: Keyring, owner: asyncpg.Connection
    ) -> None:
        """Over several stored levels, the fetched hashes are those of the whole list."""
        await owner.execute(
            "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome) "
            "select gen_random_uuid(), now(), 'system', 'test', 'a', 'p', 'o' from generate_series(1, 1300)"
        )
        while await seal(doors, ring, most=700):
            pass
        hashes = [row[0] for row in await owner.fetch("select hash from core.audit_leaf order by seq")]
        assert await owner.fetchval("select count(*) from core.audit_node") == 5
        for size in (1, 2, 255, 256, 257, 700, 1024, 1300):
            frontier = merkle.Frontier()
            for leaf in hashes[:size]:
                frontier.append(leaf)
            root = await tree.root(owner, size)
            assert root == frontier.root()
            for index in {0, size // 2, size - 1}:
                proof = await tree.over(owner, merkle.inclusion_ranges(index, size))
                assert merkle.includes(hashes[index], index, size, proof, root)
            steps = await tree.over(owner, merkle.consistency_ranges(size, 1300))
            assert merkle.continues(size, 1300, steps, root, await tree.root(owner, 1300))


class TestEntries:
    """Entries stay as they are."""

    @pytest.mark.parametrize("act", ["update core.audit_entry set outcome = 'other'", "delete from core.audit_entry"])
    async def test_nobody_changes_one_by_mistake(self, doors: db.Doors, owner: asyncpg.Connection, act: str) -> None:
        """Neither the owner of the table nor the door that sweeps, before ten years are over."""
        await enter(doors)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="kept as they are"):
            await owner.execute(act)
        with pytest.raises(Exception, match=r"kept as they are|permission denied"):
            async with doors.work("jobs") as session:
                await session.execute(text(act))

    async def test_a_writer_chooses_neither_salt_nor_place(self, doors: db.Doors) -> None:
        """A door that names them is refused."""
        values = {"id": ids.new(), "at": clock.civil(), "actor_kind": "a", "actor": "b", "action": "c", "purpose": "d"}
        for more in ({"salt": b"chosen"}, {"xid": 1}):
            async with doors.work("staff") as session:
                with pytest.raises(DBAPIError, match="permission denied"):
                    await session.execute(audit_entry.insert().values(**values, outcome="e", **more))
                await session.rollback()
