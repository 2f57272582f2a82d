"""`/v1/partner/presentations`: a visitor shows a credential of another city, and the partner gets an ordinary answer.

A partner asks, shows the visitor `uri` (a QR code), and reads the answer here; or it talks to wallets by a way of its
own and brings what one presented (`presentation`) with the nonce that it was given here. Every personal cause gives the
same `standard_route`, by the same statement, signature and entry. 503 `try_again`: the visitor's home could not be
asked; nothing was decided, the same credential may be shown again.
"""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from api import guards
from api.deps import HttpRequest
from api.partner import desk, eligibility
from api.partner.eligibility import Answer
from api.visitors import visiting
from core import ids
from core.errors import FieldError, Invalid, Problem
from incentives.eligibility import Question, TokenDead, Verdict
from incentives.visitors import asking, counter
from incentives.visitors.counter import Mine, PerkNotRecognised, PresentationUsed
from incentives.visitors.statuses import StatusUnknown

T = TypeVar("T")

ROUTE = "/v1/partner/presentations"
MOST_BYTES = 32_768
_PAUSE = 2
_GONE = 410


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a wallet presented to the partner: the `vp_token` (OpenID4VP 1.0, section 8.1), for a nonce of ours."""

    vp_token: dict[str, list[str]]
    nonce: Annotated[str, Meta(min_length=1, max_length=64)]


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question to a visitor's wallet, or, with `presentation`, the wallet's answer to one that was asked before.

    `amount` is in fen, `terminal` as registered with the perk; with `presentation` they are the question's.
    """

    perk: Annotated[str, Meta(max_length=64)]
    amount: Annotated[int, Meta(ge=0, le=100_000_000)] | UnsetType = UNSET
    terminal: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    presentation: Shown | UnsetType = UNSET


class Begun(msgspec.Struct, frozen=True):
    """A question that waits: show `uri` to the wallet. `client_id` and `nonce` are what its answer must be for."""

    presentation_id: str
    client_id: str
    nonce: str
    request_uri: str
    uri: str
    expires_at: datetime


class Pending(msgspec.Struct, frozen=True):
    """No wallet has answered so far."""

    presentation_id: str
    status: str
    expires_at: datetime


class PresentationOver(Problem):
    """Nobody answered within five minutes; nothing was decided."""

    code = "presentation_over"
    status = _GONE
    title = "Nobody answered this question in time"


_GUARDS = [guards.partner_hot("eligibility:check")]
_BEGUN = ResponseSpec(Begun, description="A question that waits for its wallet", generate_examples=False)
_TOLD = ResponseSpec(Answer, description="Granted, or the standard route", generate_examples=False)
_SEEN = ResponseSpec(Pending | Answer, description="Pending, or the answer", generate_examples=False)


@post(
    ROUTE, guards=_GUARDS, responses={201: _BEGUN, 200: _TOLD}, request_max_body_size=MOST_BYTES,
    summary="Ask a visitor's wallet", tags=["partner"],
)  # fmt: skip
async def begin(data: JSONBody[Ask], request: HttpRequest) -> Response[Any]:
    """Ask for one threshold and the name of the city, or bring what was presented: 201 a question, 200 the answer.

    409 `perk_not_recognised`, `presentation_used`; 503 `try_again`.
    """
    try:
        if data.presentation is not UNSET:
            return await _bring(request, data, data.presentation)
        return await _ask(request, data)
    except TokenDead as dead:
        raise guards.invalid_token() from dead


async def _ask(request: HttpRequest, data: Ask) -> Response[Begun]:
    here, lodge, caller = await desk.of(request), await visiting.of(request), await guards.provide_client(request)
    headers = await here.limits.count(partner=caller.client_id, asked=[(ids.random().bytes, _or_none(data.terminal))])
    now = await lodge.books.now()
    if not now.maps.asks(data.perk, now.today):
        raise PerkNotRecognised("GET /v1/rules/recognition lists what visitors can have.")
    made = await counter.ask(
        lodge.gate,
        token=caller.jti_hash,
        perk=data.perk,
        amount=_or_none(data.amount),
        terminal=_or_none(data.terminal),
    )
    shown = ids.show("vp", made.id)
    place = f"{lodge.origin}/oid4vp/requests/{shown}"
    uri = f"openid4vp://?{urlencode({'client_id': lodge.origin, 'request_uri': place})}"
    body = Begun(shown, lodge.origin, made.nonce, place, uri, made.expires_at)
    return Response(body, status_code=201, headers={"Cache-Control": "no-store", **dict(headers)})


async def _bring(request: HttpRequest, data: Ask, shown: Shown) -> Response[Any]:
    here, lodge, caller = await desk.of(request), await visiting.of(request), await guards.provide_client(request)
    value = here.gate.seal(shown.nonce)
    headers = await here.limits.count(partner=caller.client_id, asked=[(value, _or_none(data.terminal))])
    mine = await counter.mine(lodge.gate, token=caller.jti_hash, nonce=shown.nonce)
    _same(data, mine)
    if mine.over or mine.verdict is not None:
        raise PresentationUsed("Ask anew: a question is answered once, within five minutes.")
    verdict, _ = await lodge.decide(mine, shown.nonce, asking.presented(shown.vp_token))
    return await _told(request, mine, verdict, headers)


@get(
    f"{ROUTE}/{{presentation_id:str}}", guards=_GUARDS, responses={200: _SEEN}, summary="What came of it",
    tags=["partner"],
)  # fmt: skip
async def see(presentation_id: FromPath[str], request: HttpRequest) -> Response[Any]:
    """`pending`, or the answer, which stays a day. 410 `presentation_over`; 503 `try_again`."""
    lodge, caller = await visiting.of(request), await guards.provide_client(request)
    identity = ids.read("vp", presentation_id)
    try:
        mine = await counter.mine(lodge.gate, token=caller.jti_hash, identity=identity)
        if mine.verdict is not None:
            return await _told(request, mine, mine.verdict, [])
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    if mine.over:
        raise PresentationOver("Nothing was decided. Ask anew, or serve the visitor as anybody.")
    if mine.troubled:
        raise StatusUnknown("Nothing was decided. The visitor may show the credential again.", retry_after=_PAUSE)
    body = Pending(presentation_id, "pending", mine.expires_at)
    return Response(body, headers={"Cache-Control": "no-store"})


async def _told(request: HttpRequest, mine: Mine, verdict: Verdict, headers: list[tuple[str, str]]) -> Response[Any]:
    here, caller = await desk.of(request), await guards.provide_client(request)
    question = Question(mine.perk_id, amount=mine.amount, terminal=mine.terminal)
    told = await eligibility.answer(here, verdict, question, token=caller.jti_hash)
    return Response(told, status_code=200, headers={"Cache-Control": "no-store", **dict(headers)})


def _same(data: Ask, mine: Mine) -> None:
    """What is repeated beside a presentation is what was asked. Raises Invalid."""
    given = {"perk": data.perk, "amount": data.amount, "terminal": data.terminal}
    was = {"perk": mine.perk_id, "amount": mine.amount, "terminal": mine.terminal}
    wrong = [name for name, value in given.items() if value is not UNSET and value != was[name]]
    if wrong:
        advice = "Send what the question of this nonce said, or leave it out."
        raise Invalid(errors=[FieldError(f"/{name}", "another_question", advice) for name in wrong])


def _or_none(value: T | UnsetType) -> T | None:
    return None if value is UNSET else value


handlers = [begin, see]
