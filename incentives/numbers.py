"""The numbers by which a credit code speaks of perks and of whom it is for.

A perk has one from its first line on, a partner from its registration on, and so has each perk's programme, which is
whoever offers it. The database allots them, dates them and never gives one twice (migration 0028); they are published
signed, so that a gate without a line knows what it reads.
"""

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incentives.tables import audience_number, perk_number


class PerkNumber(msgspec.Struct, frozen=True):
    """A perk's number (u16) and since when."""

    number: int
    perk: str
    since: datetime


class AudienceNumber(msgspec.Struct, frozen=True):
    """The number (u32) of a partner by its id, or of a programme by its perk's."""

    number: int
    kind: Literal["partner", "programme"]
    name: str
    since: datetime


class Numbers(msgspec.Struct, frozen=True):
    """Both registries, each in the order of its numbers."""

    perks: tuple[PerkNumber, ...]
    audiences: tuple[AudienceNumber, ...]


async def everything(session: AsyncSession) -> Numbers:
    """Every number ever given."""
    perk, audience = perk_number.c, audience_number.c
    perks = await session.execute(select(perk.number, perk.perk_id, perk.since).order_by(perk.number))
    columns = (audience.number, audience.kind, audience.name, audience.since)
    audiences = await session.execute(select(*columns).order_by(audience.number))
    return Numbers(tuple(PerkNumber(*row) for row in perks), tuple(AudienceNumber(*row) for row in audiences))


async def of(session: AsyncSession, *, perk_id: str, partner_id: str | None) -> tuple[int, int]:
    """The numbers of a perk and of the partner, or of the perk's programme when no partner was chosen."""
    kind, name = ("programme", perk_id) if partner_id is None else ("partner", partner_id)
    named = (audience_number.c.kind == kind) & (audience_number.c.name == name)
    query = select(perk_number.c.number, audience_number.c.number).select_from(perk_number.join(audience_number, named))
    perk, audience = (await session.execute(query.where(perk_number.c.perk_id == perk_id))).one()
    return perk, audience
