"""What the plan makes of the live records of some people, on an engine in memory."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from scoring.batch import derive, engines, plan
from scoring.batch.sources import ArrowTable, arrow, schema
from scoring.book.scorecard import Scorecard
from scoring.holders import Holder

ENGINE = "duckdb"


class Scored:
    """One row a person, told by their place among the people asked about."""

    def __init__(self, table: ArrowTable) -> None:
        """`table` has the columns of `plan.columns`."""
        self._table = table
        self._rows: dict[int, int] = {place: row for row, place in enumerate(table["subject"].to_pylist())}

    def __iter__(self) -> Iterator[tuple[int, int, str, bool]]:
        """Give place, tenths, tier as shown, and whether it is held, of everybody."""
        names = ("subject", "points_tenths", "tier", "held")
        return zip(*(self._table[name].to_pylist() for name in names), strict=True)

    def columns(self, place: int) -> dict[str, Any]:
        """Give all columns of one person, as `Evaluation.columns` does."""
        (row,) = self._table.slice(self._rows[place], 1).to_pylist()
        return {name: value for name, value in row.items() if name != "subject"}


Scorer = Callable[[ArrowTable, Sequence[Holder]], Scored]


@contextmanager
def opened(card: Scorecard, as_of: date) -> Generator[Scorer]:
    """Open an engine with a scorecard on a day.

    The scorer takes live records (`derive.LIVE`, the subject being a place) and the people in their places.
    """
    with engines.opened(ENGINE, card, as_of) as run:

        def score(live: ArrowTable, people: Sequence[Holder]) -> Scored:
            register = {"subject": range(len(people)), "adult_on": [one.adult_on for one in people]}
            return Scored(run(derive.rows(live), arrow.table(register, schema=schema(plan.REGISTER))))

        yield score
