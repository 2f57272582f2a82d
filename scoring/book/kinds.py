"""The parts of the catalogue as frozen values: kinds of record, their fields, levels and intervals.

Pure. Field types are closed (`TYPES`); what each accepts is in `scoring.book.fieldcheck`.
"""

from datetime import date

import msgspec

from scoring.book.basis import Basis

# Kinds that are counted by month, never by event, so that nothing that can be repeated at will can be farmed.
MONTHLY = frozenset({"P01", "P02", "P03", "P04", "P06", "P07", "P12", "P17", "P21", "P22"})
TYPES = ("text", "true", "date", "month", "whole", "enum", "uscc", "grade")


class Field(msgspec.Struct, frozen=True):
    """One member of `fields`: its closed type and the bounds of that type.

    `nothing` are enum values that leave nothing to record, as do whole numbers below `least`; `refused` pairs of value
    and rejection code, `not_after` the date field that this date may not exceed.
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
    least: int = 0


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


class Quality(msgspec.Struct, frozen=True):
    """When what a source sends is called strange: nothing is said below `least` lines, nor before `weeks` weeks.

    `late_days` are working days from the document or the event to the receipt; `late_percent` and `rejected_percent`
    of the lines may be late or refused; `deviations` and `shift_percent` are how far volume and shares may move.
    """

    late_days: int
    late_percent: int
    rejected_percent: int
    deviations: int
    shift_percent: int
    least: int
    weeks: int
    basis: Basis


class Group(msgspec.Struct, frozen=True):
    """A group of sources as a notice names it; a core group is taken or refused with the consent as a whole."""

    id: str
    name: str
    core: bool
