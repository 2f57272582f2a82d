"""The clocks of orders: what is due is done, each order in a transaction of its own.

Idempotent and safe to kill: an order whose step was not committed is simply due again. A partner or citizen who comes
earlier than the round finds the order as if the round had been there (`incentives.catch_up`).
"""

from sqlalchemy import text

from core.db import Doors

_DUE = text("select * from incentives.due_orders(:most)")
_KEEP = text("select incentives.keep_order(:order)")
_FORGET = text("select incentives.forget_orders(:most)")
_SOME = 500


async def keep(doors: Doors) -> int:
    """Do what is due now; returns for how many orders. What is long over loses its link to its citizen."""
    kept = 0
    async with doors.claims("jobs") as session:
        while due := (await session.execute(_DUE, {"most": _SOME})).scalars().all():
            done = [await session.scalar(_KEEP, {"order": one}) for one in due]
            kept += sum(done)
            if not any(done):
                break
        await session.execute(_FORGET, {"most": _SOME})
    return kept
