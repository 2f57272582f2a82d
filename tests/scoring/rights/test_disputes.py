"""Disputes from the objection to the end: what they suspend, who does what, and what it does to points."""

import random
import uuid
from typing import Any

import pytest

from core import clock, releases, workdays
from core.errors import NotFound
from core.lifecycle import IllegalTransition
from scoring import records
from scoring.rights import disputes, verdicts
from scoring.rights.disputes import AlreadyDisputed, NotDisputable, TooManyDisputes
from scoring.rights.disputing import DISPUTE
from scoring.rights.objections import Look, Said
from scoring.rights.verdicts import NeedsALine
from scoring.standing import NotEnrolled
from tests.rulebook import text
from tests.scoring.rights.disputeworld import SAID, Court, days
from tests.scoringworld import TODAY, hours, id_number, penalty, water

ANN, BOB = id_number(1), id_number(2)
CLEAN, PENALISED = 1100, 1030


@pytest.fixture
async def city(court: Court) -> Any:
    """Ann with a penalty of 60 days ago."""
    await court.city.join(ANN)
    await court.city.push(penalty("n1", ANN))
    return court.city


class TestOpen:
    """`disputes.open`."""

    async def test_a_disputed_deduction_stops_counting_at_once(self, court: Court, city: Any) -> None:
        """In the transaction of the objection; what it counted before stays true of past days (rule 34)."""
        assert await city.points(ANN) == PENALISED
        opened = await court.open(ANN, "n1")
        assert await city.points(ANN) == CLEAN
        assert (opened.state, opened.suspends, opened.said) == ("opened", True, SAID)
        assert await court.points_on(ANN, TODAY - days(1)) == PENALISED
        (change,) = await city.rows("select cause from scoring.standing_change order by id desc limit 1")
        assert change["cause"] == "dispute.open"

    async def test_its_own_check_is_due_within_a_working_day(self, court: Court, city: Any) -> None:
        """The clock is the calendar's, and the course begins with the citizen's own act."""
        opened = await court.open(ANN, "n1")
        async with city.doors.work("jobs") as session:
            assert opened.due_on == (await workdays.due(session, start=TODAY, days=1)).on
        assert [(one.event, one.by, one.state, one.due_on) for one in opened.steps] == [
            ("open", "citizen", "opened", opened.due_on)
        ]

    async def test_published_clocks_rule_from_then_on(self, court: Court, city: Any) -> None:
        """A dispute has the days of the file under which it began, to its end; the next one those of the new file."""
        await city.push(penalty("n2", ANN, days=70))
        early = await court.open(ANN, "n1")
        await self._publish(city, text("disputes.toml").replace("check = {days = 1", "check = {days = 4"))
        late = await court.open(ANN, "n2")
        async with city.doors.work("jobs") as session:
            due = [(await workdays.due(session, start=TODAY, days=number)).on for number in (1, 4, 2)]
        assert [early.due_on, late.due_on] == due[:2]
        await self._publish(city, text("disputes.toml").replace("answer = {days = 2", "answer = {days = 9"))
        assert [(await court.clerk(one.id, "forward")).due_on for one in (early, late)] == [due[2], due[2]]

    async def _publish(self, city: Any, body: str) -> None:
        async with city.doors.work("staff") as session:
            drafted = await releases.draft(
                session, kind="disputes", name="disputes.toml", body=body, effective_on=TODAY, by="a"
            )
            await releases.approve(session, release_id=drafted.id, by="b")

    async def test_words_are_sealed(self, court: Court, city: Any) -> None:
        """What somebody objects is nowhere in the database as text."""
        await court.open(ANN, "n1")
        kept = await city.dump()
        assert SAID.words not in kept
        assert SAID.evidence not in kept
        assert SAID.words.encode().hex() not in kept

    async def test_a_positive_is_disputed_without_losing_its_points(self, court: Court, city: Any) -> None:
        """Too few hours: the record counts on while the source looks."""
        await city.push(hours("h1", ANN))
        before = await city.points(ANN)
        opened = await court.open(ANN, "h1", reason="wrong_detail")
        assert not opened.suspends
        assert await city.points(ANN) == before

    async def test_only_one_at_a_time(self, court: Court, city: Any) -> None:
        """A second dispute about a record that is in dispute is refused."""
        await court.open(ANN, "n1")
        with pytest.raises(AlreadyDisputed):
            await court.open(ANN, "n1")

    async def test_what_counts_no_more_cannot_be_disputed(self, court: Court, city: Any) -> None:
        """A revoked record is refused."""
        record_id = await court.the_record(ANN, "n1")
        async with city.owner() as owner:
            from sqlalchemy import text

            await owner.execute(text("update scoring.record set status = 'revoked'"))
        async with city.as_citizen(city.people[ANN]) as session:
            with pytest.raises(NotDisputable):
                await disputes.open(
                    session, city.ring, citizen_id=city.people[ANN], record_id=record_id, reason="other", said=SAID
                )

    async def test_nobody_elses(self, court: Court, city: Any) -> None:
        """Another citizen finds neither the record nor the dispute; whoever takes no part has nothing to dispute."""
        opened = await court.open(ANN, "n1")
        assert opened.record_id is not None
        bob = await city.join(BOB)
        async with city.as_citizen(bob) as session:
            with pytest.raises(NotFound):
                await disputes.open(
                    session, city.ring, citizen_id=bob, record_id=opened.record_id, reason="other", said=SAID
                )
            with pytest.raises(NotFound):
                await disputes.get(session, city.ring, citizen_id=city.people[ANN], dispute_id=opened.id)
            with pytest.raises(NotFound):
                await disputes.withdraw(session, city.ring, citizen_id=bob, dispute_id=opened.id)
            assert await disputes.of(session, city.ring, citizen_id=bob) == []
        await city.leave(BOB)
        async with city.as_citizen(bob) as session:
            with pytest.raises(NotEnrolled):
                await disputes.open(
                    session, city.ring, citizen_id=bob, record_id=opened.record_id, reason="other", said=SAID
                )

    async def test_five_times_about_one_version(self, court: Court, city: Any) -> None:
        """Whoever objects again and again is shown other ways."""
        for _ in range(disputes.MOST_PER_VERSION):
            await court.withdraw(ANN, (await court.open(ANN, "n1")).id)
        with pytest.raises(TooManyDisputes):
            await court.open(ANN, "n1")


