"""Plain Chinese for what the rooms say in codes: times, points, states, acts and outcomes."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from markupsafe import Markup, escape

from api.pages import acts
from core import clock

_NUMBER = re.compile(r"(\+?\d[\d-]{3,}\d)")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})")


def day(value: date) -> Markup:
    """2026-03-01 as 2026年3月1日, in a `time` element."""
    shown = f"{value.year}年{value.month}月{value.day}日"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), escape(shown))


def moment(value: datetime) -> Markup:
    """An instant as day and minute in the city's zone."""
    local = value.astimezone(clock.CITY_ZONE)
    shown = f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), shown)


def hour(value: datetime) -> str:
    """An instant as the city's time of day, to the second."""
    return f"{value.astimezone(clock.CITY_ZONE):%H:%M:%S}"


def prose(text: str, shown: Callable[[date], Markup] = day) -> Markup:
    """A sentence of the rule book, its ISO dates `shown` as elements that never break across lines."""
    parts = _ISO.split(text)
    return Markup("").join(_dated(part, shown) if turn % 2 else part for turn, part in enumerate(parts))


def dial(text: str) -> Markup:
    """A contact's words, its telephone numbers kept on one line."""
    parts = _NUMBER.split(text)
    number = Markup('<span class="num">{}</span>')
    return Markup("").join(number.format(part) if turn % 2 else part for turn, part in enumerate(parts))


def _dated(part: str, shown: Callable[[date], Markup]) -> str:
    """A day in words; what only looks like one (a document number) as it stands."""
    try:
        return shown(date.fromisoformat(part))
    except ValueError:
        return part


def points(value: float) -> str:
    """Points with one digit: 121.5."""
    return f"{value:.1f}"


def change(value: float) -> str:
    """A change with its sign, a real minus: +0.5, −2.0."""
    return f"+{value:.1f}" if value > 0 else f"−{-value:.1f}" if value < 0 else "0.0"


CONSENT = {
    "given": "有效",
    "withdrawn": "已撤回",
    "expired": "已到期",
    "outdated": "因告知书扩大了处理范围而停止",
    "superseded": "已被后来的同意替代",
    "used": "已使用",
}
_OUTCOMES = {
    "granted": "可以享受",
    "standard_route": "按普通方式办理",
    "done": "已完成",
    "denied": "已拒绝",
    "told": "已通知",
    "asked": "已受理",
    "shown": "已查看",
    "kept": "维持原结果",
    "improved": "已改善",
}
_CAUSES = {
    "not_enrolled": "您当时没有加入，所以按普通方式办理。对方不知道原因。",
    "withdrawn": "您当时已经撤回同意，所以按普通方式办理。对方不知道原因。",
    "consent_expired": "您的同意当时已经到期，所以按普通方式办理。对方不知道原因。",
    "share_ended": "您已不再允许对方查询，所以按普通方式办理。对方不知道原因。",
    "code_consent_ended": "这个信用码当时已经失效，所以按普通方式办理。对方不知道原因。",
    "not_computed": "分数当时还没有算好，所以按普通方式办理。对方不知道原因。",
    "held": "您当时有一项暂停等级的记录，所以按普通方式办理。对方不知道原因。",
    "paused": "这项便利因一个没有付清的订单暂停，付清后立即恢复；所以按普通方式办理。对方不知道原因。",
    "exposure": "您已有的订单占满了这项便利的额度（最多三单），所以按普通方式办理。对方不知道原因。",
    "citizen": "您这段时间使用这项便利的次数或额度已用完，所以按普通方式办理。对方不知道原因。",
    "checked": "核对时不能享受，所以按普通方式办理。对方不知道原因。",
    "unknown_holder": "对方出示的编号找不到人，所以按普通方式办理。",
    "below": "您当时的分数没有达到这项便利的要求，所以按普通方式办理。对方不知道分数和原因。",
}
_REASONS = {
    "perk_closed": "这项便利当时暂停。",
    "perk_unknown": "对方当时不提供这项便利。",
    "terminal_unknown": "对方用的设备没有登记。",
    "code_expired": "信用码过期了。",
    "code_used": "信用码已经用过了。",
    "code_not_for_you": "信用码是给别的商家或别的便利用的。",
    "amount_over_cap": "金额超过了这项便利的上限。",
    "budget_spent": "这项便利今天的名额用完了。",
}
_BREACHED = {
    "eligibility": "您能不能享受便利",
    "orders": "您的便利订单",
    "records": "信用记录",
    "identity": "身份信息",
    "matters": "您提交的复核和更正",
    "account": "您本人页面上的信息",
}
_MOVES = {
    "enrolled": "您加入了，开始计分",
    "date": "日子到了：有的记录超出了计分期限，或者新的清白年度开始",
    "rules": "评分规则变更",
    "source.dropped": "您停用了一个信息来源",
    "sensitive.ended": "您撤回了一项敏感信息的单独同意",
    "records.write": "收到了新的记录",
    "records.revoke": "报送单位撤销了记录",
    "records.withdraw": "报送单位撤回了整批报错的记录",
    "records.correct": "报送单位更正了记录",
    "records.repair": "信用修复完成",
    "dispute.open": "您提出异议，核实期间这项扣分不计",
    "dispute.accept": "新证据成立，核实期间这项扣分不计",
    "dispute.uphold": "异议成立，记录已撤销或更正",
    "dispute.reject": "异议不成立，扣分从这天起恢复",
    "dispute.overrule": "异议不成立，扣分从这天起恢复",
    "dispute.note": "异议无法核实，扣分从这天起恢复，您的说法注记在旁",
    "dispute.withdraw": "您撤回了异议，扣分从这天起恢复",
    "dispute.settle": "异议结束，记录已撤销、修复或删除",
    "record.pending": "记录的依据正在诉讼或复议，暂不计分",
    "record.decided": "诉讼或复议结束，扣分从这天起恢复",
    "hidden": "您让一条记录不计分",
    "shown": "您让一条记录重新计分",
    "refused": "您不再让某一类记录被收取",
}


