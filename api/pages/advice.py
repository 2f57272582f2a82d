"""What a page says when something stops it: what happened, and what to do next, in plain Chinese."""

import msgspec

Links = tuple[tuple[str, str], ...]
_HOME: Links = (("/", "回到首页"),)
_RECORDS: Links = (("/records", "回到我的记录"), ("/", "回到首页"))
_CONSENTS: Links = (("/consents", "看我的同意"), ("/", "回到首页"))


class Advice(msgspec.Struct, frozen=True):
    """A problem in plain words; `links` are (address, name), the best one first."""

    title: str
    cause: str
    step: str
    links: Links = _HOME


_UNKNOWN = Advice(
    "出了点问题",
    "这是我们的问题，您的信息没有改变。",
    "请过一会儿再试；如果还不行，请联系我们。",
)
_BY_CODE = {
    "not_found": Advice("没有找到", "这里没有属于您的内容，可能已经删除，或者地址不对。", "请从首页重新进入。"),
    "not_enrolled": Advice(
        "您还没有加入",
        "没有您的同意，我们不收集、不计算任何信息，所以这里是空的。",
        "想加入的话，请先阅读告知书。",
        (("/", "了解并加入"),),
    ),
    "minor": Advice("年满18周岁再来", "桂花分只面向年满18周岁的市民。", "不加入也不影响您办任何事。"),
    "csrf_failed": Advice(
        "这一步没有完成",
        "页面停留太久，或者不是从我们的页面点过来的。为了您的安全，什么都没有改变。",
        "请回到首页，重新操作一次。",
    ),
    "notice_outdated": Advice(
        "告知书更新了",
        "您刚才看到的不是最新的告知书，所以还没有记录您的同意。",
        "请阅读新的告知书，再决定是否同意。",
        (("/consents/new", "看新的告知书"), ("/", "回到首页")),
    ),
    "consent_ended": Advice("这份同意已经结束", "它已经撤回或到期，不再收集任何信息。", "不需要再做什么。", _CONSENTS),
    "core_source": Advice(
        "这个来源不能单独停用", "必需的来源要么都同意，要么不参加。", "如果不想让它报送，可以撤回整份同意。", _CONSENTS
    ),
    "unknown_source": Advice(
        "选择有误",
        "您选的来源不在告知书里，所以没有记录。",
        "请重新选择。",
        (("/consents/new", "重新选择"), ("/", "回到首页")),
    ),
    "invalid": Advice(
        "填写有误",
        "日期或选项不在允许的范围内，所以没有记录。",
        "请返回上一页检查后再提交。同意最短一天，最长十二个月。",
    ),
    "no_such_effort": Advice(
        "这件事不能试算",
        "您不让收这类记录，或者规则刚刚有了变化。",
        "请重新打开试算。",
        (("/whatif", "重新试算"), ("/", "回到首页")),
    ),
    "malformed": Advice("没有读懂这次提交", "提交的内容不完整，什么都没有改变。", "请返回上一页，重新提交。"),
    "not_granted": Advice(
        "现在还不能享受这项便利",
        "这次没有生成信用码。您的情况只有您自己看得到，商家不会知道。",
        "您可以按普通方式办理；还差什么，请看权益页。",
        (("/perks", "看还差什么"), ("/", "回到首页")),
    ),
    "perk_unknown": Advice("没有这项权益", "它可能已经下线。", "请看现在有哪些权益。", (("/perks", "看全部权益"),)),
    "already_disputed": Advice(
        "已经提过异议", "这条记录的异议正在核实。", "有结果之后，如有新的证据可以再提。", _RECORDS
    ),
    "charge_already_disputed": Advice(
        "已经提过争议",
        "一个订单只办理一次争议，答复写在订单里。",
        "对答复不满意，可以要求人工复核。",
        (("/orders", "回到我的订单"), ("/rights", "要求人工复核")),
    ),
    "orders_open": Advice(
        "还有没结束的订单",
        "借用的东西还没归还，或者还有款没结清，所以现在还不能离开。",
        "从今天起，它们最迟三十天内会自动结束，到时再来即可；归还、付清就可以马上离开。",
        (("/orders", "看我的订单"), ("/rights", "回到我的权利")),
    ),
    "too_many_disputes": Advice(
        "异议次数已满",
        "您正在核实的异议太多，或者对这条记录已经提了多次。",
        "请等核实的结果，或者要求人工复核。",
        (("/records", "回到我的记录"), ("/rights", "要求人工复核")),
    ),
    "not_disputable": Advice("不需要提出异议", "这条记录已经撤销或修复，不再计分。", "不需要再做什么。", _RECORDS),
    "illegal_transition": Advice("这一步现在做不了", "这件事已经有了新的进展。", "请看现在的状态。", _RECORDS),
    "too_many_requests": Advice("请稍等一下", "短时间内操作太多次了。", "请过一分钟再试。"),
    "unavailable": Advice("暂时不能用", "系统暂时连不上，您的信息没有改变。", "请过一会儿再试。"),
    "no_scorecard_in_force": Advice(
        "规则还没有发布", "评分规则还没有正式发布，所以还不能加入，也没有分数。", "请过些日子再来。"
    ),
    "no_notice_in_force": Advice("告知书还没有发布", "告知书还没有正式发布，所以还不能加入。", "请过些日子再来。"),
}


CODES = ("unknown", *_BY_CODE)


def on(code: str) -> Advice:
    """The advice on a problem's code."""
    return _BY_CODE.get(code, _UNKNOWN)
