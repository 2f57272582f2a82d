"""The merge: who wins, who waits, and that order and splits do not matter."""

import asyncio
import random
import uuid
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock, db, ids
from scoring import ingest, merge, refusals, staging
from scoring.merge import Batch
from tests.scoringworld import City, hours, id_number, ndjson, penalty, water

ANN, BOB = id_number(1), id_number(2)


async def staged(city: City, *lines: dict[str, Any], source: str = "utilities") -> Batch:
    """A push that has come as far as staging."""
    push = ingest._Push(city.doors, city.source(source), await city.book(), ids.new())

    async def body() -> Any:
        yield ndjson(*lines)

    await push.read(ingest._numbered(body()))
    return push.batch()


async def merged(city: City, batch: Batch) -> int:
    """Merge it."""
    async with city.doors.work("scorer") as session:
        return await merge.merge(session, city.ring, pushed=batch, book=await city.book(), as_of=clock.today())


class TestVersions:
    """(source, ref, version) is idempotent; a higher version wins."""

    async def test_repeating_changes_nothing(self, city: City) -> None:
        """A repeated push moves nobody and writes no audit entry."""
        await city.join(ANN)
        assert await merged(city, await staged(city, water("r1", ANN))) == 1
        entries = await city.rows("select 1 from core.audit_entry")
        assert await merged(city, await staged(city, water("r1", ANN))) == 0
        assert len(await city.rows("select 1 from core.audit_entry")) == len(entries)

    async def test_the_highest_version_of_a_batch_wins(self, city: City) -> None:
        """Whatever the order of the lines."""
        await city.join(ANN)
        lines = [hours("h1", ANN, hours=n, version=n) for n in (2, 3, 1)]
        await city.push(*lines)
        assert [tuple(row) for row in await city.rows("select version, quantity from scoring.record")] == [(3, 3)]

    async def test_a_lower_version_comes_too_late(self, city: City) -> None:
        """Version 1 after version 2 changes nothing."""
        await city.join(ANN)
        await city.push(hours("h1", ANN, hours=5, version=2))
        await city.push(hours("h1", ANN, hours=1, version=1))
        assert await city.points(ANN) == 1110

    async def test_the_id_stays(self, city: City) -> None:
        """A record keeps the id that its citizen sees, from version to version, and nobody can guess it."""
        await city.join(ANN)
        await city.push(hours("h1", ANN))
        before = await city.rows("select id from scoring.record")
        await city.push(hours("h1", ANN, version=2))
        assert await city.rows("select id from scoring.record") == before
        assert uuid.UUID(str(before[0]["id"])).version == 8

    async def test_a_ref_moves_to_another_person(self, city: City) -> None:
        """A higher version about somebody else takes the record away from the first person."""
        await city.join(ANN)
        await city.join(BOB)
        await city.push(penalty("n1", ANN))
        await city.push(penalty("n1", BOB, version=2))
        assert (await city.points(ANN), await city.points(BOB)) == (1100, 1030)
        assert len(await city.rows("select 1 from scoring.record")) == 1

    async def test_a_ref_moves_to_a_stranger_within_one_batch(self, city: City) -> None:
        """The stranger's line is not stored, and yet it frees the first person."""
        await city.join(ANN)
        await city.push(penalty("n1", ANN), penalty("n1", BOB, version=2))
        assert await city.points(ANN) == 1100
        assert await city.rows("select 1 from scoring.record") == []

    async def test_a_taken_ref(self, city: City) -> None:
        """The same ref and version about a second person is a repeat, not a second record."""
        await city.join(ANN)
        await city.join(BOB)
        await city.push(penalty("n1", ANN))
        await city.push(penalty("n1", BOB))
        assert (await city.points(ANN), await city.points(BOB)) == (1030, 1100)


class TestConsent:
    """The consent is read again, after the lock."""

    async def test_withdrawn_between_staging_and_merge(self, city: City) -> None:
        """What was staged for somebody who has left meanwhile is dropped."""
        await city.join(ANN)
        batch = await staged(city, water("r1", ANN))
        assert await city.rows("select 1 from scoring.staging")
        await city.leave(ANN)
        assert await merged(city, batch) == 0
        for table in ("staging", "record", "standing", "link", "live", "standing_change"):
            assert await city.rows(f"select 1 from scoring.{table}") == []

    async def test_left_and_joined_anew(self, city: City) -> None:
        """Lines staged under the old consent do not slip under the new one: its subject is another."""
        await city.join(ANN)
        batch = await staged(city, water("r1", ANN))
        await city.leave(ANN)
        await city.join(ANN, citizen_id=city.people[ANN])
        assert await merged(city, batch) == 0
        assert await city.points(ANN) == 1100

    async def test_source_dropped_between(self, city: City) -> None:
        """What a source staged before it was switched off is dropped."""
        from auth.consent import ledger

        await city.join(ANN, sources=("utilities", "library"))
        batch = await staged(city, water("r1", ANN), source="library")
        async with city.as_citizen(city.people[ANN]) as session:
            await ledger.drop_source(
                session,
                city.ring,
                citizen_id=city.people[ANN],
                consent_id=city.consents[ANN],
                source="library",
                core=(),
            )
        assert await merged(city, batch) == 0

    async def test_withdrawal_waits_for_the_merge_and_erases_it(self, city: City) -> None:
        """A withdrawal that meets a merge under way comes after it and leaves nothing."""
        await city.join(ANN)
        batch = await staged(city, water("r1", ANN))
        async with city.doors.work("scorer") as session:
            await merge.merge(session, city.ring, pushed=batch, book=await city.book(), as_of=clock.today())
            leaving = asyncio.create_task(city.leave(ANN))
            await city.until("select 1 from pg_locks where not granted")
        await leaving
        assert await city.rows("select 1 from scoring.record") == []
        assert await city.rows("select 1 from scoring.standing") == []


