"""A question to a wallet, from the partner that asks to the one answer: the calls of migration 0042's gate functions.

Promises: a question lives five minutes and is answered once, whoever sends what; nothing else names a holder, and
nothing of the holder is kept but the digest of the copy that was shown. The partner's token proves the partner, the
random id of a question its wallet.
"""

import secrets
import uuid
from datetime import datetime, timedelta

import msgspec

from core import ids
from core.errors import Conflict, NotFound
from incentives.eligibility import Gate, Verdict, dead
from incentives.visitors.asking import LIFE
from incentives.visitors.judging import Judged

_ASK = "select * from incentives.ask_presentation($1, $2, $3, $4, $5, $6, $7)"
_ASKED = "select * from incentives.presentation_asked($1)"
_MINE = "select * from incentives.presentation_of_caller($1, $2, $3)"
_ANSWER = "select * from incentives.answer_presentation($1, $2, $3, $4, $5, $6, $7)"
_TROUBLE = "select incentives.trouble_presentation($1)"


class PerkNotRecognised(Conflict):
    """No city is recognised for this perk, or the caller does not offer it: no wallet could show anything for it."""

    code = "perk_not_recognised"
    title = "Visitors cannot have this perk"


class PresentationUsed(Conflict):
    """The question was answered, or its five minutes are over."""

    code = "presentation_used"
    title = "This question was answered or is over"


class Begun(msgspec.Struct, frozen=True):
    """A question that waits for its wallet."""

    id: uuid.UUID
    partner_id: str
    nonce: str
    expires_at: datetime


class Asked(msgspec.Struct, frozen=True):
    """A question as its wallet finds it."""

    id: uuid.UUID
    partner_id: str
    partner: str
    perk_id: str
    nonce: str
    made_at: datetime
    expires_at: datetime
    answered: bool


class Mine(msgspec.Struct, frozen=True):
    """A question as its partner finds it; `verdict`: what was decided; `troubled`: it could not be, so far."""

    id: uuid.UUID
    perk_id: str
    amount: int | None
    terminal: str | None
    expires_at: datetime
    over: bool
    troubled: bool
    verdict: Verdict | None


async def ask(gate: Gate, *, token: bytes, perk: str, amount: int | None, terminal: str | None) -> Begun:
    """Ask. Raises TokenDead, PerkNotRecognised."""
    identity, nonce, life = ids.random(), secrets.token_urlsafe(24), timedelta(seconds=LIFE)
    rows = await gate.fetch(_ASK, token, identity, nonce, perk, amount, terminal, life)
    if not rows:
        raise dead()
    if rows[0]["reason"] is not None:
        raise PerkNotRecognised("GET /v1/partner/perks lists the perks of the caller.")
    return Begun(identity, rows[0]["partner_id"], nonce, rows[0]["expires_at"])


async def asked(gate: Gate, *, identity: uuid.UUID) -> Asked:
    """The question of this id. Raises NotFound, once it is over too."""
    rows = await gate.fetch(_ASKED, identity)
    if not rows:
        raise NotFound
    return Asked(*rows[0])


async def mine(gate: Gate, *, token: bytes, identity: uuid.UUID | None = None, nonce: str | None = None) -> Mine:
    """The caller's question of this id or nonce. Raises TokenDead, NotFound."""
    rows = await gate.fetch(_MINE, token, identity, nonce)
    if not rows:
        raise dead()
    row = rows[0]
    if row["id"] is None:
        raise NotFound
    verdict = None
    if row["decision_id"] is not None:
        verdict = Verdict(
            row["partner_id"], row["decision_id"], row["granted"], row["reason"], row["at"], row["valid_until"],
            row["release_id"], replayed=False,
        )  # fmt: skip
    return Mine(*(row[name] for name in Mine.__struct_fields__[:-1]), verdict=verdict)


async def answer(gate: Gate, *, identity: uuid.UUID, judged: Judged) -> tuple[Verdict, str | None]:
    """Decide a question, once; the verdict, and the personal cause for the holder. Raises PresentationUsed."""
    decision = ids.random()
    rows = await gate.fetch(
        _ANSWER, identity, judged.cause, judged.copy, judged.until, decision, ids.show("dc", decision), ids.new()
    )
    if not rows:
        raise PresentationUsed("Ask anew: a question is answered once, within five minutes.")
    row = rows[0]
    told = (row[name] for name in Verdict.__struct_fields__[:-1])
    return Verdict(*told, replayed=False), row["cause"]


async def trouble(gate: Gate, *, identity: uuid.UUID) -> None:
    """Note that nothing could be decided, so that the partner reads so instead of waiting."""
    await gate.fetch(_TROUBLE, identity)
