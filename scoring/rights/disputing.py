"""The course of a dispute: its state table, and what may be objected. Pure.

How many working days each open state has is published (`scoring.book.disputefile`). A clock that runs out moves the
dispute on by itself, and whatever waits for an office costs the citizen nothing: a disputed deduction does not count
meanwhile.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from core.lifecycle import Event, Machine, State

Reason = Literal["not_mine", "not_true", "wrong_detail", "lapsed", "not_told", "other"]
REASONS: Mapping[Reason, str] = {
    "not_mine": "不是我的记录",
    "not_true": "没有发生，或者与事实不符",
    "wrong_detail": "数量、日期、等级等内容有误",
    "lapsed": "已撤销、已缴清、已履行，或者已过期限",
    "not_told": "处罚或欠费没有依法告知我",
    "other": "其他",
}
# Only the source can send the right line; to take the record away would not help whom it helps.
NEEDS_A_LINE: frozenset[Reason] = frozenset({"wrong_detail"})


OPEN = ("opened", "with_source", "extended", "escalated")
# What the clock does by itself where the days are over; an escalated dispute waits for a head, overdue.
OVERDUE: Mapping[str, str] = {"opened": "forward", "with_source": "escalate", "extended": "escalate"}

DISPUTE = Machine(
    name="dispute",
    title="异议",
    states=(
        State("opened", "已提出，本平台自查"),
        State("with_source", "来源单位核实中"),
        State("extended", "核实期已延长"),
        State("escalated", "逾期，负责人督办"),
        State("upheld", "异议成立", final=True),
        State("rejected", "异议不成立", final=True),
        State("unresolved", "无法核实，已注记您的说法", final=True),
        State("withdrawn", "已撤回", final=True),
        State("settled", "记录已被撤销、修复或删除", final=True),
    ),
    events=(
        Event("forward", "转来源单位核实", ("staff", "clock")),
        Event("extend", "负责人批准延长", ("staff",)),
        Event("escalate", "上报负责人督办", ("staff", "clock")),
        Event("accept", "新证据成立，暂停扣分", ("staff",)),
        Event("uphold", "认定异议成立", ("source", "staff")),
        Event("reject", "来源单位认定不成立", ("source",)),
        Event("overrule", "负责人认定不成立", ("staff",)),
        Event("note", "无法核实，注记异议", ("staff",)),
        Event("withdraw", "撤回异议", ("citizen",)),
        Event("settle", "记录已被撤销、修复或删除", ("source", "clock")),
    ),
    moves=(
        ("opened", "forward", "with_source"),
        ("with_source", "extend", "extended"),
        ("with_source", "escalate", "escalated"),
        ("extended", "escalate", "escalated"),
        *((state, "accept", state) for state in OPEN),
        *((state, "uphold", "upheld") for state in OPEN),
        *((state, "reject", "rejected") for state in OPEN[1:]),
        ("escalated", "overrule", "rejected"),
        ("escalated", "note", "unresolved"),
        *((state, "withdraw", "withdrawn") for state in OPEN),
        *((state, "settle", "settled") for state in OPEN),
    ),
)


def reasons() -> tuple[Reason, ...]:
    """The codes of what may be objected, in the order of the form."""
    return get_args(Reason)