class TestOncePerVersion:
    """A dispute suspends once per version of a record."""

    async def test_a_second_one_needs_accepted_evidence(self, court: Court, city: Any) -> None:
        """Withdrawn, the deduction counts, also through a second dispute, until a person accepts its evidence."""
        await court.withdraw(ANN, (await court.open(ANN, "n1")).id)
        assert await city.points(ANN) == PENALISED
        again = await court.open(ANN, "n1", said=Said("新证据", "判决书"))
        assert not again.suspends
        assert await city.points(ANN) == PENALISED
        accepted = await court.clerk(again.id, "accept")
        assert (accepted.suspends, accepted.state) == (True, "opened")
        assert await city.points(ANN) == CLEAN

    async def test_a_new_version_may_be_disputed_anew(self, court: Court, city: Any) -> None:
        """What the source sent again after the end is another version."""
        first = await court.open(ANN, "n1")
        await court.clerk(first.id, "forward")
        await court.answer(first.id, "rejected")
        await city.push(penalty("n1", ANN, version=2))
        assert await city.points(ANN) == PENALISED
        assert (await court.open(ANN, "n1")).suspends
        assert await city.points(ANN) == CLEAN

    async def test_sending_it_again_does_not_end_the_suspension(self, court: Court, city: Any) -> None:
        """A higher version while a dispute is open stays disputed, and is the version that was suspended."""
        opened = await court.open(ANN, "n1")
        await city.push(penalty("n1", ANN, version=2))
        assert await city.points(ANN) == CLEAN
        assert opened.record_id is not None
        assert await court.suspended(opened.record_id)
        assert (await court.seen(ANN, opened.id)).version == 2
        await court.withdraw(ANN, opened.id)
        assert await city.points(ANN) == PENALISED
        assert not (await court.open(ANN, "n1")).suspends

    async def test_a_positive_in_its_place_counts(self, court: Court, city: Any) -> None:
        """A higher version that is no deduction is not suspended."""
        opened = await court.open(ANN, "n1")
        await city.push(water("n1", ANN, version=2))
        assert opened.record_id is not None
        assert not await court.suspended(opened.record_id)
        assert await city.points(ANN) == CLEAN + 5


