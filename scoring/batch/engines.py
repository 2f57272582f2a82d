"""The engines that run the plan: DuckDB, Polars, Spark. One verb, `score`, and the same rows from each.

Everything untyped of the three libraries ends here and in `scoring.batch.spark`: what goes in is an Arrow table or a
range of Parquet files, what comes out an Arrow table with the columns of `plan.columns`, sorted by subject. Promises
equal integers on every engine; does not promise equal speed, and checks no file (`scoring.batch.files` does). Each
library is loaded when its engine is opened, so that nobody carries three.
"""

import importlib
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from importlib import metadata
from typing import Any

from scoring.batch import gather, plan, spark
from scoring.batch.gather import ibis
from scoring.batch.sources import ArrowTable, Part, Scorer, Source, arrow, schema
from scoring.book.scorecard import Scorecard

ENGINES = ("duckdb", "polars", "spark")


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
    query, slots = expression(card, as_of), slot_table(card, as_of)
    if engine == "duckdb":
        with _duckdb(query, slots) as scorer:
            yield _tidy(card, scorer)
    elif engine == "polars":
        yield _tidy(card, _polars(query, slots))
    elif engine == "spark":
        with spark.opened(query, slots, remote) as scorer:
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


def expression(card: Scorecard, as_of: date) -> Any:
    """The plan over tables named `records`, `register` and `slots`."""
    tables = {"records": plan.RECORDS, "register": plan.REGISTER, "slots": gather.SLOTS}
    records, register, slots = [ibis.table(columns, name=name) for name, columns in tables.items()]
    return plan.build(card, records, register, slots, as_of)


def slot_table(card: Scorecard, as_of: date) -> ArrowTable:
    """The table `slots` that `gather` joins."""
    rows = gather.slotted(card, as_of)
    return arrow.table(
        [[row[column] for row in rows] for column in range(len(gather.SLOTS))], schema=schema(gather.SLOTS)
    )


@contextmanager
def _duckdb(query: Any, slots: ArrowTable) -> Generator[Scorer]:
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

    bind("slots", slots)
    try:
        yield run
    finally:
        connection.close()


def _polars(query: Any, slots: ArrowTable) -> Scorer:
    polars: Any = importlib.import_module("polars")
    connection: Any = ibis.polars.connect()
    types = {"int64": polars.Int64, "int16": polars.Int16, "int8": polars.Int8}
    types |= {"string": polars.String, "date": polars.Date}

    def bind(name: str, source: Source, columns: dict[str, str]) -> None:
        if isinstance(source, Part):
            inside = polars.col("subject").is_between(source.low, source.high)
            frame = polars.scan_parquet(list(source.files)).filter(inside)
        else:
            frame = polars.from_arrow(source).lazy()
        frame = frame.select([polars.col(column).cast(types[kind]) for column, kind in columns.items()])
        connection.create_table(name, frame, overwrite=True)

    def run(records: Source, register: Source) -> ArrowTable:
        bind("records", records, plan.RECORDS)
        bind("register", register, plan.REGISTER)
        return connection.to_polars(query, engine="streaming").to_arrow()

    bind("slots", slots, gather.SLOTS)
    return run


def _tidy(card: Scorecard, scorer: Scorer) -> Scorer:
    """Give the columns their types and the rows their order, whatever an engine makes of them."""
    wanted = schema(plan.columns(card))

    def run(records: Source, register: Source) -> ArrowTable:
        return scorer(records, register).select(wanted.names).cast(wanted).sort_by("subject")

    return run
