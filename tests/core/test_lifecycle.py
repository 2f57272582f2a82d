"""A state table says everything that can become of a matter, or it cannot be made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lifecycle import BadTable, Event, IllegalTransition, Machine, State

NAMES = st.sampled_from(["a", "b", "c", "d"])
EVENTS = st.sampled_from(["x", "y", "z"])


def table(
    states: tuple[State, ...] = (State("open", "开"), State("done", "完", final=True)),
    events: tuple[Event, ...] = (Event("close", "结束", ("staff",)), Event("leave", "撤回", ("citizen",))),
    moves: tuple[tuple[str, str, str], ...] = (("open", "close", "done"), ("open", "leave", "done")),
) -> Machine:
    """A small table that holds."""
    return Machine("thing", "事", states, events, moves)


@st.composite
def tables(draw: st.DrawFn) -> Machine | None:
    """A random table, or None when it contradicts itself."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    states = tuple(State(name, name, final=draw(st.booleans())) for name in names)
    moves = draw(st.lists(st.tuples(st.sampled_from(names), EVENTS, st.sampled_from(names)), max_size=6))
    events = tuple(Event(name, name, ("clock",)) for name in sorted({name for _, name, _ in moves}))
    try:
        return Machine("random", "随机", states, events, tuple(moves))
    except BadTable:
        return None


class TestMachine:
    """What a table promises."""

    def test_an_event_leads_on(self) -> None:
        """It begins in the first state, and an event leads where the table says."""
        assert (table().start, table().final, table().chinese("done")) == ("open", {"done"}, "完")
        assert table().after("open", "close") == "done"
        assert table().allowed("open") == ("close", "leave")
        assert table().allowed("done") == ()

    def test_an_act_belongs_to_somebody(self) -> None:
        """What is only the office's to do is refused to the citizen, who is told what they may do."""
        assert table().after("open", "leave", by="citizen") == "done"
        with pytest.raises(IllegalTransition) as refused:
            table().after("open", "close", by="citizen")
        assert refused.value.more == {"state": "open", "allowed_actions": ["leave"]}
        assert (refused.value.status, refused.value.code) == (409, "illegal_transition")

    def test_an_end_says_that_nothing_is_possible(self) -> None:
        """From an end nothing leads on, and an unknown event is refused alike."""
        with pytest.raises(IllegalTransition, match="Allowed actions: none"):
            table().after("done", "close")
        with pytest.raises(IllegalTransition):
            table().after("open", "nothing")

    @given(tables(), st.lists(EVENTS, max_size=8))
    def test_no_walk_leaves_the_table(self, found: Machine | None, events: list[str]) -> None:
        """Whatever happens, one moves exactly where a move says, and is not stuck before an end."""
        if found is None:
            return
        state = found.start
        for event in events:
            ways = [to for source, name, to in found.moves if (source, name) == (state, event)]
            if ways:
                assert found.after(state, event) == ways[0]
                state = ways[0]
            else:
                with pytest.raises(IllegalTransition) as refused:
                    found.after(state, event)
                assert refused.value.more["allowed_actions"] == sorted(found.allowed(state))
            assert (state in found.final) == (found.allowed(state) == ())

    def test_it_is_drawn(self) -> None:
        """The page shows every state, every move and whose act it is."""
        drawn = table().markdown()
        assert "    [*] --> open\n    open --> done: 结束 close" in drawn
        assert "    done --> [*]" in drawn
        assert "| `leave` 撤回 | 本人 | `open` → `done` |" in drawn


class TestContradictions:
    """What cannot be made."""

    @pytest.mark.parametrize(
        ("parts", "says"),
        [
            ({"states": ()}, "no states"),
            ({"states": (State("open", "开"), State("open", "开"))}, "twice"),
            ({"events": (Event("close", "a", ("staff",)), Event("close", "b", ("staff",)))}, "twice"),
            ({"moves": (("open", "close", "done"), ("open", "close", "open"))}, "two answers"),
            ({"moves": (("open", "close", "gone"), ("open", "leave", "done"))}, "unknown state"),
            ({"moves": (("open", "close", "done"),)}, "same events"),
            ({"events": (Event("close", "a", ()), Event("leave", "b", ("citizen",)))}, "nobody's act"),
            ({"states": (State("open", "开"), State("done", "完"))}, "final state"),
            (
                {"states": (State("open", "开"), State("done", "完", final=True), State("x", "x", final=True))},
                "reached",
            ),
            ({"moves": (("open", "close", "open"), ("open", "leave", "open"))}, "reached"),
        ],
    )
    def test_it_is_refused(self, parts: dict[str, tuple[object, ...]], says: str) -> None:
        """A table that contradicts itself raises BadTable and says how."""
        with pytest.raises(BadTable, match=says):
            table(**parts)  # pyright: ignore[reportArgumentType]  (one part is wrong)

    def test_a_state_that_never_ends(self) -> None:
        """Two states that only lead to each other are refused though an end can be reached from elsewhere."""
        states = (State("a", "a"), State("b", "b"), State("end", "end", final=True))
        events = (Event("go", "go", ("clock",)), Event("stop", "stop", ("clock",)))
        with pytest.raises(BadTable, match="never ends"):
            table(states, events, (("a", "go", "b"), ("b", "go", "b"), ("a", "stop", "end")))
