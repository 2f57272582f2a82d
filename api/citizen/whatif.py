"""`POST /v1/me/score/simulate`: what my points would be if something happened; the caller's own, while consented.

By the evaluator that counts the real ones. Nothing is stored, and no log says what somebody supposed: how often may be
asked is counted, in the short-lived store, and nothing else.
"""

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import waiting
from api.citizen.door import behind, must_be_json
from api.deps import House, HttpRequest
from core.errors import TooMany
from scoring import standing
from scoring.past import differences
from scoring.past import simulate as room
from scoring.past.differences import Part
from scoring.past.simulate import Outcome
from scoring.past.whatif import MOST_ADDED, Supposed
from scoring.points import explain
from scoring.points.explain import ScoreView
from scoring.points.wording import shown

WINDOW = 60
PER_CITIZEN = 30
_Ids = Annotated[list[str], Meta(max_length=MOST_ADDED)]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A record as a source would send it, without whom and which."""

    kind: Annotated[str, Meta(max_length=16)]
    occurred_on: date
    fields: dict[str, Any]
    document: dict[str, Any] | None = None
    notice: dict[str, Any] | None = None


class What(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to suppose: records that come, deductions repaired or paid (`end`), positives hidden or shown again.

    `efforts`: indicator -> months or hours more of what it asks for, done from now on at their natural pace.
    `on` is the day whose points are asked for, at most five years ahead; left out, today, or the day on which the last
    effort is done.
    """

    on: date | None = None
    add: Annotated[list[Record], Meta(max_length=MOST_ADDED)] = msgspec.field(default_factory=list[Record])
    end: _Ids = msgspec.field(default_factory=list[str])
    hide: _Ids = msgspec.field(default_factory=list[str])
    show: _Ids = msgspec.field(default_factory=list[str])
    efforts: Annotated[dict[str, Annotated[int, Meta(ge=0, le=MOST_ADDED)]], Meta(max_length=20)] = msgspec.field(
        default_factory=dict[str, int]
    )


class Standing(msgspec.Struct, frozen=True):
    """Points and tier of that day if nothing happens."""

    points: float
    tier: str
    held: bool


class Moved(msgspec.Struct, frozen=True):
    """One indicator or deduction that would give something else, negative for what is taken; and in words."""

    id: str
    name: str
    before: float
    after: float
    change: float
    text: str


class Difference(msgspec.Struct, frozen=True):
    """What would be different on that day, as a whole, by indicator, and in words."""

    points: float
    text: str
    parts: list[Moved]


class Simulated(msgspec.Struct, frozen=True):
    """The whole score of that day if it happens, the points if it does not, and the difference."""

    score: ScoreView
    without: Standing
    difference: Difference


@post("/v1/me/score/simulate", status_code=200, summary="What if", tags=["citizen"])
async def simulate(
    request: HttpRequest,
    data: JSONBody[What],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Simulated:
    """The caller's points of a day if something happened; nothing is stored. At most 30 a minute.

    422 `would_not_be_taken` names each supposed record that no source could send.
    """
    must_be_json(request)
    return await suppose(session, house, caller, data)


async def suppose(session: AsyncSession, house: House, caller: guards.Citizen, what: What) -> Simulated:
    """Count once, within the limit. Raises TooMany, not-enrolled and what `scoring.past.simulate` raises."""
    if await house.short.count(f"simulate|{caller.id}", WINDOW) > PER_CITIZEN:
        detail = f"一分钟最多试算{PER_CITIZEN}次，请稍后再试。"
        raise TooMany(detail, retry_after=WINDOW)
    supposed = Supposed(
        add=tuple(msgspec.to_builtins(one) for one in what.add),
        end=frozenset(what.end),
        hide=frozenset(what.hide),
        show=frozenset(what.show),
    )
    try:
        found = await room.simulate(
            session, house.ring, citizen_id=caller.id, supposed=supposed, on=what.on, efforts=what.efforts
        )
    except standing.NotEnrolled as away:
        raise await waiting.not_enrolled(session, citizen_id=caller.id) from away
    return _shown(found)


def _shown(found: Outcome) -> Simulated:
    before, after = found.without, found.supposed
    parts = [_moved(one) for one in differences.parts(before, after)]
    return Simulated(
        score=explain.explain(after, found.card.scorecard, found.card.evaluator),
        without=Standing(shown(before.points), before.tier, before.held),
        difference=Difference(shown(after.points - before.points), _sentence(found), parts),
    )


def _moved(one: Part) -> Moved:
    change, was, now = one.after - one.before, shown(one.before), shown(one.after)
    text = f"“{one.name}”{differences.signed(change)}（{was:g}→{now:g}）"
    return Moved(id=one.id, name=one.name, before=was, after=now, change=shown(change), text=text)


def _sentence(found: Outcome) -> str:
    before, after = found.without, found.supposed
    change = after.points - before.points
    moved = f"比不这样{differences.signed(change)}" if change else "分数不变"
    said = [f"如果这样，到{after.as_of}您有{shown(after.points):g}分，{moved}"]
    said += [part for part in (differences.tier_change(before, after), *differences.remarks(before, after)) if part]
    return "；".join(said) + "。"


handlers = [behind([simulate])]
