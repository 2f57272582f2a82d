"""How an order is guaranteed, for its partner and its citizen: by nobody but the partner, or by its channel, how far.

Says nothing of the payer: not who they are there, and not why a channel did not let them.
"""

from typing import Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import ids
from core.errors import NotFound
from incentives.channels.course import STAGES, Channel, Stage
from incentives.eligibility import Gate, TokenDead
from incentives.orders.counter import PREFIX

_OF = "select * from incentives.guarantee_of_caller($1, $2)"
_MINE = text("select number, channel from incentives.guarantors_of_citizen()")
State = Literal["preparing", "to_confirm", "held", "charging", "paid", "not_guaranteed", "ended"]


class Guarantee(msgspec.Struct, frozen=True):
    """`guarantor`: `own` is the partner's own risk. Amounts in fen.

    `launch`: with what the payer's telephone goes on while `state` is `to_confirm`: WeChat's `package`, or Alipay's
    order string. `refund_due`: what the channel took beyond the order, for the partner to return there. `attention`:
    the channel gives no sure answer, or both were paid; a person looks at it.
    """

    order_id: str
    guarantor: Literal["own", "wechat", "alipay"]
    state: State | None = None
    amount: int = 0
    charged: int = 0
    paid: int = 0
    refund_due: int = 0
    launch: str | None = None
    attention: bool = False


async def of(gate: Gate, *, token: bytes, order_id: str) -> Guarantee:
    """The guarantee of an order of the caller's. Raises TokenDead, NotFound."""
    rows = await gate.fetch(_OF, token, ids.read(PREFIX, order_id))
    if not rows:
        raise TokenDead("Ask for a new access token.")
    row = rows[0]
    if row["status"] is None:
        raise NotFound
    channel: Channel | None = row["channel"]
    if channel is None:
        return Guarantee(order_id, "own")
    over = row["paid"] - row["recorded"] if row["parked"] and row["stage"] == "paid" else 0
    return Guarantee(
        order_id, channel, _state(row["stage"], row["status"]), row["amount"], row["charged"], row["paid"], over,
        row["launch"] if row["stage"] == "to_confirm" else None, row["parked"],
    )  # fmt: skip


async def mine(session: AsyncSession) -> dict[str, Channel]:
    """Which channel guarantees which order of the citizen at the door; the partner's own risk is absent."""
    return {row.number: row.channel for row in await session.execute(_MINE)}


def _state(stage: Stage, status: str) -> State:
    """The stage in a merchant's words: one that is over before the order is, guarantees nothing."""
    if stage == "none":
        return "preparing" if "held" in STAGES[status] else "ended"
    if stage == "released":
        return "ended" if "released" in STAGES[status] else "not_guaranteed"
    return stage
