"""Checks that spend their proof and count in their own trip: alone, and together with others, each as if alone."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core import ids
from core.db import Doors
from incentives.codes import digest
from incentives.eligibility import Gate, Question, TokenDead, Verdict
from incentives.once import Admission, Checks, ProofSpent
from tests.gateworld import LIBRARY, THRESHOLD, World, world

EPOCH = "epoch of the test"
PARTNERS = ("p_one", "p_two")


class Told:
    """A pool that keeps what each trip calls."""

    def __init__(self, pool: Any) -> None:
        """`pool` answers."""
        self._pool, self.calls = pool, list[str]()

    async def fetch(self, query: str, *arguments: object) -> Any:
        """One trip."""
        self.calls.append(query.partition("(")[0].rpartition(".")[2])
        return await self._pool.fetch(query, *arguments)


class Desk:
    """Two partners alike, with the same people: of one holder each knows another subject."""

    def __init__(self, city: World, pool: Any, tokens: dict[str, bytes]) -> None:
        """`tokens` by partner."""
        self.city, self.pool, self.tokens = city, pool, tokens
        self.alone = Checks(Gate(pool, b"k" * 32))

    async def ask(
        self, checks: Checks, holder: str, *, partner: str = PARTNERS[0], proof: str | None = None,
        epoch: str = EPOCH, most: int = 30, token: bytes | None = None, **more: Any,
    ) -> tuple[list[int], Verdict | None]:  # fmt: skip
        """One check, counted by its holder; a code begins with its letters."""
        named = {"code": holder} if holder.startswith("CC1:") else {"subject": holder}
        admission = Admission(
            epoch, f"dpop:{partner}:{proof or secrets.token_hex(8)}", timedelta(minutes=2),
            {f"check|{partner}|{holder}": most}, timedelta(minutes=1),
        )  # fmt: skip
        question = Question(LIBRARY, **named, **more)
        return await checks.check(question, admission=admission, token=token or self.tokens[partner])

    async def trip(self, *asked: dict[str, Any]) -> tuple[list[str], list[Any]]:
        """All at once in a process of their own, whose one trip they share; what it calls, results and errors."""
        pool = Told(self.pool)
        checks = Checks(Gate(pool, b"k" * 32))  # pyright: ignore[reportArgumentType]  (all that is called is there)
        found = await asyncio.gather(*(self.ask(checks, **one) for one in asked), return_exceptions=True)
        return pool.calls, found

    async def together(self, *asked: dict[str, Any]) -> list[Any]:
        """What a trip's checks come to."""
        calls, found = await self.trip(*asked)
        assert calls[0] == "check_each"
        return found

    async def told(self, found: Sequence[Any]) -> list[object]:
        """What was answered and what the holder reads, without what is each answer's own."""
        read = {
            row["detail"].pop("decision"): (row["detail"], row["outcome"])
            for row in await self.city.rows("select detail, outcome from core.audit_entry")
        }
        return [self._plainly(one, read) for one in found]

    def _plainly(self, one: Any, read: dict[str, object]) -> object:
        if isinstance(one, Exception):
            return type(one).__name__
        counts, verdict = one
        if verdict is None:
            return counts
        return counts, verdict.granted, verdict.reason, read[ids.show("dc", verdict.decision_id)]


@pytest_asyncio.fixture
async def desk(database: str, doors: Doors) -> AsyncIterator[Desk]:
    """A library's perk at both partners, from 110.0 points."""
    async with world(database) as city:
        await city.perk()
        await city.do("insert into core.short_epoch (one, epoch) values (true, :epoch)", epoch=EPOCH)
        tokens = {name: await city.partner(name) for name in PARTNERS}
        yield Desk(city, await doors.pool(), tokens)


_KINDS = ("granted", "below", "nobody", "code", "code again")
_ASKED = st.lists(
    st.tuples(
        st.sampled_from(_KINDS),
        st.sampled_from(["a", "b", "c", "d", "e", "f"]),  # proofs, some of them twice
        st.sampled_from([EPOCH, EPOCH, EPOCH, "another"]),
        st.sampled_from([1, 2, 30]),  # how often its holder may be asked
        st.booleans(),  # whether the token lives
    ),
    min_size=2, max_size=10,
)  # fmt: skip


