"""The scorecard language as JSON Schema (2020-12), for editors and for whoever checks a file without us.

Pure. It is drawn from the reader itself: the same functions that read a file are handed a table that notes what they
ask for, so the published schema cannot say anything else than what is read. It covers form: how tables fit together
(each kind once, tiers that rise, what a statute sets) is judged by `policy check` alone. TOML dates appear as texts of
their form, as editors show them.
"""

import json
import sys
from typing import Any

from core.policysketch import Sketch
from scoring.book import scorecard
from scoring.book.rules import MEASURES

ADDRESS = "/v1/rules/scorecard.schema.json"

_WORDS = {
    "id": "唯一的代号；文件本身的 id 就是生效日期",
    "title": "给市民看的标题",
    "valid_from": "从哪天起可以生效，写成不带引号的日期",
    "basis": "依据：demo 示范、city_decision 城市决定、policy 政策文件、law 法律条文",
    "cite": "引用的文件或条文；law 只能引用 policy/statutes.toml 里的条目",
    "scale": "分数的范围：起点、最低、最高，以及各项扣分合计的上限",
    "base": "每个人的起点分",
    "low": "最低分",
    "high": "最高分",
    "deduction_cap": "各项扣分合计最多扣多少分",
    "tier": "等级，从低到高，第一级从最低分开始",
    "from": "达到这个等级的最低分",
    "dimension": "维度：一组指标共用一个上限",
    "indicator": "加分指标",
    "deduction": "扣分项",
    "hold": "暂停等级的记录：等级按最低一级显示，分数不变",
    "name": "给市民看的名称",
    "english": "英文名称，供接口使用者阅读",
    "enabled": "是否启用；停用的指标不计分，也不收这类记录",
    "kinds": "计入哪些种类的记录（policy/catalogue.toml 的代码）",
    "kind": "种类",
    "measure": "计法：months 有记录的月数、sum 数量之和、count 条数、best 最高级别、clean_years 清白年度",
    "window_months": "只看最近多少个月；0 表示一直有效",
    "years": "看最近几个年度（每 365 天一个年度）",
    "points": "每个单位多少分，最多一位小数",
    "cap": "最多多少分",
    "unit": "单位，例如“个月”“小时”",
    "levels": "各级别的名称和分值",
    "level": "级别",
    "reason": "有分时说的话；可用 {window} {value} {each} {points} {cap} {level}",
    "none": "没有分时说的话",
    "effort": "可以怎样多得一个单位：怎么做、折合多少小时、按月还是按小时",
    "text": "怎么做",
    "hours": "一个单位折合多少小时的志愿服务",
    "pace": "多久能做一次：month 每月一次，hour 每天最多八小时",
    "hard_stop": "硬性止点：行为之日起满多少个月，无论如何不再扣分",
    "display": "显示期：从文书生效之日起最多显示多少个月，期满不再扣分",
    "anchor": "从哪一天起算：effective_on 文书生效之日，occurred_on 行为之日",
    "months": "多少个月",
    "recover": "怎样、何时恢复",
}


def schema() -> dict[str, Any]:
    """Give the JSON Schema of a scorecard file."""
    drawn = {measure: _draw(measure) for measure in MEASURES}
    whole = drawn[MEASURES[0]]
    dimension = whole["properties"]["dimension"]["items"]
    dimension["properties"]["indicator"]["items"] = {"anyOf": _forms(drawn)}
    said = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:osmanthus:{ADDRESS}"}
    return {**said, "title": "个人信用积分评分规则", **whole}


def _draw(measure: str) -> dict[str, Any]:
    sketch = Sketch(_WORDS, {"measure": measure})
    scorecard.read(sketch, "")
    return sketch.drawn()


def _forms(drawn: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the forms of an indicator, measures with the same form joined."""
    forms: list[tuple[list[str], dict[str, Any]]] = []
    for measure, whole in drawn.items():
        form = whole["properties"]["dimension"]["items"]["properties"]["indicator"]["items"]
        asked = form["properties"].pop("measure")
        known = next((names for names, other in forms if other == form), None)
        if known is None:
            forms.append(([measure], {**form, "properties": dict(form["properties"])}))
        else:
            known.append(measure)
        form["properties"]["measure"] = asked
    return [
        {**form, "properties": {"measure": {"enum": names, "description": _WORDS["measure"]}, **form["properties"]}}
        for names, form in forms
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), ensure_ascii=False, indent=1) + "\n")
