"""Bars from one side, for counts that are not compared: one SVG, its figures beside each bar; None is hidden."""

from collections.abc import Sequence

from markupsafe import Markup

from api.pages.charts import Say, lettering, same, svg

_WIDTH, _LEFT, _HIGH, _FIGURE = 640, 250.0, 30, 70.0


def bars(name: str, title: str, rows: Sequence[tuple[str, int | None]], *, unit: str = "人", say: Say = same) -> Markup:
    """A bar for each (label, value); `say` puts its words into the page's language."""
    most = max((value or 0 for _, value in rows), default=0) or 1
    drawn: list[str] = []
    for place, (label, value) in enumerate(rows):
        y = 8.0 + place * _HIGH
        long = (_WIDTH - _LEFT - _FIGURE) * (value or 0) / most
        drawn.append(lettering(8, y + 16, _short(say(label)), anchor="start", size=13))
        if value is not None:
            drawn.append(
                f'<rect class="now" x="{_LEFT}" y="{y + 2:.1f}" width="{max(long, 1):.1f}" height="20" rx="2"/>'
            )
        drawn.append(lettering(_LEFT + long + 8, y + 16, _figure(value), anchor="start", size=13))
    said = say("；").join(f"{say(label)} {_figure(value)}{'' if value is None else say(unit)}" for label, value in rows)
    return svg(name, _WIDTH, 16 + _HIGH * max(1, len(rows)), say(title), said or say("没有"), drawn)


def _short(label: str) -> str:
    most = 34 if label.isascii() else 18
    return label if len(label) <= most else label[: most - 1] + "…"


def _figure(value: int | None) -> str:
    return "*" if value is None else f"{value:,}"
