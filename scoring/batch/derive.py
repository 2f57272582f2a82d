"""From live records to the rows that points are counted on, many people's at once: `scoring.points.facts` in columns.

Pure. The two are held equal by Hypothesis. A record comes with a whole number in place of its provider, which only
says whether two records of a person have the same one; in its row it is text again, as in the batch path's file.
"""

from typing import Any

from scoring.batch.plan import RECORDS
from scoring.batch.sources import ArrowTable, arrow, compute, schema
from scoring.book.kinds import MONTHLY
from scoring.points.facts import HOURS, HOURS_A_DAY

LIVE = {name: kind for name, kind in RECORDS.items() if name != "status"} | {"provider": "int64"}


def rows(live: ArrowTable) -> ArrowTable:
    """Give the rows of live records, as `plan.RECORDS`; `live` has the columns of `LIVE`."""
    monthly = compute.is_in(live["kind"], arrow.array(sorted(MONTHLY)))
    hours = compute.equal(live["kind"], HOURS)
    alone = live.filter(compute.invert(compute.or_(monthly, hours)))
    parts = (_months(live.filter(monthly)), _days(live.filter(hours)), _whole(alone))
    return arrow.concat_tables([part.select(list(RECORDS)).cast(schema(RECORDS)) for part in parts])


def _months(live: ArrowTable) -> ArrowTable:
    """One row a month, kind and provider."""
    days = live["occurred_on"].to_numpy().astype("datetime64[M]").astype("datetime64[D]")
    dated = live.set_column(live.schema.get_field_index("occurred_on"), "occurred_on", arrow.array(days))
    return _whole(dated.group_by(["subject", "kind", "provider", "occurred_on"]).aggregate([]), quantity=1)


def _days(live: ArrowTable) -> ArrowTable:
    """One row a day: the hours over all organisations, but eight at most."""
    days = live.group_by(["subject", "kind", "occurred_on"]).aggregate([("quantity", "sum")])
    hours = compute.min_element_wise(days["quantity_sum"], HOURS_A_DAY)
    return _whole(days.append_column("quantity", hours), provider="")


def _whole(rows: ArrowTable, **fixed: Any) -> ArrowTable:
    """Fill the columns that these rows do not have: with what is fixed, or with nothing."""
    for name in RECORDS:
        if name not in rows.column_names:
            value = arrow.scalar(({"status": "active"} | fixed).get(name), schema(RECORDS).field(name).type)
            rows = rows.append_column(name, arrow.repeat(value, len(rows)))
    return rows
