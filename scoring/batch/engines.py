"""The engines that run the plan: DuckDB, Polars, Spark. One verb, `score`, and the same rows from each.

Everything untyped of the three libraries ends here and in `scoring.batch.spark`: what goes in is an Arrow table or a
range of Parquet files, what comes out an Arrow table with the columns of `plan.columns`, sorted by subject. Promises
equal integers on every engine; does not promise equal speed, and checks no file (`scoring.batch.files` does). Each
library is loaded when its engine is opened, so that nobody carries three.
"""

import importlib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib import metadata
from typing import Any

from scoring.batch import lookups, plan, reading, slots, sources, spark
from scoring.batch.gather import ibis
from scoring.batch.sources import ArrowTable, Scorer, Source, schema
from scoring.book.scorecard import Scorecard

ENGINES = ("duckdb", "polars", "spark")

_Run = Callable[[ArrowTable], ArrowTable]


class UnknownEngine(ValueError):
    """No engine has this name."""

    def __init__(self, engine: str) -> None:
        """Name those to choose from."""
        super().__init__(f"{engine} is no engine. Choose one of {', '.join(ENGINES)}.")


def score(engine: str, card: Scorecard, records: Source, register: Source, as_of: date) -> ArrowTable:
    """Score everybody of the register on a day; tenths, a row a subject, sorted by subject."""
    with opened(engine, card, as_of) as scorer:
        return scorer(records, register)


@contextmanager
def opened(engine: str, card: Scorecard, as_of: date, *, remote: str = "") -> Generator[Scorer]:
    """Open an engine with a scorecard compiled for a day; the scorer may be called for many ranges, one at a time.

    `remote` is a Spark Connect address (`sc://host:port`); without it Spark runs here.
    """
    if engine == "duckdb":
        with _duckdb(_query(card, as_of)) as run:
            yield _tidy(card, _looking_up(card, as_of, run))
    elif engine == "polars":
        yield _tidy(card, _looking_up(card, as_of, _polars(_query(card, as_of), slots.units(card))))
    elif engine == "spark":
        with spark.opened(card, as_of, remote) as scorer:
            yield _tidy(card, scorer)
    else:
        raise UnknownEngine(engine)


def version(engine: str) -> str:
    """The installed version of an engine, with Ibis's; another one may not go on where this one stopped."""
    library = {"spark": "pyspark"}.get(engine, engine)
    try:
        return f"{metadata.version(library)}, ibis {ibis.__version__}"
    except metadata.PackageNotFoundError:
        return "none"


def _query(card: Scorecard, as_of: date) -> Any:
    """Give the plan over a table of units."""
    return plan.build(card, ibis.table(slots.units(card), name="units"), as_of)


def _looking_up(card: Scorecard, as_of: date, run: _Run) -> Scorer:
    """Give the engine a table in memory: what is gathered of the rows, by looking up."""
    looked_up = lookups.Lookups(card, as_of)

    def score(records: Source, register: Source) -> ArrowTable:
        return run(looked_up.units(records, reading.whole(register, plan.REGISTER)))

    return score


@contextmanager
def _duckdb(query: Any) -> Generator[_Run]:
    statement = str(ibis.to_sql(query, dialect="duckdb"))
    connection: Any = importlib.import_module("duckdb").connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
            "temp_directory": "",  # a range fits in memory: nothing of it is ever spilled to a disk
        },
    )

    def run(units: ArrowTable) -> ArrowTable:
        connection.register("units", units)
        return connection.execute(statement).to_arrow_table()

    try:
        yield run
    finally:
        connection.close()


def _polars(query: Any, columns: Mapping[str, str]) -> _Run:
    """Compile the query once, over a table that is only there when it runs."""
    polars = sources.polars()
    given: list[Any] = []
    connection: Any = ibis.polars.connect()
    empty = polars.from_arrow(schema(columns).empty_table())
    connection.create_table("units", polars.defer(given.pop, schema=empty.schema))
    compiled = connection.compile(query)

    def run(units: ArrowTable) -> ArrowTable:
        given.append(polars.from_arrow(units))
        return compiled.collect(engine="streaming").to_arrow()

    return run


def _tidy(card: Scorecard, scorer: Scorer) -> Scorer:
    """Give the columns their types and the rows their order, whatever an engine makes of them."""
    wanted = schema(plan.columns(card))

    def run(records: Source, register: Source) -> ArrowTable:
        found = scorer(records, register).select(wanted.names).cast(wanted)
        subjects = found["subject"].to_numpy()
        return found if (subjects[1:] >= subjects[:-1]).all() else found.sort_by("subject")

    return run
