"""The engines that run the plan: DuckDB, Polars, Spark. One verb, `score`, and the same rows from each.

Everything untyped of the three libraries ends here and in `scoring.batch.spark`: what goes in is an Arrow table or a
range of Parquet files, what comes out an Arrow table with the columns of `plan.columns`, sorted by subject. Promises
equal integers on every engine; does not promise equal speed, and checks no file (`scoring.batch.files` does). Each
library is loaded when its engine is opened, so that nobody carries three.
"""

import importlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib import metadata
from typing import Any

from scoring.batch import plan, spark
from scoring.batch.plan import ibis
from scoring.batch.sources import ArrowTable, Part, Scorer, Source, arrow, schema
from scoring.book.scorecard import Scorecard

ENGINES = ("duckdb", "polars", "spark")
_ONES = {"duckdb": "bit_count", "polars": "bitwise_count_ones"}  # how each counts the bits that are set


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
    if engine not in ENGINES:
        raise UnknownEngine(engine)
    query, small = expression(engine, card, as_of), tables(card, as_of)
    if engine == "duckdb":
        with _duckdb(query, small) as scorer:
            yield _tidy(card, scorer)
    elif engine == "polars":
        yield _tidy(card, _polars(query, small))
    else:
        with spark.opened(query, small, remote) as scorer:
            yield _tidy(card, scorer)


def version(engine: str) -> str:
    """The installed version of an engine, with Ibis's; another one may not go on where this one stopped."""
    library = {"spark": "pyspark"}.get(engine, engine)
    try:
        return f"{metadata.version(library)}, ibis {ibis.__version__}"
    except metadata.PackageNotFoundError:
        return "none"


def expression(engine: str, card: Scorecard, as_of: date) -> Any:
    """The plan as an engine is given it, over tables named as in `plan.TABLES`."""

    def ones(bits: int) -> int: ...  # the engine's own function; Ibis reads the name and the types

    name = _ONES.get(engine)
    builtin = ibis.udf.scalar.builtin(ones, name=name, signature=(("int64",), "int32")) if name else None
    tables = {name: ibis.table(columns, name=name) for name, columns in plan.TABLES.items()}
    return plan.build(card, tables, builtin, as_of)


def tables(card: Scorecard, as_of: date) -> dict[str, ArrowTable]:
    """The small tables of the plan by name: `slots` and `days`."""
    contents: dict[str, list[Any]] = {"slots": plan.slotted(card, as_of), "days": plan.calendar(card, as_of)}
    return {
        name: arrow.table(
            [[row[place] for row in rows] for place in range(len(plan.TABLES[name]))], schema(plan.TABLES[name])
        )
        for name, rows in contents.items()
    }


@contextmanager
def _duckdb(query: Any, small: Mapping[str, ArrowTable]) -> Generator[Scorer]:
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

    def bind(name: str, source: Source) -> None:
        if isinstance(source, Part):
            files = connection.read_parquet(list(map(str, source.files)), union_by_name=True)
            source = files.filter(f"subject between {source.low} and {source.high}")
        connection.register(name, source)

    def run(records: Source, register: Source) -> ArrowTable:
        bind("records", records)
        bind("register", register)
        return connection.execute(statement).to_arrow_table()

    for name, table in small.items():
        bind(name, table)
    try:
        yield run
    finally:
        connection.close()


def _polars(query: Any, small: Mapping[str, ArrowTable]) -> Scorer:
    polars: Any = importlib.import_module("polars")
    connection: Any = ibis.polars.connect()
    types = {"int64": polars.Int64, "int16": polars.Int16, "int8": polars.Int8}
    types |= {"string": polars.String, "date": polars.Date}

    def bind(name: str, source: Source) -> None:
        if isinstance(source, Part):
            inside = polars.col("subject").is_between(source.low, source.high)
            frame = polars.scan_parquet(list(source.files)).filter(inside)
        else:
            frame = polars.from_arrow(source).lazy()
        frame = frame.select([polars.col(column).cast(types[kind]) for column, kind in plan.TABLES[name].items()])
        connection.create_table(name, frame, overwrite=True)

    def run(records: Source, register: Source) -> ArrowTable:
        bind("records", records)
        bind("register", register)
        return connection.to_polars(query, engine="streaming").to_arrow()

    for name, table in small.items():
        bind(name, table)
    return run


def _tidy(card: Scorecard, scorer: Scorer) -> Scorer:
    """Give the columns their types and the rows their order, whatever an engine makes of them."""
    wanted = schema(plan.columns(card))

    def run(records: Source, register: Source) -> ArrowTable:
        return scorer(records, register).select(wanted.names).cast(wanted).sort_by("subject")

    return run