class TestAnswer:
    """The source's answer."""

    async def test_rejected_it_counts_from_that_day(self, court: Court, city: Any) -> None:
        """The days in dispute stay free of it; the interval goes on from the answer."""
        opened = await court.open(ANN, "n1")
        await court.clerk(opened.id, "forward")
        await court.on(TODAY + days(2))
        await court.answer(opened.id, "rejected")
        assert await city.points(ANN) == PENALISED
        assert await court.points_on(ANN, TODAY + days(1)) == CLEAN
        assert await court.points_on(ANN, TODAY - days(1)) == PENALISED
        seen = await court.seen(ANN, opened.id)
        assert (seen.state, seen.answer) == ("rejected", "已核对原件")
        assert [one.event for one in seen.steps] == ["open", "forward", "reject"]

    async def test_upheld_the_record_is_taken_away(self, court: Court, city: Any) -> None:
        """It counts on no day any more, past ones included (rule 35)."""
        opened = await court.open(ANN, "n1")
        await court.clerk(opened.id, "forward")
        await court.answer(opened.id, "upheld")
        assert await city.points(ANN) == CLEAN
        assert await court.points_on(ANN, TODAY - days(1)) == CLEAN
        (row,) = await city.rows("select status from scoring.record where ref = 'n1'")
        assert row["status"] == "revoked"

    async def test_upheld_with_a_right_line_that_line_counts(self, court: Court, city: Any) -> None:
        """Three hours were eight: the corrected line stays and counts."""
        await city.push(hours("h1", ANN, hours=3))
        before = await city.points(ANN)
        opened = await court.open(ANN, "h1", reason="wrong_detail")
        await court.clerk(opened.id, "forward")
        await city.push(hours("h1", ANN, hours=8, version=2))
        await court.answer(opened.id, "upheld", corrects=1)
        assert await city.points(ANN) == before + 10

    async def test_a_source_sees_what_is_objected_and_not_who(self, court: Court, city: Any) -> None:
        """Only what was forwarded, only of its own records; the first look is told to the citizen."""
        opened = await court.open(ANN, "n1")
        assert await court.told() == []
        await court.clerk(opened.id, "forward")
        (told,) = await court.told()
        assert (told.ref, told.reason, told.said, told.state) == ("n1", "not_mine", SAID, "with_source")
        assert await court.told("another") == []
        await court.told()
        looks = await city.rows("select owner from core.audit_entry where action = 'dispute.read'")
        assert [row["owner"] for row in looks] == [city.people[ANN]]

    async def test_another_source_or_another_token_gets_nothing(self, court: Court, city: Any) -> None:
        """Absent for a source that did not send the record, and before it was forwarded."""
        opened = await court.open(ANN, "n1")
        with pytest.raises(NotFound):
            await court.answer(opened.id, "upheld")
        await court.clerk(opened.id, "forward")
        with pytest.raises(NotFound):
            await court.answer(opened.id, "upheld", source="another")
        await court.answer(opened.id, "rejected")
        with pytest.raises(NotFound):
            await court.answer(opened.id, "upheld")


