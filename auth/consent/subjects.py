"""Who a source may send about: the people whose live consent names it, each under the digest agreed with it.

A digest leads to a person only while the consent lives; whoever leaves remains as a digest that says "left" for 30
days, so that the source learns to stop, and as nothing else.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, LargeBinary, Text, Uuid, any_, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tables import consent, consent_end, source_subject


class Found(msgspec.Struct, frozen=True):
    """The person behind a source's digest, under a live consent that names the source."""

    citizen_id: uuid.UUID
    consent_id: uuid.UUID


class Subject(msgspec.Struct, frozen=True):
    """One line of a source's feed: who joined or left, as the digest agreed with that source."""

    digest: bytes
    state: str
    changed_at: datetime
    seq: int


async def subjects_of(
    session: AsyncSession, *, source: str, digests: Sequence[bytes], purpose: str = "score"
) -> dict[bytes, Found]:
    """Per digest of `source`, the person whose live consent names that source; everybody else is absent."""
    query = (
        select(source_subject.c.digest, source_subject.c.citizen_id, source_subject.c.consent_id)
        .join(consent, consent.c.id == source_subject.c.consent_id)
        .where(
            source_subject.c.source == source,
            source_subject.c.digest == any_(bindparam("digests", list(digests), ARRAY(LargeBinary))),
            consent.c.purpose == purpose,
            is_live(),
        )
    )
    return {row.digest: Found(row.citizen_id, row.consent_id) for row in await session.execute(query)}


async def sensitive(session: AsyncSession, *, citizen_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, frozenset[str]]:
    """Per citizen the kinds that a live `sensitive:<kind>` consent allows; whoever gave none is absent."""
    wanted = list(citizen_ids)
    if not wanted:
        return {}
    given = select(consent.c.citizen_id, consent.c.purpose).where(
        consent.c.citizen_id == any_(bindparam("citizens", wanted, ARRAY(Uuid))),
        consent.c.purpose.startswith("sensitive:"),
        is_live(),
    )
    found: dict[uuid.UUID, frozenset[str]] = {}
    for row in await session.execute(given):
        found[row.citizen_id] = found.get(row.citizen_id, frozenset()) | {row.purpose.partition(":")[2]}
    return found


async def feed(session: AsyncSession, *, source: str, since: int, limit: int) -> list[Subject]:
    """Who joined or left `source` after feed position `since`, in order; nothing else about them."""
    rows = await session.execute(
        select(source_subject)
        .where(source_subject.c.source == source, source_subject.c.seq > since)
        .order_by(source_subject.c.seq)
        .limit(limit)
    )
    return [Subject(row.digest, "left" if row.left_at else "joined", row.changed_at, row.seq) for row in rows]


def is_live() -> ColumnElement[bool]:
    """Whether a row of `auth.consent` lives now: no end, not expired."""
    end = consent_end.alias()
    ended = select(end.c.consent_id).where(end.c.consent_id == consent.c.id).correlate(consent).exists()
    return ~ended & (consent.c.expires_at > func.core.civil_now())


async def name(
    session: AsyncSession, digests: Mapping[str, bytes], *, citizen_id: uuid.UUID, consent_id: uuid.UUID
) -> None:
    """Let exactly these sources send about a citizen, each under its digest, as the live consent names them.

    For the citizen themselves: the database looks who is asking.
    """
    await leave(session, citizen_id, keep=digests)
    named = _NAME.bindparams(consent=consent_id, sources=list(digests), digests=list(digests.values()))
    await session.execute(named)


async def leave(
    session: AsyncSession,
    citizen_id: uuid.UUID,
    *,
    keep: Iterable[str] = (),
    only: str | None = None,
    under: uuid.UUID | None = None,
) -> None:
    """Turn the citizen's lines of the feeds into "left"; nothing but the digest stays.

    `keep` names sources that go on, `only` the one that stops, `under` the consent that ended: what a newer consent
    allows goes on. For the citizen themselves; the jobs reach only lines under a consent that is over.
    """
    await session.execute(_LEAVE.bindparams(citizen=citizen_id, keep=list(keep), only=only, under=under))


_NAME = text("select auth.name_sources(:consent, :sources, :digests)").bindparams(
    bindparam("consent", type_=Uuid),
    bindparam("sources", type_=ARRAY(Text)),
    bindparam("digests", type_=ARRAY(LargeBinary)),
)
_LEAVE = text("select auth.leave_sources(:citizen, :keep, :only, :under)").bindparams(
    bindparam("citizen", type_=Uuid), bindparam("keep", type_=ARRAY(Text)), bindparam("only", type_=Text),
    bindparam("under", type_=Uuid),
)  # fmt: skip
