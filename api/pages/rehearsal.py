"""The report of a rehearsal as a page for staff: the same numbers as the JSON, with charts, each beside its table.

It stands alone: no navigation, no cookie, nothing of a person. What is hidden is a star, and the page says why.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response

from api.deps import HttpRequest
from api.pages import columns, frame
from api.pages.charts import Say
from api.pages.columns import balance
from api.releases.rehearsing import Report
from core import ids
from scoring.rehearsal.desk import Rehearsal
from scoring.rehearsal.efforts import Effort
from scoring.rehearsal.tally import Split

_SEX = {"male": "男", "female": "女"}
_EFFECTS = {"up": "只会多得", "down": "可能少得", "open": "两种都可能", "words": "只改文字"}
_KINDS = {"scorecard": "评分规则", "catalogue": "信息目录", "perks": "便利"}
_UNREACHABLE = "一年内达不到"


def page(request: HttpRequest, one: Rehearsal) -> Response[str]:
    """The page of a rehearsal that is done."""
    return frame.page(request, "rehearsal.html", **told(one, frame.teller(request, {})))


def told(one: Rehearsal, say: Say) -> dict[str, Any]:
    """What the page says of a rehearsal that is done; `say` puts its charts into the page's language."""
    report = msgspec.json.decode(one.report or b"", type=Report)
    figures = report.figures
    sexes = [msgspec.structs.replace(each, name=_SEX.get(each.id, each.name)) for each in figures.sexes]
    ages = [
        msgspec.structs.replace(each, name=each.name.replace("-", "至").replace("75+", "75以上"))
        for each in figures.ages
    ]
    tiers = list(dict.fromkeys([*figures.tiers.old, *figures.tiers.new]))
    counted = {
        name: (_at(figures.tiers.old, figures.tiers.before, name), _at(figures.tiers.new, figures.tiers.after, name))
        for name in tiers
    }
    perks = [(report.perk_names[each.id], each.before, each.after) for each in figures.perks]
    return {
        "one": one,
        "rehearsal": ids.show("rh", one.id),
        "report": report,
        "kind": _KINDS[report.kind],
        "effects": _EFFECTS,
        "tiers": tiers,
        "tier_chart": columns.columns(
            "tiers", "各等级人数", [(name, *both) for name, both in counted.items()], unit="人", say=say
        ),
        "counted": counted,
        "perk_chart": columns.rows("perks", "可享受各项便利的人数", perks, unit="人", say=say),
        "groups": [
            _group("年龄", "ages", ages, say),
            _group("性别", "sexes", sexes, say),
            _group("地区（身份证号前六位）", "districts", figures.districts, say),
        ],
        "parts": _group("维度、指标和扣分", "parts", [each for each in figures.parts if _moves(each)], say),
        "efforts": _efforts(report.efforts, say),
        "unreachable": _UNREACHABLE,
    }


def _at(names: Sequence[str], values: Sequence[int | None], name: str) -> int | None:
    return values[names.index(name)] if name in names else 0


def _moves(split: Split) -> bool:
    """Whether at least ten people get more or less of a part, or it may be so."""
    return bool(split.lower or split.higher or split.same is None)


def _group(title: str, name: str, splits: Sequence[Split], say: Say) -> dict[str, object]:
    """A chart and the rows of its table."""
    rows = [(each.name, each.lower, each.higher) for each in splits]
    return {
        "title": title,
        "name": name,
        "rows": splits,
        "chart": balance(name, f"{title}：分数变少和变多的人数", rows, say=say),
    }


def _efforts(efforts: Sequence[Effort], say: Say) -> list[dict[str, object]]:
    """Per persona a chart of hours per tier."""
    found: dict[str, list[Effort]] = {}
    for one in efforts:
        found.setdefault(one.name, []).append(one)
    return [
        {
            "name": name,
            "rows": rows,
            "chart": columns.columns(
                f"effort-{turn}", f"{name}：达到各等级最少要多少小时",
                [(one.tier, one.before, one.after) for one in rows], unit="小时", hidden=_UNREACHABLE,
                say=say,
            ),
        }
        for turn, (name, rows) in enumerate(found.items())
    ]  # fmt: skip
