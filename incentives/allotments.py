"""What is left of a citizen's own budgets of each perk, and which perks their own orders leave no room in just now.

For their eyes alone, since it says what they used.
The gate functions find the citizen by the proof of the session. What is spent comes back when an order is undone.
"""

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_OWN = text("select perk_id, every, count, amount, orders, waived from incentives.own_budgets()")
_AGAINST = text("select perk_id, cause from incentives.orders_against()")


class Left(msgspec.Struct, frozen=True):
    """One budget: in which time (`every`: day, month, year, ever), how many orders and how many fen are left.

    `of_count` and `of_amount` are the whole; None: there is no limit of that sort.
    """

    every: str
    count: int | None
    of_count: int | None
    amount: int | None
    of_amount: int | None


async def left(session: AsyncSession) -> dict[str, tuple[Left, ...]]:
    """Give what is left today to the citizen at the door, per perk id that has such budgets."""
    found: dict[str, tuple[Left, ...]] = {}
    for row in (await session.execute(_OWN)).mappings():
        count, amount = row["count"], row["amount"]
        one = Left(row["every"], _rest(count, row["orders"]), count, _rest(amount, row["waived"]), amount)
        found[row["perk_id"]] = (*found.get(row["perk_id"], ()), one)
    return found


async def against(session: AsyncSession) -> dict[str, str]:
    """Give per perk id why the orders of the citizen at the door stand against one more: paused, exposure, citizen."""
    return {row.perk_id: row.cause for row in await session.execute(_AGAINST)}


def _rest(whole: int | None, used: int) -> int | None:
    return None if whole is None else max(0, whole - used)
