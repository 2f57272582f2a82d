"""The language of perks as JSON Schema (2020-12), for editors and for whoever checks a file without us.

Pure. Drawn from the reader itself (`core.policysketch`), a form for each kind. It covers form; what is proved of a
perk, and what two places must not share, is judged by `policy check` alone. TOML dates appear as texts of their form.
"""

import json
import sys
from typing import Any

from core.policysketch import Sketch
from incentives.book import kinds, perkfile
from incentives.book.kinds import KINDS
from incentives.book.perks import FIRST

ADDRESS = "/v1/rules/perks.schema.json"

_WORDS = {
    "perk": "便利，一项一个表",
    "id": "唯一的代号；便利的代号以 sector 开头，例如 rental.deposit-free",
    "kind": "种类；basis 里是依据的种类：demo 示范、city_decision 城市决定、policy 政策文件、law 法律条文",
    "cite": "引用的文件或条文；demo 不写",
    "name": "给市民看的名称",
    "english": "英文名称，供接口使用者阅读",
    "sector": "领域",
    "field": "领域：education 教育、employment 就业、social_services 社会服务、sports_hall 体育场馆、housing 住房",
    "threshold": "门槛（分）；一项便利只有一个",
    "cap": "最多免收、优惠或后付多少，以分为单位的人民币，30000 即 300 元",
    "over_cap": "金额超过上限时：part 上限以内照办，refuse 按普通方式办理",
    "percent": "免收或优惠百分之几，0 到 100；不写是 100",
    "minus": "另外减多少（分为单位的人民币）",
    "from_amount": "金额满多少才有（分为单位的人民币）",
    "valid_months": "授权查询一次最长多少个月",
    "terms": "内容，给市民看的一句话",
    "standard_route": "普通办法：没有参加积分的人怎么办，不得比现在差",
    "price_rule": "价格规则：优惠只能少收，其他人的价格不因此上调",
    "how_to_use": "怎样使用，给市民看",
    "pia": "个人信息保护影响评估的编号",
    "closed": "是否暂停办理",
    "terminals": "适用的柜台或设备；不写是全部",
    "partners": "适用的合作机构；不写是全部",
    "basis": "依据",
    "items": "件数：普通人多少、持有便利的人多少",
    "days": "期限（天）",
    "visits": "可用次数",
    "minutes": "免费时长（分钟）",
    "pay_days": "可以晚几天付款",
    "papers_days": "材料可以晚几个工作日补齐",
    "wait_days": "几个工作日内办结；只能更短",
    "fee": "手续费（分为单位的人民币）；只能更少",
    "stranger": "没有参加积分的人的数值或价格",
    "granted": "持有便利的人的数值，不得比普通人差",
    "price": "公布的价格，一样一个表",
    "item": "商品或票种",
    "budget": "限量，一项一个表；用完后所有人都按普通方式办理",
    "per": "按什么限：perk 整项便利、partner 每个合作机构、district 每个片区、citizen 每位市民",
    "every": "多久一期：day 每天、month 每月、year 每年、ever 一共",
    "count": "最多多少次",
    "amount": "最多免收多少（分为单位的人民币）",
    "zone": "片区：一些柜台，可以有另外的优惠条件，没有另外的门槛",
    "programme": "活动：一段日子，可以有另外的优惠条件，没有另外的门槛",
    "from": "活动第一天，不带引号",
    "until": "活动最后一天，不带引号",
    "starts_on": "便利从哪天起有，不带引号",
    "ends_on": "便利到哪天为止，含当天，不带引号",
    "hold_minutes": "订单等待市民同意的分钟数，不写是 15",
    "start_hours": "同意后多少小时内开始，不写是 24",
    "longest_days": "订单最长可以约定多少天，不写是 30",
    "lines": "订单明细只能用的名称；不写是不限；看病的便利必须写，好让诊断出不了医院",
    "admission": "年票怎样使用",
    "begins": "有效期从哪天算起：purchase 购买当天，first_visit 第一次入园当天",
    "per_day": "每天最多入园几次",
    "visit_price": "退票时每用一次扣多少（分为单位的人民币）；最多扣完已付的钱",
    "after_default": "逾期未了结时：只能暂停这一项便利，结清即恢复；永远不影响积分",
}


def schema() -> dict[str, Any]:
    """Give the JSON Schema of a file of perks."""
    forms = [_form(kind) for kind in KINDS]
    whole = _draw(FIRST)
    whole["properties"]["perk"]["items"] = {"anyOf": forms}
    said = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:osmanthus:{ADDRESS}"}
    return {**said, "title": "凭积分享受的便利", **whole}


def _form(kind: str) -> dict[str, Any]:
    """Give the form of one kind, which must be written but for the one that older files mean."""
    form = _draw(kind)["properties"]["perk"]["items"]
    told = {"enum": [kind], "description": f"{kinds.KINDS[kind].name}（种类）"}
    required = form["required"] if kind == FIRST else sorted([*form["required"], "kind"])
    return {**form, "properties": {**form["properties"], "kind": told}, "required": required}


def _draw(kind: str) -> dict[str, Any]:
    sketch = Sketch(_WORDS, {"kind": kind})
    perkfile.read(sketch, "")
    return sketch.drawn()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), ensure_ascii=False, indent=1) + "\n")
