"""Live records out of PostgreSQL, many people's at once: binary COPY, straight into columns in memory.

Nothing is written to a disk. Every column is sent in a fixed width and never null, so that a whole answer is read as
one array instead of row by row (PostgreSQL, "COPY", binary format: 4 bytes of length before each value). Promises the
very records that `scoring.rows` gives the online evaluator, since the statement is the same. Providers come as a 64-bit
hash, which is only ever compared with others of the same person, month and kind.
"""

import uuid
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from core import db
from scoring import rows
from scoring.batch.derive import LIVE
from scoring.batch.sources import ArrowTable, arrow, schema

SEVERITIES = ("general", "serious")

_HEADER, _TRAILER = 19, 2
_FROM_1970 = (date(2000, 1, 1) - date(1970, 1, 1)).days  # PostgreSQL counts days from 2000
_NO_DAY = np.iinfo(np.int32).min  # -infinity
_NO_LEVEL = -1

_WIDTHS = {
    "subject": "i4", "kind": "i2", "provider": "i8", "occurred_on": "i4", "quantity": "i8", "level": "i2",
    "severity": "i2", "from_on": "i4", "until_on": "i4",
}  # fmt: skip

# One row as it comes: how many columns, then a length and a value for each, all big-endian.
_ROW = np.dtype(
    [("columns", ">i2")]
    + [each for name, kind in _WIDTHS.items() for each in ((f"length of {name}", ">i4"), (name, f">{kind}"))]
)

_TAKE = f"""
select (place.n - 1)::int4, (array_position($2::text[], c.kind) - 1)::int2, hashtextextended(c.provider, 0),
       c.occurred_on, c.quantity, coalesce(c.level, {_NO_LEVEL})::int2,
       (coalesce(array_position($3::text[], c.severity), 0) - 1)::int2,
       coalesce(c.from_on, '-infinity'), coalesce(c.until_on, '-infinity')
from ({rows.COUNTED}) c
join unnest($1::uuid[]) with ordinality as place (subject, n) on place.subject = c.record_subject
where c.kind = any($2::text[])
"""  # noqa: S608  (constants of ours)


async def take(session: AsyncSession, *, subjects: Sequence[uuid.UUID], kinds: Sequence[str]) -> ArrowTable:
    """The live records of these kinds under these subjects, as `derive.LIVE`; `subject` is the place in the list."""
    taken = bytearray()

    async def keep(piece: bytes) -> None:
        taken.extend(piece)

    connection = await db.raw(session)
    await connection.copy_from_query(_TAKE, list(subjects), list(kinds), list(SEVERITIES), output=keep, format="binary")
    body = memoryview(taken)[_HEADER : len(taken) - _TRAILER]
    return _table(np.frombuffer(body, dtype=_ROW), kinds)


def permitted(
    records: ArrowTable, *, sensitive: AbstractSet[str], allowed: Mapping[int, AbstractSet[str]]
) -> ArrowTable:
    """The records without those of a sensitive kind that their subject (a place) does not allow (PIPL article 29)."""
    pairs = zip(records["subject"].to_pylist(), records["kind"].to_pylist(), strict=True)
    keep = [kind not in sensitive or kind in allowed.get(place, ()) for place, kind in pairs]
    return records.filter(arrow.array(keep, arrow.bool_()))


def _table(found: "np.ndarray[Any, np.dtype[np.void]]", kinds: Sequence[str]) -> ArrowTable:
    """The columns of the rows as they came."""
    plain = {name: found[name].astype(kind) for name, kind in _WIDTHS.items()}
    columns = {
        **{name: arrow.array(plain[name]) for name in ("subject", "provider", "quantity")},
        **{name: _days(plain[name]) for name in ("occurred_on", "from_on", "until_on")},
        "level": arrow.array(plain["level"], mask=plain["level"] == _NO_LEVEL),
        "kind": _words(plain["kind"], kinds),
        "severity": _words(plain["severity"], SEVERITIES),
    }
    return arrow.table({name: columns[name] for name in LIVE}).cast(schema(LIVE))


def _words(places: "np.ndarray[Any, np.dtype[np.int16]]", words: Sequence[str]) -> Any:
    """Words by their place in a list; null for a place below 0."""
    chosen = arrow.array(places.astype("i4"), mask=places < 0)
    return arrow.DictionaryArray.from_arrays(chosen, arrow.array(words, arrow.string())).cast(arrow.string())


def _days(days: "np.ndarray[Any, np.dtype[np.int32]]") -> Any:
    absent = days == _NO_DAY
    return arrow.array(np.where(absent, 0, days + _FROM_1970).astype("i4"), mask=absent).cast(arrow.date32())
