"""The course of an order, what it holds in each state, and the clocks that move it on. Pure.

Promises that every order ends without anybody's help and that what is forgotten is forgotten in the citizen's favour:
a merchant who says nothing after a return gets nothing, a fault that nobody answers ends the use when it was reported,
and only a person can find a default, never before day 30. A ticket bound to a day and a pass with visits are paid
before anybody goes in, so theirs are shorter courses without debts. The database has the same rows as
`incentives.order_state` and `incentives.order_move`, which the gate functions ask; a test holds them equal.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from core.lifecycle import Event, Machine, State

Keeps = Literal["all", "budgets", "nothing"]
Form = Literal["plain", "ticket", "pass"]

ORDER = Machine(
    name="order",
    title="便利订单",
    states=(
        State("open", "已受理，等待取用"),
        State("active", "使用中"),
        State("clock_stopped", "已报故障，停止计费"),
        State("returned", "已归还，等待商户结算"),
        State("settling", "已结算，等待付款"),
        State("overdue", "付款逾期"),
        State("disputed", "有争议，正在处理"),
        State("settled", "已结清"),
        State("defaulted", "经人工审核认定未履约，只暂停这一项便利"),
        State("closed", "已归档", final=True),
        State("cancelled", "已取消", final=True),
        State("expired", "已失效", final=True),
        State("standard_route", "按普通方式办理", final=True),
    ),
    events=(
        Event("start", "取用", ("partner",)),
        Event("extend", "延长使用", ("partner",)),
        Event("return", "归还", ("partner",)),
        Event("settle", "结算", ("partner",)),
        Event("reverse", "减收或退款", ("partner",)),
        Event("cancel", "取消", ("partner",)),
        Event("sync", "已在别处付清", ("partner",)),
        Event("report-fault", "报告故障", ("citizen",)),
        Event("dispute", "对收费提出争议", ("citizen",)),
        Event("uphold", "争议成立", ("staff", "clock")),
        Event("reject", "争议不成立", ("staff",)),
        Event("default", "认定未履约", ("staff",)),
        Event("write_off", "免除余款", ("staff", "clock")),
        Event("fall_back", "改按普通方式办理", ("rule",)),
        Event("clear", "没有应付的了", ("rule",)),
        Event("expire", "没有按时取用", ("clock",)),
        Event("presume", "视为已归还", ("clock",)),
        Event("forgive", "商户没有按时结算，按零元结清", ("clock",)),
        Event("lapse", "付款期限已过", ("clock",)),
        Event("remind", "提醒付款", ("clock",)),
        Event("close", "归档，与本人脱钩", ("clock",)),
    ),
    moves=(
        ("open", "start", "active"),
        ("active", "extend", "active"),
        ("active", "return", "returned"),
        ("clock_stopped", "return", "returned"),
        ("returned", "settle", "settling"),
        ("settling", "reverse", "settling"),
        ("overdue", "reverse", "overdue"),
        ("disputed", "reverse", "disputed"),
        ("defaulted", "reverse", "defaulted"),
        ("settled", "reverse", "settled"),
        ("open", "cancel", "cancelled"),
        ("active", "cancel", "cancelled"),
        ("clock_stopped", "cancel", "cancelled"),
        ("settling", "sync", "settled"),
        ("overdue", "sync", "settled"),
        ("defaulted", "sync", "settled"),
        ("active", "report-fault", "clock_stopped"),
        ("settling", "dispute", "disputed"),
        ("overdue", "dispute", "disputed"),
        ("settled", "dispute", "disputed"),
        ("defaulted", "dispute", "disputed"),
        ("disputed", "uphold", "settling"),
        ("disputed", "reject", "settling"),
        ("overdue", "default", "defaulted"),
        ("settling", "write_off", "settled"),
        ("overdue", "write_off", "settled"),
        ("open", "fall_back", "standard_route"),
        ("active", "fall_back", "standard_route"),
        ("settling", "clear", "settled"),
        ("overdue", "clear", "settled"),
        ("disputed", "clear", "settled"),
        ("defaulted", "clear", "settled"),
        ("open", "expire", "expired"),
        ("active", "presume", "returned"),
        ("clock_stopped", "presume", "returned"),
        ("returned", "forgive", "settled"),
        ("settling", "lapse", "overdue"),
        ("overdue", "remind", "overdue"),
        ("settled", "close", "closed"),
        ("defaulted", "close", "closed"),
    ),
)

_ENDS = (
    State("settling", "已核销，正在结清"),
    State("settled", "已结清"),
    State("disputed", "有争议，正在处理"),
    State("closed", "已归档", final=True),
    State("cancelled", "已取消", final=True),
    State("expired", "已失效", final=True),
    State("standard_route", "按普通方式办理", final=True),
)
_LATER = (
    Event("cancel", "取消", ("partner",)),
    Event("dispute", "对收费提出争议", ("citizen",)),
    Event("uphold", "争议成立", ("staff", "clock")),
    Event("reject", "争议不成立", ("staff",)),
    Event("fall_back", "改按普通方式办理", ("rule",)),
    Event("clear", "没有应付的了", ("rule",)),
    Event("expire", "过了日子没有使用", ("clock",)),
    Event("close", "归档，与本人脱钩", ("clock",)),
)
_AFTERWARDS = (
    ("open", "cancel", "cancelled"),
    ("open", "expire", "expired"),
    ("open", "fall_back", "standard_route"),
    ("settling", "clear", "settled"),
    ("settled", "reverse", "settled"),
    ("settled", "dispute", "disputed"),
    ("settled", "close", "closed"),
    ("disputed", "reverse", "disputed"),
    ("disputed", "uphold", "settling"),
    ("disputed", "reject", "settling"),
    ("disputed", "clear", "settled"),
)
TICKET = Machine(
    name="ticket",
    title="定日门票订单",
    states=(State("open", "已购票，等待入园"), *_ENDS),
    events=(
        Event("settle", "核销入园", ("partner",)),
        Event("extend", "改期", ("partner",)),
        Event("reverse", "部分退票或退款", ("partner",)),
        *_LATER,
    ),
    moves=(
        ("open", "settle", "settling"),
        ("open", "extend", "open"),
        ("open", "reverse", "open"),
        *_AFTERWARDS,
    ),
)
PASS = Machine(
    name="pass",
    title="年票订单",
    states=(State("open", "已购票，还没有入园"), State("active", "使用中"), *_ENDS),
    events=(
        Event("visit", "入园一次", ("partner",)),
        Event("settle", "退票，按已用次数结算", ("partner",)),
        Event("reverse", "退款", ("partner",)),
        *_LATER,
        Event("run_out", "有效期满", ("clock",)),
    ),
    moves=(
        ("open", "visit", "active"),
        ("active", "visit", "active"),
        ("active", "settle", "settling"),
        ("active", "cancel", "cancelled"),
        ("active", "run_out", "settling"),
        *_AFTERWARDS,
    ),
)
FORMS: Mapping[Form, Machine] = {"plain": ORDER, "ticket": TICKET, "pass": PASS}

MOST_OPEN = 3
FORGET_AFTER_DAYS = 180
LEAVE_WITHIN_DAYS = 30
REVIEW_AFTER_DAYS = 30
REMINDERS_HOURS = (24, 72, 168)
REASONS: Mapping[str, str] = {
    "amount": "金额不对",
    "returned": "我已经归还",
    "broken": "物品或服务有问题",
    "paid": "我已经付过",
    "not_mine": "不是我的订单",
}


class Clock(msgspec.Struct, frozen=True):
    """What a state keeps of what was reserved; what happens `after` hours by itself, or when the citizen leaves.

    Counted from the state's beginning; in `open` from the end of the hold, in `active` from the planned end.
    """

    keeps: Keeps
    after: int | None = None
    event: str | None = None
    at_leaving: str | None = None


CLOCKS: Mapping[str, Clock] = {
    "open": Clock("all", 0, "expire", "expire"),
    "active": Clock("all", 30 * 24, "presume", "presume"),
    "clock_stopped": Clock("all", 24, "presume", "presume"),
    "returned": Clock("all", 72, "forgive", "forgive"),
    "settling": Clock("all", 14 * 24, "lapse", "write_off"),
    "overdue": Clock("all", 180 * 24, "write_off", "write_off"),
    "disputed": Clock("all", 30 * 24, "uphold", "uphold"),
    "defaulted": Clock("all", 365 * 24, "close", "close"),
    "settled": Clock("budgets", 180 * 24, "close", "close"),
    "closed": Clock("budgets"),
    "cancelled": Clock("nothing"),
    "expired": Clock("nothing"),
    "standard_route": Clock("nothing"),
}
RUN_OUT_AFTER_HOURS = 72  # of a pass and a ticket: how long a gate without a line has to say who came
RUNNING = tuple(state for state, clock in CLOCKS.items() if clock.keeps == "all")
