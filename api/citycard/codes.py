"""`POST /v1/citycard/codes/consume`: a gate with a line takes a credit code, once in the whole city.

The answer is that of `/v1/partner/eligibility`, by the same statement, with the same receipt; the ride itself comes
with the usage, and its discount is settled there.
"""

from typing import Annotated

import msgspec
from litestar import post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from litestar.types import ASGIApp
from msgspec import Meta

from api import deps, guards
from api.citycard import door
from api.deps import HttpRequest
from api.partner.desk import Desk
from api.partner.eligibility import Answer, IdempotencyKey, answered, key_of
from api.partner.limits import Limits
from api.partner.sending import send
from incentives import receipts
from incentives.eligibility import Gate, Question, TokenDead
from incentives.rides.consuming import OPERATOR


class Consume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code just scanned. `fare`: the published one, in fen; `gate`: where."""

    perk: Annotated[str, Meta(max_length=64)]
    code: Annotated[str, Meta(max_length=160)]
    fare: Annotated[int, Meta(ge=0, le=100_000_000)]
    gate: Annotated[str, Meta(min_length=1, max_length=64)]


@post(
    "/v1/citycard/codes/consume",
    status_code=200,
    responses={200: ResponseSpec(Answer, description="Granted, or the standard route", generate_examples=False)},
    summary="Consume a credit code at a gate",
    tags=["citycard"],
)
async def consume(data: JSONBody[Consume], request: HttpRequest, idempotency_key: IdempotencyKey = None) -> ASGIApp:
    """Take a code: of racing gates one has it. Every personal cause gives the same `standard_route`."""
    question = Question(perk=data.perk, code=data.code, amount=data.fare, terminal=data.gate)
    key, here, caller = key_of(idempotency_key), await _desk(request), await guards.provide_client(request)
    headers = await here.limits.count(partner=caller.client_id, asked=[(here.gate.digest(question), data.gate)])
    try:
        verdict = await here.gate.check(question, token=caller.jti_hash, key=key)
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    body = await answered(here, verdict, question, token=caller.jti_hash)
    if verdict.replayed:
        headers.append(("Idempotent-Replayed", "true"))
    return send(body, headers=headers)


async def _desk(request: HttpRequest) -> Desk:
    """The gate, signer and limits of a request's process, made at first use."""
    found = request.app.state.get("citycard_desk")
    if found is None:
        here = deps.house(request)
        gate = Gate(await here.doors.pool("citycard"), here.ring.derive("presented"), OPERATOR)
        found = Desk(gate, receipts.signer(here.ring), here.settings.base_url, Limits(here.short))
        request.app.state["citycard_desk"] = found
    return found


handlers = [door.behind([consume])]
