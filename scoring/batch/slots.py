"""What is looked up for every row before it is gathered: the slot that it counts in, and its bit in a word of months.

Pure. A slot is the number of a rule that counts rows of its own. Numbers are in such an order that a range of them
tells how a row is gathered: first by months, as most rows are, then the rest, then what takes points. A word has 63
bits for the months of several rules, and each person has one of each.
"""

from datetime import date, timedelta

import msgspec

from core.months import number, shift
from scoring.book.rules import Deduction, Hold, Indicator
from scoring.book.scorecard import Scorecard

KINDS = {"kind": "string", "slot": "int8", "after": "date", "lift": "int64"}
MONTHS = {"occurred_on": "date", "month": "int64"}

MONTHLY, SELDOM, TAKING = range(3)
_BITS = 63  # of a word, which stays positive
_LONGEST = _BITS - 2  # months of a window, which begins and ends inside one and so touches one more


class Word(msgspec.Struct, frozen=True):
    """One word: its name, and its rules with the bits that are theirs."""

    name: str
    masks: dict[str, int]


class Slot(msgspec.Struct, frozen=True):
    """One slot: how it is gathered, the day after which its rows count (that of the evaluator), its rule and kinds.

    `lift` times the month of `months` is the bit of its word.
    """

    gathered: int
    after: date
    rule: Indicator | Deduction | Hold
    kinds: tuple[str, ...]
    lift: int


def slots(card: Scorecard, as_of: date) -> list[Slot]:
    """Give the slots of a card; their numbers are their places."""
    lowest = {rule: mask & -mask for word in words(card) for rule, mask in word.masks.items()}

    def slot(gathered: int, window: int, rule: Indicator | Deduction | Hold, *kinds: str) -> Slot:
        return Slot(gathered, shift(as_of, -window) if window else date.min, rule, kinds, lowest.get(rule.id, 1))

    found = [
        slot(MONTHLY if monthly(rule) else SELDOM, rule.window_months, rule, *rule.kinds)
        for rule in card.indicators()
        if rule.measure != "clean_years"  # they look at the deductions' rows
    ]
    found += [slot(TAKING, rule.hard_stop_months, rule, rule.kind) for rule in card.deductions]
    found += [slot(TAKING, 0, rule, rule.kind) for rule in card.holds]
    return sorted(found, key=lambda one: one.gathered)


def units(card: Scorecard) -> dict[str, str]:
    """Give names and types of what is gathered: a row an adult, a column a rule; of clean years the first day."""
    clean = {rule.id for rule in card.indicators() if rule.measure == "clean_years"}
    rules = (*card.indicators(), *card.deductions, *card.holds)
    return {"subject": "int64"} | {f"u_{rule.id}": "date" if rule.id in clean else "int64" for rule in rules}


def words(card: Scorecard) -> list[Word]:
    """Share words among the rules of months, the longest window first, each where it first fits."""
    found: list[dict[str, int]] = []
    for rule in sorted(filter(monthly, card.indicators()), key=lambda rule: -rule.window_months):
        bits = rule.window_months + 1
        word = next((word for word in found if _taken(word) + bits <= _BITS), None)
        if word is None:
            found.append(word := {})
        word[rule.id] = ((1 << bits) - 1) << _taken(word)
    return [Word(f"w_{number}", word) for number, word in enumerate(found)]


def _taken(word: dict[str, int]) -> int:
    return max(word.values(), default=0).bit_length()


def monthly(rule: Indicator) -> bool:
    """Say whether a rule counts months that fit a word, as those that most rows are about do."""
    return rule.measure == "months" and 0 < rule.window_months <= _LONGEST


def kinds(card: Scorecard, as_of: date) -> list[tuple[str, int, date, int]]:
    """Give each kind that counts, its slot, the day after which its rows count, and what lifts a month to its bit."""
    return [(kind, place, one.after, one.lift) for place, one in enumerate(slots(card, as_of)) for kind in one.kinds]


def months(as_of: date) -> dict[date, int]:
    """Give each day of the longest window its calendar month as a bit; the lowest bit is the month of `as_of`."""
    first = shift(as_of, -_LONGEST)
    days = [first + timedelta(days=day) for day in range((as_of - first).days + 1)]
    return {day: 1 << (number(as_of) - number(day)) for day in days}
