"""Reads a scorecard's TOML into the structs of `scoring.scorecard`, collecting every fault with its line.

Pure. What it checks is form and inner consistency: closed lists of measures and placeholders, each kind counted once,
caps that can hold, tiers that rise. It does not judge whether a number is wise.
"""

import re

from core.policyfile import Document, Table
from scoring import basis
from scoring.basis import Basis, Claim
from scoring.scorecard import MEASURES, PACES, Deduction, Dimension, Effort, Hold, Indicator, Level, Scorecard, Tier

_MOST = 10_000
_PLACEHOLDER = re.compile(r"\{([^}]*)\}")
_POSITIVE = frozenset({"window", "value", "each", "points", "cap", "level"})
_NEGATIVE = frozenset({"value", "each", "points", "cap"})


def read(text: str, file: str, digest: str) -> Scorecard:
    """Read the whole file; raises `policyfile.Faulty`."""
    document = Document(text, file)
    root = document.root
    claims: list[Claim] = []
    whole = basis.read(root)
    scale = root.table("scale")
    ground = _claim(scale, claims, whole, "scale", "base", "low", "high", "deduction_cap")
    del ground
    card = Scorecard(
        id=root.text("id"),
        title=root.text("title"),
        valid_from=root.day("valid_from"),
        digest=digest,
        base=scale.tenths("base", 0, _MOST),
        low=scale.tenths("low", 0, _MOST),
        high=scale.tenths("high", 0, _MOST),
        deduction_cap=scale.tenths("deduction_cap", 0, _MOST),
        dimensions=tuple(_dimension(table, claims) for table in root.tables("dimension", least=1)),
        deductions=tuple(_deduction(table, claims) for table in root.tables("deduction")),
        holds=tuple(_hold(table) for table in root.tables("hold")),
        tiers=tuple(_tier(table, claims) for table in root.tables("tier", least=1)),
        basis=whole,
        claims=tuple(claims),
    )
    scale.close()
    root.close()
    _consistent(card, root)
    document.close()
    return card


def _claim(table: Table, claims: list[Claim], around: Basis | None, what: str, *keys: str) -> Basis:
    """Note for each named value of a table what it rests on."""
    found = basis.read(table, around)
    for key in keys:
        amount = table.value.get(key)
        if table.has(key):
            line = table.line(key)
            claims.append(Claim(f"{what}.{key}", amount if isinstance(amount, int) else 0, found, table.document.file, line))
    return found


def _tier(table: Table, claims: list[Claim]) -> Tier:
    found = _claim(table, claims, None, "tier", "from")
    tier = Tier(table.text("name"), table.tenths("from", 0, _MOST), found)
    table.close()
    return tier


def _dimension(table: Table, claims: list[Claim]) -> Dimension:
    found = _claim(table, claims, None, "dimension", "cap")
    dimension = Dimension(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        cap=table.tenths("cap", 0, _MOST),
        indicators=tuple(_indicator(inner, claims) for inner in table.tables("indicator", least=1)),
        basis=found,
    )
    table.close()
    return dimension


def _indicator(table: Table, claims: list[Claim]) -> Indicator:
    found = _claim(table, claims, None, "indicator", "points", "cap", "window_months", "years", "levels")
    measure = table.choice("measure", MEASURES)
    clean, best = measure == "clean_years", measure == "best"
    indicator = Indicator(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        enabled=table.flag("enabled", default=True),
        kinds=table.words("kinds"),
        measure=measure,
        window_months=0 if clean else table.whole("window_months", 0, 600),
        years=table.whole("years", 1, 10) if clean else 0,
        points=0 if best else table.tenths("points", 1, _MOST),
        cap=table.tenths("cap", 1, _MOST),
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
    level = Level(table.whole("level", 1, 1_000), table.text("name"), table.tenths("points", 1, _MOST))
    table.close()
    return level


def _effort(table: Table) -> Effort:
    effort = Effort(table.text("text"), table.whole("hours", 0, 1_000), table.choice("pace", PACES))
    table.close()
    return effort


def _deduction(table: Table, claims: list[Claim]) -> Deduction:
    found = _claim(table, claims, None, "deduction", "points", "cap")
    deduction = Deduction(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        kind=table.text("kind"),
        points=table.tenths("points", 1, _MOST),
        cap=table.tenths("cap", 1, _MOST),
        hard_stop_months=_hard_stop(table, claims) if table.has("hard_stop") else 0,
        reason=_template(table, "reason", _NEGATIVE),
        recover=table.text("recover"),
        basis=found,
    )
    table.close()
    return deduction


def _hard_stop(table: Table, claims: list[Claim]) -> int:
    inner = table.table("hard_stop")
    months = inner.whole("months", 1, 60)
    claims.append(Claim("deduction.hard_stop", months, basis.read(inner), table.document.file, table.line("hard_stop")))
    inner.close()
    return months


def _hold(table: Table) -> Hold:
    hold = Hold(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        kind=table.text("kind"),
        reason=table.text("reason"),
        recover=table.text("recover"),
        basis=basis.read(table),
    )
    table.close()
    return hold


def _template(table: Table, key: str, allowed: frozenset[str]) -> str:
    template = table.text(key)
    for name in _PLACEHOLDER.findall(template):
        if name not in allowed:
            table.fault(f"{{{name}}} is no placeholder.", f"Use {', '.join(sorted(allowed))}.", key)
    return template


def _consistent(card: Scorecard, root: Table) -> None:
    """Look across the tables: order, repetition and bounds."""
    if not card.low <= card.base <= card.high:
        root.fault("The base lies outside the scale.", "Keep low <= base <= high.", "scale")
    starts = [tier.start for tier in card.tiers]
    if starts != sorted(set(starts)) or (starts and starts[0] != card.low):
        root.fault("Tiers do not rise from the bottom of the scale.", "Order them, the first from `low`.", "tier")
    for inner in root.tables("dimension"):
        _once(inner, inner.tables("indicator"))
    indicators = [one for dimension in card.dimensions for one in dimension.indicators]
    parts = [*card.dimensions, *indicators, *card.deductions, *card.holds]
    _unique(root, [part.id for part in parts], "id")
    counted = [kind for one in indicators if one.measure != "clean_years" for kind in one.kinds]
    _unique(root, [*counted, *(one.kind for one in (*card.deductions, *card.holds))], "kind")
    for one in indicators:
        strange = set(one.kinds) - {deduction.kind for deduction in card.deductions}
        if one.measure == "clean_years" and strange:
            root.fault(f"{one.id} looks at {', '.join(sorted(strange))}, which deduct nothing.", "Name only deductions.")


def _once(dimension: Table, indicators: list[Table]) -> None:
    for table in indicators:
        seen: set[int] = set()
        for inner in table.tables("levels"):
            level = inner.whole("level", 1, 1_000)
            if level in seen:
                table.fault(f"Level {level} is given twice.", "Keep one.", "levels")
            seen.add(level)
    if not any(table.flag("enabled", default=True) for table in indicators):
        dimension.fault("No indicator of this dimension is enabled.", "Enable one or remove the dimension.")


def _unique(root: Table, names: list[str], what: str) -> None:
    for name in sorted({name for name in names if names.count(name) > 1}):
        root.fault(f"The {what} {name} is used twice.", f"Each {what} counts once; keep one of them.")
