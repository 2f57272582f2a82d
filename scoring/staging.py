"""From a checked line to a sealed row in staging.

A chunk of lines is looked up at once: whoever has no live consent naming this source is dropped here, unstored. What is
left is sealed under the person's own records key and written by COPY on the *source* door, which can do nothing else.
A record's id is derived from that key, the source and its ref: stable from version to version, so that a citizen can
point at it, and gone with the key.
"""

import hmac
import uuid
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import subjects
from core import clock, db, sealed
from core.db import Doors
from core.keys import Keyring
from scoring import holders
from scoring.book.lines import Accepted
from scoring.holders import Holder
from scoring.tables import staging

SEALED = ("scoring.record", "sealed")
COLUMNS = tuple(column.name for column in staging.columns)


class Papers(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is sealed of a record: its document, notice and fields as the source sent them, and who repaired it."""

    fields: dict[str, object]
    document: dict[str, object] | None = None
    notice: dict[str, object] | None = None
    repair: dict[str, object] | None = None


class Candidate(msgspec.Struct, frozen=True):
    """A line that passed the check by itself: its number, the person's digest agreed with the source, the columns."""

    number: int
    digest: bytes
    line: Accepted


async def stage(
    doors: Doors,
    *,
    batch_id: uuid.UUID,
    source: str,
    candidates: Sequence[Candidate],
    sensitive: AbstractSet[str] = frozenset(),
) -> dict[str, int]:
    """Keep the candidates whose person consents; returns the refs and versions (from 2 up) of those that were dropped.

    A line of a `sensitive` kind needs the consent to this kind as well, or it is dropped like a stranger's. So is what
    is dated before the person's 18th birthday: a line that names them by digest cannot be refused for it in time.

    A dropped line may be the correction of a record that was first sent about somebody else; the merge then needs to
    know which ref it was, and nothing more.
    """
    async with doors.work("scorer") as session:
        found = await people(session, doors.ring, source=source, digests=[each.digest for each in candidates])
        asked = {each.digest for each in candidates if each.line.kind in sensitive}
        owners = [holder.citizen_id for digest, holder in found.items() if digest in asked]
        allowed = await subjects.sensitive(session, citizen_ids=owners)
    now = clock.wall()
    kept = [
        (each, holder)
        for each in candidates
        if (holder := found.get(each.digest)) is not None
        and each.line.occurred_on >= holder.adult_on
        and (each.line.kind not in sensitive or each.line.kind in allowed.get(holder.citizen_id, ()))
    ]
    rows = [_row(batch_id, source, each, holder, now) for each, holder in kept]
    if rows:
        async with doors.claims("source") as session:
            connection = await db.raw(session)
            await connection.copy_records_to_table("staging", schema_name="scoring", columns=COLUMNS, records=rows)
    numbers = {each.number for each, _ in kept}
    return {
        each.line.ref: each.line.version for each in candidates if each.number not in numbers and each.line.version > 1
    }


async def people(session: AsyncSession, ring: Keyring, *, source: str, digests: Sequence[bytes]) -> dict[bytes, Holder]:
    """Per digest, the holder whose live consent names this source."""
    found = await subjects.subjects_of(session, source=source, digests=list(set(digests)))
    held = await holders.of(session, ring, citizen_ids={each.citizen_id for each in found.values()})
    return {digest: held[each.citizen_id] for digest, each in found.items() if each.citizen_id in held}


def record_id(key: bytes, source: str, ref: str) -> uuid.UUID:
    """The id of the record that `source` calls `ref`, under its citizen's records key: a UUIDv8 (RFC 9562)."""
    mac = hmac.digest(key, f"record|{source}|{ref}".encode(), "sha256")
    value = int.from_bytes(mac[:16])
    return uuid.UUID(int=(value & ~(0xF << 76) & ~(0b11 << 62)) | (8 << 76) | (0b10 << 62))


def papers(holder: Holder, identity: uuid.UUID, value: bytes) -> Papers:
    """Open what is sealed of a record, for its own citizen."""
    return msgspec.msgpack.decode(sealed.unseal(holder.key, value, place=(*SEALED, identity.bytes)), type=Papers)


def closed(holder: Holder, identity: uuid.UUID, held: Papers) -> bytes:
    """Seal the papers of a record under its holder's key."""
    return sealed.seal(holder.key, msgspec.msgpack.encode(held), place=(*SEALED, identity.bytes))


async def clear(doors: Doors, *, batch_id: uuid.UUID) -> None:
    """Delete what a push that came to nothing left in staging."""
    async with doors.work("scorer") as session:
        await session.execute(delete(staging).where(staging.c.batch_id == batch_id))


def _row(batch_id: uuid.UUID, source: str, each: Candidate, holder: Holder, now: datetime) -> tuple[object, ...]:
    """One row in the order of COLUMNS."""
    line = each.line
    identity = record_id(holder.key, source, line.ref)
    body = msgspec.msgpack.encode(line.sealed)
    return (
        batch_id,
        each.number,
        identity,
        holder.citizen_id,
        holder.record_subject,
        source,
        line.ref,
        line.version,
        line.kind,
        line.provider,
        line.occurred_on,
        line.quantity,
        line.level,
        line.severity,
        line.from_on,
        line.until_on,
        sealed.seal(holder.key, body, place=(*SEALED, identity.bytes)),
        now,
        line.dated_on,
    )
