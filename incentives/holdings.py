"""What this room holds about one citizen, for their own archive (PIPL article 45): decisions, and codes drawn."""

import uuid
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import ids
from incentives.tables import credit_code, decision


class HeldDecision(msgspec.Struct, frozen=True):
    """What a partner was told about the citizen; kept for 30 days (the entry of it for ten years)."""

    id: str
    at: datetime
    partner: str
    perk: str
    granted: bool
    reason: str | None
    valid_until: datetime


class HeldCode(msgspec.Struct, frozen=True):
    """A credit code drawn within the last three days; the code itself is not kept."""

    perk: str
    partner: str | None
    expires_at: datetime


async def decisions(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[HeldDecision]:
    """Decisions about the citizen, newest first."""
    columns = ("id", "at", "partner_id", "perk_id", "granted", "reason", "valid_until")
    query = select(*(decision.c[name] for name in columns)).where(decision.c.citizen_id == citizen_id)
    return [
        HeldDecision(
            ids.show("dc", row.id), row.at, row.partner_id, row.perk_id, row.granted, row.reason, row.valid_until
        )
        for row in await session.execute(query.order_by(decision.c.at.desc()))
    ]


async def codes(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[HeldCode]:
    """Codes that the citizen drew and that are not swept yet."""
    query = select(credit_code.c.perk_id, credit_code.c.partner_id, credit_code.c.expires_at)
    rows = await session.execute(query.where(credit_code.c.citizen_id == citizen_id).order_by(credit_code.c.expires_at))
    return [HeldCode(row.perk_id, row.partner_id, row.expires_at) for row in rows]
