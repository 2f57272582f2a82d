"""What is looked up for every row before it is gathered: the slot that it counts in, and its month as a bit of a word.

Pure. A slot is the number of a rule that counts rows of its own. Numbers are in such an order that a range of them
tells how a row is gathered: first what most rows are about, then the seldom, then what takes points. A word is a whole
number of 63 bits, shared by the rules that count months: each has as many bits of it as its window touches months.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from core.months import number, shift
from scoring.book.rules import Deduction, Hold, Indicator
from scoring.book.scorecard import Scorecard

FREQUENT = {"subject": "int64", "slot": "int8", "bit": "int64", "quantity": "int64"}
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
_BITS = 63  # of a word, which stays positive
_LONGEST = _BITS - 2  # months of a window, which begins and ends inside one and so touches one more


class Word(msgspec.Struct, frozen=True):
    """The rules that share a word: for each its place, which is that of its lowest bit; `wide` bits are taken."""

    places: dict[str, int]
    wide: int


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
    places = {rule: place for word in words(card) for rule, place in word.places.items()}

    def slot(gathered: int, window: int, rule: Indicator | Deduction | Hold, *kinds: str) -> Slot:
        return Slot(gathered, shift(as_of, -window) if window else date.min, rule, kinds, 1 << places.get(rule.id, 0))

    found = [
        slot(OFTEN if often(rule) else RARE, rule.window_months, rule, *rule.kinds)
        for rule in card.indicators()
        if rule.measure != "clean_years"  # they look at the deductions' rows
    ]
    found += [slot(TAKING, rule.hard_stop_months, rule, rule.kind) for rule in card.deductions]
    found += [slot(TAKING, 0, rule, rule.kind) for rule in card.holds]
    return sorted(found, key=lambda one: one.gathered)


def words(card: Scorecard) -> list[Word]:
    """Share words among the rules that count months, the longest window first, each where it first fits."""
    found: list[Word] = []
    for rule in sorted(monthly(card.indicators()), key=lambda rule: -rule.window_months):
        wide = bits(rule)
        number = next((at for at, word in enumerate(found) if word.wide + wide <= _BITS), len(found))
        shared = found[number] if number < len(found) else Word({}, 0)
        found[number : number + 1] = [Word(shared.places | {rule.id: shared.wide}, shared.wide + wide)]
    return found


def monthly(rules: Iterable[Indicator]) -> list[Indicator]:
    """Give the rules whose months are bits of a word."""
    return [rule for rule in rules if rule.measure == "months" and often(rule)]


def bits(rule: Indicator) -> int:
    """Give how many bits a rule has in its word."""
    return rule.window_months + 1


def often(rule: Indicator) -> bool:
    """Say whether most rows are about such rules: those with a short window, whose months fit a word."""
    return rule.measure != "best" and 0 < rule.window_months <= _LONGEST


def kinds(card: Scorecard, as_of: date) -> list[tuple[str, int, date, int]]:
    """Give each kind that counts, its slot, the day after which its rows count, and what lifts a month to its bit."""
    return [(kind, place, one.after, one.lift) for place, one in enumerate(slots(card, as_of)) for kind in one.kinds]


def months(as_of: date) -> dict[date, int]:
    """Give each day of the longest window its calendar month as a bit; the lowest bit is the month of `as_of`."""
    first = shift(as_of, -_LONGEST)
    days = [first + timedelta(days=day) for day in range((as_of - first).days + 1)]
    return {day: 1 << (number(as_of) - number(day)) for day in days}
