"""`GET /v1/partner/perks`: the caller's perks in force, with the terms that everybody reads."""

import msgspec
from litestar import get

from api import guards
from api.deps import HttpRequest
from api.partner import desk
from core import clock
from incentives import rulebook
from incentives.rulebook import Terms


class Offered(msgspec.Struct, frozen=True):
    """A perk that the caller may ask about; no `terminals` means any. `closed`, or out of its days: `perk_closed`."""

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
    summary="The caller's perks and their terms",
    tags=["partner"],
)
async def see(request: HttpRequest) -> Perks:
    """What the caller may ask about today."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    found = [one for one in await here.gate.perks(token=caller.jti_hash) if one.newest]
    return Perks(
        [
            Offered(perk.id, rulebook.terms(perk), perk.rests(clock.today()), perk.terminals, perk.digest)
            for one in found
            for perk in rulebook.read(one.body, one.name)
            if perk.id == one.perk_id
        ]
    )


handlers = [see]
