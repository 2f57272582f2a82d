"""The rules of repair, of promises and of disputes that were published, read once per digest.

Until two persons published them nothing can be applied for, declared or promised; to object needs nobody's leave, so
without a file about disputes the shipped numbers rule. A matter keeps the digest of the rules under which it began, and
is finished by those.
"""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from core import releases
from core.errors import Unavailable
from scoring import rulebook
from scoring.book import disputefile, promisefile, repairfile
from scoring.book.disputefile import UNPUBLISHED, DisputeRules
from scoring.book.promisefile import PromiseRules
from scoring.book.repairfile import RepairRules

T = TypeVar("T", RepairRules, PromiseRules, DisputeRules)


class NoRightsInForce(Unavailable):
    """Nothing was published yet about repair, or about declarations and commitments."""

    code = "no_rights_in_force"
    title = "These rules are not in force yet"


async def repair(session: AsyncSession, *, on: date) -> RepairRules:
    """The rules of repair in force on a day. Raises NoRightsInForce."""
    return await _newest(session, "repair", repairfile.load, on)


async def promises(session: AsyncSession, *, on: date) -> PromiseRules:
    """The rules of declarations and commitments in force on a day. Raises NoRightsInForce."""
    return await _newest(session, "promises", promisefile.load, on)


async def disputes(session: AsyncSession, *, on: date) -> DisputeRules:
    """The clocks of disputes in force on a day; the shipped numbers until some were published."""
    try:
        return await _newest(session, "disputes", disputefile.load, on)
    except NoRightsInForce:
        return UNPUBLISHED


async def disputes_of(session: AsyncSession, *, digest: str) -> DisputeRules:
    """The clocks under which a dispute began."""
    return await _named(session, "disputes", disputefile.load, digest) if digest else UNPUBLISHED


async def repair_of(session: AsyncSession, *, digest: str) -> RepairRules:
    """The rules of repair under which a matter began."""
    return await _named(session, "repair", repairfile.load, digest)


async def promises_of(session: AsyncSession, *, digest: str) -> PromiseRules:
    """The rules of promises under which a matter began."""
    return await _named(session, "promises", promisefile.load, digest)


async def _newest(session: AsyncSession, kind: str, load: Callable[[str, str], T], on: date) -> T:
    found = await releases.in_force(session, on=on, kind=kind)
    if not found:
        detail = f"No {kind} was published for {on}. Two persons publish one through /v1/staff/releases."
        raise NoRightsInForce(detail, retry_after=60)
    newest = max(found, key=lambda one: (one.effective_on, one.approved_at))
    return _read(kind, load, newest.digest, newest.body)


async def _named(session: AsyncSession, kind: str, load: Callable[[str, str], T], digest: str) -> T:
    if (kept := _kept.get((kind, digest))) is not None:
        return kept  # pyright: ignore[reportReturnType]  (the kind says which of them it is)
    return _read(kind, load, digest, await rulebook.text(session, kind=kind, digest=digest))


def _read(kind: str, load: Callable[[str, str], T], digest: str, text: str) -> T:
    if (kept := _kept.get((kind, digest))) is None:
        while len(_kept) >= _MOST:
            del _kept[next(iter(_kept))]
        kept = _kept[kind, digest] = load(text, kind)
    return kept  # pyright: ignore[reportReturnType]  (the same)


_MOST = 32
_kept: dict[tuple[str, str], RepairRules | PromiseRules | DisputeRules] = {}
