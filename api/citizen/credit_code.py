"""`POST /v1/me/credit-code`: a code for the counter, drawn only for a perk that is granted.

The points are evaluated now, in private; whoever is not granted learns why here, and nobody is refused in public.
"""

import io
from datetime import datetime
from typing import Annotated, Any

import msgspec
import segno
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from api.deps import House
from api.public import creditcodes
from auth import clients, leaving
from core import audit, clock
from core.audit import Actor
from core.errors import Conflict, FieldError, Invalid
from incentives import codes, grants, rulebook
from incentives.grants import Missing


class NotGranted(Conflict):
    """The perk is not granted; `reasons` are for the citizen's eyes."""

    code = "not_granted"
    title = "This perk is not granted now"


class UnknownPartner(Invalid):
    """The partner does not offer the perk."""

    code = "unknown_recipient"
    title = "This partner does not offer this perk"


class Draw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which perk, and, to be safer, for which partner alone."""

    perk: Annotated[str, Meta(max_length=64)]
    partner: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET


class Shows(msgspec.Struct, frozen=True):
    """What the partner will learn, and what it will not."""

    learns: tuple[str, ...]
    never: tuple[str, ...]


class Drawn(msgspec.Struct, frozen=True):
    """A code, good once and until `expires_at`; `qr` is the same as an SVG picture."""

    code: str
    perk: str
    partner: str | None
    expires_at: datetime
    shows: Shows
    qr: str


_NEVER = ("您的分数和等级", "您的任何记录", "您的姓名和身份证号", "不能享受时的个人原因")


@post("/v1/me/credit-code", summary="Draw a code for a granted perk", tags=["citizen"])
async def draw(
    data: JSONBody[Draw],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Drawn:
    """Draw a one-time code (60 s at most); drawing it is the consent for this one use. 409 `not_granted` says why."""
    await leaving.turn(session, citizen_id=caller.id)
    today = clock.today()
    offered = await rulebook.find(session, perk_id=data.perk, on=today)
    partner = None if data.partner is UNSET else await _partner(session, data.partner, data.perk)
    lacks = await grants.missing(session, house.ring, citizen_id=caller.id, perks=[offered.perk], as_of=today)
    if why := lacks[data.perk]:
        raise _not_granted(why)
    code = await codes.draw(
        session, creditcodes.mint(house), citizen_id=caller.id, perk_id=data.perk, partner_id=partner
    )
    await audit.write(
        session,
        actor=Actor("citizen", "self"),
        action="credit_code.draw",
        purpose=data.perk,
        outcome="done",
        owner=caller.id,
        detail={"partner": partner or "any"},
    )
    learns = f"只有一件事：您现在可以享受「{offered.perk.name}」，一次有效"
    return Drawn(code.text, data.perk, partner, code.expires_at, Shows((learns,), _NEVER), picture(code.text))


def picture(text: str) -> str:
    """A QR code as SVG (ISO/IEC 18004, level M), in alphanumeric mode.

    With its namespace, else no image element draws it (a mini-program has no other way), and on white, else a dark
    screen swallows the quiet zone.
    """
    drawn = io.BytesIO()
    segno.make_qr(text, error="m").save(drawn, kind="svg", xmldecl=False, nl=False, scale=6, border=4, light="#fff")
    return drawn.getvalue().decode()


async def _partner(session: AsyncSession, client_id: str, perk_id: str) -> str:
    found = await clients.get(session, client_id)
    if found is None or found.role not in {"partner", "citycard"} or perk_id not in found.perks:
        raise UnknownPartner(errors=[FieldError("/partner", "unknown_recipient", "Leave it out, or choose another.")])
    return client_id


def _not_granted(why: Missing) -> NotGranted:
    more: dict[str, Any] = {"reasons": [msgspec.to_builtins(why)]}
    return NotGranted(why.text, **more)


handlers = [behind([draw])]
