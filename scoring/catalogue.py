"""The catalogue as frozen values: which kinds of record may be taken, from whom, with which fields, for how long.

Pure. An item outside the catalogue may not be used as public credit information, and a kind without an indicator in
force is not taken (PIPL art. 6). The check of one source line against it is in `scoring.lines`.
"""

import hashlib
from datetime import date

import msgspec

from core.months import shift
from scoring.basis import Basis, Claim

TYPES = ("text", "true", "date", "month", "whole", "enum", "uscc", "grade")


class Field(msgspec.Struct, frozen=True):
    """One member of `fields`: its closed type and the bounds of that type.

    `nothing` are enum values that leave nothing to record, `refused` pairs of value and rejection code, `not_after` the
    date field that this date may not exceed.
    """

    name: str
    type: str
    optional: bool
    longest: int
    low: int
    high: int
    values: tuple[str, ...]
    nothing: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    not_after: str
    future: bool


class LevelRow(msgspec.Struct, frozen=True):
    """A value of a field, the number it stands for, its name; `highest` bounds the number added to it."""

    value: str
    level: int
    name: str
    highest: int


class LevelTable(msgspec.Struct, frozen=True):
    """How a field becomes a level; `plus` names the whole-number field that is added."""

    id: str
    plus: str
    rows: tuple[LevelRow, ...]


class Scheme(msgspec.Struct, frozen=True):
    """A declared rural scheme: the names of its grades, the lowest first."""

    id: str
    grades: tuple[str, ...]
    basis: Basis


class Interval(msgspec.Struct, frozen=True):
    """From when until when a deduction counts; empty names and zeros mean that the limit is not used.

    It begins on the later of the document's effect and its service, or on the date in `starts`, and not before
    `wait_days` after `wait_field`. It ends on the date in `ends`, `stop_months` after the document's effect, or
    `hard_stop_months` after the act, whichever comes first.
    """

    starts: str
    wait_field: str
    wait_days: int
    ends: str
    stop_months: int
    hard_stop_months: int
    basis: Basis


class Item(msgspec.Struct, frozen=True):
    """The entry of the public credit information catalogue (national, provincial or municipal) that allows a kind."""

    level: str
    id: str
    version: str
    valid_from: date


class Kind(msgspec.Struct, frozen=True):
    """One kind of record. `sensitivity` G is general, S needs its own consent (PIPL art. 29)."""

    code: str
    name: str
    english: str
    positive: bool
    bureau: str
    group: str
    item: Item
    sensitivity: str
    enabled: bool
    repeatable: bool
    document: bool
    notice: bool
    window_months: int
    keep_months: int
    label: str
    quantity: str
    level_table: str
    level_field: str
    severity: str
    fields: tuple[Field, ...]
    interval: Interval | None
    basis: Basis


class Group(msgspec.Struct, frozen=True):
    """A group of sources as a notice names it; a core group is taken or refused with the consent as a whole."""

    id: str
    name: str
    core: bool


class Catalogue(msgspec.Struct, frozen=True):
    """The whole catalogue; `digest` is the SHA-256 of the file's bytes."""

    version: str
    valid_from: date
    digest: str
    adult_age: int
    prohibited: tuple[str, ...]
    groups: tuple[Group, ...]
    schemes: tuple[Scheme, ...]
    tables: tuple[LevelTable, ...]
    kinds: dict[str, Kind]
    basis: Basis
    claims: tuple[Claim, ...]

    def adult_on(self, born: date) -> date:
        """Give the first day of adulthood; a birthday on 29 February falls on the 28th in common years."""
        return shift(born, 12 * self.adult_age)

    def kinds_of(self, group: str) -> frozenset[str]:
        """Give the enabled kinds that a group of sources may send."""
        return frozenset(kind.code for kind in self.kinds.values() if kind.group == group and kind.enabled)

    def level_name(self, kind: str, level: int | None) -> str:
        """Name a level in Chinese, empty when the kind has none."""
        table = next((one for one in self.tables if one.id == self.kinds[kind].level_table), None)
        if table is None or level is None:
            return ""
        row = [row for row in table.rows if row.level <= level][-1]
        return f"{row.name}{level - row.level}级" if table.plus else row.name

    def label(self, kind: str, occurred_on: date, quantity: int, level: int | None) -> str:
        """Say in one line of Chinese what a record is, from its plain columns alone."""
        return self.kinds[kind].label.format(
            month=f"{occurred_on:%Y-%m}",
            day=occurred_on.isoformat(),
            quantity=quantity,
            level=self.level_name(kind, level),
        )


def load(text: str, file: str) -> Catalogue:
    """Read a catalogue; raises `policyfile.Faulty` with every fault found, each with its line."""
    from scoring.cataloguefile import read  # noqa: PLC0415  the reader builds the structs above

    return read(text, file, hashlib.sha256(text.encode()).hexdigest())
