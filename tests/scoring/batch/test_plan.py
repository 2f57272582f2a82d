"""One definition, two evaluators: the plan gives the evaluator's integers, on DuckDB and on Polars."""

from datetime import date

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from scoring.batch import engines, plan
from scoring.book.scorecard import Scorecard
from scoring.points.evaluate import compile as compiled
from tests.rulebook import card as shipped
from tests.scoring.batch import ledgers

ENGINES = ("duckdb", "polars")
AS_OF = date(2026, 11, 22)


class TestBuild:
    """`plan.build`, run by an engine."""

    @settings(max_examples=5, deadline=None, phases=[Phase.generate])  # to shrink by whole engine calls takes minutes
    @given(ledgers.cards(), st.integers(0, 2**32), ledgers.DAYS)
    def test_every_engine_gives_the_evaluators_integers(self, card: Scorecard, seed: int, as_of: date) -> None:
        """Whatever the scorecard says and whatever stands in the ledgers, all columns are the same."""
        people = ledgers.people(seed, as_of)
        expected = ledgers.evaluated(card, people, as_of)
        for engine in ENGINES:
            found = engines.score(engine, card, *ledgers.tables(people), as_of)
            assert found.to_pylist() == expected, engine

    @pytest.mark.parametrize("engine", ENGINES)
    def test_the_shipped_scorecard_over_a_thousand_ledgers(self, engine: str) -> None:
        """The rules that a city would run, on people full of edges."""
        people = ledgers.people(7, AS_OF, 1_000)
        found = engines.score(engine, shipped(), *ledgers.tables(people), AS_OF)
        assert found.to_pylist() == ledgers.evaluated(shipped(), people, AS_OF)

    @pytest.mark.parametrize(("engine", "least"), [("polars", 1), ("duckdb", 2)])
    def test_every_case_file_comes_out_the_same(self, engine: str, least: int) -> None:
        """The situations that officials read; days with a single case are left to Polars here (see `make interop`)."""
        found = {day: people for day, people in ledgers.shipped_cases().items() if len(people) >= least}
        assert sum(map(len, found.values())) >= 40
        for as_of, people in found.items():
            scored = engines.score(engine, shipped(), *ledgers.tables(people), as_of)
            assert scored.to_pylist() == ledgers.evaluated(shipped(), people, as_of)

    @pytest.mark.parametrize("measures", [{"best"}, {"months", "sum"}])
    def test_a_scorecard_of_few_measures(self, measures: set[str]) -> None:
        """A card that leaves one of the two passes over the rows empty is scored like any other."""
        dimensions = tuple(
            msgspec.structs.replace(one, indicators=tuple(rule for rule in one.indicators if rule.measure in measures))
            for one in shipped().dimensions
        )
        card = msgspec.structs.replace(shipped(), dimensions=dimensions, deductions=(), holds=())
        people = ledgers.people(5, AS_OF)
        found = engines.score("polars", card, *ledgers.tables(people), AS_OF)
        assert found.to_pylist() == ledgers.evaluated(card, people, AS_OF)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_whoever_has_no_record_is_there(self, engine: str) -> None:
        """An empty file of records still gives every adult the points of a clean one, and no minor a row."""
        people = {1: ledgers.Person(AS_OF, ()), 2: ledgers.Person(date(2026, 11, 23), ())}
        (row,) = engines.score(engine, shipped(), *ledgers.tables(people), AS_OF).to_pylist()
        assert (row["subject"], row["points_tenths"], row["tier"], row["held"]) == (1, 1100, "铜", False)

    def test_nobody_outside_the_register_is_scored(self) -> None:
        """Records of a subject that the register does not name are left out."""
        people = ledgers.people(3, AS_OF)
        records, register = ledgers.tables(people)
        none = engines.score("duckdb", shipped(), records, register.slice(0, 0), AS_OF)
        assert none.num_rows == 0


class TestColumns:
    """`plan.columns`."""

    def test_they_are_the_evaluations(self) -> None:
        """The same names in the same order, behind the subject."""
        names = list(compiled(shipped())([], date(2000, 1, 1), AS_OF).columns())
        assert list(plan.columns(shipped())) == ["subject", *names]


class TestScore:
    """`engines.score`."""

    def test_an_engine_that_is_none_is_told(self) -> None:
        """The ones to choose from are named."""
        with pytest.raises(engines.UnknownEngine, match="duckdb, polars, spark"):
            engines.score("abacus", shipped(), *ledgers.tables({}), AS_OF)
