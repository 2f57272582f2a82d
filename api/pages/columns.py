"""Charts of two editions side by side, as SVG made on the server: columns before and after, and fewer against more.

As `api.pages.charts`: presentation attributes and classes alone, a title and a description that says the same in words.
A hidden number (under ten people, or hidden beside such) is drawn as a dashed line with a star and said to be hidden.
`say` puts their words into the page's language.
"""

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from api.pages.charts import Say, lettering, rule, same, svg

WIDTH = 640
HIDDEN = "少于10人或不公开"
_Pair = tuple[str, int | None, int | None]


def columns(
    name: str, title: str, pairs: Sequence[_Pair], *, unit: str, hidden: str = HIDDEN, say: Say = same
) -> Markup:
    """Two columns for each (label, before, after), with their figures on top; None is hidden."""
    height, left, bottom, top = 240, 12.0, 186.0, 42.0
    most = max([value or 0 for _, *both in pairs for value in both], default=0) or 1
    each = (WIDTH - 2 * left) / max(1, len(pairs))
    thick = min(44.0, each * 0.34)
    drawn = [*_legend((say("调整前"), "was"), (say("调整后"), "now")), rule(left, bottom, WIDTH - left, bottom)]
    for place, (label, *both) in enumerate(pairs):
        middle = left + each * (place + 0.5)
        for turn, (value, kind) in enumerate(zip(both, ("was", "now"), strict=True)):
            x = middle - thick - 2 + turn * (thick + 4)
            tall = (bottom - top) * (value or 0) / most
            drawn.append(_bar(x, bottom - tall, thick, tall, kind) if value is not None else _absent(x, bottom, thick))
            drawn.append(lettering(x + thick / 2, bottom - tall - 6, _figure(value), size=12))
        drawn.append(lettering(middle, bottom + 20, say(label)))
    said = [
        say(f"{label}：调整前{_said(one, unit, hidden)}，调整后{_said(other, unit, hidden)}")
        for label, one, other in pairs
    ]
    return svg(name, WIDTH, height - 26, say(title), say("；").join(said), drawn)


def rows(name: str, title: str, pairs: Sequence[_Pair], *, unit: str, hidden: str = HIDDEN, say: Say = same) -> Markup:
    """As `columns`, lying down: for many pairs, or for names that are long."""
    high, left, reach, top = 40, 232.0, WIDTH - 232.0 - 64, 36.0
    most = max([value or 0 for _, *both in pairs for value in both], default=0) or 1
    drawn = _legend((say("调整前"), "was"), (say("调整后"), "now"))
    for place, (label, *both) in enumerate(pairs):
        y = top + place * high
        drawn.append(lettering(8, y + 21, _short(say(label)), anchor="start"))
        for turn, (value, kind) in enumerate(zip(both, ("was", "now"), strict=True)):
            level, long = y + turn * 16, reach * (value or 0) / most
            if value is not None:
                drawn.append(_bar(left, level + 2, max(long, 1), 13, kind))
            drawn.append(lettering(left + long + 6, level + 13, _figure(value), anchor="start", size=12))
    said = [
        say(f"{label}：调整前{_said(one, unit, hidden)}，调整后{_said(other, unit, hidden)}")
        for label, one, other in pairs
    ]
    return svg(name, WIDTH, int(top) + high * max(1, len(pairs)), say(title), say("；").join(said), drawn)


def daily(name: str, title: str, days: Sequence[tuple[date, int, int]], *, say: Say = same) -> Markup:
    """A column for each (day, accepted, rejected), what was rejected on top; days without a line are left empty."""
    height, left, bottom, top = 200, 12.0, 166.0, 42.0
    if not days:
        return svg(name, WIDTH, height, say(title), say("没有"), [])
    first, last = days[0][0], days[-1][0]
    each = (WIDTH - 2 * left) / ((last - first).days + 1)
    most = max(good + bad for _, good, bad in days) or 1
    drawn = [*_legend((say("收下"), "now"), (say("退回"), "down")), rule(left, bottom, WIDTH - left, bottom)]
    drawn.append(lettering(WIDTH - left, 20, say(f"最多一天 {most:,} 条"), anchor="end", size=12))
    for day, good, bad in days:
        x, thick, base = left + each * (day - first).days, min(40.0, each * 0.8), bottom
        for value, kind in ((good, "now"), (bad, "down")):
            tall = (bottom - top) * value / most
            base -= tall
            drawn += [_bar(x, base, thick, tall, kind)] if value else []
    drawn.append(lettering(left, bottom + 20, f"{first:%Y-%m-%d}", anchor="start", size=12))
    drawn.append(lettering(WIDTH - left, bottom + 20, f"{last:%Y-%m-%d}", anchor="end", size=12))
    said = [say(f"{day:%Y-%m-%d} 收下{good:,}条，退回{bad:,}条") for day, good, bad in days]
    return svg(name, WIDTH, height, say(title), say("；").join(said), drawn)


def balance(name: str, title: str, rows: Sequence[_Pair], *, say: Say = same) -> Markup:
    """A bar to the left for how many get fewer points, one to the right for more, for each (label, fewer, more)."""
    high, middle, reach = 30, 372.0, 196.0
    most = max([value or 0 for _, *both in rows for value in both], default=0) or 1
    drawn = _legend((say("分数变少"), "down"), (say("分数变多"), "now"))
    for place, (label, fewer, more) in enumerate(rows):
        y = 40.0 + place * high
        drawn.append(lettering(8, y + 16, say(label), anchor="start"))
        for value, kind, side in ((fewer, "down", -1), (more, "now", 1)):
            long = reach * (value or 0) / most
            x = middle - long if side < 0 else middle
            if value is not None:
                drawn.append(_bar(x, y + 2, max(long, 1), high - 10, kind))
            anchor = "end" if side < 0 else "start"
            drawn.append(lettering(middle + side * (long + 6), y + 16, _figure(value), anchor=anchor, size=12))
    bottom = 40 + len(rows) * high
    drawn.append(rule(middle, 36, middle, bottom - 2))
    said = [
        say(f"{label}：变少{_said(one, '人', HIDDEN)}，变多{_said(other, '人', HIDDEN)}") for label, one, other in rows
    ]
    return svg(name, WIDTH, bottom + 4, say(title), say("；").join(said), drawn)


def _short(label: str) -> str:
    """As much of a name as there is room for, a letter of ours as wide as two of theirs."""
    most = 30 if label.isascii() else 15
    return label if len(label) <= most else label[: most - 1] + "…"


def _legend(*kinds: tuple[str, str]) -> list[str]:
    drawn: list[str] = []
    for place, (label, kind) in enumerate(kinds):
        x = 12.0 + place * 110
        drawn += [_bar(x, 8, 14, 14, kind), lettering(x + 20, 20, label, anchor="start", size=13)]
    return drawn


def _bar(x: float, y: float, wide: float, tall: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" rx="2"/>'


def _absent(x: float, bottom: float, wide: float) -> str:
    return f'<line class="absent" x1="{x:.1f}" y1="{bottom - 2:.1f}" x2="{x + wide:.1f}" y2="{bottom - 2:.1f}"/>'


def _figure(value: int | None) -> str:
    return "*" if value is None else f"{value:,}"


def _said(value: int | None, unit: str, hidden: str) -> str:
    return hidden if value is None else f"{value:,}{unit}"
