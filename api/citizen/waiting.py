"""What a citizen hears whose consent to points is over but not yet erased: how to renew, and until when."""

import uuid
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import ledger
from auth.consent.rows import Consent
from core import clock
from scoring.retention import GRACE_DAYS
from scoring.standing import NotEnrolled


def erased_on(one: Consent) -> date:
    """The day on which what stood on a consent that waits is erased, unless it is renewed."""
    return clock.day_of(one.ended_at or one.expires_at) + timedelta(days=GRACE_DAYS)


async def score(session: AsyncSession, *, citizen_id: uuid.UUID) -> Consent | None:
    """The consent to points that waits for a renewal, if there is one."""
    mine = await ledger.of(session, citizen_id=citizen_id)
    return next((one for one in mine if one.purpose == "score" and one.waits), None)


async def not_enrolled(session: AsyncSession, *, citizen_id: uuid.UUID) -> NotEnrolled:
    """Why there are no points, and the next step."""
    one = await score(session, citizen_id=citizen_id)
    if one is None:
        return NotEnrolled()
    why = "已经到期" if one.state == "expired" else "因告知书扩大了处理范围而停止"
    until = erased_on(one)
    detail = (
        f"您的同意{why}，分数和记录已停止使用。在{until}之前重新同意（POST /v1/me/consents）即可恢复，否则到期删除。"
    )
    return NotEnrolled(detail, renew_before=until.isoformat(), consent_state=one.state)
