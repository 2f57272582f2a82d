"""The state table of a dispute, and its clocks."""

from hypothesis import given
from hypothesis import strategies as st

from core.lifecycle import IllegalTransition
from scoring.book.disputefile import UNPUBLISHED
from scoring.rights.disputing import DISPUTE, OPEN, OVERDUE, REASONS, reasons

EVENTS = st.lists(st.sampled_from([one.name for one in DISPUTE.events]), max_size=12)


class TestTable:
    """`disputing.DISPUTE`."""

    @given(EVENTS)
    def test_no_order_of_events_leaves_the_table(self, events: list[str]) -> None:
        """Whatever is tried, a dispute is in a state of the table, has a clock while it is open, and ends once."""
        state = DISPUTE.start
        for event in events:
            ended = state in DISPUTE.final
            try:
                state = DISPUTE.after(state, event)
            except IllegalTransition:
                continue
            assert not ended
            assert (state in OPEN) == (state not in DISPUTE.final)

    def test_open_states_are_those_with_a_clock(self) -> None:
        """Every state that is not the end has a number of working days; the clock's acts are in the table."""
        assert set(OPEN) == {one.name for one in DISPUTE.states} - DISPUTE.final
        assert all(UNPUBLISHED.days(state) >= 1 for state in OPEN)
        assert all(event in DISPUTE.allowed(state, by="clock") for state, event in OVERDUE.items())

    def test_a_source_cannot_end_what_it_was_not_asked(self) -> None:
        """Before it is forwarded a source may only concede; a clerk alone never rejects before the source was late."""
        assert "reject" not in DISPUTE.allowed("opened", by="source")
        assert [state for state in OPEN if "overrule" in DISPUTE.allowed(state, by="staff")] == ["escalated"]

    def test_every_reason_has_words(self) -> None:
        """The form's reasons are the codes that are taken."""
        assert tuple(REASONS) == reasons()
