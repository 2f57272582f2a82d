"""`/v1/staff/clients`: partners, sources and the city card are registered, re-keyed and enabled by two persons.

Nobody goes live without a live impact assessment; anybody of the office may shut a client out at once.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import House
from auth import registrations
from auth.registrations import Change, Registered
from core import audit, ids, outbound
from core.audit import Actor

SCOPE = "staff:clients"
_Words = list[Annotated[str, Meta(min_length=1, max_length=64)]]
_Keys = Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=2)]


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to be registered; `jwks` are their public keys (P-256, Ed25519 or RSA)."""

    client_id: Annotated[str, Meta(max_length=64)]
    role: Literal["partner", "source", "citycard"]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: _Words
    jwks: _Keys
    kinds: _Words = []
    perks: _Words = []


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys that hold from the approval on; name the old one beside the new while the client changes over."""

    jwks: _Keys


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a source answers: `history` once somebody joins, `verify:<kind>` for a yes or no. Null: nowhere."""

    purpose: Annotated[str, Meta(pattern=r"^(history|verify:(marriage|real_estate))$")]
    address: Annotated[str, Meta(max_length=200)] | None


class ChangeView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change. `digest_key` (hex) is told once, in the answer that registers a source or car park: hand it over."""

    id: str
    client_id: str
    kind: str
    asked: dict[str, Any]
    drafted_by: str
    drafted_at: datetime
    assessment: str | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    digest_key: str | UnsetType = UNSET


class ClientView(msgspec.Struct, frozen=True):
    """A client; `live` says whether it is let in."""

    client_id: str
    role: str
    name: str
    scopes: list[str]
    kinds: list[str]
    perks: list[str]
    kids: list[str]
    created_at: datetime
    live: bool
    assessment: str | None
    addresses: dict[str, str]


class Clients(msgspec.Struct, frozen=True):
    """Every client, and the changes that wait for a second person."""

    clients: list[ClientView]
    waiting: list[ChangeView]


@get("", summary="Clients, and what waits", tags=["staff"])
async def see(session: NamedDependency[AsyncSession]) -> Clients:
    """Partners, sources and city-card operators."""
    found = await registrations.everybody(session)
    return Clients([_client(one) for one in found], [_change(one) for one in await registrations.waiting(session)])


@post("", summary="Ask to register a client", tags=["staff"])
async def register(
    data: JSONBody[Registration], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Client]
) -> ChangeView:
    """Needs a live assessment of the partner; 409 `assessment_missing`, `client_exists`."""
    body = msgspec.structs.asdict(data)
    client_id = body.pop("client_id")
    return await _ask(session, caller, client_id, "register", body)


@post("/{client_id:str}/keys", summary="Ask to replace a client's keys", tags=["staff"])
async def keys(
    client_id: FromPath[str],
    data: JSONBody[Keys],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
) -> ChangeView:
    """Two keys may overlap; tokens bound to a key that is gone end by themselves within minutes."""
    return await _ask(session, caller, client_id, "keys", {"jwks": data.jwks})


@post("/{client_id:str}/addresses", summary="Ask to say where a source answers", tags=["staff"])
async def addresses(
    client_id: FromPath[str],
    data: JSONBody[Address],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> ChangeView:
    """An https address, fixed until two persons change it; 422 `bad_address`."""
    if data.address is not None:
        outbound.check(data.address, sandbox=house.settings.sandbox)
    return await _ask(session, caller, client_id, "address", msgspec.structs.asdict(data))


@post("/{client_id:str}/enable", summary="Ask to enable a client", tags=["staff"])
async def enable(
    client_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Client]
) -> ChangeView:
    """Needs a live assessment again."""
    return await _ask(session, caller, client_id, "enable", {})


@post("/{client_id:str}/disable", status_code=200, summary="Disable a client at once", tags=["staff"])
async def disable(
    client_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Client]
) -> ClientView:
    """One person is enough: the client's next request is refused."""
    shut = await registrations.disable(session, client_id=client_id)
    await _note(session, caller, "client.disable", client_id, {})
    return _client(shut)


@post("/changes/{change_id:str}/approve", status_code=200, summary="Approve a change of a client", tags=["staff"])
async def approve(
    change_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> ChangeView:
    """By a second person: the one who asked gets 409 `second_person_needed`."""
    made, digest_key = await registrations.approve(
        session, house.ring, change_id=ids.read("cc", change_id), by=caller.by
    )
    await _note(session, caller, f"client.{made.kind}", made.client_id, {"change": change_id})
    shown = _change(made)
    return msgspec.structs.replace(shown, digest_key=digest_key.hex()) if digest_key else shown


async def _ask(
    session: AsyncSession, caller: guards.Client, client_id: str, kind: registrations.Kind, body: dict[str, Any]
) -> ChangeView:
    asked = await registrations.ask(session, client_id=client_id, kind=kind, body=body, by=caller.by)
    await _note(session, caller, "client.ask", client_id, {"kind": kind, "change": ids.show("cc", asked.id)})
    return _change(asked)


async def _note(
    session: AsyncSession, caller: guards.Client, action: str, client_id: str, detail: dict[str, Any]
) -> None:
    actor = Actor("staff", caller.by)
    await audit.write(
        session, actor=actor, action=action, purpose="registration", outcome="done",
        detail={"client": client_id, **detail},
    )  # fmt: skip


def _change(one: Change) -> ChangeView:
    return ChangeView(
        id=ids.show("cc", one.id),
        client_id=one.client_id,
        kind=one.kind,
        asked=one.body,
        drafted_by=one.drafted_by,
        drafted_at=one.drafted_at,
        assessment=ids.show("pia", one.assessment_id) if one.assessment_id else None,
        approved_by=one.approved_by,
        approved_at=one.approved_at,
    )


def _client(one: Registered) -> ClientView:
    return ClientView(
        client_id=one.client_id,
        role=one.role,
        name=one.name,
        scopes=one.scopes,
        kinds=one.kinds,
        perks=one.perks,
        kids=[str(key["kid"]) for key in one.jwks],
        created_at=one.created_at,
        live=one.disabled_at is None,
        assessment=ids.show("pia", one.assessment_id) if one.assessment_id else None,
        addresses=one.addresses,
    )


handlers = [
    Router(
        path="/v1/staff/clients",
        route_handlers=[see, register, keys, addresses, enable, disable, approve],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]
