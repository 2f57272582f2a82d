"""`POST /v1/partner/eligibility`: may this holder have this perk? Granted, or the standard route.

The answer is made of the perk, the request and one bit. Its receipt repeats it, signed; see `incentives.receipts`.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, JSONBody
from litestar.types import ASGIApp
from msgspec import UNSET, Meta, UnsetType

from api import guards
from api.deps import HttpRequest
from api.partner import desk, spending
from api.partner.desk import Desk
from api.partner.sending import send
from api.proofs import outside_grant
from core import clock, ids
from core.errors import FieldError, Invalid
from incentives import receipts, rulebook
from incentives.book import perks, places
from incentives.book.perks import Perk
from incentives.book.places import Place
from incentives.eligibility import Question, TokenDead, Verdict
from incentives.plates import pairs
from incentives.rulebook import Terms

_KEY = 255
IdempotencyKey = Annotated[str | None, HeaderParameter(name="Idempotency-Key")]


class Holder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who it is about: a credit code just shown, or the pairwise subject of a standing consent. Exactly one."""

    code: Annotated[str, Meta(max_length=160)] | UnsetType = UNSET
    subject: Annotated[str, Meta(max_length=128)] | UnsetType = UNSET


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check. `amount` is the deposit in fen; `terminal` the counter or machine, as registered with the perk."""

    perk: Annotated[str, Meta(max_length=64)]
    holder: Holder
    amount: Annotated[int, Meta(ge=0, le=100_000_000)] | UnsetType = UNSET
    terminal: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET


class Asked(Ask, frozen=True, forbid_unknown_fields=True):
    """A check. `plate_digest` (HMAC-SHA-256, hex): of the car that is leaving, for a car park, beside a code."""

    plate_digest: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] | UnsetType = UNSET


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the receipt is signed over. `result`: granted or standard_route; `reason` is never personal."""

    decision_id: str
    result: str
    perk: str
    terms: Terms | None
    waived_amount: int | UnsetType = UNSET
    payable_deposit: int | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    valid_until: datetime


class Answer(Told, frozen=True, kw_only=True):
    """The answer to a check; `receipt` is a JWS (typ `decision-receipt+jwt`, EdDSA, key rcpt-1) over the rest."""

    receipt: str


@post(
    "/v1/partner/eligibility",
    status_code=200,
    guards=[guards.partner_hot("eligibility:check", spends=True)],
    responses={200: ResponseSpec(Answer, description="Granted, or the standard route", generate_examples=False)},
    summary="May this holder have this perk?",
    tags=["partner"],
)
async def check(data: JSONBody[Asked], request: HttpRequest, idempotency_key: IdempotencyKey = None) -> ASGIApp:
    """Ask about one holder and one perk. Every personal cause gives the same `standard_route`.

    With `plate_digest` a plate is confirmed that the code's holder typed for this car park, if there is one; the
    answer is the same whether there was.
    """
    question, key = _with_plate(question_of(data), data), key_of(idempotency_key)
    here, caller = await desk.of(request), await guards.provide_client(request)
    token = caller.jti_hash
    # Both sides of this comparison are the caller's own words: it tells nobody whether another subject exists.
    if caller.grant not in {None, (question.perk, question.subject)}:
        raise outside_grant()
    try:
        verdict, headers = await spending.along(
            request, here, question,
            once=lambda admission: here.checks.check(question, admission=admission, token=token, key=key),
            alone=lambda: here.gate.check(question, token=token, key=key),
        )  # fmt: skip
        if question.plate is not None:
            digest = bytes.fromhex(question.plate)
            await pairs.confirm(here.gate, token=token, decision_id=verdict.decision_id, digest=digest)
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    body = await answered(here, verdict, question, token=token)
    if verdict.replayed:
        headers.append(("Idempotent-Replayed", "true"))
    return send(body, headers=headers)


