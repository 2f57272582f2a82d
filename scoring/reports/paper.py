"""What stands on a report: its holder's choice, and the paper made of it. Pure.

A paper is what the page shows and what a check of its number shows again, line for line, so that a forged page with a
copied code is found out. It holds what its holder chose and no more: no ID number, no phone number, no record.
Every text on it can be printed (`letters.plain`).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from core.errors import FieldError, Invalid
from scoring.points.scoreview import ScoreView
from scoring.reports.letters import MISSING, plain, whole

LONGEST_DAYS = 90
_MOST_QUERIES = 5
_NAME = 30

TERMS = (
    "不得用于贷款、信用卡、担保、保险等信贷和金融活动。",
    "任何单位不得因为没有这份报告或者分数低而拒绝提供服务，只能按普通方式办理。",
    "只显示持有人选择出示的内容，没有显示的不代表没有。",
    "持有人可以随时停用。到期、停用或者撤回同意之后，查验不再显示任何内容。",
)
DEMO = "示范规则，未经任何城市采用。"
NO_GLYPH = "“〓”是字库里没有的字，以身份证件为准"


class NothingChosen(Invalid):
    """A report that shows nothing is none."""

    code = "nothing_chosen"
    title = "The report would show nothing"


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the holder wants shown. `queries`: who queried within a year; `days`: for how long it can be checked.

    `full_name`: the name as it is, not masked. `recipient`: for whose eyes, across the page.
    """

    points: bool = True
    tier: bool = True
    dimensions: bool = False
    records: bool = False
    queries: bool = False
    full_name: bool = False
    days: Annotated[int, Meta(ge=1, le=LONGEST_DAYS)] = 30
    recipient: Annotated[str, Meta(max_length=_NAME)] = ""


class Fact(msgspec.Struct, frozen=True):
    """A name and what it says; `note` stands beside it in small letters."""

    label: str
    value: str
    note: str = ""


class Row(msgspec.Struct, frozen=True):
    """One line of a table; `share` (0 to 1) draws a bar."""

    label: str
    value: str
    note: str = ""
    share: float | None = None


class Part(msgspec.Struct, frozen=True):
    """A table with its title; `columns` name its two columns."""

    title: str
    columns: tuple[str, str]
    rows: tuple[Row, ...]
    note: str = ""


class Paper(msgspec.Struct, frozen=True):
    """All that stands on a report but its number."""

    title: str
    subtitle: str
    issuer: str
    issued_on: date
    valid_until: date
    facts: tuple[Fact, ...]
    headline: tuple[Fact, ...]
    parts: tuple[Part, ...]
    terms: tuple[str, ...]
    watermark: str = ""


class Query(msgspec.Struct, frozen=True):
    """How often an organisation asked or changed something, and when last."""

    by: str
    times: int
    last_on: date


class Holder(msgspec.Struct, frozen=True):
    """Whose report it is, as they may be shown: the name, and the name masked."""

    name: str
    masked: str


def of_score(
    choice: Choice,
    holder: Holder,
    view: ScoreView,
    *,
    counted: int,
    queries: Sequence[Query],
    issuer: str,
    issued_on: date,
    valid_until: date,
) -> Paper:
    """The paper about points. `counted`: how many records count. Raises NothingChosen."""
    if not (choice.points or choice.tier or choice.dimensions or choice.records or choice.queries):
        raise NothingChosen(errors=[FieldError("", "nothing_chosen", "Choose at least one of the contents.")])
    headline = [Fact("分数", f"{view.points:.1f}", f"{view.range.min:g}–{view.range.max:g}分")] if choice.points else []
    headline += [Fact("等级", view.tier)] if choice.tier else []
    parts = [_dimensions(view)] if choice.dimensions else []
    if choice.records:
        parts.append(Part("记录", ("", ""), (Row("现在计分的记录", f"{counted}条"),)))
    parts += [_queries(queries)] if choice.queries else []
    return Paper(
        title="个人信用积分报告",
        subtitle="桂花分 · 由本人申请，由本人决定出示什么",
        issuer=plain(issuer, _NAME),
        issued_on=issued_on,
        valid_until=valid_until,
        facts=facts(choice, holder, {"评分规则": view.scorecard.title}),
        headline=tuple(headline),
        parts=tuple(parts),
        terms=(*TERMS, *([DEMO] if view.scorecard.basis.kind == "demo" else [])),
        watermark=watermark(choice),
    )


class Shown(Protocol):
    """What every choice says."""

    @property
    def full_name(self) -> bool:
        """Whether the name is shown as it is."""
        ...

    @property
    def recipient(self) -> str:
        """For whose eyes."""
        ...


def facts(choice: Shown, holder: Holder, more: Mapping[str, str]) -> tuple[Fact, ...]:
    """Who holds it, for whom it is, and whatever else; the name in full only where it can be printed.

    Where a character has no glyph, the line says so itself: whoever reads 〓 is not left to guess.
    """
    name = holder.name if choice.full_name and whole(holder.name) else holder.masked
    told = {"持有人": plain(name, _NAME), **more}
    if choice.recipient.strip():
        told["出示给"] = plain(choice.recipient.strip(), _NAME)
    return tuple(
        Fact(label, text := plain(value), NO_GLYPH if MISSING in text else "") for label, value in told.items()
    )


def watermark(choice: Shown) -> str:
    """What is written across the page."""
    return f"仅供{plain(choice.recipient.strip(), _NAME)}查看" if choice.recipient.strip() else ""


def _dimensions(view: ScoreView) -> Part:
    rows = [Row(one.name, f"{one.points:.1f} / {one.cap:g}", share=one.points / one.cap) for one in view.dimensions]
    lost = -sum(one.points for one in view.deductions)
    rows.append(Row("扣分", f"−{lost:.1f}" if lost else "无"))
    return Part(
        "各部分得分", ("部分", "得分 / 上限"), tuple(rows), f"起始{view.range.base:g}分，加上各部分，减去扣分。"
    )


def _queries(asked: Sequence[Query]) -> Part:
    """The organisations that asked, at most five by name, so that it stays on one page."""
    shown, rest = asked[:_MOST_QUERIES], asked[_MOST_QUERIES:]
    rows = [Row(plain(one.by, _NAME), f"{one.times}次", f"最近一次：{one.last_on}") for one in shown]
    if rest:
        rows.append(Row(f"其他{len(rest)}个单位", f"{sum(one.times for one in rest)}次"))
    note = "" if rows else "没有任何单位查询过。"
    return Part("近一年谁查询或报送过我的信息", ("单位", "次数"), tuple(rows), note)
