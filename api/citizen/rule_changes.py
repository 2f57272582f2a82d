"""`/v1/me/rule-changes`: what changes in the rules, from when, and what that does to the caller's own points.

Told from the approval on until thirty days after the day, to who takes part and to nobody else: who rests or never
joined hears nothing. The effect is computed for the caller alone, when they ask, by both rule books on the day; it is
stored nowhere. PIPL 24: the result of an automated decision, and its change, is explained.
"""

import uuid
from collections.abc import Iterable
from datetime import date, timedelta

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from api.deps import House
from api.releases import drafts
from auth.consent import ledger
from core import clock, ids, releases
from core.errors import NotFound
from core.releases import Release
from scoring import holders, standing
from scoring.book.changes import WORDS, Change
from scoring.rehearsal.tally import Outcome

TOLD = timedelta(days=30)
_TITLES = {"scorecard": "评分规则有变化", "catalogue": "信息目录有变化", "perks": "便利有变化"}


class RuleChange(msgspec.Struct, frozen=True):
    """One change of the rules. `state`: coming (its day has not come) or begun; `what`: sentences."""

    id: str
    title: str
    state: str
    begins_on: date
    approved_on: date
    what: list[str]


class RuleChanges(msgspec.Struct, frozen=True):
    """What is coming, the next first, then what began within thirty days."""

    changes: list[RuleChange]


class Standing(msgspec.Struct, frozen=True):
    """Points, tier as shown, and the perks within reach by their ids."""

    points: float
    tier: str
    perks: list[str]


class Effect(RuleChange, frozen=True):
    """A change with what it does to the caller on its day: under the old rules, under the new ones, and in words."""

    before: Standing
    after: Standing
    text: str


@get("/v1/me/rule-changes", summary="What changes in the rules", tags=["citizen"])
async def see(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]) -> RuleChanges:
    """Nothing for who does not take part now."""
    return RuleChanges([_show(one, await drafts.before(session, one)) for one in await told(session, caller.id)])


@get("/v1/me/rule-changes/{release_id:str}", summary="What a change of the rules does to me", tags=["citizen"])
async def see_one(
    release_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Effect:
    """Computed now, for the caller alone, by both rule books on the day."""
    wanted = ids.read("rl", release_id)
    found = [one for one in await told(session, caller.id) if one.id == wanted]
    if not found:
        raise NotFound("GET /v1/me/rule-changes lists what is told now.")
    return await effect(session, house, caller.id, found[0])


async def told(session: AsyncSession, citizen_id: uuid.UUID) -> list[Release]:
    """The releases that a citizen is told of."""
    if await ledger.live(session, citizen_id=citizen_id, purpose="score") is None:
        return []
    coming = [one for one in await releases.waiting(session) if one.kind in drafts.KINDS]
    today = clock.today()
    begun = [
        one
        for one in await releases.in_force(session, on=today)
        if one.kind in drafts.KINDS and one.effective_on > today - TOLD and await _replaced(session, one)
    ]
    return [*coming, *sorted(begun, key=lambda one: one.effective_on, reverse=True)]


async def _replaced(session: AsyncSession, one: Release) -> bool:
    """Whether something of the kind ruled before: a city's first rules change nothing."""
    return bool(await releases.in_force(session, on=one.effective_on - timedelta(days=1), kind=one.kind))


async def effect(session: AsyncSession, house: House, citizen_id: uuid.UUID, one: Release) -> Effect:
    """What a release does to a citizen. Raises NotEnrolled."""
    holder = await holders.one(session, house.ring, citizen_id=citizen_id)
    if holder is None:
        raise standing.NotEnrolled
    held = await drafts.before(session, one)
    old, new = drafts.worlds(one, held)
    outcomes: list[Outcome] = []
    for world in (old, new):
        found = await standing.evaluate(session, [holder], as_of=one.effective_on, book=world.book)
        outcomes.append(world.outcome(found[citizen_id]))
    before, after = outcomes
    said = msgspec.structs.asdict(_show(one, held))
    names = {perk.id: perk.name for perk in (*held.perks(), *drafts.perks_of(one))}
    return Effect(**said, before=_standing(before), after=_standing(after), text=_text(before, after, names))


def _show(one: Release, held: drafts.Before) -> RuleChange:
    found, _ = drafts.changed(one, held)
    approved = one.approved_at or one.drafted_at
    return RuleChange(
        id=ids.show("rl", one.id),
        title=_TITLES[one.kind],
        state="coming" if one.effective_on > clock.today() else "begun",
        begins_on=one.effective_on,
        approved_on=approved.astimezone(clock.CITY_ZONE).date(),
        what=list(sentences(found)) or ["没有影响分数的改动。"],
    )


def sentences(changes: Iterable[Change]) -> Iterable[str]:
    """What changes, in words; changes of words alone are left out."""
    for one in changes:
        if one.effect != WORDS:
            yield f"{one.name}：{one.what}由{one.old}改为{one.new}。"


def _standing(one: Outcome) -> Standing:
    return Standing(one.evaluation.points / 10, one.evaluation.tier, sorted(one.perks))


def _text(before: Outcome, after: Outcome, names: dict[str, str]) -> str:
    """The effect in one or two sentences."""
    one, other = before.evaluation, after.evaluation
    if before.same(after) or (one.points, one.tier, before.perks) == (other.points, other.tier, after.perks):
        return "按您现在的记录，这次改动不影响您的分数、等级和便利。"
    said = [f"按您现在的记录，分数由{one.points / 10:.1f}分变为{other.points / 10:.1f}分"]
    if one.points == other.points:
        said = ["按您现在的记录，分数不变"]
    if one.tier != other.tier:
        said.append(f"等级由“{one.tier}”变为“{other.tier}”")
    if gained := after.perks - before.perks:
        said.append(f"新得到：{_names(gained, names)}")
    if lost := before.perks - after.perks:
        said.append(f"不再有：{_names(lost, names)}，仍可走普通方式")
    return "，".join(said) + "。"


def _names(perks: Iterable[str], names: dict[str, str]) -> str:
    return "、".join(sorted(names.get(one, one) for one in perks))


handlers = [behind([see, see_one])]
