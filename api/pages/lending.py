"""Simple orders at a shop's counter: out with a tap, back with a tap, nothing owed.

An order here is an ordinary one of the partner's, under a number that begins with the counter's own: a telephone sees
and ends what it began and nothing else. Its clocks are those of every order. Every verb is safe to repeat: keys
follow from the decision and the order. Does not charge: what costs something is settled by the partner's system.
"""

from datetime import datetime

import msgspec

from core import ids
from core.errors import NotFound
from incentives.counters import Counter
from incentives.eligibility import Gate
from incentives.orders import counter as orders
from incentives.orders.counter import Opening

_OUT = ("active", "clock_stopped")
_MOST = 100
_TAG = 3


class Lent(msgspec.Struct, frozen=True):
    """What is out since `at`; `tag` is what one writes on the thing, `begun` False: the ordinary way after all."""

    order_id: str
    tag: str
    at: datetime
    begun: bool


async def lend(gate: Gate, counter: Counter, *, decision_id: str) -> Lent:
    """Open an order by a decision of this counter, and start it. Raises what opening an order raises."""
    asked = Opening(
        out_order_no=f"{_prefix(counter)}{decision_id[3:19]}",
        perk=counter.perk_id,
        decision_id=decision_id,
        deposit=counter.deposit,
        terminal=counter.terminal,
    )
    done = (await orders.open(gate, token=counter.token, key=counter.key(f"open {decision_id}"), asked=asked)).order
    if done.status == "open":
        done = await _step(gate, counter, done.order_id, "start", {})
    return _lent(done)


async def take_back(gate: Gate, counter: Counter, *, order_id: str) -> None:
    """Return an order that this counter began, and settle it at nothing. Raises NotFound for any other."""
    if order_id not in {one.order_id for one in await out(gate, counter)}:
        raise NotFound
    await _step(gate, counter, order_id, "return", {})
    await _step(gate, counter, order_id, "settle", {"items": []})


async def out(gate: Gate, counter: Counter) -> list[Lent]:
    """What this counter began and is not back, newest first."""
    if not counter.orders:
        return []
    pages = [await orders.find(gate, token=counter.token, status=status, most=_MOST) for status in _OUT]
    return [_lent(one) for page in pages for one in page.orders if one.out_order_no.startswith(_prefix(counter))]


async def _step(gate: Gate, counter: Counter, order_id: str, action: str, given: dict[str, object]) -> orders.Order:
    key = counter.key(f"{action} {order_id}")
    return (await orders.act(gate, token=counter.token, key=key, order_id=order_id, action=action, given=given)).order


def _lent(order: orders.Order) -> Lent:
    return Lent(order.order_id, order.out_order_no[-_TAG:], order.opened_at, order.status in _OUT)


def _prefix(counter: Counter) -> str:
    """What the numbers of a counter's orders begin with: ten letters of its random id."""
    return f"T{ids.show('ct', counter.id)[-10:]}-"