class TestTogether:
    """Several in one trip."""

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(asked=_ASKED)
    @example(asked=[(kind, proof, EPOCH, 30, True) for kind, proof in zip(_KINDS, "abcde", strict=True)])
    @example(asked=[("granted", proof, EPOCH, 2, True) for proof in "abcabd"])
    @example(asked=[("granted", "a", "another", 30, True), ("granted", "a", EPOCH, 30, True)])
    async def test_each_is_decided_as_alone_and_in_turn(
        self, desk: Desk, asked: list[tuple[str, str, str, int, bool]]
    ) -> None:
        """Answers, counts, refusals and what the holder reads are those of the same checks one after the other."""
        results: list[list[object]] = []
        run = secrets.token_hex(4)
        for partner in PARTNERS:
            people = [await desk.city.citizen(points) for points in (THRESHOLD, THRESHOLD - 1, THRESHOLD)]
            codes = [await desk.city.code(people[2]) for _ in range(2)]
            holders = {
                "granted": await desk.city.share(people[0], partner),
                "below": await desk.city.share(people[1], partner),
                "nobody": ids.show("su", ids.random()),
                "code": codes[0],
                "code again": codes[1],
            }
            questions = [
                {"holder": holders[kind], "partner": partner, "proof": f"{run}{proof}", "epoch": epoch, "most": most,
                 "token": None if lives else b"dead"}
                for kind, proof, epoch, most, lives in asked
            ]  # fmt: skip
            if partner == PARTNERS[0]:
                found: list[Any] = [
                    (await asyncio.gather(desk.ask(desk.alone, **one), return_exceptions=True))[0] for one in questions
                ]
            else:
                found = await desk.together(*questions)
            results.append(await desk.told(found))
        assert results[0] == results[1]

    async def test_of_one_proof_the_first_is_decided(self, desk: Desk) -> None:
        """However many requests bear it; nothing is written for the others."""
        subject = await desk.city.share(await desk.city.citizen(), "p_one")
        found = await desk.together(*[{"holder": subject, "proof": "same"}] * 4)
        assert found[0][1].granted
        assert [type(one) for one in found[1:]] == [ProofSpent] * 3
        assert len(await desk.city.rows("select 1 from incentives.decision where partner_id = 'p_one'")) == 1

    async def test_counts_go_on_as_in_turn(self, desk: Desk) -> None:
        """One and the same holder asked six times, where four may be: four answers, counted one to six."""
        subject = await desk.city.share(await desk.city.citizen(), "p_one")
        await desk.ask(desk.alone, subject, most=4)
        found = await desk.together(*[{"holder": subject, "most": 4}] * 5)
        assert [one[0] for one in found] == [[2], [3], [4], [5], [6]]
        assert [one[1] is not None for one in found] == [True, True, True, False, False]

    async def test_of_one_code_the_first_has_it(self, desk: Desk) -> None:
        """Though codes are taken in an order of their own."""
        codes = [await desk.city.code(await desk.city.citizen()) for _ in range(3)]
        found = await desk.together(*[{"holder": code} for code in (*codes, *reversed(codes))])
        assert [one[1].reason for one in found] == [None] * 3 + ["code_used"] * 3

    async def test_partners_do_not_mix(self, desk: Desk) -> None:
        """One partner's token answers for that partner; another's subject is nobody's, and a dead token is refused."""
        one, two = [await desk.city.share(await desk.city.citizen(), partner) for partner in PARTNERS]
        found = await desk.together(
            {"holder": one, "partner": "p_one"}, {"holder": two, "partner": "p_two"},
            {"holder": one, "partner": "p_two"}, {"holder": one, "partner": "p_one", "token": b"dead"},
        )  # fmt: skip
        assert [(each[1].partner_id, each[1].granted) for each in found[:3]] == [
            ("p_one", True), ("p_two", True), ("p_two", False),
        ]  # fmt: skip
        assert isinstance(found[3], TokenDead)


