"""Many questions at once: each answered as if it came alone and in its turn."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core import ids
from core.db import Doors
from core.idempotency import IdempotencyConflict
from incentives.codes import digest
from incentives.eligibility import Gate, Question, TokenDead, Verdict, subject_id
from tests.gateworld import LIBRARY, RENTAL, World, world
from tests.incentives.test_eligibility import sizes, somebody

CAUSES = ("granted", "not_enrolled", "withdrawn", "consent_expired", "not_computed", "held", "below")
KINDS = (*CAUSES, "expired", "other", "perk", "unknown")
CLOSED = "sport.closed"
_BY_ORDER = """select * from incentives.check_for_order(:token, :perk, :code, cast(:subject as uuid), :amount,
  :terminal, null, '{}', :decision, :shown, :entry)"""


class Counter:
    """A partner of two perks, one of them with a hard cap and one terminal, and people of every kind."""

    def __init__(self, city: World, gate: Gate, token: bytes) -> None:
        """`token` is the partner's."""
        self.city, self.gate, self.token = city, gate, token

    async def code(self, kind: str) -> str:
        """A fresh code of a fresh person of this kind, or one that is no good."""
        if kind == "unknown":
            return "CC1:NEVER"
        if kind in CAUSES:
            return await self.city.code(await somebody(self.city, kind))  # type: ignore[arg-type]  (made up by the test)
        wrong = {"expired": {"seconds": -1}, "other": {"partner": "p_other"}, "perk": {"perk_id": RENTAL}}[kind]
        return await self.city.code(await self.city.citizen(), **wrong)  # type: ignore[arg-type]  (made up by the test)

    async def codes(self, kinds: Iterable[str] = KINDS) -> dict[str, str]:
        """A code of each kind."""
        return {kind: await self.code(kind) for kind in kinds}

    async def all(self, questions: list[Question], key: str | None = None) -> list[Verdict]:
        """All at once."""
        return await self.gate.check_all(questions, token=self.token, key=key)

    async def alone(self, questions: list[Question]) -> list[Verdict]:
        """One after the other."""
        return [await self.gate.check(one, token=self.token) for one in questions]

    async def by_order(self, questions: list[Question]) -> list[Verdict]:
        """One after the other, as an order asks: by its own door of the gate, with a token for orders."""
        await self.city.do("update auth.token set scope = 'eligibility:check orders:write'")
        return [await self._ordered(one) for one in questions]

    async def _ordered(self, one: Question) -> Verdict:
        """What `open_order` is told; nobody but the gate may call what it calls."""
        decision = ids.random()
        given = {
            "token": self.token, "perk": one.perk, "amount": one.amount, "terminal": one.terminal,
            "code": None if one.code is None else digest(one.code),
            "subject": None if one.code is not None else subject_id(one.subject or ""),
            "decision": decision, "shown": ids.show("dc", decision), "entry": ids.new(),
        }  # fmt: skip
        (row,) = await self.city.rows(_BY_ORDER, **given)
        return Verdict(*(row[name] for name in Verdict.__struct_fields__))

    async def told(self, verdicts: list[Verdict]) -> list[object]:
        """What a partner and the holder were told, without what is each answer's own."""
        entries = await self.city.rows(
            "select owner is not null as owned, outcome, purpose, detail from core.audit_entry"
        )
        read = {row["detail"].pop("decision"): row for row in entries}
        return [(one.granted, one.reason, one.release_id, read[ids.show("dc", one.decision_id)]) for one in verdicts]


@pytest_asyncio.fixture
async def counter(database: str, doors: Doors) -> AsyncIterator[Counter]:
    """Three perks in force."""
    async with world(database) as city:
        await city.perk()
        await city.perk(RENTAL, threshold=1200, over_cap="refuse", terminals=["desk 1"])
        await city.perk(CLOSED, closed=True)
        await city.partner("p_other")
        yield Counter(city, Gate(await doors.pool(), b"k" * 32), await city.partner("p", (LIBRARY, RENTAL, CLOSED)))


