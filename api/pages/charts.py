"""Charts as SVG made on the server: radar, line and scale. Figures in words inside, colours from the page's sheet.

Only presentation attributes and classes: the content security policy allows no inline style. Every chart has a title
and a description that says the same as the picture (WCAG 2.2, 1.1.1). Texts are escaped. `say` puts their own words
and the names that they are given into the page's language.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from math import cos, pi, sin
from textwrap import wrap

from markupsafe import Markup, escape

Say = Callable[[str], str]

_NARROW = 12
_LINE = 17  # from one line of a name to the next
_RADIUS = 84
_RINGS = (0.25, 0.5, 0.75, 1.0)


def same(words: str) -> str:
    """The words as they are: the page is Chinese."""
    return words


def svg(name: str, width: int, height: int, title: str, description: str, parts: Iterable[str]) -> Markup:
    """A whole chart; `parts` are elements whose texts are escaped."""
    head = (
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>'
    )
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704  (every text above and in the parts is escaped)


def lettering(x: float, y: float, words: str, *, anchor: str = "middle", size: int = 14) -> str:
    """A piece of text, escaped."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'


def rule(x: float, y: float, x2: float, y2: float) -> str:
    """A thin line."""
    return f'<line class="grid" x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def radar(parts: Sequence[tuple[str, float, float]], *, say: Say = same) -> Markup:
    """A radar of (name, points, cap) per dimension, each as its share of the cap."""
    width, height, middle = 340, 268, (170.0, 138.0)
    spokes = [(sin(2 * pi * turn / len(parts)), -cos(2 * pi * turn / len(parts))) for turn in range(len(parts))]

    def corner(turn: int, share: float) -> tuple[float, float]:
        across, down = spokes[turn]
        return middle[0] + _RADIUS * share * across, middle[1] + _RADIUS * share * down

    drawn = [
        f'<polygon class="grid" points="{_path(corner(turn, ring) for turn in range(len(parts)))}"/>' for ring in _RINGS
    ]
    drawn += [rule(*middle, *corner(turn, 1)) for turn in range(len(parts))]
    shares = [min(1.0, points / cap) if cap else 0.0 for _, points, cap in parts]
    drawn.append(f'<polygon class="area" points="{_path(corner(turn, share) for turn, share in enumerate(shares))}"/>')
    for turn, (name, points, cap) in enumerate(parts):
        drawn += _label(spokes[turn], middle, say(name), f"{points:.1f} / {cap:g}")
    told = say("{name} {points:.1f} 分，上限 {cap:g} 分")
    words = say("；").join(told.format(name=say(name), points=points, cap=cap) for name, points, cap in parts)
    return svg("radar", width, height, say("各维度得分"), words, drawn)


def _label(spoke: tuple[float, float], middle: tuple[float, float], name: str, figures: str) -> list[str]:
    across, down = spoke
    x, y = middle[0] + (_RADIUS + 12) * across, middle[1] + (_RADIUS + 18) * down
    anchor = "middle" if abs(across) < 0.2 else "start" if across > 0 else "end"  # noqa: PLR2004  (nearly upright)
    lines = wrap(name, 2 * _NARROW if anchor == "middle" else _NARROW) if " " in name else [name]
    top = y - 4 - _LINE * (len(lines) - 1)
    drawn = [lettering(x, top + _LINE * turn, one, anchor=anchor) for turn, one in enumerate(lines)]
    return [*drawn, lettering(x, y + 12, figures, anchor=anchor, size=12)]


def scale(points: float, low: float, high: float, tiers: Sequence[tuple[str, float]], *, say: Say = same) -> Markup:
    """A scale from `low` to `high` with the points on it and a mark for each (tier, start); the page names them."""
    width, left, right = 340, 8.0, 332.0

    def place(value: float) -> float:
        return left + (right - left) * (value - low) / (high - low)

    drawn = [
        f'<rect class="track" x="{left}" y="10" width="{right - left}" height="10" rx="5"/>',
        f'<rect class="fill" x="{left}" y="10" width="{place(points) - left:.1f}" height="10" rx="5"/>',
        f'<circle class="dot" cx="{place(points):.1f}" cy="15" r="8"/>',
    ]
    drawn += [rule(place(start), 24, place(start), 32) for _, start in tiers]
    drawn += [
        lettering(left, 44, f"{low:g}", anchor="start", size=12),
        lettering(right, 44, f"{high:g}", anchor="end", size=12),
    ]
    whole = say("{points:.1f} 分，范围 {low:g} 到 {high:g} 分").format(points=points, low=low, high=high)
    each = [say("{name}从 {start:g} 分起").format(name=say(name), start=start) for name, start in tiers]
    return svg("scale", width, 50, say("分数所在的位置"), whole + say("；") + say("，").join(each), drawn)


def line(values: Sequence[tuple[date, float]], *, say: Say = same) -> Markup:
    """Points over days, oldest first; points stay until the next change, hence steps. At least one value."""
    width, height, left, right, top, bottom = 340, 190, 44.0, 330.0, 14.0, 156.0
    low, high = _bounds([points for _, points in values])
    places = [left + (right - left) * share for share in _shares([day.toordinal() for day, _ in values])]

    def down(points: float) -> float:
        return bottom - (bottom - top) * (points - low) / (high - low)

    drawn: list[str] = []
    for mark in (low, (low + high) / 2, high):
        drawn += [
            rule(left, down(mark), right, down(mark)),
            lettering(left - 6, down(mark) + 4, f"{mark:g}", anchor="end", size=12),
        ]
    steps: list[tuple[float, float]] = [(left, down(values[0][1]))]
    for across, (_, points) in zip(places, values, strict=True):
        steps += [(across, steps[-1][1]), (across, down(points))]
    drawn.append(f'<polyline class="curve" points="{_path(steps)}"/>')
    drawn += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in steps[2::2]]
    if values[0][0] < values[-1][0]:
        drawn.append(lettering(left, height - 12, _day(values[0][0], say), anchor="start", size=12))
    drawn.append(lettering(right, height - 12, _day(values[-1][0], say), anchor="end", size=12))
    told = say("{day} {points:.1f} 分")
    words = say("；").join(told.format(day=_day(day, say), points=points) for day, points in values)
    return svg("line", width, height, say("分数的变化"), words, drawn)


def _day(day: date, say: Say) -> str:
    """A day as people write it."""
    return say("{day.year}年{day.month}月{day.day}日").format(day=day)


def _shares(days: Sequence[int]) -> list[float]:
    """Where each day lies between the first and the last; changes of one day stand side by side."""
    if days[-1] > days[0]:
        return [(day - days[0]) / (days[-1] - days[0]) for day in days]
    return [(turn + 1) / len(days) for turn in range(len(days))]


def _bounds(points: Sequence[float]) -> tuple[float, float]:
    """Whole tens around the points, at least twenty apart, so that a tenth never looks like a cliff."""
    low, high = 10 * (min(points) // 10), -10 * (-max(points) // 10)
    return (low, high) if high - low >= 20 else (low, low + 20)  # noqa: PLR2004  (as said above)