class TestTrouble:
    """What goes wrong on the way."""

    async def test_what_postgresql_will_not_take_fails_alone(self, desk: Desk) -> None:
        """A terminal that no text of PostgreSQL can hold: the others are decided, once each."""
        subject = await desk.city.share(await desk.city.citizen(), "p_one")
        found = await desk.together({"holder": subject}, {"holder": subject, "terminal": "\0"}, {"holder": subject})
        assert [one[0] for one in (found[0], found[2])] == [[1], [2]]
        assert isinstance(found[1], asyncpg.PostgresError)
        assert len(await desk.city.rows("select 1 from incentives.decision where partner_id = 'p_one'")) == 2

    async def test_a_trip_that_postgresql_breaks_off_is_made_by_each_alone(self, desk: Desk) -> None:
        """Ended to let others on: nothing was done, so everybody is asked about again, and answered."""

        class Broken(Told):
            async def fetch(self, query: str, *arguments: object) -> Any:
                found = await super().fetch(query, *arguments)
                if self.calls == ["check_each"]:
                    raise asyncpg.DeadlockDetectedError("deadlock detected")
                return found

        class Undone:
            async def fetch(self, query: str, *arguments: object) -> Any:
                return [] if "check_each" in query else await pool.fetch(query, *arguments)

        subject, pool = await desk.city.share(await desk.city.citizen(), "p_one"), desk.pool
        desk.pool = Broken(Undone())
        found = await desk.together(*[{"holder": subject}] * 3)
        assert [(counts, verdict.granted) for counts, verdict in found] == [([1], True), ([2], True), ([3], True)]
        assert desk.pool.calls == ["check_each", "check_once", "check_once", "check_once"]

    async def test_a_server_that_goes_away_is_everybodys(self, desk: Desk) -> None:
        """Each of a trip is told so; none is asked again, since what became of it is not known."""

        class Away(Told):
            async def fetch(self, query: str, *arguments: object) -> Any:
                await super().fetch(query, *arguments)
                raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

        desk.pool = Away(desk.pool)
        found = await desk.together(*[{"holder": "nobody"}] * 3)
        assert [type(one) for one in found] == [asyncpg.ConnectionDoesNotExistError] * 3
        assert desk.pool.calls == ["check_each"]

    @pytest.mark.parametrize("what", ["proofs", "counts", "codes"])
    async def test_two_processes_never_wait_for_each_other_in_a_ring(self, desk: Desk, what: str) -> None:
        """The same in opposite orders, held up in the middle until both wait: neither trip is broken off."""
        codes = sorted([await desk.city.code(await desk.city.citizen()) for _ in range(5)])
        proofs = ["a", "b", "c", "d", "e"] if what == "proofs" else [None] * 5
        first = [{"holder": code, "proof": proof} for code, proof in zip(codes, proofs, strict=True)]
        other = PARTNERS[1] if what == "codes" else PARTNERS[0]
        second = [{**one, "partner": other} for one in reversed(first)]
        async with desk.city.engine.connect() as between:
            await between.execute(text(_HOLD[what]), {"code": codes[2], "hash": digest(codes[2])})
            trips = asyncio.gather(desk.trip(*first), desk.trip(*second))
            while (await desk.city.rows(_WAITING))[0]["n"] < 2:
                await asyncio.sleep(0.01)
            await between.rollback()
        (calls, found), (more_calls, more) = await trips
        assert [calls, more_calls] == [["check_each"]] * 2
        refused = [one for one in (*found, *more) if isinstance(one, Exception)]
        assert [type(one) for one in refused] == [ProofSpent] * (5 if what == "proofs" else 0)
        if what != "proofs":
            granted = [verdict.granted for _, verdict in (*found, *more)]
            assert sorted(granted) == [False] * 5 + [True] * 5


_HOLD = {
    "proofs": "insert into core.short_claim values ('dpop:p_one:c', now())",
    "counts": "insert into core.short_count values ('check|p_one|' || :code, 1, now())",
    "codes": "insert into incentives.credit_code_use values (:hash, gen_random_uuid(), now())",
}
_WAITING = "select count(*) as n from pg_stat_activity where wait_event_type = 'Lock' and query like '%check_each%'"
