"""What the partner door keeps for its whole life: the gate, the receipt signer, and the terms of releases once read."""

import uuid

from api import deps
from api.deps import HttpRequest
from api.partner.limits import Limits
from core.signed import Signer
from incentives import receipts, rulebook
from incentives.book.perks import Perk
from incentives.eligibility import Gate
from incentives.events.outlet import Outlet
from incentives.once import Checks


class Desk:
    """One a process. Releases never change, so what was read of one is kept."""

    def __init__(self, gate: Gate, signer: Signer, issuer: str, limits: Limits) -> None:
        """`gate` is entered by every check; `signer` signs every answer in the name of `issuer`."""
        self.gate = gate
        self.checks = Checks(gate)
        self.signer = signer
        self.issuer = issuer
        self.limits = limits
        self._perks: dict[tuple[uuid.UUID, str], Perk] = {}

    async def perk(self, release_id: uuid.UUID, perk_id: str, *, token: bytes) -> Perk:
        """The perk as this release says it; the caller of `token` holds it."""
        if (known := self._perks.get((release_id, perk_id))) is None:
            for one in await self.gate.perks(token=token):
                for perk in rulebook.read(one.body, one.name):
                    self._perks[one.release_id, perk.id] = perk
            known = self._perks[release_id, perk_id]
        return known


async def outlet(request: HttpRequest) -> Outlet:
    """The partner door's way to events and webhooks, made at first use."""
    found = request.app.state.get("partner_outlet")
    if found is None:
        found = request.app.state["partner_outlet"] = Outlet(await deps.house(request).doors.pool())
    return found


async def of(request: HttpRequest) -> Desk:
    """The desk of a request's process, made at first use."""
    found = request.app.state.get("partner_desk")
    if found is None:
        here = deps.house(request)
        gate = Gate(await here.doors.pool(), here.ring.derive("presented"))
        found = Desk(gate, receipts.signer(here.ring), here.settings.base_url, Limits(here.short))
        request.app.state["partner_desk"] = found
    return found
