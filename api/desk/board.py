"""`/desk/board` and `/desk/quality`: how many take part, who gains and who does not, and what sources send.

Numbers alone, cells about fewer than ten persons hidden, by the statistics' and the rehearsals' own tables: nothing is
counted here, so nothing can be subtracted from anything.
"""

from collections.abc import Sequence

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from api import workpages
from api.deps import HttpRequest
from api.desk import frame
from api.pages import acts, names, quality
from api.pages.bars import bars
from api.pages.charts import Say
from api.pages.frame import teller
from api.public import statistics
from api.seated import Seated
from core import clock
from scoring import rulebook
from scoring.feeds import quality as feeds
from scoring.reports.statistics import Count, Counts, Statistics

_DAYS = 30
_TABLES = (
    ("tiers", "等级（截至统计日）"),
    ("acts", "参加、退出与权利"),
    ("times", "办理期限有没有守住"),
    ("perks", "便利"),
)
# What was done, as an office says it; whatever has no word here is said as its citizen reads it.
_ACTS = {
    "consent.give": "加入或更新同意", "consent.withdraw": "退出参加", "consent.drop_source": "停用一个来源",
    "review.ask": "要求人工复核", "dispute.open": "提出异议", "dispute.uphold": "异议成立",
    "dispute.overrule": "异议不成立", "repair.apply": "申请信用修复", "repair.approve": "同意修复",
    "repair.refuse": "不同意修复", "correction.ask": "要求更正", "report.issue": "开具报告",
    "check": "到店查询", "dispute": "异议", "record": "不利信息七个工作日内报送",
}  # fmt: skip
_WORDS = {
    "done": "完成", "granted": "可享受", "standard_route": "普通方式", "kept": "按期", "missed": "逾期",
    "denied": "拒绝", "in_time": "按期", "late": "逾期",
}  # fmt: skip


class Shown(msgspec.Struct, frozen=True):
    """A table with its chart. `rows`: label, times, persons; None is hidden."""

    title: str
    chart: Markup
    rows: list[tuple[str, int | None, int | None]]
    total: int | None


class Heads(msgspec.Struct, frozen=True):
    """What is looked at first; None is hidden, or there was none. `share`: per cent of checks that were granted."""

    people: int | None
    joined: int | None
    left: int | None
    asked: int | None
    share: int | None


@get("/desk/board")
async def board(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    quarter: FromQuery[str | None] = None,
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """A quarter, the newest unless one is named."""
    known = (await statistics.every.fn(session)).quarters
    chosen = quarter if quarter in known else next(iter(known), None)
    found = await statistics.for_staff.fn(chosen, session) if chosen else None
    tables = [] if found is None else await _tables(session, found, teller(request, {}))
    heads = None if found is None else _heads(found)
    called = {} if found is None else await names.organisations(session, [one.source for one in found.sources])
    return frame.page(
        request, "board.html", caller, known=known, found=found, tables=tables, heads=heads, called=called
    )  # fmt: skip


async def _tables(session: AsyncSession, found: Statistics, say: Say) -> list[Shown]:
    called = await names.perks(session)
    return [_shown(name, title, getattr(found, name), called, say) for name, title in _TABLES]


def _shown(name: str, title: str, counts: Counts, perks: dict[str, str], say: Say) -> Shown:
    rows = [(_label(one, perks), one.times, one.persons) for one in counts.cells]
    chart = bars(name, title, [(label, persons) for label, _, persons in rows], say=say)
    return Shown(title, chart, rows, counts.total)


def _label(one: Count, perks: dict[str, str]) -> str:
    what = perks.get(one.name) or _ACTS.get(one.name) or acts.ACTS.get(one.name, one.name)
    plain = one.outcome in {"", "held", "done"}
    return what if plain else f"{what} · {_WORDS.get(one.outcome, one.outcome)}"


def _heads(found: Statistics) -> Heads:
    """The few numbers that are looked at first, each a cell or a total that is published anyway."""
    acts_, perks = _cells(found.acts), _cells(found.perks)
    asked, granted = found.perks.total, perks.get(("check", "granted"))
    share = round(100 * granted / asked) if asked and granted is not None else None
    joined, left = acts_.get(("consent.give", "done")), acts_.get(("consent.withdraw", "done"))
    return Heads(found.tiers.total, joined, left, asked, share)


def _cells(counts: Counts) -> dict[tuple[str, str], int | None]:
    return {(one.name, one.outcome): one.times for one in counts.cells}


@get("/desk/quality")
async def sources(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """What sources sent within thirty days."""
    today = clock.today()
    catalogue = (await rulebook.current(session, on=today)).catalogue
    found: Sequence[feeds.SourceBoard] = await feeds.board(session, today=today, days=_DAYS, rules=catalogue.quality)
    called = await names.organisations(session, [one.source for one in found])
    told = quality.told(
        found, as_of=today, days=_DAYS, catalogue=catalogue, names=called,
        say=teller(request, {}),
    )  # fmt: skip
    return frame.page(request, "quality.html", caller, **told)


handlers = [
    workpages.behind([board], role="staff", scope=frame.AUDITS, door="staff"),
    workpages.behind([sources], role="staff", scope=frame.QUALITY, door="staff"),
]
