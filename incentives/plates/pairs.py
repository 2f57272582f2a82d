"""What a car park is told: which digest stands for which pairwise subject, while that holder's consent lives.

Promises: a pair is told only after its citizen showed a code while a car of that plate was leaving, and to this car
park alone; a digest that is not among the pairs says nothing, whoever typed it. A pair is over with the consent, the
plate or the citizen, and when somebody else confirms the same plate: cars are sold. Numbers are the partner's own
list's, so that a repeated or lost fetch changes nothing.
"""

import uuid
from collections.abc import Sequence

import msgspec

from core.errors import Problem
from incentives.eligibility import Gate, dead

_PAIRS = "select * from incentives.plates_of_caller($1, $2, $3)"
_CONFIRM = "select heard from incentives.confirm_plate($1, $2, $3)"


class PairsGone(Problem):
    """What changed since that number is not kept any more."""

    code = "since_gone"
    status = 410
    title = "The changes since then are gone"


class Pair(msgspec.Struct, frozen=True):
    """A digest and whom it stands for, at a number of the list; `over`: it does not any more."""

    number: int
    over: bool
    perk: str
    digest: bytes
    subject: uuid.UUID


class Page(msgspec.Struct, frozen=True):
    """What changed, in order, and the number to ask after next."""

    pairs: Sequence[Pair]
    seq: int


async def after(gate: Gate, *, token: bytes, since: int, most: int) -> Page:
    """Up to `most` changes after the number `since`; 0 gives every pair. Raises TokenDead, PairsGone."""
    if not (rows := await gate.fetch(_PAIRS, token, since, most)):
        raise dead()
    if 0 < since < rows[0]["forgotten"]:
        raise PairsGone("Forget the pairs that you have, and fetch again without `since`.")
    found = [
        Pair(row["number"], row["over"], row["perk"], row["digest"], row["subject"])
        for row in rows
        if row["number"] is not None
    ]
    return Page(found, found[-1].number if len(found) == most else rows[0]["newest"])


async def confirm(gate: Gate, *, token: bytes, decision_id: uuid.UUID, digest: bytes) -> None:
    """Hear that a car of this digest left while the code of a decision was shown. Says nothing. Raises TokenDead."""
    if not await gate.fetch(_CONFIRM, token, decision_id, digest):
        raise dead()
