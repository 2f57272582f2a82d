"""`/v1/sandbox/orders`, `/budgets`: the other side of an order, and a budget that is spent.

What a citizen would do on their own page is done in their name, through the same room; a merchant sees what comes of it
at its own door, in its webhooks and in its list of events.
"""

import uuid
from typing import Annotated

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api.citizen import orders as mine
from api.deps import House
from api.guards import Client
from api.partner import orders as theirs
from api.partner.orders import View
from api.sandbox import people
from api.sandbox.door import behind
from core import audit, ids
from core.audit import Actor
from core.errors import Conflict, NotFound
from incentives.orders import holders
from incentives.orders.counter import PREFIX

_WHOSE = "select sandbox.citizen_of($1, $2)"
_SPEND = "select sandbox.spend($1, $2, $3)"
_ORDER = "/v1/sandbox/orders/{order_id:str}/citizen"


class NoBudget(Conflict):
    """The perk gives each partner as much as it can use."""

    code = "no_partner_budget"
    title = "This perk has no budget per partner"


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the caller's own budgets of a perk are to be spent, for this day, month or year."""

    perk: Annotated[str, Meta(min_length=1, max_length=64)]
    spent: bool


@post(f"{_ORDER}/report-fault", status_code=200, summary="Their citizen reports a fault")
async def report_fault(order_id: FromPath[str], house: NamedDependency[House], caller: NamedDependency[Client]) -> View:
    """As by POST /v1/me/orders/{id}/report-fault: the clock stops, and 24 hours later it was returned then."""
    return await _act(house, caller, order_id, "report-fault")


@post(f"{_ORDER}/dispute", status_code=200, summary="Their citizen disputes the charge")
async def dispute(
    order_id: FromPath[str],
    data: JSONBody[mine.Dispute],
    house: NamedDependency[House],
    caller: NamedDependency[Client],
) -> View:
    """As by POST /v1/me/orders/{id}/dispute: nothing is to be paid until the office has answered."""
    return await _act(house, caller, order_id, "dispute", data.reason)


@post("/v1/sandbox/budgets", status_code=200, summary="Spend a budget, or give it back")
async def spend(data: JSONBody[Budget], house: NamedDependency[House], caller: NamedDependency[Client]) -> Budget:
    """Orders of this perk answer `budget_spent` to the caller until it is given back, or its day or month is over."""
    pool = await house.doors.pool()
    if not await pool.fetchval(_SPEND, caller.jti_hash, data.perk, data.spent):
        raise NoBudget("GET /v1/rules/perks says which budgets a perk has.")
    return data


async def _act(house: House, caller: Client, order_id: str, event: str, reason: str | None = None) -> View:
    read = ids.read(PREFIX, order_id)
    pool = await house.doors.pool()
    citizen_id: uuid.UUID | None = await pool.fetchval(_WHOSE, caller.jti_hash, read)
    if citizen_id is None:
        raise NotFound
    proof = await people.session_of(house, citizen_id)
    async with house.doors.work("citizen", proof=proof) as session:
        done = await holders.act(session, order_id=read, event=event, reason=reason)
        await audit.write(
            session, actor=Actor("citizen", "self"), action=f"order.{event}", purpose=done.order.perk,
            outcome="asked", owner=citizen_id, detail={"order": done.order.order_id},
        )  # fmt: skip
    return theirs.view(done.order)


handlers = [behind([report_fault, dispute, spend])]
