"""A program: Parquet on standard input, one JSON array a row on standard output, column names first.

Runs by itself (`python -m scoring.feeds.parquetreader`), with nothing of ours in its memory or environment, and with
limits on memory and time that the kernel keeps: the file comes from outside and decides what is allocated. A fault is
one JSON object {"code", "detail"} instead of a row, and the end. Types are mapped strictly: texts, whole numbers, yes
and no, dates; a time of day, a fraction or anything nested is no member of a source line.
"""

import importlib
import json
import resource
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

pa: Any = importlib.import_module("pyarrow")  # which has no types; this program is imported by nobody
pq: Any = importlib.import_module("pyarrow.parquet")

MOST_MEMORY = 1 << 31  # of address space; an Arrow that does nothing has taken half of it
MOST_SECONDS = 60
MOST_ROWS = 100_001  # one more than a push may hold, which says so itself
MOST_UNPACKED = 256 << 20
_ROWS = 500


class UnreadableError(Exception):
    """The file is refused as a whole: a code and the next step."""


def main() -> None:
    """Read, write, and say what was wrong."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    out = sys.stdout
    try:
        for line in lines(sys.stdin.buffer.read()):
            out.write(line + "\n")
    except UnreadableError as error:
        out.write(json.dumps({"code": error.args[0], "detail": error.args[1]}) + "\n")
    except (MemoryError, RecursionError):
        out.write(json.dumps({"code": "too_large", "detail": "The file swells beyond what is read."}) + "\n")


def lines(body: bytes) -> Iterator[str]:
    """The header, then the rows."""
    try:
        file = pq.ParquetFile(pa.BufferReader(body))
    except (pa.ArrowException, OSError, ValueError):
        raise UnreadableError("malformed", "The body is no whole Parquet file.") from None
    _refuse(file)
    yield json.dumps(file.schema_arrow.names)
    file = pq.ParquetFile(pa.BufferReader(body), read_dictionary=_texts(file))
    try:
        for batch in file.iter_batches(batch_size=_ROWS):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield json.dumps([cell.isoformat() if isinstance(cell, date) else cell for cell in row])
    except (pa.ArrowException, OSError, ValueError):
        raise UnreadableError("malformed", "The Parquet file breaks off or is damaged.") from None


def _texts(file: Any) -> list[str]:
    return [field.name for field in file.schema_arrow if pa.types.is_string(field.type)]


def _refuse(file: Any) -> None:
    """Raise UnreadableError for what is too much, or of a type that no member of a line has."""
    about = file.metadata
    if about.num_rows >= MOST_ROWS:
        raise UnreadableError("too_many_lines", f"At most {MOST_ROWS - 1} rows a file. Send it in parts.")
    if sum(about.row_group(place).total_byte_size for place in range(about.num_row_groups)) > MOST_UNPACKED:
        raise UnreadableError("too_large", "The file swells beyond what is read. Send it in parts.")
    for place, field in enumerate(file.schema_arrow, 1):
        if not _plain(field.type):
            detail = f"Column {place} has a type that no member has. Use text, whole number, boolean or date."
            raise UnreadableError("bad_header", detail)


def _plain(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    types = pa.types
    texts = types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind)
    return bool(texts or types.is_integer(kind) or types.is_boolean(kind) or types.is_date32(kind))


if __name__ == "__main__":
    main()
