"""The courses of a citizen's rights: repairs, self-declarations, commitments. Pure.

Each is a state table (`core.lifecycle`) that code, pages, docs and property tests share. An end that helps is reached
by an act of whoever is responsible; an end that refuses carries reasons, and none of them takes a point away.
"""

from core.lifecycle import Event, Machine, State

REPAIR = Machine(
    name="repair",
    title="信用修复",
    states=(
        State("applied", "已申请"),
        State("checked", "已核对条件"),
        State("extended", "已延长三个工作日"),
        State("approved", "已同意修复", final=True),
        State("refused", "不予修复", final=True),
        State("withdrawn", "已撤回", final=True),
        State("settled", "已由原单位修复或撤销", final=True),
    ),
    events=(
        Event("check", "核对条件", ("staff",)),
        Event("extend", "延长期限", ("staff",)),
        Event("approve", "同意修复", ("staff",)),
        Event("refuse", "不予修复", ("staff",)),
        Event("withdraw", "撤回申请", ("citizen",)),
        Event("settle", "原单位修复或撤销", ("source", "clock")),
    ),
    moves=(
        ("applied", "check", "checked"),
        ("checked", "extend", "extended"),
        ("checked", "approve", "approved"),
        ("extended", "approve", "approved"),
        ("applied", "refuse", "refused"),
        ("checked", "refuse", "refused"),
        ("extended", "refuse", "refused"),
        ("applied", "withdraw", "withdrawn"),
        ("checked", "withdraw", "withdrawn"),
        ("extended", "withdraw", "withdrawn"),
        ("applied", "settle", "settled"),
        ("checked", "settle", "settled"),
        ("extended", "settle", "settled"),
    ),
)

DECLARATION = Machine(
    name="declaration",
    title="自主申报",
    states=(
        State("declared", "等待核实"),
        State("overdue", "核实逾期"),
        State("verified", "已核实", final=True),
        State("refused", "未能核实", final=True),
        State("withdrawn", "已撤回", final=True),
        State("lapsed", "无人核实，已结束", final=True),
    ),
    events=(
        Event("verify", "核实属实", ("source",)),
        Event("refuse", "未能核实", ("source",)),
        Event("withdraw", "撤回申报", ("citizen",)),
        Event("remind", "核实期限已过", ("clock",)),
        Event("lapse", "最长期限已过", ("clock",)),
    ),
    moves=(
        ("declared", "verify", "verified"),
        ("overdue", "verify", "verified"),
        ("declared", "refuse", "refused"),
        ("overdue", "refuse", "refused"),
        ("declared", "withdraw", "withdrawn"),
        ("overdue", "withdraw", "withdrawn"),
        ("declared", "remind", "overdue"),
        ("overdue", "lapse", "lapsed"),
    ),
)

COMMITMENT = Machine(
    name="commitment",
    title="告知承诺",
    states=(
        State("made", "履行中"),
        State("overdue", "期限已过，等待核实"),
        State("kept", "已履行", final=True),
        State("broken", "认定未履行"),
        State("mended", "未履行已修复", final=True),
        State("withdrawn", "已撤回", final=True),
    ),
    events=(
        Event("keep", "核实已履行", ("source",)),
        Event("break", "书面认定未履行", ("source",)),
        Event("lift", "撤销认定", ("source",)),
        Event("mend", "修复认定", ("source", "staff")),
        Event("withdraw", "撤回承诺", ("citizen",)),
        Event("remind", "承诺期限已过", ("clock",)),
    ),
    moves=(
        ("made", "keep", "kept"),
        ("overdue", "keep", "kept"),
        ("made", "break", "broken"),
        ("overdue", "break", "broken"),
        ("broken", "lift", "made"),
        ("broken", "mend", "mended"),
        ("made", "withdraw", "withdrawn"),
        ("made", "remind", "overdue"),
    ),
)
