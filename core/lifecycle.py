"""State tables: what can become of a matter, by whose act. Pure.

One table is the single word on a course: the code asks it before a row changes, the pages and `GET /v1/state-machines`
show it, the docs draw it. A table that contradicts itself cannot be made: every state can be reached, nothing leads
out of an end, every course can end, and one state knows one answer to an event. It keeps no state of anything; rows do.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from core.errors import Conflict

By = Literal["citizen", "source", "staff", "partner", "clock", "rule"]
_WHO: Mapping[By, str] = {
    "citizen": "本人",
    "source": "来源单位",
    "staff": "工作人员",
    "partner": "商户",
    "clock": "期限",
    "rule": "规则",
}


class IllegalTransition(Conflict):
    """What was asked is not possible in this state; `allowed_actions` are."""

    code = "illegal_transition"
    title = "Not possible in this state"

    def __init__(self, *, state: str, event: str, allowed: Iterable[str]) -> None:
        """Say the state and what is possible in it."""
        actions = sorted(allowed)
        detail = f"`{event}` is not possible in state `{state}`. Allowed actions: {', '.join(actions) or 'none'}."
        super().__init__(detail, state=state, allowed_actions=actions)


class BadTable(ValueError):
    """A state table that contradicts itself; the message says how. A fault of the code, never of a caller."""


class State(msgspec.Struct, frozen=True):
    """Where a matter can be; nothing leads on from a `final` one."""

    name: str
    chinese: str
    final: bool = False


class Event(msgspec.Struct, frozen=True):
    """What can happen to it, and whose act that is (`clock`: a day that comes; `rule`: what follows by itself)."""

    name: str
    chinese: str
    by: tuple[By, ...]


class Machine(msgspec.Struct, frozen=True):
    """A course: it begins in the first of `states`; `moves` are (from, event, to). Raises BadTable."""

    name: str
    title: str
    states: tuple[State, ...]
    events: tuple[Event, ...]
    moves: tuple[tuple[str, str, str], ...]

    def __post_init__(self) -> None:
        """Refuse a table that contradicts itself."""
        if faults := list(_faults(self)):
            said = f"{self.name}: {'; '.join(faults)}"
            raise BadTable(said)

    @property
    def start(self) -> str:
        """The state in which the course begins."""
        return self.states[0].name

    @property
    def final(self) -> frozenset[str]:
        """The states that end it."""
        return frozenset(one.name for one in self.states if one.final)

    def after(self, state: str, event: str, *, by: By | None = None) -> str:
        """The state after an event, in `by`'s hands if that is given. Raises IllegalTransition."""
        if event in self.allowed(state, by=by):
            return next(to for source, name, to in self.moves if (source, name) == (state, event))
        raise IllegalTransition(state=state, event=event, allowed=self.allowed(state, by=by))

    def allowed(self, state: str, *, by: By | None = None) -> tuple[str, ...]:
        """The events that are possible in a state, in the order of the table; only those of `by` if that is given."""
        possible = {name for source, name, _ in self.moves if source == state}
        return tuple(one.name for one in self.events if one.name in possible and (by is None or by in one.by))

    def chinese(self, state: str) -> str:
        """What a state is called for citizens."""
        return next(one.chinese for one in self.states if one.name == state)

    def mermaid(self) -> str:
        """The table as a Mermaid state diagram."""
        called = {one.name: one.chinese for one in self.events}
        lines = ["stateDiagram-v2", *(f'    state "{one.chinese} {one.name}" as {one.name}' for one in self.states)]
        lines += [f"    [*] --> {self.start}"]
        lines += [f"    {source} --> {to}: {called[event]} {event}" for source, event, to in self.moves]
        return "\n".join([*lines, *(f"    {one.name} --> [*]" for one in self.states if one.final)])

    def markdown(self) -> str:
        """A section of a page: the diagram, and who may do what."""
        rows = [
            f"| `{one.name}` {one.chinese} | {'、'.join(_WHO[who] for who in one.by)} | "
            f"{', '.join(f'`{source}` → `{to}`' for source, name, to in self.moves if name == one.name)} |"
            for one in self.events
        ]
        head = ["| event | by | moves |", "|---|---|---|"]
        drawn = ["```mermaid", self.mermaid(), "```"]
        return "\n".join([f"## {self.title} `{self.name}`", "", *drawn, "", *head, *rows, ""])


def _faults(table: Machine) -> Iterable[str]:
    """What is wrong with a table."""
    states = {one.name: one for one in table.states}
    events = {one.name for one in table.events}
    if not states or len(states) < len(table.states) or len(events) < len(table.events):
        yield "no states, or a name that stands twice"
        return
    pairs = [(source, event) for source, event, _ in table.moves]
    if len(set(pairs)) < len(pairs):
        yield "one state has two answers to an event"
    if {name for source, _, to in table.moves for name in (source, to)} - set(states):
        yield "a move names an unknown state"
        return
    if {event for _, event in pairs} != events:
        yield "the moves and the events do not name the same events"
    if any(not one.by for one in table.events):
        yield "an event is nobody's act"
    if {source for source, _ in pairs} != {name for name, one in states.items() if not one.final}:
        yield "a final state leads on, or another one does not"
    forth = [(source, to) for source, _, to in table.moves]
    if _reached({table.states[0].name}, forth) != set(states):
        yield "a state cannot be reached"
    ends = {name for name, one in states.items() if one.final}
    if _reached(ends, [(to, source) for source, to in forth]) != set(states):
        yield "a state never ends"


def _reached(begin: set[str], ways: list[tuple[str, str]]) -> set[str]:
    """The states that can be reached over `ways`."""
    found = set(begin)
    while more := {to for source, to in ways if source in found} - found:
        found |= more
    return found
