"""What changes in the rules, and what it does to the one who looks: a page of its own, and a line on the first page."""

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import rule_changes
from api.citizen.rule_changes import Effect, RuleChange
from api.deps import House, HttpRequest
from api.pages import frame, names
from api.pages.door import behind


class Told(msgspec.Struct, frozen=True):
    """A change with its effect; `perks` are the names of those within reach after it."""

    change: Effect
    perks: list[str]


@get("/changes")
async def changes(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Every change that is told now, with its effect on the caller."""
    called = await names.perks(session)
    shown: list[Told] = []
    for one in await rule_changes.told(session, caller.id):
        effect = await rule_changes.effect(session, house, caller.id, one)
        shown.append(Told(effect, [called.get(perk, perk) for perk in effect.after.perks]))
    return frame.member(request, "changes.html", house, caller, shown=shown)


async def coming(session: AsyncSession, caller: guards.Citizen) -> list[RuleChange]:
    """What the first page points to: changes whose day has not come."""
    found: rule_changes.RuleChanges = await rule_changes.see.fn(session, caller)
    return [one for one in found.changes if one.state == "coming"]


handlers = [behind([changes])]
