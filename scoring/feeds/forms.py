"""A body of records in one of the three forms that a source may send: NDJSON, CSV, Parquet.

The rules, the codes and the receipt are the same for all; only who cuts the body into lines differs.
"""

from collections.abc import AsyncIterator
from typing import Literal

import msgspec

from core.db import Doors
from scoring import ingest
from scoring.feeds import csvfile, parquetfile
from scoring.ingest import Receipt, Source
from scoring.tally import PUSHED, How

Form = Literal["ndjson", "csv", "parquet"]


async def receive(
    doors: Doors, *, source: Source, body: AsyncIterator[bytes], form: Form, charset: str = "", how: How = PUSHED
) -> Receipt:
    """Take a body (already inflated) and merge it; raises what `ingest.receive` does, and BadHeader.

    `charset` is a value of `csvfile.CHARSETS` and concerns CSV alone.
    """
    how = msgspec.structs.replace(how, form=form)
    if form == "csv":
        return await ingest.take(
            doors, source=source, how=how,
            rows=lambda book: csvfile.rows(body, catalogue=book.catalogue, charset=charset),
        )  # fmt: skip
    if form == "parquet":
        return await ingest.take(
            doors, source=source, how=how, rows=lambda book: parquetfile.rows(body, catalogue=book.catalogue)
        )
    return await ingest.receive(doors, source=source, body=body, how=how)