_ASKED = st.lists(
    st.tuples(
        st.sampled_from(KINDS), st.booleans(), st.sampled_from([LIBRARY, LIBRARY, RENTAL, CLOSED, "nothing"]),
        st.sampled_from([None, 100, 30_000, 30_001]), st.sampled_from([None, "desk 1", "desk 9"]),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


class TestEqual:
    """A batch equals its members alone, and what an order asks of its holder."""

    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(asked=_ASKED)
    @example(asked=[(kind, by_subject, LIBRARY, 100, None) for kind in KINDS for by_subject in (False, True)])
    @example(asked=[("granted", True, RENTAL, fen, desk) for fen in (None, 30_001) for desk in (None, "desk 1", "x")])
    async def test_each_is_answered_as_alone(
        self, counter: Counter, asked: list[tuple[str, bool, str, int | None, str | None]]
    ) -> None:
        """Whatever is asked, in whatever company, with codes repeated: verdict, reason, terms and entry agree."""
        results: list[list[object]] = []
        for act in (counter.all, counter.alone, counter.by_order):
            codes = await counter.codes({one[0] for one in asked if not one[1]})
            subjects = {cause: await share(counter.city, cause) for cause in {one[0] for one in asked if one[1]}}
            questions = [
                Question(perk, None if by_subject else codes[kind], subjects[kind] if by_subject else None, fen, desk)
                for kind, by_subject, perk, fen, desk in asked
            ]
            results.append(await counter.told(await act(questions)))
        assert results[0] == results[1] == results[2]

    async def test_every_outcome_at_once(self, counter: Counter) -> None:
        """What the property draws from is not idle: grants, every cause, every reason are among its answers."""
        codes = await counter.codes()
        questions = [Question(LIBRARY, code) for code in codes.values()]
        more = [Question(CLOSED, codes["granted"]), Question("nothing", codes["granted"])]
        more += [Question(RENTAL, codes["perk"], None, 30_001, "desk 1"), Question(RENTAL, codes["perk"], None, 1, "x")]
        verdicts = await counter.all([*questions, *more])
        assert [one.granted for one in verdicts] == [True] + [False] * 14
        assert [one.reason for one in verdicts[7:]] == [
            "code_expired", "code_not_for_you", "code_not_for_you", "code_expired", "perk_closed", "perk_unknown",
            "amount_over_cap", "terminal_unknown",
        ]  # fmt: skip
        assert {one.reason for one in verdicts[:7]} == {None}
        assert await sizes(counter.city) == [15, 15, 7]

    async def test_of_one_code_the_first_has_it(self, counter: Counter) -> None:
        """Shown a hundred times in one list: one grant, ninety-nine times used, one use."""
        code = await counter.city.code(await counter.city.citizen())
        verdicts = await counter.all([Question(LIBRARY, code)] * 100)
        assert [one.granted for one in verdicts] == [True] + [False] * 99
        assert {one.reason for one in verdicts[1:]} == {"code_used"}
        assert await sizes(counter.city) == [100, 100, 1]

    async def test_a_dead_token_and_a_token_for_one_holder(self, counter: Counter) -> None:
        """Nobody's token decides nothing; one for a holder and perk decides lists about them and no others."""
        subject, other = [await counter.city.share(await counter.city.citizen(), "p") for _ in range(2)]
        with pytest.raises(TokenDead):
            await counter.gate.check_all([Question(LIBRARY, "x")], token=b"nobody's")
        await counter.city.do(
            "update auth.token set grant_id = (select id from auth.consent where subject = "
            "(select subject from auth.consent where subject is not null order by id limit 1)) where jti_hash = :t",
            t=counter.token,
        )
        mine, theirs = Question(LIBRARY, subject=subject), Question(LIBRARY, subject=other)
        assert [one.granted for one in await counter.all([mine, mine])] == [True, True]
        for wrong in ([mine, theirs], [theirs], [Question(RENTAL, subject=subject)], [Question(LIBRARY, "x"), mine]):
            with pytest.raises(TokenDead):
                await counter.all(wrong)
        assert await sizes(counter.city) == [2, 2, 0]


class TestRepeat:
    """The same Idempotency-Key again."""

    async def test_a_list_is_repeated_whole(self, counter: Counter) -> None:
        """The same decisions, nothing written twice; a check alone under the same key is another thing."""
        codes = await counter.codes()
        questions = [Question(LIBRARY, code) for code in (*codes.values(), codes["granted"])]
        first, again = await counter.all(questions, "k"), await counter.all(questions, "k")
        assert again == [msgspec.structs.replace(one, replayed=True) for one in first]
        assert await sizes(counter.city) == [12, 12, 7]
        assert not (await counter.gate.check(questions[0], token=counter.token, key="k")).replayed

    async def test_another_list_is_a_conflict_that_names_the_members(self, counter: Counter) -> None:
        """A changed member, a longer or a shorter list: nothing of it is decided, and its codes stay good."""
        fresh = [await counter.city.code(await counter.city.citizen()) for _ in range(4)]
        questions = [Question(LIBRARY, code) for code in fresh[:3]]
        await counter.all(questions, "k")
        for other, pointers in (
            ([*questions[:2], Question(LIBRARY, fresh[3], None, 5)], ["/checks/2/amount", "/checks/2/holder"]),
            ([*questions, Question(LIBRARY, fresh[3])], ["/checks"]),
            (questions[:2], ["/checks"]),
        ):
            with pytest.raises(IdempotencyConflict) as caught:
                await counter.all(other, "k")
            assert [error.pointer for error in caught.value.errors] == pointers
        assert await sizes(counter.city) == [3, 3, 3]
        assert (await counter.all([Question(LIBRARY, fresh[3])]))[0].granted

    async def test_withdrawal_ends_the_repeat_of_that_member_alone(self, counter: Counter) -> None:
        """The others are repeated; the one who withdrew is the plain standard route."""
        people = [await counter.city.citizen() for _ in range(2)]
        questions = [Question(LIBRARY, await counter.city.code(one)) for one in people]
        await counter.all(questions, "k")
        await counter.city.do(
            "insert into auth.consent_end select id, 'withdrawn', now() from auth.consent "
            "where purpose = 'score' and citizen_id = :id", id=people[0],
        )  # fmt: skip
        again = await counter.all(questions, "k")
        assert [(one.granted, one.reason, one.replayed) for one in again] == [(False, None, False), (True, None, True)]


class TestRaces:
    """Many lists at once."""

    async def test_lists_that_share_codes_never_wait_in_a_ring(self, counter: Counter) -> None:
        """Eight lists of the same codes in opposite orders: each code is granted once, nobody dies of a deadlock."""
        codes = [await counter.city.code(await counter.city.citizen()) for _ in range(10)]
        lists = [[Question(LIBRARY, code) for code in (codes if turn % 2 else codes[::-1])] for turn in range(8)]
        answers = await asyncio.gather(*map(counter.all, lists))
        assert sum(one.granted for answer in answers for one in answer) == 10
        assert {one.reason for answer in answers for one in answer if not one.granted} == {"code_used"}

    async def test_racing_repeats_get_one_list(self, counter: Counter) -> None:
        """Sixteen requests with one key share their decisions."""
        questions = [Question(LIBRARY, await counter.city.code(await counter.city.citizen())) for _ in range(3)]
        answers = await asyncio.gather(*(counter.all(questions, "k") for _ in range(16)))
        assert len({tuple(one.decision_id for one in answer) for answer in answers}) == 1
        assert await sizes(counter.city) == [3, 3, 3]


async def share(city: World, kind: str) -> str:
    """A standing consent with `p` of a person of this kind; what is no kind of person is an ended or unknown one."""
    if kind == "unknown":
        return "su_nobody"
    if kind in CAUSES:
        return await city.share(await somebody(city, kind), "p")  # type: ignore[arg-type]  (made up by the test)
    return await city.share(await city.citizen(), "p", expires_in=timedelta(seconds=-1))
