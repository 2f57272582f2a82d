"""Reads the parts of the catalogue's TOML into the structs of `scoring.book.kinds`, noting every fault with its line.

Pure. It checks that names used exist: groups, level tables, fields that an interval or another field points to.
"""

import re

from core.policyfile import Table
from scoring.book import basis
from scoring.book.basis import Basis, Claim
from scoring.book.envelope import PARTS, TOP
from scoring.book.kinds import (
    TYPES,
    Field,
    Group,
    Interval,
    Item,
    Kind,
    LevelRow,
    LevelTable,
    Quality,
)

CODES = ("simple_procedure", "nothing_to_record")
_LABEL = frozenset({"month", "day", "quantity", "level"})
_LONGEST = 200
_GRADED = {("scheme", "text"), ("period", "month"), ("grade", "grade")}  # the table of a grade is found by these


def adult_age(table: Table, claims: list[Claim]) -> int:
    """Read the age of adulthood and what it rests on."""
    age = table.whole("value", 18, 18)
    claims.append(Claim("catalogue.adult_age", age, basis.read(table), table.document.file, table.line()))
    table.close()
    return age


def group(table: Table) -> Group:
    """Read one group of sources."""
    made = Group(table.text("id"), table.text("name"), table.flag("core"))
    table.close()
    return made


# What holds for a catalogue from before there was a board.
_QUALITY = Quality(7, 5, 10, 6, 25, 50, 4, Basis("demo", ""))


def quality(root: Table) -> Quality:
    """Read when what a source sends is called strange."""
    if not root.has("quality"):
        return _QUALITY
    table = root.table("quality")
    found = Quality(
        late_days=table.whole("late_days", 1, 30),
        late_percent=table.whole("late_percent", 0, 100),
        rejected_percent=table.whole("rejected_percent", 0, 100),
        deviations=table.whole("deviations", 1, 100),
        shift_percent=table.whole("shift_percent", 0, 100),
        least=table.whole("least", 10, 100_000),
        weeks=table.whole("weeks", 3, 52),
        basis=basis.read(table),
    )
    table.close()
    return found


def headers(root: Table, kinds: list[Kind]) -> dict[str, str]:
    """Read the Chinese names of a table's columns: each stands for one column of ours."""
    if not root.has("headers"):
        return {}
    table, found = root.table("headers"), dict[str, str]()
    known = (TOP - {*PARTS, "fields"}).union(f"{part}.{name}" for part, names in PARTS.items() for name in names)
    known = known.union(f"fields.{field.name}" for kind in kinds for field in kind.fields)
    for column in table.value:
        if column not in known:
            table.fault(f"`{column}` is no column.", "Write a member of a line, e.g. `fields.period`.", column)
        for alias in table.words(column):
            if alias in found or alias in known:
                table.fault(f"`{alias}` names two columns.", "Give each column names of its own.", column)
            found[alias] = column
    return found


def levels(table: Table) -> LevelTable:
    """Read one table of levels, lowest first."""
    rows = tuple(_row(inner) for inner in table.tables("rows", least=1))
    found = LevelTable(
        table.text("id"),
        table.text("plus") if table.has("plus") else "",
        tuple(sorted(rows, key=lambda row: row.level)),
    )
    table.close()
    return found


def _row(table: Table) -> LevelRow:
    row = LevelRow(
        table.text("value"), table.whole("level", 0, 99), table.text("name"), table.whole("highest", 1, 9, 9)
    )
    table.close()
    return row


def kind(table: Table, names: tuple[frozenset[str], frozenset[str]], claims: list[Claim]) -> Kind:
    """Read one kind; `names` are the groups and the level tables that exist."""
    code = table.text("code")
    positive = table.choice("polarity", ("+", "-")) == "+"
    fields = tuple(_field(inner) for inner in table.tables("fields", least=1))
    level = table.table("level") if table.has("level") else None
    made = Kind(
        code=code,
        name=table.text("name"),
        english=table.text("english"),
        positive=positive,
        bureau=table.text("bureau"),
        group=table.choice("group", sorted(names[0]) or ("-",)),
        item=_item(table.table("item")),
        sensitivity=table.choice("sensitivity", ("G", "S")),
        enabled=table.flag("enabled"),
        repeatable=table.flag("repeatable"),
        document=table.flag("document"),
        notice=table.flag("notice"),
        window_months=table.whole("window_months", 0, 600),
        keep_months=table.whole("keep_months", 0, 600),
        label=_label(table),
        quantity=table.text("quantity") if table.has("quantity") else "",
        level_table=level.choice("table", sorted(names[1]) or ("-",)) if level else "",
        level_field=level.text("field") if level else "",
        severity=table.text("severity") if table.has("severity") else "",
        fields=fields,
        interval=None if positive else _interval(table.table("interval"), code, claims),
        basis=basis.read(table),
    )
    if level:
        level.close()
    _points_at(table, made)
    table.close()
    return made


