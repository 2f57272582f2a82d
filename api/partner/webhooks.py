"""`/v1/partner/webhooks`: where the partner wants to be told, with signatures of Standard Webhooks 1.0.0.

A secret is shown once, when it is made. What a receiver answers is never kept, only its status.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Meta, UnsetType

from api import deps, guards
from api.deps import HttpRequest
from api.partner import desk
from api.partner.events import SCOPE, must_be_page
from core import ids, outbound
from core.errors import FieldError, Invalid
from incentives.events import outlet, secrets
from incentives.events.signing import Secret

GUARDS = [guards.client("partner", SCOPE)]
_PAGE = 50
Type = Annotated[str, Meta(pattern=r"^order\.[a-z_]{1,40}$")]
State = Literal["waiting", "delivered", "exhausted", "parked", "disabled"]


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An https address that takes POST; without `types` it hears of everything."""

    url: Annotated[str, Meta(min_length=1, max_length=200)]
    types: Annotated[list[Type], Meta(min_length=1, max_length=20)] | UnsetType = UNSET


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either one event, whatever became of it, or everything `since` that did not arrive (1000 at most)."""

    event_id: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    since: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET


class View(msgspec.Struct, frozen=True):
    """A webhook. `failing_since`: no attempt was answered with 2xx since; `waiting` deliveries are still to be made."""

    id: str
    url: str
    types: list[str] | None
    state: Literal["active", "disabled"]
    created_at: datetime
    disabled_at: datetime | None
    failing_since: datetime | None
    paused_until: datetime | None
    old_secret_until: datetime | None
    waiting: int


class Views(msgspec.Struct, frozen=True):
    """The caller's webhooks, oldest first."""

    webhooks: list[View]


class Made(msgspec.Struct, frozen=True):
    """A webhook, its `secret` (whsec_, for `v1`) and `public_key` (whpk_, for `v1a`), which are not shown again."""

    webhook: View
    secret: str
    public_key: str


class Rotated(msgspec.Struct, frozen=True):
    """New secrets; until `old_valid_until` each message is signed by the old ones as well."""

    secret: str
    public_key: str
    old_valid_until: datetime


class Tested(msgspec.Struct, frozen=True):
    """The event that was sent; `/deliveries` tells what came of it."""

    event_id: str


class Replayed(msgspec.Struct, frozen=True):
    """How many events are sent again."""

    replayed: int


class Attempt(msgspec.Struct, frozen=True):
    """One attempt. `outcome`: delivered, status, redirect, gone, no_answer or bad_address."""

    number: int
    at: datetime
    status: int | None
    outcome: str
    millis: int


class Delivery(msgspec.Struct, frozen=True):
    """What became of an event: `tried` times so far, the latest ten attempts, and when the next one comes."""

    event_id: str
    type: str
    state: str
    tried: int
    next_attempt_at: datetime | None
    changed_at: datetime
    attempts: list[Attempt]


class Deliveries(msgspec.Struct, frozen=True):
    """Deliveries, the newest event first; send `next_cursor` as `cursor` for older ones."""

    deliveries: list[Delivery]
    next_cursor: str | None


@post("/v1/partner/webhooks", guards=GUARDS, summary="Be told at an address", tags=["partner"])
async def register(data: JSONBody[Register], request: HttpRequest) -> Made:
    """Register an address, five at most; 409 `webhook_exists` for one that is there."""
    house, caller = deps.house(request), await guards.provide_client(request)
    outbound.check(data.url, sandbox=house.settings.sandbox, member="url")
    types = None if data.types is UNSET else sorted(set(data.types))
    made = await (await desk.outlet(request)).add(caller.jti_hash, url=data.url, types=types)
    secret = secrets.of(house.ring, made.id, 1)
    return Made(_view(made), secret.shown, secret.public)


@get("/v1/partner/webhooks", guards=GUARDS, summary="My webhooks", tags=["partner"])
async def listed(request: HttpRequest) -> Views:
    """Every webhook of the caller, without secrets."""
    here, caller = await desk.outlet(request), await guards.provide_client(request)
    return Views([_view(one) for one in await here.webhooks(caller.jti_hash)])


