"""Any order of our steps, a payer's acts, faults, callbacks and crashes: both sides end at the same amount."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, Invalid
from core.lifecycle import IllegalTransition
from incentives.channels.asking import Told
from incentives.orders.counter import Order
from tests.channelworld import Counter
from tests.orderworld import LINES

_OURS: dict[str, dict[str, Any]] = {
    "start": {}, "return": {}, "settle": LINES, "cancel": {}, "sync": {"paid_amount": 500},
    "reverse": {"items": [{"line": 1, "amount": 100}]},
}  # fmt: skip
_ACT = st.one_of(
    st.sampled_from(["start", "return", "settle", "settle", "cancel", "sync", "reverse", "agree", "agree", "pay"]),
    st.tuples(st.just("look"), st.lists(st.sampled_from(["", "lost", "500", "forged"]), max_size=4)),
    st.tuples(st.just("crash"), st.tuples(st.integers(0, 3), st.booleans())),
)
# A loan in its usual order, so that what comes late is reached, too.
_WAY = ("look", "agree", "look", "start", "return", "settle", "look")


class Killed(Exception):
    """The process is no more."""


@pytest.mark.parametrize("usual", [0, len(_WAY)])
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=st.lists(_ACT, min_size=3, max_size=12))
async def test_one_freeze_one_charge_and_nothing_left(shop: Counter, usual: int, acts: list[Any]) -> None:
    """Never two freezes, never more than the guarantee, nothing held in the end, and what was taken is on the order."""
    order = await shop.till.opened()
    launch = ""
    for act in [*_WAY[:usual], *acts]:
        await _do(shop, order, act, launch)
        launch = (await shop.row(order))["launch"] or launch
    await _end(shop, order)
    row, ours = await shop.row(order), await shop.order(order)
    assert shop.frozen(order) == 0
    assert shop.taken(order) == row["paid"] <= row["amount"]
    if hasattr(shop.server, "freezes"):
        assert shop.server.freezes.count(order.order_id) <= 1
    if row["parked"] == "paid_twice":
        assert row["recorded"] == 0
        assert ours["paid"] > 0
    else:
        assert (row["parked"], row["recorded"]) == (None, shop.taken(order))
        assert ours["paid"] >= row["recorded"]


async def _do(shop: Counter, order: Order, act: Any, launch: str) -> None:
    shop.server.faults.clear()
    name, more = act if isinstance(act, tuple) else (act, [])
    if name in _OURS:
        with suppress(Conflict, Invalid):  # illegal now, or another amount is due
            await shop.till.act(order, name, **_OURS[name])
    elif name == "agree":
        _agree(shop, order, launch)
    elif name == "pay":
        _pay(shop, order)
    elif name == "look":
        shop.server.fault(*more)
        await shop.look(order, again=True)
    else:
        await _crash(shop, order, *more)


async def _crash(shop: Counter, order: Order, after: int, sent: bool) -> None:  # noqa: FBT001  (drawn)
    """The worker dies at its call number `after`, before or after the channel had it."""
    whole: Callable[..., Awaitable[Told]] = shop.mirror._ask
    count = 0

    async def die(account: Any, call: Any) -> Told:
        nonlocal count
        count += 1
        told = await whole(account, call) if count <= after or sent else None
        if told is None or count > after:
            raise Killed
        return told

    shop.mirror._ask = die
    try:
        await shop.look(order, again=True)
    except Killed:
        pass
    finally:
        shop.mirror._ask = whole


def _agree(shop: Counter, order: Order, launch: str) -> None:
    if shop.account.channel == "wechat":
        if order.order_id in shop.server.orders:
            shop.server.confirm(order.order_id, order.order_id)  # type: ignore[union-attr]
    elif launch:
        shop.server.launch(launch)  # type: ignore[union-attr]


def _pay(shop: Counter, order: Order) -> None:
    if shop.account.channel == "wechat":
        if order.order_id in shop.server.orders:
            shop.server.pay(order.order_id)
        return
    for trade in list(shop.server.trades):  # type: ignore[union-attr]
        if trade.startswith(order.order_id):
            shop.server.pay(trade)


async def _end(shop: Counter, order: Order) -> None:
    """All faults end; the order is brought to its end; the channel is looked at until nothing is waited for."""
    shop.server.faults.clear()
    await shop.look(order, again=True)
    for action, given_now in (("cancel", {}), ("settle", LINES)):
        try:
            await shop.till.act(order, action, **given_now)
        except IllegalTransition:
            continue
    await shop.look(order, again=True)
    _pay(shop, order)
    await shop.look(order, again=True)
    ours = await shop.order(order)
    if ours["status"] == "settling":  # nobody had agreed there: it is paid at the till
        due = ours["charge"] - ours["reversed"] - ours["paid"]
        await shop.till.act(order, "sync", paid_amount=due)
    for _ in range(3):
        await shop.look(order, again=True)
