"""Objecting on the page of records: a form at each record, the course of what was objected, and the answer.

Who will read the words is said before they are sent. The form does what `POST /v1/me/disputes` does.
"""

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import disputes as api
from api.citizen.disputes import Object, StepView, View
from api.citizen.records import Record
from api.deps import House, HttpRequest
from api.pages.door import behind, sent
from core import clock
from scoring.book.disputefile import DisputeRules
from scoring.rights import disputes, inforce
from scoring.rights.disputing import DISPUTE, OPEN, REASONS

_EVENTS = {"open": "提出异议", **{one.name: one.chinese for one in DISPUTE.events}}
_BY = {"citizen": "您", "source": "来源单位", "staff": "工作人员", "clock": "到期自动"}


class Objections(msgspec.Struct, frozen=True):
    """What the page says of disputes: the newest about each record, by record; and those whose record is gone.

    `clocks` are those under which one would be opened today.
    """

    asked: dict[str, View]
    gone: list[View]
    clocks: DisputeRules
    reasons = REASONS
    longest_words = disputes.LONGEST_WORDS
    longest_evidence = disputes.LONGEST_EVIDENCE

    def possible(self, record: Record) -> bool:
        """Whether the form is offered: the record still counts, and no dispute about it is open."""
        asked = self.asked.get(record.id)
        return record.status not in disputes.ENDED and not (asked and self.waits(asked))

    def waits(self, one: View) -> bool:
        """Whether a dispute has no end yet."""
        return one.state in OPEN

    def state(self, one: View) -> str:
        """Where a dispute stands, in words."""
        return DISPUTE.chinese(one.state)

    def step(self, one: StepView) -> str:
        """What was done and by whom, in words."""
        return f"{_EVENTS[one.event]}（{_BY[one.by]}）"


async def objections(session: AsyncSession, house: House, caller: guards.Citizen) -> Objections:
    """Everything that the page says of this citizen's disputes."""
    found = (await api.mine.fn(session, house, caller)).items
    asked = {one.record: one for one in reversed(found) if one.record is not None}
    clocks = await inforce.disputes(session, on=clock.today())
    return Objections(asked, [one for one in found if one.record is None], clocks)


@post("/disputes", status_code=303)
async def ask(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Redirect:
    """Object by the form of a record, or take an objection back."""
    taken_back = (await request.form()).get("withdraw")
    if taken_back is None:
        await api.ask.fn(await sent(request, Object), session, house, caller)
    else:
        await api.withdraw.fn(str(taken_back), session, house, caller)
    return Redirect("/records", status_code=303)


handlers = [behind([ask])]