class TestTogether:
    """Writers about the same people wait for each other, and never for ever."""

    async def test_sixteen_writers_about_one_person(self, city: City) -> None:
        """Sixteen pushes at once about one person: every record is there, the standing counts them all."""
        await city.join(ANN, sources=("utilities", "library"))
        await asyncio.gather(
            *(city.push(water(f"r{n}", ANN, back=n), source=("utilities", "library")[n % 2]) for n in range(1, 17))
        )
        assert len(await city.rows("select 1 from scoring.record")) == 16
        assert await city.points(ANN) == 1180

    async def test_overlapping_batches_in_opposite_order(self, city: City) -> None:
        """Two batches about the same people, lines in opposite order, do not deadlock."""
        people = [id_number(n) for n in range(20, 50)]
        for who in people:
            await city.join(who, sources=("utilities", "library"))
        numbered = list(enumerate(people))
        for turn in range(3):
            await asyncio.gather(
                city.push(*[water(f"u{turn}-{n}", who, back=turn + 1) for n, who in numbered]),
                city.push(
                    *[water(f"l{turn}-{n}", who, back=turn + 5) for n, who in reversed(numbered)], source="library"
                ),
            )
        rows = await city.rows("select points from scoring.standing")
        assert {row["points"] for row in rows} == {1130}

    async def test_a_writer_waits(self, city: City) -> None:
        """A merge about a person waits while another transaction holds that person's link."""
        await city.join(ANN)
        async with city.doors.work("scorer") as session:
            connection = await db.raw(session)
            await connection.fetch("select 1 from scoring.link for update")
            pushing = asyncio.create_task(city.push(water("r1", ANN)))
            await city.until("select 1 from pg_locks where not granted")
            assert not pushing.done()
        await pushing
        assert await city.points(ANN) == 1105


LINES = [
    *[water(f"r{n}", "", back=n) for n in range(1, 8)],
    *[hours(f"h{n}", "", hours=n, days=n) for n in range(1, 6)],
    *[hours(f"h{n}", "", hours=8, days=n, version=2) for n in range(1, 4)],
    penalty("n1", ""),
    penalty("n1", "", days=100, version=2),
]


class TestSets:
    """A standing depends on the set of lines alone."""

    async def test_order_repeats_and_splits_change_nothing(self, city: City) -> None:
        """Any order, any repetition, any split into batches: the same points."""
        counter = iter(range(100, 900))

        async def points(batches: list[list[dict[str, Any]]]) -> int:
            order = next(counter)
            who = id_number(order)
            await city.join(who)
            for lines in batches:
                await city.push(*[{**line, "id_number": who, "ref": f"{line['ref']}.{order}"} for line in lines])
            return await city.points(who)

        expected = await points([LINES])
        loop = asyncio.get_running_loop()

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        @given(seed=st.randoms(use_true_random=False), repeats=st.lists(st.sampled_from(LINES), max_size=6))
        def prove(seed: random.Random, repeats: list[dict[str, Any]]) -> None:
            lines = [*LINES, *repeats]
            seed.shuffle(lines)
            batches: list[list[dict[str, Any]]] = [[] for _ in range(seed.randint(1, 4))]
            for line in lines:
                seed.choice(batches).append(line)
            assert asyncio.run_coroutine_threadsafe(points(batches), loop).result() == expected

        await asyncio.to_thread(prove)


class TestStaging:
    """What is staged."""

    async def test_strangers_are_never_staged(self, city: City) -> None:
        """Only consented people reach staging, sealed; the ID number reaches nothing."""
        await city.join(ANN)
        batch = await staged(city, water("r1", ANN), water("r2", BOB))
        assert [row["ref"] for row in await city.rows("select ref from scoring.staging")] == ["r1"]
        await merged(city, batch)
        dump = await city.dump()
        assert ANN not in dump
        assert BOB not in dump

    async def test_a_kind_refused_meanwhile(self, city: City) -> None:
        """A refusal that comes between staging and merge is honoured."""
        await city.join(ANN)
        batch = await staged(city, water("r1", ANN))
        async with city.as_citizen(city.people[ANN]) as session:
            await refusals.refuse(session, city.ring, citizen_id=city.people[ANN], kind="P01")
        assert await merged(city, batch) == 0

    def test_record_ids_differ(self) -> None:
        """By key, source and ref."""
        found = {
            staging.record_id(key, source, ref) for key in (b"1" * 32, b"2" * 32) for source in "ab" for ref in "cd"
        }
        assert len(found) == 8
