"""The course of an order: what code and database say of it is one thing, and it always ends."""

from typing import Any

import asyncpg
import pytest

from incentives.orders.courses import CLOCKS, FORMS, ORDER, RUNNING, Form


async def rows(database: str, query: str) -> list[asyncpg.Record]:
    """Read behind the doors."""
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


class TestMirror:
    """`incentives.order_state` and `incentives.order_move`."""

    async def test_the_database_has_the_same_states(self, shared_database: str) -> None:
        """Every state with what it keeps, its clock, and what becomes of it when a citizen leaves."""
        found = {row["name"]: row for row in await rows(shared_database, "select * from incentives.order_state")}
        said = {
            state: (state in ORDER.final, one.keeps, one.after, one.event, one.at_leaving)
            for state, one in CLOCKS.items()
        }
        assert {name: tuple(row.values())[1:] for name, row in found.items()} == said
        assert set(said) == {one.name for one in ORDER.states}

    @pytest.mark.parametrize("form", FORMS)
    async def test_the_database_has_the_same_moves(self, shared_database: str, form: Form) -> None:
        """Every move of every form, with whose act it is."""
        by: dict[str, Any] = {one.name: list(one.by) for one in FORMS[form].events}
        query = f"select state, event, by, \"into\" from incentives.order_move where '{form}' = any (forms)"
        told = sorted((state, event, by[event], into) for state, event, into in FORMS[form].moves)
        assert sorted(tuple(row.values()) for row in await rows(shared_database, query)) == told


class TestClocks:
    """What happens if nobody does anything."""

    def test_every_state_that_is_no_end_has_a_clock_that_the_table_allows(self) -> None:
        """Both clocks of each state are moves that the clock may make."""
        for state, one in CLOCKS.items():
            assert (one.event is None) == (state in ORDER.final), state
            for event in {one.event, one.at_leaving} - {None}:
                assert event in ORDER.allowed(state, by="clock"), (state, event)

    def test_no_clock_finds_a_default(self) -> None:
        """A default is an act of staff alone."""
        assert [one.by for one in ORDER.events if one.name == "default"] == [("staff",)]

    def test_what_holds_something_is_running(self) -> None:
        """Whoever has an exposure can see where."""
        assert set(RUNNING) == {state for state, one in CLOCKS.items() if one.keeps == "all"}
