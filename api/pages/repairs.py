"""Repair beside each deduction on the page of records: when, under which conditions, a form, and how it stands.

In a city that has no rules of repair in force nothing is offered. The form does what `POST /v1/me/repairs` does.
"""

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import repairs as api
from api.citizen.repairs import Apply, View, Way
from api.deps import House, HttpRequest
from api.pages.door import behind, sent
from core import clock
from scoring.book.repairfile import RepairRules
from scoring.rights import inforce, repairs


class Offer(msgspec.Struct, frozen=True):
    """What the page says of repair: the way of each deduction, the newest application about each, by record."""

    rules: RepairRules | None
    ways: dict[str, Way]
    asked: dict[str, View]


def waits(one: View) -> bool:
    """Whether an application has no decision yet."""
    return one.state in repairs.OPEN


async def offer(session: AsyncSession, house: House, caller: guards.Citizen) -> Offer:
    """Everything that the page says of repair to this citizen. Raises NotEnrolled."""
    try:
        rules = await inforce.repair(session, on=clock.today())
    except inforce.NoRightsInForce:
        return Offer(None, {}, {})
    found = await api.listed.fn(session, house, caller)
    asked = {one.record: one for one in reversed(found.repairs)}
    return Offer(rules, {one.record: one for one in found.repairable}, asked)


@post("/repairs", status_code=303)
async def apply(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Redirect:
    """Apply for a repair by the form of a record, or take an application back."""
    taken_back = (await request.form()).get("withdraw")
    if taken_back is None:
        await api.apply.fn(await sent(request, Apply), session, house, caller)
    else:
        await api.withdraw.fn(str(taken_back), session, house, caller)
    return Redirect("/records", status_code=303)


handlers = [behind([apply])]