_STATUS = {
    "active": "计分",
    "hidden": "您已设为不计分",
    "disputed": "异议核实中，不计",
    "repaired": "已修复，不计",
    "revoked": "已撤销，不计",
}


# Of whom the demo city tells which story, in words for who picks one.
_STORIES = {
    "high": "分数高，便利都能用",
    "just_below": "差一点到下一档",
    "clean_no_records": "刚加入，还没有记录",
    "not_enrolled": "还没有加入，从头走一遍",
    "withdrew": "加入过，又撤回了",
    "open_dispute": "正在提异议",
    "minor": "不满18岁",
    "visitor": "从别的城市来",
    "repairable": "有一条可以修复的记录",
    "declared": "在申报里作了承诺",
}


def story(note: str) -> str:
    """What the note of a demo person means."""
    return _STORIES.get(note, note)


def status(code: str) -> str:
    """How a record stands."""
    return _STATUS.get(code, code)


DRAWN = "已生成；有人扫了，会另外列出"


def outcome(code: str) -> str:
    """What came out of an access."""
    return _OUTCOMES.get(code, code)


def act(code: str) -> str:
    """What somebody did."""
    return acts.ACTS.get(code, code)


def remark(detail: Mapping[str, Any]) -> str:
    """What the owner alone is told about a check; empty when there is nothing."""
    if notice := detail.get("notice"):
        return f"涉及：{'、'.join(_BREACHED[kind] for kind in detail['kinds'])}。{notice}"
    if cause := detail.get("cause"):
        return _CAUSES.get(cause, "")
    if reason := detail.get("reason"):
        return _REASONS.get(reason, "")
    return ""


def move(cause: str) -> tuple[str, str]:
    """Why points moved, and the source that moved them (empty for none)."""
    name, _, source = cause.partition(":")
    return _MOVES.get(name, "重新计算"), "" if name == "refused" else source


def yuan(fen: int) -> str:
    """An amount as a price tag has it: whole yuan without decimals."""
    whole, rest = divmod(fen, 100)
    return f"{whole:,}元" if not rest else f"{whole:,}.{rest:02d}元"


# Everything that this module may say in fixed words; tests/api/test_pages_english.py wants the English of each.
EVERY = frozenset(
    said
    for table in (CONSENT, _OUTCOMES, _CAUSES, _REASONS, _BREACHED, _MOVES, _STATUS, _STORIES)
    for said in table.values()
)
FILTERS: Mapping[str, Callable[..., Any]] = {
    "story": story,
    "day": day,
    "moment": moment,
    "prose": prose,
    "dial": dial,
    "clock": hour,
    "points": points,
    "change": change,
    "yuan": yuan,
}
