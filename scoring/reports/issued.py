"""Reports that were issued: kept so that a number can be checked, and so that their holder can stop it.

A number has 100 random bits and is kept as SHA-256 alone; the paper is sealed under a key of the holder's that opens
reports and nothing else. A number finds its paper until the paper's last day, unless its holder stopped it or the
consent on which it stands is over: all three look like a number that never was. Each check leaves an entry which the
holder reads, written by the statement that answers (migration 0022). Without the number nobody can check anything.
"""

import hashlib
import os
import re
import uuid
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids, keys, sealed
from core.errors import Conflict, NotFound
from core.keys import KeyGone, Keyring
from core.keys import Purpose as KeyPurpose
from scoring.reports.paper import Paper
from scoring.reporttables import report

Purpose = Literal["score", "occupational-report"]
MOST_LIVE = 20
_PLACE = ("scoring.report", "sealed")
_KEYS: dict[str, KeyPurpose] = {"score": "reports", "occupational-report": "occupational"}
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 20
_GROUP = 5
_LOOKALIKE = str.maketrans("ILO", "110")


class TooManyReports(Conflict):
    """The holder has many reports that can be checked."""

    code = "too_many_reports"
    title = "Too many reports can be checked"


class Issued(msgspec.Struct, frozen=True):
    """One report as its holder has it; `number` as it stands on the page. `revoked_at`: its holder stopped it."""

    id: uuid.UUID
    purpose: str
    number: str
    paper: Paper
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    pdf_digest: bytes

    @property
    def live(self) -> bool:
        """Whether its number can be checked now."""
        return self.revoked_at is None and self.expires_at > clock.civil()


class Checked(msgspec.Struct, frozen=True):
    """What a number leads to: the paper, and the SHA-256 of the PDF that was issued."""

    paper: Paper
    issued_at: datetime
    pdf_digest: bytes


class _Sealed(msgspec.Struct, frozen=True):
    number: str
    paper: Paper


def new_number() -> str:
    """A fresh number: 20 letters of Crockford's base 32 in groups of five."""
    value = int.from_bytes(os.urandom(13)) >> 4
    letters = [_LETTERS[value >> 5 * place & 31] for place in range(_LENGTH)]
    return "-".join("".join(letters[at : at + _GROUP]) for at in range(0, _LENGTH, _GROUP))


def digest_of(typed: str) -> bytes:
    """What finds a number, however it was typed: with or without hyphens and blanks, small, I or L for 1, O for 0."""
    return hashlib.sha256(re.sub(r"[\s\-]", "", typed).upper().translate(_LOOKALIKE).encode()).digest()


async def of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> list[Issued]:
    """A citizen's reports, newest first, while the consent lives on which each stands."""
    rows = await session.execute(select(report).where(report.c.citizen_id == citizen_id).order_by(report.c.id.desc()))
    opened: dict[str, bytes] = {}
    found: list[Issued] = []
    for row in rows.all():
        if row.purpose not in opened:
            opened[row.purpose] = await keys.fetch(session, ring, owner=citizen_id, purpose=_KEYS[row.purpose])
        inside = _open(opened[row.purpose], row.id, row.sealed)
        found.append(
            Issued(
                row.id, row.purpose, inside.number, inside.paper, row.issued_at, row.expires_at, row.revoked_at,
                row.pdf_digest,
            )
        )  # fmt: skip
    return found


async def keep(
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_id: uuid.UUID,
    purpose: Purpose,
    number: str,
    paper: Paper,
    pdf: bytes,
    expires_at: datetime,
) -> uuid.UUID:
    """Let a number be checked from now on. The caller has the citizen's turn. Raises TooManyReports."""
    if sum(one.live for one in await of(session, ring, citizen_id=citizen_id)) >= MOST_LIVE:
        detail = f"您有{MOST_LIVE}份报告还能查验；先停用不再需要的，再开新的。"
        raise TooManyReports(detail)
    key = await keys.make(session, ring, owner=citizen_id, purpose=_KEYS[purpose])
    report_id = ids.new()
    body = msgspec.msgpack.encode(_Sealed(number, paper))
    await session.execute(
        insert(report).values(
            id=report_id,
            citizen_id=citizen_id,
            purpose=purpose,
            number_digest=digest_of(number),
            issued_at=clock.civil(),
            expires_at=expires_at,
            pdf_digest=hashlib.sha256(pdf).digest(),
            sealed=sealed.seal(key, body, place=(*_PLACE, report_id.bytes)),
        )
    )
    return report_id


async def revoke(session: AsyncSession, *, citizen_id: uuid.UUID, report_id: uuid.UUID) -> None:
    """Stop a report of the citizen's; repeating changes nothing. Raises NotFound."""
    mine = (report.c.id == report_id) & (report.c.citizen_id == citizen_id)
    if await session.scalar(select(report.c.id).where(mine)) is None:
        raise NotFound
    stopped = update(report).where(mine, report.c.revoked_at.is_(None)).values(revoked_at=clock.civil())
    await session.execute(stopped)


async def check(session: AsyncSession, ring: Keyring, *, typed: str) -> Checked | None:
    """What a number leads to, or None; the holder reads that somebody looked. `session` is of the auth door."""
    query = text("select * from auth.check_report(:digest)")
    row = (await session.execute(query, {"digest": digest_of(typed)})).one_or_none()
    if row is None:
        return None
    try:
        key = ring.unwrap(row.wrapped, epoch=row.epoch, owner=row.citizen_id, purpose=_KEYS[row.purpose])
    except KeyGone:
        return None
    return Checked(_open(key, row.id, row.sealed).paper, row.issued_at, row.pdf_digest)


def _open(key: bytes, report_id: uuid.UUID, value: bytes) -> _Sealed:
    return msgspec.msgpack.decode(sealed.unseal(key, value, place=(*_PLACE, report_id.bytes)), type=_Sealed)
