"""`GET /v1/partner/perks`: the caller's perks in force, with the terms that everybody reads."""

import msgspec
from litestar import get
from litestar.di import NamedDependency, Provide

from api import guards
from api.partner.desk import Desk, provide_desk
from incentives import rulebook
from incentives.rulebook import Terms


class Offered(msgspec.Struct, frozen=True):
    """A perk that the caller may ask about; `closed` perks answer `perk_closed`; no `terminals` means any."""

    perk: str
    terms: Terms
    closed: bool
    terminals: tuple[str, ...]
    release: str


class Perks(msgspec.Struct, frozen=True):
    """The caller's perks by id."""

    perks: list[Offered]


@get(
    "/v1/partner/perks",
    guards=[guards.client("partner", "eligibility:check")],
    dependencies={"caller": Provide(guards.provide_client), "desk": Provide(provide_desk)},
    summary="The caller's perks and their terms",
    tags=["partner"],
)
async def see(caller: NamedDependency[guards.Client], desk: NamedDependency[Desk]) -> Perks:
    """What the caller may ask about today."""
    found = [one for one in await desk.gate.perks(token=caller.jti_hash) if one.newest]
    return Perks(
        [
            Offered(perk.id, rulebook.terms(perk), perk.closed, perk.terminals, perk.digest)
            for one in found
            for perk in rulebook.read(one.body, one.name)
            if perk.id == one.perk_id
        ]
    )


handlers = [see]
