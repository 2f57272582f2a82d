"""`POST /v1/partner/eligibility/batch`: up to a hundred questions, each answered as if it came alone, one receipt.

A long list of loans at closing time, a feed of car parks: one statement decides all of them, in their order. Of
questions that show one code the first has it. A limit that one of them breaks, or a key that was used for another list,
refuses the list, and then nothing was decided.
"""

from typing import Annotated

import msgspec
from litestar import post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from litestar.types import ASGIApp
from msgspec import Meta

from api import guards
from api.deps import HttpRequest
from api.partner import desk
from api.partner.eligibility import Ask, IdempotencyKey, Told, key_of, perk_of, question_of, tell
from api.partner.sending import send
from api.proofs import outside_grant
from incentives import receipts
from incentives.eligibility import TokenDead

MOST = 100


class AskMany(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Checks to make, each as it would be sent alone."""

    checks: Annotated[tuple[Ask, ...], Meta(min_length=1, max_length=MOST)]


class Answers(msgspec.Struct, frozen=True):
    """The answers in the order of the checks; `receipt` is one JWS over all of them (see a single answer's)."""

    results: tuple[Told, ...]
    receipt: str


class _Encoded(msgspec.Struct, frozen=True):
    """The answers as bytes, made once for the receipt and for the body."""

    results: msgspec.Raw


@post(
    "/v1/partner/eligibility/batch",
    status_code=200,
    guards=[guards.partner_hot("eligibility:check")],
    responses={200: ResponseSpec(Answers, description="An answer to each check", generate_examples=False)},
    summary="Up to a hundred checks at once",
    tags=["partner"],
)
async def check_all(data: JSONBody[AskMany], request: HttpRequest, idempotency_key: IdempotencyKey = None) -> ASGIApp:
    """Ask about many holders and perks; each is answered exactly as `POST /v1/partner/eligibility` answers it."""
    questions = [question_of(one, f"/checks/{place}") for place, one in enumerate(data.checks)]
    key, here, caller = key_of(idempotency_key), await desk.of(request), await guards.provide_client(request)
    if caller.grant is not None and any((one.perk, one.subject) != caller.grant for one in questions):
        raise outside_grant()
    asked = [(here.gate.digest(one), one.terminal) for one in questions]
    headers = await here.limits.count(partner=caller.client_id, asked=asked)
    try:
        verdicts = await here.gate.check_all(questions, token=caller.jti_hash, key=key)
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    told = [
        tell(verdict, await perk_of(here, verdict, one, token=caller.jti_hash), one)
        for verdict, one in zip(verdicts, questions, strict=True)
    ]
    encoded = _Encoded(msgspec.Raw(msgspec.json.encode(told)))
    issued = int(max(verdict.at for verdict in verdicts).timestamp())
    partner = verdicts[0].partner_id
    body = receipts.answered(here.signer, encoded, issuer=here.issuer, partner=partner, issued=issued)
    if all(verdict.replayed for verdict in verdicts):
        headers.append(("Idempotent-Replayed", "true"))
    return send(body, headers=headers)


handlers = [check_all]
