"""A draft beside everything that would rule on its day without it: what changes, and whether it could lower anybody.

What is held against a draft is named by one digest, so that a rehearsal is known to be of exactly this against exactly
that; whatever is approved meanwhile changes the digest.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import releases
from core.releases import Release
from incentives import changes as perk_changes
from incentives import rulebook
from incentives.book.perks import Perk
from scoring import rulebook as scorebook
from scoring.book import changes
from scoring.book.changes import Change
from scoring.rehearsal.run import World

KINDS = ("scorecard", "catalogue", "perks")


class Before(msgspec.Struct, frozen=True):
    """Everything that rules on the day without the draft."""

    others: tuple[Release, ...]

    def one(self, kind: str) -> Release | None:
        """The release of a kind of which there is one."""
        found = [one for one in self.others if one.kind == kind]
        return max(found, key=lambda one: (one.effective_on, one.approved_at), default=None)

    def perks(self, but: str = "") -> list[Perk]:
        """The perks, without those of a release of this name."""
        found = [one for one in self.others if one.kind == rulebook.KIND and one.name != but]
        return [perk for one in found for perk in rulebook.read(one.body, one.name)]


async def before(session: AsyncSession, drafted: Release) -> Before:
    """What a draft is held against."""
    found = await releases.in_force(session, on=drafted.effective_on, without=drafted.id)
    return Before(tuple(one for one in found if one.kind in KINDS))


def changed(drafted: Release, held: Before) -> tuple[tuple[Change, ...], bool]:
    """What a draft changes, value by value, and whether that could take anything from anybody."""
    if drafted.kind == rulebook.KIND:
        new = rulebook.read(drafted.body, drafted.name)
        old = [perk for one in held.others if one.name == drafted.name for perk in perks_of(one)]
        found = perk_changes.compare(old, new)
        return found, changes.may_lower(found)
    rules = held.one(drafted.kind)
    if drafted.kind != "scorecard" or rules is None:
        return (), rules is not None and rules.digest != drafted.digest
    found = changes.compare(*(scorebook.card(one.body) for one in (rules, drafted)))
    return found, changes.may_lower(found)


def worlds(drafted: Release, held: Before) -> tuple[World, World]:
    """The rule books without and with a draft. Raises NoScorecardInForce when there is none to hold it against."""
    card, catalogue = held.one("scorecard"), held.one("catalogue")
    if card is None or catalogue is None:
        raise scorebook.NoScorecardInForce("There is no rule book to hold it against.", retry_after=60)
    old = World(scorebook.compiled(card.body, catalogue.body, drafted.effective_on), _open(held.perks()))
    if drafted.kind == rulebook.KIND:
        perks = [*held.perks(but=drafted.name), *rulebook.read(drafted.body, drafted.name)]
        return old, World(old.book, _open(perks))
    texts = {"scorecard": card.body, "catalogue": catalogue.body, drafted.kind: drafted.body}
    return old, World(scorebook.compiled(texts["scorecard"], texts["catalogue"], drafted.effective_on), old.thresholds)


def _open(perks: Sequence[Perk]) -> dict[str, int]:
    return {perk.id: perk.threshold for perk in perks if not perk.closed}


def perks_of(one: Release) -> tuple[Perk, ...]:
    """The perks that a release holds; none for other kinds."""
    return rulebook.read(one.body, one.name) if one.kind == rulebook.KIND else ()
