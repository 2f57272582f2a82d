"""`/desk`: what waits, the overdue first, each with its working days left; nothing of a person is opened here.

Only the queues that the clerk's scopes open are read, each by its own call of `/v1/staff`.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, workpages
from api.deps import House, HttpRequest
from api.desk import charges, frame
from api.pages import names
from api.pages.rights import ABOUT
from api.seated import Seated
from api.staff import assessments, clients, disputes, incidents, orders, releases, repairs, reviews
from auth.counter import deaths
from core import clock, workdays
from core.db import Door
from incentives.orders.courses import ORDER
from scoring.rights.courses import REPAIR
from scoring.rights.disputing import DISPUTE, REASONS

_MOST = 100
_REVIEWED = {"opened": "等待答复", "sent": "已转相关单位"}


class Line(msgspec.Struct, frozen=True):
    """One matter that waits. `left`: working days until the end of `due_on`, below zero when it has passed."""

    id: str
    what: str
    state: str
    opened_at: datetime
    due_on: date
    left: int

    @property
    def late(self) -> bool:
        """Whether its day has passed."""
        return self.due_on < clock.today()


class Queue(msgspec.Struct, frozen=True):
    """One queue. `more`: there are more than are shown."""

    kind: str
    title: str
    lines: list[Line]
    more: bool

    @property
    def late(self) -> int:
        """How many are overdue."""
        return sum(one.late for one in self.lines)


class Second(msgspec.Struct, frozen=True):
    """What waits for a second person: its measure and name, how many, and where they decide."""

    what: str
    count: int
    address: str


_Rows = list[tuple[str, str, str, datetime, date]]
_Reading = Callable[[AsyncSession, Seated], Awaitable[tuple[_Rows, bool]]]


async def _disputes(session: AsyncSession, _caller: Seated) -> tuple[_Rows, bool]:
    found = await disputes.queue.fn(session, limit=_MOST)
    return [
        (one.id, f"{one.kind}：{REASONS[one.reason]}", DISPUTE.chinese(one.state), one.opened_at, one.due_on)
        for one in found.items
    ], found.next_cursor is not None


async def _repairs(session: AsyncSession, caller: Seated) -> tuple[_Rows, bool]:
    found = await repairs.queue.fn(session, caller, limit=_MOST)
    return [
        (one.id, f"{one.kind}", REPAIR.chinese(one.state), one.opened_at, one.decide_by) for one in found.items
    ], found.next_cursor is not None


async def _reviews(session: AsyncSession, caller: Seated) -> tuple[_Rows, bool]:
    return _matters(await reviews.reviews.fn(session, caller, limit=_MOST))


async def _corrections(session: AsyncSession, caller: Seated) -> tuple[_Rows, bool]:
    return _matters(await reviews.corrections.fn(session, caller, limit=_MOST))


async def _orders(session: AsyncSession, caller: Seated) -> tuple[_Rows, bool]:
    found = (await orders.queue.fn(session, caller, limit=_MOST)).items
    partners, perks = await names.organisations(session, [one.partner for one in found]), await names.perks(session)
    return [
        (one.order_id, charges.what(one, partners, perks), ORDER.chinese(one.status), one.since, charges.due(one))
        for one in found
    ], len(found) == _MOST


def _matters(found: reviews.Queue) -> tuple[_Rows, bool]:
    rows: _Rows = []
    for one in found.items:
        what, state = ABOUT.get(one.about, one.about), _REVIEWED.get(one.state, one.state)
        rows.append((one.id, what, state, one.opened_at, clock.day_of(one.answer_by)))
    return rows, found.next_cursor is not None


QUEUES: Mapping[str, tuple[str, str, Door, _Reading]] = {
    "disputes": ("异议", "staff:disputes", "scorer", _disputes),
    "repairs": ("信用修复", "staff:repairs", "staff", _repairs),
    "reviews": ("人工复核", "staff:reviews", "staff", _reviews),
    "corrections": ("更正", "staff:reviews", "staff", _corrections),
    "orders": ("收费争议", "staff:orders", "staff", _orders),
}


@get("/desk")
async def see(
    request: HttpRequest,
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The queues, and what else waits for a second person or a report."""
    house = deps.house(request)
    queues = [
        await _queue(house, caller, kind, reading)
        for kind, (_, scope, _, reading) in QUEUES.items()
        if scope in caller.scopes
    ]
    return frame.page(request, "home.html", caller, queues=queues, **await _others(house, caller))


async def _queue(house: House, caller: Seated, kind: str, reading: _Reading) -> Queue:
    title, _, door, _ = QUEUES[kind]
    async with house.doors.work(door) as session:
        rows, more = await reading(session, caller)
        left = await workdays.left(session, today=clock.today(), until=[row[4] for row in rows])
    lines = sorted((Line(*row, left=left[row[4]]) for row in rows), key=lambda one: (one.due_on, one.id))
    return Queue(kind, title, lines, more)


async def _others(house: House, caller: Seated) -> dict[str, Any]:
    """What waits for a second person; incidents that nobody has closed."""
    seconds: list[Second] = []
    running: list[incidents.View] = []
    async with house.doors.work("staff") as session:
        if frame.RELEASES in caller.scopes:
            seconds.append(Second("份规则草案", await _drafts(session), "/desk/releases"))
        if frame.CLIENTS in caller.scopes:
            seconds.append(Second("项合作方变更", len((await clients.see.fn(session)).waiting), "/desk/partners"))
        if frame.ASSESSMENTS in caller.scopes:
            found = (await assessments.see.fn(session, limit=_MOST)).assessments
            drafted = sum(one.state == "draft" for one in found)
            seconds.append(Second("份影响评估", drafted, "/desk/assessments"))
        if frame.INCIDENTS in caller.scopes:
            running = [one for one in (await incidents.see.fn(session)).incidents if one.closed_at is None]
    if frame.COUNTER in caller.scopes:
        async with house.doors.work("auth") as session:
            closing = await deaths.of(session, client_id=caller.client_id)
        waiting = sum(one.approved_by is None for one in closing)
        seconds.append(Second("件去世后的账户关闭", waiting, "/desk/counter/deceased"))
    return {"seconds": [one for one in seconds if one.count], "running": running}


async def _drafts(session: AsyncSession) -> int:
    return sum(one.state == "draft" for one in (await releases.see.fn(session, limit=_MOST)).releases)


handlers = [workpages.behind([see], role="staff")]
