"""What is proved of a map of recognition beside our perks: visitors get no less than strangers, no more than ours.

Pure. A map names perks and says nothing of their terms, so what it grants is what our own holders have, at every place
and for every amount: `incentives.book.proofs` proved that this is never less than a stranger's, and here it is asked
again of each perk that a map opens. What is lent, or paid later, is not opened to visitors: they leave no address, and
nobody is asked for one.
"""

from collections.abc import Sequence

from core.policyfile import Fault
from incentives.book import proofs
from incentives.book.perks import Perk
from incentives.visitors.maps import Maps

GIVEN = ("discount", "annual_pass", "public_service")


def faults(maps: Maps, perks: Sequence[Perk], file: str, line: int = 1) -> list[Fault]:
    """Everything that a map may not say of our perks; none is the proof."""
    known = {perk.id: perk for perk in perks}
    found: list[Fault] = []
    for name in sorted(maps.perks()):
        if (perk := known.get(name)) is None:
            found.append(Fault(file, line, f"{name} is no perk of ours.", "Name one of perks/, or publish it first."))
            continue
        if perk.kind not in GIVEN:
            advice = f"Visitors can have: {', '.join(GIVEN)}; they leave no address for what is owed."
            found.append(Fault(file, line, f"{name} lends or waits for money ({perk.kind}).", advice))
        found += [Fault(file, line, f"{name}: {flaw.message}", flaw.advice) for flaw in proofs.flaws(perk)]
    return found


def summary(maps: Maps, file: str) -> list[str]:
    """A line for each city."""
    proved = "proved: our own terms or the stranger's, and showing more never brings less"
    return [f"{file}: {one.code} {one.name} ({one.level or 'its own map'}), {proved}" for one in maps.cities]