async def answer(here: Desk, verdict: Verdict, question: Question, *, token: bytes) -> Answer:
    """The signed answer to a verdict, for the caller of `token`."""
    told = tell(verdict, await perk_of(here, verdict, question, token=token), question)
    receipt = receipts.sign(
        here.signer, told, issuer=here.issuer, partner=verdict.partner_id, issued=int(verdict.at.timestamp())
    )
    return Answer(**msgspec.structs.asdict(told), receipt=receipt)


async def answered(here: Desk, verdict: Verdict, question: Question, *, token: bytes) -> bytes:
    """The same as it is sent."""
    told = tell(verdict, await perk_of(here, verdict, question, token=token), question)
    issued = int(verdict.at.timestamp())
    return receipts.answered(here.signer, told, issuer=here.issuer, partner=verdict.partner_id, issued=issued)


async def perk_of(here: Desk, verdict: Verdict, question: Question, *, token: bytes) -> Perk | None:
    """The perk by the release that ruled; None for one that the caller does not hold."""
    if verdict.release_id is None or verdict.reason == "perk_unknown":
        return None
    return await here.perk(verdict.release_id, question.perk, token=token)


def tell(verdict: Verdict, perk: Perk | None, question: Question) -> Told:
    """The answer to a verdict: everything but the bit belongs to the perk and the request."""
    waived, payable = UNSET, UNSET
    place = None if perk is None else _place(verdict, perk, question.terminal)
    if question.amount is not None:
        given = perks.terms(perk, question.amount, place) if perk is not None and verdict.granted else None
        waived, payable = (given.waived_amount, given.payable_deposit) if given else (0, question.amount)
    return Told(
        decision_id=ids.show("dc", verdict.decision_id),
        result="granted" if verdict.granted else "standard_route",
        perk=question.perk,
        terms=None if perk is None else rulebook.terms(perk, place),
        waived_amount=waived,
        payable_deposit=payable,
        reason=UNSET if verdict.reason is None else verdict.reason,
        valid_until=verdict.valid_until,
    )


def _place(verdict: Verdict, perk: Perk, terminal: str | None) -> Place | None:
    """The zone or programme whose terms ruled at this terminal on the civil day of the decision, as the gate chose."""
    if not perk.places:
        return None
    day = clock.day_of(verdict.at + (clock.civil() - clock.wall()))
    return places.choose(perk.places, partner=verdict.partner_id, terminal=terminal, day=day)


def question_of(ask: Ask, at: str = "") -> Question:
    """The question; `at` is the JSON Pointer of what was sent. Raises Invalid unless it is about one holder."""
    code, subject = ask.holder.code, ask.holder.subject
    if (code is UNSET) == (subject is UNSET):
        advice = "Send either the code that was shown or the subject of a standing consent."
        raise Invalid("A check is about exactly one holder.", errors=[FieldError(f"{at}/holder", "one_of", advice)])
    return Question(
        perk=ask.perk,
        code=None if code is UNSET else code,
        subject=None if subject is UNSET else subject,
        amount=None if ask.amount is UNSET else ask.amount,
        terminal=None if ask.terminal is UNSET else ask.terminal,
    )


def _with_plate(question: Question, asked: Asked) -> Question:
    """The question with the plate of the car that is leaving. Raises Invalid where no code was shown."""
    if asked.plate_digest is UNSET:
        return question
    if question.code is None:
        advice = "A plate is confirmed by a code that its driver shows; a subject says who it is already."
        raise Invalid(errors=[FieldError("/plate_digest", "needs_code", advice)])
    return msgspec.structs.replace(question, plate=asked.plate_digest)


def key_of(value: str | None) -> str | None:
    """An Idempotency-Key: 1 to 255 visible characters."""
    if value is not None and not (0 < len(value) <= _KEY and value.isascii() and value.isprintable()):
        advice = "Send 1 to 255 printable ASCII characters, e.g. a UUID."
        raise Invalid("The Idempotency-Key cannot be used.", errors=[FieldError("/Idempotency-Key", "invalid", advice)])
    return value


handlers = [check]