def _item(table: Table) -> Item:
    levels = ("national", "provincial", "municipal")
    item = Item(table.choice("level", levels), table.text("id"), table.text("version"), table.day("valid_from"))
    table.close()
    return item


def _label(table: Table) -> str:
    label = table.text("label")
    if strange := set(re.findall(r"\{([^}]*)\}", label)) - _LABEL:
        table.fault(f"{', '.join(sorted(strange))} is no placeholder.", f"Use {', '.join(sorted(_LABEL))}.", "label")
    return label


def _field(table: Table) -> Field:
    kind = table.choice("type", TYPES)
    whole, enum = kind == "whole", kind == "enum"
    refused = [_refused(inner) for inner in table.tables("refused")]
    field = Field(
        name=table.text("name"),
        type=kind,
        optional=table.flag("optional", default=False),
        longest=table.whole("longest", 1, _LONGEST) if kind == "text" else 0,
        low=table.whole("low", 0, 10_000) if whole else 0,
        high=table.whole("high", 0, 10_000) if whole else 0,
        values=table.words("values") if enum else (),
        nothing=table.words("nothing", ()),
        refused=tuple(refused),
        not_after=table.text("not_after") if table.has("not_after") else "",
        future=table.flag("future", default=False),
        least=table.whole("least", 0, 10_000) if whole and table.has("least") else 0,
    )
    table.close()
    return field


def _refused(table: Table) -> tuple[str, str]:
    pair = table.text("value"), table.choice("code", CODES)
    table.close()
    return pair


def _interval(table: Table, code: str, claims: list[Claim]) -> Interval:
    wait = table.table("wait") if table.has("wait") else None
    interval = Interval(
        starts=table.text("starts") if table.has("starts") else "",
        wait_field=wait.text("field") if wait else "",
        wait_days=wait.whole("days", 1, 366) if wait else 0,
        ends=table.text("ends") if table.has("ends") else "",
        stop_months=_months(table, "stops_after", f"catalogue.stops_after.{code}", 36, claims),
        hard_stop_months=_months(table, "hard_stop", "catalogue.hard_stop", 60, claims),
        basis=basis.read(table),
    )
    if wait:
        wait.close()
    if not interval.ends and not (interval.stop_months and interval.hard_stop_months):
        table.fault("This deduction may never end.", "Give `ends`, or both `stops_after` and `hard_stop`.")
    table.close()
    return interval


def _months(table: Table, key: str, value: str, most: int, claims: list[Claim]) -> int:
    """Read a limit in months, 0 when it is not used; nothing outlives `most`."""
    if not table.has(key):
        return 0
    inner = table.table(key)
    months = inner.whole("months", 1, most)
    claims.append(Claim(value, months, basis.read(inner), table.document.file, table.line(key)))
    inner.close()
    return months


def _points_at(table: Table, kind: Kind) -> None:
    """Every field that the kind speaks of must be one of its fields."""
    names = {field.name for field in kind.fields}
    limits = [kind.interval.starts, kind.interval.wait_field, kind.interval.ends] if kind.interval else []
    for name in [kind.quantity, kind.level_field, *limits, *(field.not_after for field in kind.fields)]:
        if name and name not in names:
            table.fault(f"`{name}` is no field of {kind.code}.", f"Fields are {', '.join(sorted(names))}.")
    always = {(field.name, field.type) for field in kind.fields if not field.optional}
    if any(field.type == "grade" for field in kind.fields) and _GRADED - always:
        table.fault(f"A grade of {kind.code} has no table.", "Add `scheme` (text) and `period` (month), not optional.")
