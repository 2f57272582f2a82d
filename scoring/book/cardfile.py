"""Reads the parts of a scorecard's TOML into the structs of `scoring.book.rules`, noting every fault with its line.

Pure. It checks form: closed lists of measures and placeholders, bounds of numbers. How the parts fit together is looked
at by `scoring.book.scorecard`; whether a number is wise, by nobody here.
"""

from decimal import Decimal
from math import ceil
from string import Formatter

from core.policyfile import Table
from scoring.book import basis
from scoring.book.basis import Basis, Claim
from scoring.book.classes import is_occupational
from scoring.book.rules import ANCHORS, MEASURES, PACES, Deduction, Dimension, Effort, Hold, Indicator, Level, Tier

MOST = 10_000
_POSITIVE = frozenset({"window", "value", "each", "points", "cap", "level"})
_NEGATIVE = frozenset({"value", "each", "points", "cap"})


def claim(table: Table, claims: list[Claim], what: str, *keys: str) -> Basis:
    """Note for each named value of a table what it rests on; a fraction is noted as the next whole number."""
    found = basis.read(table)
    for key in keys:
        amount = table.value.get(key)
        if key in table.value:
            number = Decimal(amount) if isinstance(amount, int | Decimal) else Decimal(0)
            whole = ceil(number) if number.is_finite() and number.copy_abs() <= MOST else 0
            claims.append(Claim(f"{what}.{key}", whole, found, table.document.file, table.line(key)))
    return found


def tier(table: Table, claims: list[Claim]) -> Tier:
    """Read one tier."""
    found = claim(table, claims, "tier", "from")
    made = Tier(table.text("name"), table.tenths("from", 0, MOST), found)
    table.close()
    return made


def dimension(table: Table, claims: list[Claim]) -> Dimension:
    """Read one dimension with its indicators."""
    found = claim(table, claims, "dimension", "cap")
    made = Dimension(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        cap=table.tenths("cap", 0, MOST),
        indicators=tuple(_indicator(inner, claims) for inner in table.tables("indicator", least=1)),
        basis=found,
    )
    table.close()
    return made


def _kinds(table: Table) -> tuple[str, ...]:
    return _of_points(table, "kinds", table.words("kinds"))


def _kind(table: Table) -> str:
    return _of_points(table, "kind", (table.text("kind"),))[0]


def _of_points(table: Table, key: str, codes: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse the occupational class, which has another consent and is no input of points."""
    for code in filter(is_occupational, codes):
        table.fault(f"{code} is occupational and never counts into points.", "Take it out of the scorecard.", key)
    return codes


def _indicator(table: Table, claims: list[Claim]) -> Indicator:
    found = claim(table, claims, "indicator", "points", "cap", "window_months", "years", "levels")
    measure = table.choice("measure", MEASURES)
    clean, best = measure == "clean_years", measure == "best"
    indicator = Indicator(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        enabled=table.flag("enabled", default=True),
        kinds=_kinds(table),
        measure=measure,
        window_months=0 if clean else table.whole("window_months", 0, 600),
        years=table.whole("years", 1, 10) if clean else 0,
        points=0 if best else table.tenths("points", 1, MOST),
        cap=table.tenths("cap", 1, MOST),
        unit=table.text("unit"),
        levels=tuple(_level(inner) for inner in table.tables("levels", least=1)) if best else (),
        reason=_template(table, "reason", _POSITIVE),
        none=_template(table, "none", _POSITIVE),
        effort=_effort(table.table("effort")) if table.has("effort") else None,
        basis=found,
    )
    table.close()
    return indicator


def _level(table: Table) -> Level:
    level = Level(table.whole("level", 1, 1_000), table.text("name"), table.tenths("points", 1, MOST))
    table.close()
    return level


def _effort(table: Table) -> Effort:
    effort = Effort(table.text("text"), table.whole("hours", 0, 1_000), table.choice("pace", PACES))
    table.close()
    return effort


def deduction(table: Table, claims: list[Claim]) -> Deduction:
    """Read one deduction."""
    found = claim(table, claims, "deduction", "points", "cap")
    kind = _kind(table)
    stop, stops_from = _limit(table, "hard_stop", "deduction.hard_stop", claims)
    display, displayed_from = _limit(table, "display", f"catalogue.stops_after.{kind}", claims)
    made = Deduction(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        kind=kind,
        points=table.tenths("points", 1, MOST),
        cap=table.tenths("cap", 1, MOST),
        hard_stop_months=stop,
        reason=_template(table, "reason", _NEGATIVE),
        recover=table.text("recover"),
        basis=found,
        display_months=display,
        display_anchor=displayed_from,
        hard_stop_anchor=stops_from,
    )
    table.close()
    return made


def _limit(table: Table, key: str, value: str, claims: list[Claim]) -> tuple[int, str]:
    """Read a limit in months and the day from which it runs; 0 when it is not stated."""
    if not table.has(key):
        return 0, ""
    inner = table.table(key)
    months = inner.whole("months", 1, 60)
    anchor = inner.choice("anchor", ANCHORS[key], ANCHORS[key][0])
    claims.append(Claim(value, months, basis.read(inner), table.document.file, table.line(key)))
    inner.close()
    return months, anchor


def hold(table: Table) -> Hold:
    """Read one tier hold."""
    made = Hold(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        kind=_kind(table),
        reason=table.text("reason"),
        recover=table.text("recover"),
        basis=basis.read(table),
    )
    table.close()
    return made


def _template(table: Table, key: str, allowed: frozenset[str]) -> str:
    template = table.text(key)
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        table.fault("A brace stands alone.", "Close it, or write it twice to show one.", key)
        return ""
    for _, name, spec, conversion in parts:
        if name is not None and (name not in allowed or spec or conversion):
            table.fault(f"{{{name}}} is no placeholder.", f"Use {', '.join(sorted(allowed))}.", key)
    return template
