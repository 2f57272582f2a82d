"""May I have this perk? Asked by the citizen, in private, before any counter: granted, or what is missing and how far.

Evaluates the points now, so that what a citizen is told and what the gate decides a moment later agree. Everything here
is for the citizen's own eyes.
"""

import uuid
from collections.abc import Iterable
from datetime import date

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.keys import Keyring
from incentives import allotments
from incentives.book.perks import Perk
from scoring import rulebook, standing
from scoring.points import ways
from scoring.points.evaluate import Evaluation
from scoring.points.ways import Way
from scoring.rulebook import RuleBook

_SHOWN = 3
_FULL = {
    "paused": "「{}」因一个没有付清的订单暂停，付清后立即恢复；分数和其他便利不受影响。见“订单”。",
    "exposure": "您进行中的订单已占满「{}」的额度（最多三单）；归还或结清一单后就可以再用。见“订单”。",
    "citizen": "您这段时间使用「{}」的次数或额度已用完，到下一期自动恢复。",
}


class Missing(msgspec.Struct, frozen=True):
    """Why a perk is not granted, and what to do (`text`, `ways`).

    `reason`: perk_closed, not_enrolled, held, below, or of the citizen's own orders paused, exposure, citizen.
    """

    reason: str
    text: str
    points_needed: float | None = None
    ways: tuple[Way, ...] = ()


async def missing(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, perks: Iterable[Perk], as_of: date
) -> dict[str, Missing | None]:
    """Per perk id what the citizen at the door, whose session this is, lacks on a day; None where it is granted."""
    full = await allotments.against(session)
    book = await rulebook.current(session, on=as_of)
    try:
        evaluation, _ = await standing.of(session, ring, citizen_id=citizen_id, as_of=as_of, book=book)
    except standing.NotEnrolled as away:
        return {perk.id: _closed(perk, as_of) or Missing("not_enrolled", away.detail) for perk in perks}
    return {
        perk.id: _closed(perk, as_of) or _lacks(evaluation, perk, book) or _full(perk, full.get(perk.id))
        for perk in perks
    }


def _closed(perk: Perk, as_of: date) -> Missing | None:
    if not perk.rests(as_of):
        return None
    why = "目前暂停办理" if perk.closed else "目前不在办理日期内"
    return Missing("perk_closed", f"「{perk.name}」{why}；仍可走普通方式：{perk.standard_route}")


def _full(perk: Perk, cause: str | None) -> Missing | None:
    return None if cause is None else Missing(cause, _FULL[cause].format(perk.name))


def _lacks(evaluation: Evaluation, perk: Perk, book: RuleBook) -> Missing | None:
    if evaluation.held:
        text = "您目前有一项记录使等级暂时保持在最低一档，期间各项便利暂不适用；记录移出后自动恢复。"
        return Missing("held", text, None, _ways(evaluation, book))
    if evaluation.points >= perk.threshold:
        return None
    needed = perk.threshold - evaluation.points
    now, most = _points(evaluation.points), _points(perk.threshold)
    text = f"「{perk.name}」需要{most}分，您现在有{now}分，还差{_points(needed)}分。"
    return Missing("below", text, round(needed / 10, 1), _ways(evaluation, book))


def _ways(evaluation: Evaluation, book: RuleBook) -> tuple[Way, ...]:
    """The first ways to the next tier; each also brings a perk nearer."""
    target = ways.next_tier(evaluation, book.scorecard, book.evaluator)
    return () if target is None else target.ways[:_SHOWN]


def _points(tenths: int) -> str:
    return f"{tenths // 10}.{tenths % 10}"
