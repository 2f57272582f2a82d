"""Rules 34 to 36: what is said to be wrong is looked at in time, and costs nothing meanwhile."""

from core import clock
from scoring import ending, records, retention
from scoring.book import disputefile
from scoring.rights.disputing import DISPUTE, OPEN
from scoring.rights.objections import Said
from tests.law.conftest import Move
from tests.rulebook import text
from tests.scoring.rights.disputeworld import Court, days
from tests.scoringworld import City, id_number, penalty

ANN = id_number(1)


class TestObjection:
    """Rule 34."""

    async def test_rule_34_flagged_at_once_and_without_effect_while_pending(self, court: Court) -> None:
        """In the transaction of the objection the deduction stops; rejected, it goes on (SZX 51; CIR 25)."""
        await court.city.join(ANN)
        await court.city.push(penalty("n1", ANN))
        lowered = await court.city.points(ANN)
        opened = await court.open(ANN, "n1")
        assert await court.city.points(ANN) > lowered
        await court.clerk(opened.id, "forward")
        assert await court.city.points(ANN) > lowered
        await court.answer(opened.id, "rejected")
        assert await court.city.points(ANN) == lowered

    def test_rule_34_one_working_day_here_two_at_the_source_three_more_by_a_head(self) -> None:
        """The strictest clocks found are the default (SZX 50-51); each open state has one, and a way on."""
        rules = disputefile.load(text("disputes.toml"), "disputes.toml")
        assert [rules.days(state) for state in OPEN] == [1, 2, 3, 1]
        assert "extend" not in DISPUTE.allowed("with_source", by="source")
        assert "extend" in DISPUTE.allowed("with_source", by="staff")

    async def test_rule_34_what_is_late_moves_on_by_itself(self, court: Court) -> None:
        """Nobody answers: it goes to the source, then to a head, and the deduction waits on."""
        await court.city.join(ANN)
        await court.city.push(penalty("n1", ANN))
        opened = await court.open(ANN, "n1")
        for state in ("with_source", "escalated"):
            due = (await court.seen(ANN, opened.id)).due_on
            assert due is not None
            await court.on(due)
            assert await court.keep() == 0
            await court.on(clock.today() + days(1))
            assert await court.keep() == 1
            assert (await court.seen(ANN, opened.id)).state == state
        assert await court.suspended(await court.the_record(ANN, "n1"))

    async def test_rule_34_what_cannot_be_resolved_stands_beside_the_datum(self, court: Court) -> None:
        """The objection's own words stay with the record (CIR 25 ¶3)."""
        await court.city.join(ANN)
        await court.city.push(penalty("n1", ANN))
        opened = await court.open(ANN, "n1", said=Said("与事实不符。", ""))
        for event in ("forward", "escalate", "note"):
            await court.clerk(opened.id, event, "无法核实")  # type: ignore[arg-type]  (each is an Act)
        async with court.city.as_citizen(court.city.people[ANN]) as session:
            (one,) = await records.of(session, court.city.ring, citizen_id=court.city.people[ANN], limit=9)
        assert one.statement is not None
        assert "与事实不符。" in one.statement


class TestRevoked:
    """Rule 35."""

    async def test_rule_35_a_revoked_basis_counts_no_more_and_its_papers_go(self, city: City, move: Move) -> None:
        """Rescored in the transaction, for past days too; papers gone within three working days (SH 37)."""
        await city.join(ANN)
        await city.push(penalty("n1", ANN))
        today = clock.today()
        async with city.doors.work("scorer") as session:
            book = await city.book()
            await ending.revoke(session, city.ring, source="utilities", ref="n1", version=None, book=book, as_of=today)
        assert await city.points(ANN) == 1100
        await move(city, 4)
        async with city.doors.work("jobs") as session:
            await retention.sweep(session, city.ring)
        assert [row["sealed"] for row in await city.rows("select sealed from scoring.record")] == [b""]
