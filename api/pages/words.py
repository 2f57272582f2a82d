"""Plain Chinese for what the rooms say in codes: times, points, states, acts and outcomes."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from markupsafe import Markup, escape

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


def prose(text: str) -> Markup:
    """A sentence of the rule book, its ISO dates as Chinese ones that never break across lines."""
    parts = _ISO.split(text)
    return Markup("").join(_dated(part) if turn % 2 else part for turn, part in enumerate(parts))


def dial(text: str) -> Markup:
    """A contact's words, its telephone numbers kept on one line."""
    parts = _NUMBER.split(text)
    number = Markup('<span class="num">{}</span>')
    return Markup("").join(number.format(part) if turn % 2 else part for turn, part in enumerate(parts))


def _dated(part: str) -> str:
    """A day in words; what only looks like one (a document number) as it stands."""
    try:
        return day(date.fromisoformat(part))
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
_ACTS = {
    "eligibility.check": "查询您能不能享受一项便利（看不到分数和记录）",
    "account.link": "一个微信账号连到了您",
    "session.end": "您结束了登录",
    "everyone.nightly": "每天为所有参加的人重新计分，看日子到了有没有变化",
    "records.write": "报送了您的记录",
    "quality.trace": "查了您一条记录是来源单位哪一批、哪一行报送的（核对数据质量）",
    "verify.ask": "您请主管部门核验了一项“是或不是”（结果只给您看，不保存）",
    "history.ask": "按您的同意，请来源单位提供您已有的记录（只给出与该单位约定的摘要）",
    "records.revoke": "撤销了报送过的记录",
    "records.correct": "更正了报送过的记录",
    "records.repair": "报送了信用修复的结果",
    "counter.arrive": "柜台核对了您的身份证",
    "counter.open": "柜台为您开始代办",
    "counter.prove": "柜台再次核对了您本人",
    "counter.request": "柜台在您在场时代您操作",
    "counter.end": "柜台结束了代办",
    "card.bind": "您绑定了市民卡",
    "card.unbind": "您解绑了市民卡",
    "counter_code.draw": "您为柜台生成了一次性口令",
    "death.record": "柜台登记了本人去世，等待复核",
    "death.approve": "柜台复核了去世登记，全部同意随之结束",
    "death.erase": "近亲属申请删除全部信息",
    "after_death.say": "您设定了身后谁可以查看",
    "proxy.invite": "您邀请亲友查看",
    "proxy.accept": "亲友接受了您的邀请",
    "proxy.read": "亲友替您查看",
    "proxy.end": "亲友的查看权已结束",
    "consent.give": "您给出同意",
    "consent.withdraw": "您撤回同意，相关信息随之删除",
    "consent.drop_source": "您停用了一个信息来源",
    "consent.expire": "同意到期，停止使用",
    "consent.outdate": "告知书扩大了处理范围，旧的同意停止使用",
    "statement.told": "对方在次日对账单里得知：您不再允许它查询（不说原因和时刻）",
    "credit_code.draw": "您出示了信用码",
    "export": "您导出了全部信息",
    "occupational.write": "报送了您的职业信用记录（不计入桂花分）",
    "occupational.revoke": "撤销了报送过的职业信用记录",
    "report.issue": "您开具了一份报告",
    "report.revoke": "您停用了一份报告",
    "report.check": "有人凭编号查验了您开具的报告（只看得到您选择出示的内容）",
    "leave": "您离开了，信息全部销毁",
    "review.ask": "您要求人工复核",
    "review.read": "工作人员查看了您的复核请求",
    "review.answer": "工作人员答复了您的复核请求",
    "correction.ask": "您要求更正",
    "correction.read": "工作人员查看了您的更正请求",
    "correction.send": "您的更正请求转给了相关单位",
    "correction.answer": "工作人员答复了您的更正请求",
    "declaration.make": "您申报了一项信息，等待核实",
    "declaration.withdraw": "您撤回了一项申报",
    "declaration.read": "您选定的单位查看了您的申报",
    "declaration.verify": "您选定的单位核实了您的申报",
    "declaration.refuse": "您选定的单位未能核实您的申报，并说明了原因",
    "commitment.make": "您作出了一项承诺",
    "commitment.withdraw": "您撤回了一项承诺",
    "commitment.read": "承诺的对方单位查看了您的承诺",
    "repair.apply": "您申请了信用修复",
    "repair.withdraw": "您撤回了信用修复申请",
    "repair.read": "工作人员查看了您的修复申请",
    "repair.check": "工作人员核对了修复条件",
    "repair.extend": "工作人员延长了修复的办理期限",
    "repair.approve": "工作人员同意修复，这条记录当天停止计分",
    "repair.refuse": "工作人员没有同意修复，并说明了原因",
    "incident.notify": "通知您：您的信息可能被不该看的人看到",
    "audit.search": "审计人员检索操作日志时，查到了与您有关的记录（看不到您是谁）",
    "everyone.rehearsal": "规则改动前的预演：系统试算了全体参加人的分数，只留下人数，没有名单，也没有改动任何人的分数",
    "staff.refused": "没有权限的工作系统想查看您提交的事项，被拒绝了",
}
_CAUSES = {
    "not_enrolled": "您当时没有加入，所以按普通方式办理。对方不知道原因。",
    "withdrawn": "您当时已经撤回同意，所以按普通方式办理。对方不知道原因。",
    "consent_expired": "您的同意当时已经到期，所以按普通方式办理。对方不知道原因。",
    "share_ended": "您已不再允许对方查询，所以按普通方式办理。对方不知道原因。",
    "code_consent_ended": "这个信用码当时已经失效，所以按普通方式办理。对方不知道原因。",
    "not_computed": "分数当时还没有算好，所以按普通方式办理。对方不知道原因。",
    "held": "您当时有一项暂停等级的记录，所以按普通方式办理。对方不知道原因。",
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
    "records.correct": "报送单位更正了记录",
    "records.repair": "信用修复完成",
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


def status(code: str) -> str:
    """How a record stands."""
    return _STATUS.get(code, code)


def outcome(code: str) -> str:
    """What came out of an access."""
    return _OUTCOMES.get(code, code)


def act(code: str) -> str:
    """What somebody did."""
    return _ACTS.get(code, code)


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


FILTERS: Mapping[str, Callable[..., Any]] = {
    "day": day,
    "moment": moment,
    "prose": prose,
    "dial": dial,
    "clock": hour,
    "points": points,
    "change": change,
}
