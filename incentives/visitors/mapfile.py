"""Reading `recognition.toml`: every fault with its line. Pure.

What is proved of a map beside the perks that it names is in `proofs`.
"""

import re
from datetime import date
from urllib.parse import urlsplit

from core.policyfile import Document, Table
from incentives.visitors.maps import City, Level, Maps, Rule, points_of
from scoring.book import basis

_CODE = re.compile(r"[0-9]{6}")
_MOST = "at most 9999"


def load(text: str, file: str) -> Maps:
    """Read the file; raises `policyfile.Faulty` with every fault found, each with its line."""
    document = Document(text, file)
    maps = read(document.root)
    _once(document.root, "level", [one.id for one in maps.levels])
    document.close()
    return maps


def read(root: Table) -> Maps:
    """Read the root table; the schema is drawn from here."""
    levels = tuple(_level(table) for table in root.tables("level"))
    known = {one.id for one in levels}
    cities = tuple(_city(table, known) for table in root.tables("city"))
    _one_at_a_time(root, cities)
    root.close()
    return Maps(levels, cities)


def _level(table: Table) -> Level:
    found = Level(table.text("id"), table.text("name"), _rules(table, least=1), basis.read(table))
    table.close()
    return found


def _city(table: Table, levels: set[str]) -> City:
    since, until = _days(table)
    city = City(
        code=table.text("code"),
        name=table.text("name"),
        level=table.text("level", "-") if table.has("level") else None,
        issuer=table.text("issuer", "-") if table.has("issuer") else None,
        since=since,
        until=until,
        rules=_rules(table, least=0),
        basis=basis.read(table),
    )
    if "code" in table.value and not _CODE.fullmatch(city.code):
        table.fault("`code` is no code of GB/T 2260.", "Write its six digits, e.g. 320500.", "code")
    if "level" in table.value and city.level not in levels:
        table.fault("There is no such level.", f"Known here: {', '.join(sorted(levels)) or 'none'}.", "level")
    if "level" not in table.value and not city.rules:
        table.fault("Nothing is recognised of this city.", "Give it a `level`, or a [[city.rule]] of its own.")
    if "issuer" in table.value and not _is_origin(city.issuer or ""):
        table.fault("`issuer` is no address of an issuer.", "Write https://…, without query and fragment.", "issuer")
    table.close()
    return city


def _rules(table: Table, *, least: int) -> tuple[Rule, ...]:
    """`[[….rule]]`: of a perk one rule a day."""
    tables = table.tables("rule", least=least)
    found = [_rule(one) for one in tables]
    for place, rule in enumerate(found):
        for other in found[:place]:
            both = sorted({*rule.perks} & {*other.perks})
            if both and _overlap((rule.since, rule.until), (other.since, other.until)):
                tables[place].fault(f"{both[0]} has two thresholds on one day.", "End one before the other begins.")
    return tuple(found)


def _rule(table: Table) -> Rule:
    predicate, perks = table.text("predicate"), table.words("perks")
    since, until = _days(table)
    points = points_of(predicate)
    if "predicate" in table.value and points is None:
        table.fault("`predicate` is none.", f"Write over_ and a threshold of theirs, {_MOST}: over_120.", "predicate")
    if "perks" in table.value and not perks:
        table.fault("It is worth nothing here.", "Name at least one perk of ours.", "perks")
    table.close()
    return Rule(points or 1, perks, since, until)


def _days(table: Table) -> tuple[date | None, date | None]:
    since, until = (table.day(key) if table.has(key) else None for key in ("from", "until"))
    if since and until and until < since:
        table.fault("It ends before it begins.", "Correct one of the days.", "until")
    return since, until


def _one_at_a_time(root: Table, cities: tuple[City, ...]) -> None:
    """A city may stand twice, with what is agreed from another day on, but not twice on one day."""
    for place, city in enumerate(cities):
        for other in cities[:place]:
            if city.code == other.code and _overlap((city.since, city.until), (other.since, other.until)):
                root.fault(f"{city.code} stands twice on one day.", "End one before the other begins.", "city")


def _overlap(one: tuple[date | None, date | None], other: tuple[date | None, date | None]) -> bool:
    (since, until), (after, before) = one, other
    return (since or date.min) <= (before or date.max) and (after or date.min) <= (until or date.max)


def _once(root: Table, key: str, names: list[str]) -> None:
    if len(set(names)) < len(names):
        root.fault(f"A {key} stands twice.", "Keep one.", key)


def _is_origin(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"https", "http"} and bool(parts.hostname) and not (parts.query or parts.fragment)
