"""States that are never stored: how a declaration and a commitment stand, held to a small model of each."""

import uuid
from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from scoring.records import Shown
from scoring.rights import commitments, declarations
from scoring.rights.commitments import Promise, Terms
from scoring.rights.courses import COMMITMENT, DECLARATION

DAY = date(2026, 3, 2)
DAYS = st.integers(0, 40).map(lambda number: DAY + timedelta(days=number))
NUMBER = "CN23456789ABCDEF"


def at(day: date) -> datetime:
    """Noon of a day."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def said_of(identity: uuid.UUID, kind: str, status: str, day: date, source: str, number: str) -> Shown:
    """A record as its citizen sees it."""
    return Shown(
        id=identity, kind=kind, name="", label="", source=source, ref="", version=1, positive=kind == "P06",
        status=status, occurred_on=day, received_at=at(day), item=None, from_on=None, until_on=None, hideable=False,
        fields={"commitment": number}, document=None, notice=None, repair=None, statement=None,
    )  # fmt: skip


def finding(number: int, status: str) -> Shown:
    """One of several findings that the commitment was broken."""
    return said_of(uuid.UUID(int=number), "N06", status, DAY + timedelta(days=number), "civic", NUMBER)


@st.composite
def records(draw: st.DrawFn) -> Shown:
    """What a bureau said: of the right commitment or another, as kept or as broken, and what became of it."""
    kind = draw(st.sampled_from(["N06", "N06", "N06", "P06", "N01"]))
    status = draw(st.sampled_from(["active", "disputed", "hidden", "repaired", "revoked"]))
    source = draw(st.sampled_from(["civic", "civic", "civic", "other"]))
    number = draw(st.sampled_from([NUMBER, NUMBER, NUMBER, "CNother"]))
    return said_of(draw(st.uuids(version=4)), kind, status, draw(DAYS), source, number)


def promise(due_on: date, withdrawn_on: date | None) -> Promise:
    """A commitment to `civic`, made on DAY."""
    withdrawn_at = None if withdrawn_on is None else at(withdrawn_on)
    return Promise(uuid.UUID(int=1), "civic", "x", 1, "d", at(DAY), due_on, withdrawn_at, Terms(NUMBER, ""))


def model(made: Promise, said: list[Shown], today: date) -> str:
    """The same in one sentence each, the strongest first."""
    mine = [one for one in said if one.source == "civic" and one.fields["commitment"] == NUMBER]
    found = {one.status for one in mine if one.kind == "N06"}
    kept = any(one.kind == "P06" and one.status in {"active", "hidden"} for one in mine)
    return next(
        state
        for state, holds in {
            "withdrawn": made.withdrawn_at is not None,
            "broken": "active" in found,
            "mended": "repaired" in found,
            "kept": kept,
            "overdue": today > made.due_on,
            "made": True,
        }.items()
        if holds
    )


class TestCommitment:
    """`commitments.course`."""

    @settings(max_examples=400)
    @given(DAYS, st.none() | DAYS, st.lists(records(), max_size=6), DAYS)
    @example(DAY, None, [finding(1, "active"), finding(2, "revoked")], DAY)
    @example(DAY, None, [finding(1, "repaired"), finding(2, "active")], DAY)
    def test_it_stands_as_the_model_says(
        self, due_on: date, withdrawn_on: date | None, said: list[Shown], today: date
    ) -> None:
        """What stands decides, in whatever order it came; the course is one of the state table, from its beginning."""
        made = promise(due_on, withdrawn_on)
        found = commitments.course(made, said, today=today)
        assert found.state == model(made, said, today)
        state = COMMITMENT.start
        assert (found.history[0].event, found.history[0].state) == ("make", state)
        for step in found.history[1:]:
            state = COMMITMENT.after(state, step.event, by=step.by)  # type: ignore[arg-type]  (it is a By)
            assert step.state == state
        assert state == found.state

    @given(DAYS, st.lists(records(), max_size=6), DAYS)
    def test_it_names_the_record_behind_it(self, due_on: date, said: list[Shown], today: date) -> None:
        """Broken, mended and kept lead to a record of their own bureau that says so; nothing else leads anywhere."""
        found = commitments.course(promise(due_on, None), said, today=today)
        named = {one.id: one for one in said}.get(found.record) if found.record else None
        wanted = {"broken": ("N06", {"active"}), "mended": ("N06", {"repaired"}), "kept": ("P06", {"active", "hidden"})}
        if found.state not in wanted:
            assert found.record is None
        else:
            kind, statuses = wanted[found.state]
            assert named is not None
            assert (named.kind, named.source, named.status in statuses) == (kind, "civic", True)

    @given(DAYS, st.none() | DAYS, st.lists(records(), max_size=6), DAYS)
    def test_other_bureaus_and_other_numbers_say_nothing(
        self, due_on: date, withdrawn_on: date | None, said: list[Shown], today: date
    ) -> None:
        """Leaving their records out changes nothing."""
        made = promise(due_on, withdrawn_on)
        own = [one for one in said if one.source == "civic" and one.fields["commitment"] == NUMBER]
        assert commitments.course(made, said, today=today) == commitments.course(made, own, today=today)


class TestDeclaration:
    """`declarations.standing_of`."""

    @given(st.sampled_from(["declared", "verified", "refused", "withdrawn"]), DAYS, st.integers(1, 30), DAYS)
    def test_it_stands_as_the_days_say(self, stored: str, answer_by: date, more: int, today: date) -> None:
        """An answer is the end; without one it is late after its day and over after the last, through the table."""
        lapse_on = answer_by + timedelta(days=more)
        found = declarations.standing_of(stored, answer_by=answer_by, lapse_on=lapse_on, today=today)
        late = "lapsed" if today > lapse_on else "overdue" if today > answer_by else "declared"
        assert found == (late if stored == "declared" else stored)
        assert (found in DECLARATION.final) == (found not in declarations.WAITING)

    @given(DAYS, st.integers(1, 30), DAYS, st.integers(0, 10))
    def test_days_never_take_it_back(self, answer_by: date, more: int, today: date, later: int) -> None:
        """A later day is never an earlier state."""
        order = ["declared", "overdue", "lapsed"]
        days = {"answer_by": answer_by, "lapse_on": answer_by + timedelta(days=more)}
        now, then = (
            declarations.standing_of("declared", today=day, **days) for day in (today, today + timedelta(days=later))
        )
        assert order.index(now) <= order.index(then)
