"""The quality board as a page for staff: the same numbers as the JSON, with a chart of each source's days.

It stands alone: no navigation, no cookie, nothing of a person. What is hidden is a star, and the page says why.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from litestar import Response

from api.deps import HttpRequest
from api.pages import columns, frame
from api.pages.charts import Say
from scoring.book.catalogue import Catalogue
from scoring.feeds.drift import Alert
from scoring.feeds.quality import DayBoard, KindBoard, SourceBoard

# What is strange, in words: {seen} and {limit} as the alert has them.
_ALERTS = {
    "silent": "七天没有来过一条，平时是有的",
    "volume": "条数和平时相差很大（偏离 {seen} 倍，界限 {limit} 倍）",
    "mix": "各类信息的比例变了（相差 {seen}%，界限 {limit}%）",
    "level": "等级的分布变了（相差 {seen}%，界限 {limit}%）",
    "quantity": "数量的分布变了（相差 {seen}%，界限 {limit}%）",
    "late": "来得太晚的太多（{seen}%，界限 {limit}%）",
    "rejected": "被退回的太多（{seen}%，界限 {limit}%）",
}
_TABLES = (
    ("stored", "收下以后"),
    ("took", "从文书或事情发生到收到，隔了几个工作日（8 表示 8 天以上）"),
    ("levels", "等级"),
    ("quantities", "数量"),
)
_FATES = {
    "new": "新的", "newer": "更新的版本", "repeated": "重复的", "revoked": "撤销的", "repaired": "修复的",
    "withdrawn": "整批撤回的",
}  # fmt: skip


def page(
    request: HttpRequest,
    sources: Sequence[SourceBoard],
    *,
    as_of: date,
    days: int,
    catalogue: Catalogue,
    names: Mapping[str, str],
) -> Response[str]:
    """The page of the days asked for; `names` are those of the sources that are registered."""
    say = frame.teller(request, {})
    shown = told(sources, as_of=as_of, days=days, catalogue=catalogue, names=names, say=say)
    return frame.page(request, "quality.html", **shown)


def told(
    sources: Sequence[SourceBoard], *, as_of: date, days: int, catalogue: Catalogue, names: Mapping[str, str], say: Say
) -> dict[str, Any]:
    """What the page says; `say` puts its charts into the page's language."""
    kinds = {kind.code: kind.name for kind in catalogue.kinds.values()}
    shown = [_source(turn, one, names, kinds, say) for turn, one in enumerate(sources)]
    return {"as_of": as_of, "days": days, "rules": catalogue.quality, "sources": shown}


def _source(
    turn: int, one: SourceBoard, names: Mapping[str, str], kinds: Mapping[str, str], say: Say
) -> dict[str, object]:
    title = names.get(one.source, one.source)
    return {
        "title": title,
        "id": one.source,
        "alerts": [_alert(each, kinds) for each in one.alerts],
        "chart": columns.daily(f"days{turn}", "每天收下和退回的条数", _days(one.days), say=say),
        "kinds": [_kind(each, kinds) for each in one.kinds],
        "counts": [(label, _rows(table)) for label, table in (("后来", one.ended), ("补传", one.histories)) if table],
        "days": one.days,
    }


def _days(days: Sequence[DayBoard]) -> list[tuple[date, int, int]]:
    return [(each.day, each.accepted, each.rejected) for each in days]


def _alert(one: Alert, kinds: Mapping[str, str]) -> str:
    about = f"{kinds.get(one.kind, one.kind)}：" if one.kind else ""
    return about + _ALERTS[one.what].format(seen=one.seen, limit=one.limit)


def _kind(one: KindBoard, kinds: Mapping[str, str]) -> dict[str, object]:
    return {
        "name": f"{one.kind} {kinds.get(one.kind, '')}".strip() or "看不出是哪一类",
        "accepted": one.accepted,
        "rejected": sorted(one.rejected.items()),
        "tables": [(label, _rows(table)) for name, label in _TABLES if (table := getattr(one, name))],
    }


def _rows(table: Mapping[str, int | None]) -> list[tuple[str, int | None]]:
    return [(_FATES.get(name, name), value) for name, value in table.items()]
