"""Plain Chinese for what the rooms say in codes: times, points, states, acts and outcomes."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from markupsafe import Markup, escape

from core import clock


def day(value: date) -> Markup:
    """2026-03-01 as 2026年3月1日, in a `time` element."""
    shown = f"{value.year}年{value.month}月{value.day}日"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), escape(shown))


def moment(value: datetime) -> Markup:
    """An instant as day and minute in the city's zone."""
    local = value.astimezone(clock.CITY_ZONE)
    shown = f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), shown)


def points(value: float) -> str:
    """Points with one digit: 121.5."""
    return f"{value:.1f}"


def change(value: float) -> str:
    """A change with its sign, a real minus: +0.5, −2.0."""
    return f"+{value:.1f}" if value > 0 else f"−{-value:.1f}" if value < 0 else "0.0"


FILTERS: Mapping[str, Callable[..., Any]] = {"day": day, "moment": moment, "points": points, "change": change}