class TestClerk:
    """The office's steps."""

    async def test_every_act_is_told_to_the_citizen(self, court: Court, city: Any) -> None:
        """Reading and acting leave entries with the clerk and the purpose."""
        opened = await court.open(ANN, "n1")
        token = await court.let_in("desk", "staff", "staff:disputes")
        async with court.scorer() as session:
            read = await verdicts.read(session, city.ring, look=Look(token, "C01", "dispute"), dispute_id=opened.id)
        assert read.said == SAID
        await court.clerk(opened.id, "forward")
        rows = await city.rows(
            "select action, outcome, owner from core.audit_entry "
            "where owner is not null and actor_kind = 'staff' order by id"
        )
        assert [(row["action"], row["outcome"]) for row in rows] == [
            ("dispute.read", "shown"),
            ("dispute.forward", "done"),
        ]
        assert {row["owner"] for row in rows} == {city.people[ANN]}

    async def test_without_the_scope_it_is_absent(self, court: Court, city: Any) -> None:
        """A token of another scope, of a source, or none at all opens nothing."""
        opened = await court.open(ANN, "n1")
        bad = [
            await court.let_in("desk2", "staff", "staff:reviews"),
            await court.let_in("desk3", "source", "staff:disputes"),
            bytes(32),
        ]
        for token in bad:
            async with court.scorer() as session:
                with pytest.raises(NotFound):
                    await verdicts.read(session, city.ring, look=Look(token, "C01", "x"), dispute_id=opened.id)

    async def test_what_cannot_be_resolved_is_noted_beside_the_record(self, court: Court, city: Any) -> None:
        """After an escalation a head may leave it open whether it is true: the objection stands beside it (CIR 25)."""
        opened = await court.open(ANN, "n1")
        await court.clerk(opened.id, "forward")
        await court.clerk(opened.id, "escalate")
        noted = await court.clerk(opened.id, "note", "双方证据都不足")
        assert (noted.state, noted.answer) == ("unresolved", "双方证据都不足")
        async with city.as_citizen(city.people[ANN]) as session:
            (one,) = await records.of(session, city.ring, citizen_id=city.people[ANN], limit=5)
        assert one.statement == SAID.words
        assert await city.points(ANN) == PENALISED

    async def test_a_wrong_detail_of_a_positive_goes_to_its_source(self, court: Court, city: Any) -> None:
        """Taking the record away would harm whom it helps."""
        await city.push(hours("h1", ANN))
        opened = await court.open(ANN, "h1", reason="wrong_detail")
        with pytest.raises(NeedsALine):
            await court.clerk(opened.id, "uphold")

    async def test_a_step_that_the_table_does_not_know(self, court: Court, city: Any) -> None:
        """Nothing is rejected before the source was late."""
        opened = await court.open(ANN, "n1")
        with pytest.raises(IllegalTransition):
            await court.clerk(opened.id, "overrule", "不成立")
        assert (await court.seen(ANN, opened.id)).answer is None


class TestKeep:
    """What days do."""

    async def test_days_that_run_out_move_it_on(self, court: Court, city: Any) -> None:
        """An own check that is late goes to the source, a late source to a head; the deduction waits meanwhile."""
        opened = await court.open(ANN, "n1")
        assert await court.keep() == 0
        await court.on(opened.due_on + days(1))
        assert await court.keep() == 1
        sent = await court.seen(ANN, opened.id)
        assert (sent.state, sent.steps[-1].by) == ("with_source", "clock")
        await court.on(sent.due_on + days(1))
        assert await court.keep() == 1
        late = await court.seen(ANN, opened.id)
        assert late.state == "escalated"
        await court.on(late.due_on + days(9))
        assert await court.keep() == 0
        assert await city.score(ANN)
        assert await court.points_on(ANN, clock.today()) == CLEAN

    async def test_an_extension_runs_on_from_the_day_that_was_due(self, court: Court, city: Any) -> None:
        """Three working days more, once."""
        opened = await court.open(ANN, "n1")
        sent = await court.clerk(opened.id, "forward")
        longer = await court.clerk(opened.id, "extend", "需要调取档案")
        async with city.doors.work("jobs") as session:
            assert longer.due_on == (await workdays.due(session, start=sent.due_on, days=3)).on
        with pytest.raises(IllegalTransition):
            await court.clerk(opened.id, "extend", "再延")

    async def test_what_its_source_takes_back_is_settled(self, court: Court, city: Any) -> None:
        """A revocation outside the dispute ends it; so does the loss of the record."""
        opened = await court.open(ANN, "n1")
        async with city.owner() as owner:
            from sqlalchemy import text

            await owner.execute(text("update scoring.record set status = 'revoked'"))
        assert await court.keep() == 1
        assert (await court.seen(ANN, opened.id)).state == "settled"
        assert opened.record_id is not None
        assert not await court.suspended(opened.record_id)
        await city.push(water("w1", ANN))
        lost = await court.open(ANN, "w1")
        await city.push(water("w1", BOB, version=2))
        assert await court.keep() == 1
        assert (await court.seen(ANN, lost.id)).state == "settled"

    async def test_a_provisional_day_moves_only_for_the_citizen(self, court: Court, city: Any) -> None:
        """When the year is loaded, what the office owes is due no later than it was said."""
        opened = await court.open(ANN, "n1")
        async with city.owner() as owner:
            from sqlalchemy import text

            await owner.execute(
                text("update scoring.dispute set provisional = true, due_on = :on"), {"on": opened.due_on + days(5)}
            )
        await court.keep()
        seen = await court.seen(ANN, opened.id)
        assert (seen.due_on, seen.provisional) == (opened.due_on, False)


