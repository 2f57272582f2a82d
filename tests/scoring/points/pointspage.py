"""The parts of docs/points.zh.md that the rules make: its tables and its two examples.

`python -m tests.scoring.points.pointspage` writes them anew, between the marks of the page.
"""

import re

from core.settings import ROOT
from scoring.book import repairfile
from scoring.book.basis import Basis
from scoring.points import casepath, cases, sheet
from scoring.points.wording import window
from tests.rulebook import POLICY, book, card, text

PAGE = ROOT / "docs" / "points.zh.md"
RULES = cases.rules(card(), book())
SHEET = sheet.of(card(), book())
EXAMPLES = {"例子一": "persona-migrant-tenant.toml", "例子二": "penalty-general.toml"}


def page(old: str) -> str:
    """The page with every part made anew."""
    for name, part in parts().items():
        old = re.sub(rf"(<!-- {name} -->\n).*?(<!-- 完 -->)", rf"\g<1>{part}\n\g<2>", old, flags=re.DOTALL)
    return old


def parts() -> dict[str, str]:
    """Every part by its mark."""
    told = {name: _example(file) for name, file in EXAMPLES.items()}
    return told | {
        "版本": _version(card().basis),
        "等级": _tiers(),
        "加分": _gains(),
        "级别": _levels(),
        "扣分": _losses(),
        "一项处罚": _one_penalty(),
        "修复": _repair(),
    }


def case(name: str) -> cases.Case:
    """A shipped case, read and counted."""
    return cases.read((POLICY / "cases" / name).read_text(encoding="utf-8"), name, RULES)


def _version(basis: Basis) -> str:
    return f"这里写的是{card().id}版评分规则（{basis.shown()}）。"


def _table(*rows: tuple[str, ...]) -> str:
    head, *rest = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *rest])


def _tiers() -> str:
    whole = f"{SHEET.base} + 各维度得分（每个维度不超过上限） - 扣分（合计最多{SHEET.losses_most}）"
    nobody = f"{SHEET.base} + 清白年度{SHEET.clean} = {SHEET.plain:g}分"
    return "\n".join(
        [
            _table(("等级", "分数"), *SHEET.tiers),
            "",
            f"    总分 = {whole}",
            "",
            f"**没有任何记录的人**：{nobody}，等级是“{SHEET.plain_tier}”。",
            f"按现在的规则，最少{SHEET.least}，最多{SHEET.most}。",
        ]
    )


def _gains() -> str:
    rows = [
        (f"{group.name}（{group.most}）", _of(one), one.counted, one.each, one.period, one.most)
        for group in SHEET.groups
        for one in group.gains
    ]
    return _table(("维度（上限）", "项目", "怎么数", "每个得几分", "看多久", "本项上限"), *rows)


def _of(gain: sheet.Gain) -> str:
    return f"{gain.name}（{'；'.join(gain.kinds)}，任意一种）" if len(gain.kinds) > 1 else gain.name


def _levels() -> str:
    gains = [one for group in SHEET.groups for one in group.gains if one.levels]
    return "\n".join(f"- {one.name}：{'；'.join(f'{name}{points}' for name, points in one.levels)}" for one in gains)


def _losses() -> str:
    rows = [
        (one.name, one.each, one.most, _limit(rule.display_months), _limit(rule.hard_stop_months), rule.recover)
        for one, rule in zip(SHEET.losses, card().deductions, strict=True)
    ]
    rows += [(one.name, one.each, one.most, "没有", "没有", one.until) for one in SHEET.holds]
    head = ("项目", "每项扣几分", "本项最多扣", "显示期，从文书生效那天算起", "最迟，从行为那天算起", "怎样停")
    return _table(head, *rows)


def _limit(months: int) -> str:
    return window(months) if months else "没有"


def _one_penalty() -> str:
    """What a penalty costs somebody who has nothing else, as the example counts it."""
    found = case(EXAMPLES["例子二"]).evaluation
    off = sum(one.points for one in found.deductions) / 10
    whole = SHEET.plain - found.points / 10
    year = f"清白年度少1年，少得{whole - off:g}分"
    return (
        f"所以，没有别的记录的人受一项一般行政处罚，先少{whole:g}分：扣{off:g}分，{year}。{SHEET.plain:g}分变成"
        f"{found.points / 10:g}分，等级是“{found.tier}”。"
    )


def _repair() -> str:
    rules = repairfile.load(text("repair.toml"), "repair.toml")
    names = {one.kind: one.name for one in card().deductions}
    rows: list[tuple[str, ...]] = []
    for code, term in rules.kinds.items():
        needed = "；".join(rules.conditions[one].name for one in term.always)
        one_of = "、".join(rules.conditions[one].name for one in term.one_of)
        which = f"；另选一样：{one_of}" if one_of else ""
        rows.append((names[code], f"满{term.minimum_months}个月", f"{needed}{which}"))
    others = [f"- {book().kinds[code].name}：{how}" for code, how in rules.others.items()]
    return "\n".join([_table(("项目", "文书生效后至少", "条件"), *rows), "", *others])


def _example(name: str) -> str:
    told, _, _ = casepath.path(case(name)).rpartition("\n\n与案例预期一致")
    return f"```text\n{told}\n```"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
