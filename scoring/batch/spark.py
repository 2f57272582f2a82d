"""Spark, here or at the other end of a Spark Connect address: the same plan as one SQL statement.

Files are read by Spark itself, so their paths must mean the same to its workers. It needs pyspark (and here a Java of
17 or newer); neither is part of an ordinary installation.
"""

import importlib
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from scoring.batch import gather, plan, slots
from scoring.batch.gather import ibis
from scoring.batch.sources import ArrowTable, Part, Scorer, Source, arrow, schema
from scoring.book.scorecard import Scorecard


class SparkMissing(ValueError):
    """Spark is asked for, and isn't there."""


@contextmanager
def opened(card: Scorecard, as_of: date, remote: str) -> Generator[Scorer]:
    """Open a session with the plan; a local one when there is no address."""
    statement = str(ibis.to_sql(_known(_query(card, as_of)), dialect="pyspark"))
    session = _session(remote)

    def bind(name: str, source: Source) -> None:
        frame = _read(session, source) if isinstance(source, Part) else session.createDataFrame(source)
        frame.createOrReplaceTempView(name)

    def run(records: Source, register: Source) -> ArrowTable:
        bind("records", records)
        bind("register", register)
        return session.sql(statement).toArrow()

    bind("kinds", _table(slots.KINDS, slots.kinds(card, as_of)))
    bind("months", _table(slots.MONTHS, slots.months(as_of).items()))
    try:
        yield run
    finally:
        session.stop()


def _query(card: Scorecard, as_of: date) -> Any:
    """The plan over tables named `records`, `register`, `kinds` and `months`."""
    tables = {"records": plan.RECORDS, "register": plan.REGISTER, "kinds": slots.KINDS, "months": slots.MONTHS}
    records, register, kinds, months = [ibis.table(columns, name=name) for name, columns in tables.items()]
    return plan.build(card, gather.joined(card, records, register, kinds, months, as_of), as_of)


def _table(columns: Mapping[str, str], found: Iterable[tuple[Any, ...]]) -> ArrowTable:
    return arrow.table(list(zip(*found, strict=True)), schema=schema(columns))


def _known(query: Any) -> Any:
    """The plan with Spark's own `bit_or`, an aggregate that Ibis has for the other engines alone."""
    operations: Any = importlib.import_module("ibis.expr.operations")

    @ibis.udf.agg.builtin
    def bit_or(_bits: int) -> int:  # its body is Spark's
        raise NotImplementedError

    def replaced(node: Any, parts: dict[str, Any] | None) -> Any:
        given = node.__recreate__(parts) if parts else node
        return bit_or(given.arg.to_expr()).op() if isinstance(node, operations.BitOr) else given

    return query.op().replace(replaced).to_expr()


def _read(session: Any, part: Part) -> Any:
    frame = session.read.parquet(*map(str, part.files))
    return frame.where(f"subject between {part.low} and {part.high}")


def _session(remote: str) -> Any:
    try:
        builder: Any = importlib.import_module("pyspark.sql").SparkSession.builder
    except ImportError as missing:
        message = "pyspark is not installed: `pip install 'pyspark[connect]'`, or choose duckdb or polars."
        raise SparkMissing(message) from missing
    if remote:
        builder = builder.remote(remote)
    else:  # where the driver does all the work: a gigabyte, its default, does not hold a range of a million people
        here = {"spark.ui.enabled": "false", "spark.driver.memory": "4g"}
        builder = builder.master("local[*]").config(map=here)
    return builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