class TestWithdrawnConsent:
    """A withdrawal of the consent."""

    async def test_disputes_go_with_it(self, court: Court, city: Any) -> None:
        """Nothing of what was objected stays, and no office finds it any more."""
        opened = await court.open(ANN, "n1")
        await court.clerk(opened.id, "forward")
        await city.leave(ANN)
        for table in ("dispute", "dispute_event", "suspension"):
            assert await city.rows(f"select from scoring.{table}") == []
        assert await court.told() == []
        with pytest.raises(NotFound):
            await court.clerk(opened.id, "escalate")


class TestRandomCourses:
    """Any order of acts."""

    async def test_record_and_table_agree_after_every_act(self, court: Court) -> None:
        """Never an illegal state, a clock while it is open, suspended iff open and suspending, effects once."""
        city, chance = court.city, random.Random(4)  # noqa: S311  (the same courses in every run)
        await city.join(ANN)
        await city.push(*[penalty(f"n{n}", ANN, days=30 + n) for n in range(4)])
        for n in range(4):
            opened = await court.open(ANN, f"n{n}")
            assert opened.record_id is not None
            await _walk(court, chance, opened.id, opened.record_id)
        (left,) = await city.rows("select count(*) as n from scoring.record where status = 'active'")
        (points,) = await city.rows("select points from scoring.standing")
        assert points["points"] == (await court.points_on(ANN, clock.today()))
        assert (points["points"] == CLEAN) == (left["n"] == 0)


async def _walk(court: Court, chance: random.Random, dispute_id: uuid.UUID, record_id: uuid.UUID) -> None:
    """Random acts until the dispute has ended; what is not in the table is refused and changes nothing."""
    for _ in range(30):
        state = (await court.seen(ANN, dispute_id)).state
        if state in DISPUTE.final:
            break
        event = chance.choice(
            ["forward", "extend", "escalate", "accept", "uphold", "overrule", "note", "reject", "withdraw"]
        )
        possible = event in DISPUTE.allowed(state)
        acts: dict[str, Any] = {
            "reject": lambda: court.answer(dispute_id, "rejected"),
            "withdraw": lambda: court.withdraw(ANN, dispute_id),
        }
        try:
            await acts.get(event, lambda event=event: court.clerk(dispute_id, event))()
            assert possible
        except (IllegalTransition, NotFound):
            assert not possible
        seen = await court.seen(ANN, dispute_id)
        assert seen.state == (DISPUTE.after(state, event) if possible else state)
        assert (seen.state in DISPUTE.final) == (seen.closed_at is not None)
        assert seen.steps[-1].state == seen.state
        assert await court.suspended(record_id) == (seen.suspends and seen.state not in DISPUTE.final)
    (row,) = await court.city.rows("select status from scoring.record where id = $1", record_id)
    expected = {"upheld": "revoked"}.get((await court.seen(ANN, dispute_id)).state, "active")
    assert row["status"] == expected
