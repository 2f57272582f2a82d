"""What it takes people in different lives to reach each tier, before and after: hours, and the cheapest way there.

The hours are the solver's (`scoring.points.reach`); the mix is found by asking it how far each thing that a persona can
do may be left out without more hours. Pure.
"""

from bisect import bisect_left

import msgspec

from scoring.book.scorecard import Scorecard
from scoring.points import reach
from scoring.points.reach import Persona, Personas


class Effort(msgspec.Struct, frozen=True):
    """A persona and a tier: the least hours within a year, None for out of reach; `mix`: a way of so many after."""

    persona: str
    name: str
    tier: str
    before: int | None
    after: int | None
    mix: str


def table(old: Scorecard, new: Scorecard, personas: Personas) -> tuple[Effort, ...]:
    """Give every persona and every tier that is above the lowest under either scorecard."""
    tiers = list(dict.fromkeys([tier.name for card in (old, new) for tier in card.tiers[1:]]))
    return tuple(_effort(old, new, one, tier) for one in personas.personas for tier in tiers)


def _effort(old: Scorecard, new: Scorecard, persona: Persona, tier: str) -> Effort:
    before, after = (_hours(card, persona, tier) for card in (old, new))
    return Effort(persona.id, persona.name, tier, before, after, _mix(new, persona, tier, after))


def _hours(card: Scorecard, persona: Persona, tier: str) -> int | None:
    """Give the least hours; None also where the scorecard has no such tier."""
    return reach.hours(card, persona, tier) if any(one.name == tier for one in card.tiers) else None


def _mix(card: Scorecard, persona: Persona, tier: str, least: int | None) -> str:
    """Give one cheapest way in words; what costs most is left out first."""
    if not least:
        return "" if least is None else "什么都不用做"
    rules = {one.id: one for one in card.indicators() if one.effort}
    kept = {key: units for key, units in persona.units.items() if key in rules}
    for key in sorted(kept, key=lambda each: -(effort.hours if (effort := rules[each].effort) else 0)):

        def enough(units: int, key: str = key) -> bool:
            fewer = msgspec.structs.replace(persona, units={**kept, key: units})
            return reach.hours(card, fewer, tier) == least

        kept[key] = bisect_left(range(kept[key]), x=True, key=enough)
    said = [f"{rules[key].name}{units}{rules[key].unit}" for key, units in kept.items() if units]
    return "，".join(said)
