"""Can people in different lives reach a tier? The least effort is computed, not hoped for.

Pure. For each persona the cheapest mix of what that person can do within a year is found exactly, in integers: a small
knapsack over tenths, caps of indicators and dimensions kept. Effort is counted in hours-equivalent of volunteering.
"""

from datetime import date

import msgspec

from core.policyfile import Document, Fault, Table
from scoring.book.basis import Basis, read
from scoring.book.rules import Dimension
from scoring.book.scorecard import Scorecard
from scoring.points import evaluate, mixes

_BORN, _TODAY = date(1960, 1, 1), date(2026, 1, 1)
_HOURS = 10_000


class Persona(msgspec.Struct, frozen=True):
    """A life: how many units of each indicator are within reach in twelve months."""

    id: str
    name: str
    english: str
    units: dict[str, int]


class Personas(msgspec.Struct, frozen=True):
    """The personas, the tier that each must reach, and the most effort that may be asked for it."""

    tier: str
    most_hours: int
    personas: tuple[Persona, ...]
    basis: Basis


def load(text: str, file: str) -> Personas:
    """Read the personas; raises `policyfile.Faulty`."""
    document = Document(text, file)
    root = document.root
    found = Personas(
        tier=root.text("tier"),
        most_hours=root.whole("most_hours", 0, _HOURS),
        personas=tuple(_persona(table) for table in root.tables("persona", least=1)),
        basis=read(root),
    )
    root.close()
    document.close()
    return found


def hours(card: Scorecard, persona: Persona, tier: str) -> int | None:
    """Give the least hours in a year by which a clean person with nothing recorded reaches a tier, None if never."""
    start = next((one.start for one in card.tiers if one.name == tier), card.high)
    missing = start - evaluate.compile(card)([], _BORN, _TODAY).points
    least = mixes.join((_dimension(dimension, persona) for dimension in card.dimensions), card.high)
    found = mixes.cheapest(least, missing)
    return None if found is None else found.hours


def faults(card: Scorecard, personas: Personas, file: str) -> list[Fault]:
    """Find every persona that is asked for too much."""
    advice = f"At most {personas.most_hours} hours may be asked: lower the tier or open an easier way."
    found: list[Fault] = []
    for persona in personas.personas:
        cost = hours(card, persona, personas.tier)
        if cost is None or cost > personas.most_hours:
            needs = "more than a year" if cost is None else f"{cost} hours"
            found.append(Fault(file, 1, f"{persona.name} needs {needs} to reach {personas.tier}.", advice))
    return found


def _persona(table: Table) -> Persona:
    inner = table.table("units")
    units = {key: inner.whole(key, 0, _HOURS) for key in inner.value}
    persona = Persona(table.text("id"), table.text("name"), table.text("english"), units)
    table.close()
    return persona


def _dimension(dimension: Dimension, persona: Persona) -> mixes.Least:
    """Give tenths -> cheapest mix for one dimension, its cap kept."""
    rules = [rule for rule in dimension.indicators if rule.enabled]
    return mixes.join((mixes.efforts(rule, persona.units.get(rule.id, 0), rule.cap) for rule in rules), dimension.cap)