@delete(
    "/v1/partner/webhooks/{webhook_id:str}",
    status_code=204,
    guards=GUARDS,
    summary="Remove a webhook",
    tags=["partner"],
)
async def remove(request: HttpRequest, webhook_id: FromPath[str]) -> None:
    """Nothing more is sent there; events stay in the list."""
    here, caller = await desk.outlet(request), await guards.provide_client(request)
    await here.remove(caller.jti_hash, ids.read("wh", webhook_id))


@post(
    "/v1/partner/webhooks/{webhook_id:str}/rotate",
    status_code=200,
    guards=GUARDS,
    summary="Take new secrets",
    tags=["partner"],
)
async def rotate(request: HttpRequest, webhook_id: FromPath[str]) -> Rotated:
    """New secrets at once; the old ones sign as well for 24 hours."""
    here, caller = await desk.outlet(request), await guards.provide_client(request)
    found = ids.read("wh", webhook_id)
    serial, until = await here.rotate(caller.jti_hash, found)
    secret: Secret = secrets.of(deps.house(request).ring, found, serial)
    return Rotated(secret.shown, secret.public, until)


@post(
    "/v1/partner/webhooks/{webhook_id:str}/test",
    status_code=202,
    guards=GUARDS,
    summary="Send a test event",
    tags=["partner"],
)
async def test(request: HttpRequest, webhook_id: FromPath[str]) -> Tested:
    """An event `webhook.test` for this webhook alone; answered with 2xx it enables one that was disabled."""
    here, caller = await desk.outlet(request), await guards.provide_client(request)
    return Tested(ids.show("ev", await here.test(caller.jti_hash, ids.read("wh", webhook_id))))


@post(
    "/v1/partner/webhooks/{webhook_id:str}/replay",
    status_code=202,
    guards=GUARDS,
    summary="Send events again",
    tags=["partner"],
)
async def replay(data: JSONBody[Replay], request: HttpRequest, webhook_id: FromPath[str]) -> Replayed:
    """Each begins a new course of attempts, under the same `webhook-id` as before."""
    here, caller = await desk.outlet(request), await guards.provide_client(request)
    if (data.event_id is UNSET) == (data.since is UNSET):
        advice = "Send either the event_id or since."
        raise Invalid("A replay is of one event or of a time.", errors=[FieldError("", "one_of", advice)])
    event = None if data.event_id is UNSET else ids.read("ev", data.event_id)
    since = None if data.since is UNSET else data.since
    return Replayed(await here.replay(caller.jti_hash, ids.read("wh", webhook_id), event=event, since=since))


@get(
    "/v1/partner/webhooks/{webhook_id:str}/deliveries",
    guards=GUARDS,
    summary="What became of events at a webhook",
    tags=["partner"],
)
async def deliveries(
    request: HttpRequest,
    webhook_id: FromPath[str],
    delivery_state: FromQuery[State | None] = None,
    limit: FromQuery[int] = _PAGE,
    cursor: FromQuery[str | None] = None,
) -> Deliveries:
    """Attempts with status and time; `delivery_state` narrows the list."""
    here, caller = await desk.outlet(request), await guards.provide_client(request)
    before = ids.read("ev", cursor) if cursor else None
    found = await here.deliveries(
        caller.jti_hash, ids.read("wh", webhook_id), state=delivery_state, before=before, most=must_be_page(limit) + 1
    )
    page = [_delivery(one) for one in found[:limit]]
    return Deliveries(page, page[-1].event_id if len(found) > limit else None)


def _view(one: outlet.Webhook) -> View:
    return View(
        id=ids.show("wh", one.id),
        url=one.url,
        types=one.types,
        state="active" if one.disabled_at is None else "disabled",
        created_at=one.created_at,
        disabled_at=one.disabled_at,
        failing_since=one.failing_since,
        paused_until=one.paused_until,
        old_secret_until=one.old_until,
        waiting=one.waiting,
    )


def _delivery(one: outlet.Delivery) -> Delivery:
    attempts = msgspec.json.decode(one.attempts or "[]", type=list[dict[str, Any]])
    return Delivery(
        event_id=ids.show("ev", one.event_id),
        type=one.type,
        state=one.state,
        tried=one.tried,
        next_attempt_at=one.next_at,
        changed_at=one.changed_at,
        attempts=[msgspec.convert(each, Attempt) for each in attempts],
    )


handlers = [register, listed, remove, rotate, test, replay, deliveries]
