"""`GET /v1/citycard/perks`: what an operator's gates may give, and what a gate does whose list is stale."""

from typing import Literal

import msgspec
from litestar import get
from litestar.di import NamedDependency

from api import guards
from api.citycard import door
from core import clock
from incentives import rulebook
from incentives.citycard.entrance import Entrance, Held
from incentives.rulebook import Terms


class Offered(msgspec.Struct, frozen=True):
    """A perk of the caller's in force. `closed`: nobody gets it today.

    `worth` is `value` where money hangs on it: a stale list then gives nobody the perk. Else `courtesy`: it goes on.
    """

    perk: str
    terms: Terms
    worth: Literal["value", "courtesy"]
    closed: bool
    release: str


class Perks(msgspec.Struct, frozen=True):
    """The caller's perks by id."""

    perks: list[Offered]


@get("/v1/citycard/perks", summary="The operator's perks and their terms", tags=["citycard"])
async def see(entrance: NamedDependency[Entrance], caller: NamedDependency[guards.Client]) -> Perks:
    """What the caller's gates may give today."""
    held = await entrance.perks(token=caller.jti_hash)
    return Perks([_show(one) for one in held])


def _show(one: Held) -> Offered:
    perk = one.perk
    return Offered(perk.id, rulebook.terms(perk), one.worth(), perk.rests(clock.today()), perk.digest)


handlers = [door.behind([see])]
