"""What is looked up for every row before it is gathered: the slot that it counts in, and the piles that it goes onto.

Pure. A slot is the number of a rule that counts rows of its own. Numbers are in such an order that a range of them
tells how a row is gathered: first what most rows are about, then the seldom, then what takes points. A pile is a number
that each person has of what most rows are about: a sum, or a word of 63 bits that rules share which count months.
"""

from datetime import date, timedelta

import msgspec

from core.months import number, shift
from scoring.book.rules import Deduction, Hold, Indicator
from scoring.book.scorecard import Scorecard

SELDOM = {
    "subject": "int64",
    "slot": "int8",
    "occurred_on": "date",
    "quantity": "int64",
    "level": "int16",
    "from_on": "date",
    "until_on": "date",
}
KINDS = {"kind": "string", "slot": "int8", "after": "date", "lift": "int64"}
MONTHS = {"occurred_on": "date", "month": "int64"}

OFTEN, RARE, TAKING = range(3)
_PILED = {"months", "sum", "count"}
_BITS = 63  # of a word, which stays positive
_LONGEST = _BITS - 2  # months of a window, which begins and ends inside one and so touches one more


class Pile(msgspec.Struct, frozen=True):
    """One pile: its column, how rows are put onto it, and its rules with the bits that are theirs (of a sum, all)."""

    name: str
    measure: str
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
    lowest = {rule: mask & -mask for pile in piles(card) for rule, mask in pile.masks.items()}

    def slot(gathered: int, window: int, rule: Indicator | Deduction | Hold, *kinds: str) -> Slot:
        return Slot(gathered, shift(as_of, -window) if window else date.min, rule, kinds, lowest.get(rule.id, 1))

    found = [
        slot(OFTEN if often(rule) else RARE, rule.window_months, rule, *rule.kinds)
        for rule in card.indicators()
        if rule.measure != "clean_years"  # they look at the deductions' rows
    ]
    found += [slot(TAKING, rule.hard_stop_months, rule, rule.kind) for rule in card.deductions]
    found += [slot(TAKING, 0, rule, rule.kind) for rule in card.holds]
    return sorted(found, key=lambda one: one.gathered)


def units(card: Scorecard) -> dict[str, str]:
    """Give names and types of what is gathered from most rows: a row an adult, a column a rule."""
    return {"subject": "int64"} | {f"u_{rule.id}": "int64" for rule in card.indicators() if often(rule)}


def piles(card: Scorecard) -> list[Pile]:
    """Give the piles of a card: the words, then the sums and counts."""
    rules = [rule for rule in card.indicators() if often(rule)]
    added = [Pile(f"u_{rule.id}", rule.measure, {rule.id: -1}) for rule in rules if rule.measure != "months"]
    return _words([rule for rule in rules if rule.measure == "months"]) + added


def _words(rules: list[Indicator]) -> list[Pile]:
    """Share words among rules, the longest window first, each where it first fits."""
    words: list[dict[str, int]] = []
    for rule in sorted(rules, key=lambda rule: -rule.window_months):
        bits = rule.window_months + 1
        word = next((word for word in words if _taken(word) + bits <= _BITS), None)
        if word is None:
            words.append(word := {})
        word[rule.id] = ((1 << bits) - 1) << _taken(word)
    return [Pile(f"w_{number}", "months", word) for number, word in enumerate(words)]


def _taken(word: dict[str, int]) -> int:
    return max(word.values(), default=0).bit_length()


def often(rule: Indicator) -> bool:
    """Say whether most rows are about such rules: those with a short window, whose months fit a word."""
    return rule.measure in _PILED and 0 < rule.window_months <= _LONGEST


def kinds(card: Scorecard, as_of: date) -> list[tuple[str, int, date, int]]:
    """Give each kind that counts, its slot, the day after which its rows count, and what lifts a month to its bit."""
    return [(kind, place, one.after, one.lift) for place, one in enumerate(slots(card, as_of)) for kind in one.kinds]


def months(as_of: date) -> dict[date, int]:
    """Give each day of the longest window its calendar month as a bit; the lowest bit is the month of `as_of`."""
    first = shift(as_of, -_LONGEST)
    days = [first + timedelta(days=day) for day in range((as_of - first).days + 1)]
    return {day: 1 << (number(as_of) - number(day)) for day in days}
