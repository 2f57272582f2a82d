"""How long things stay, and how they go.

Erasing happens in the transaction of the withdrawal: rows are deleted and the records key is destroyed, which makes
what backups still hold unreadable (PIPL article 47). The sweep removes what nobody asked to remove: staging of pushes
that broke off, traces older than 24 months, papers of revoked records after three days (SH article 37), what corrected
records said before after 30, records that can count no more, and everything of people whose consent ended 30 days ago
without renewal.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import Uuid, bindparam, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import ledger
from core import clock, db, keys
from core.keys import KeyGone, Keyring
from core.months import shift
from scoring import holders
from scoring.feedtables import history_pull
from scoring.holders import Holder
from scoring.reporttables import report
from scoring.righttables import commitment, declaration, repair, right_event
from scoring.rulebook import RuleBook
from scoring.tables import (
    dispute,
    link,
    live,
    pending,
    record,
    refusal,
    standing,
    standing_change,
    statement,
    suspension,
)

TRACE_MONTHS = 24
GRACE_DAYS = 30
EARLIER_DAYS = 30  # as long as withdrawing a batch brings back what a record said before
_SOME = 500


async def erase(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> None:
    """Erase everything that stood on a citizen's `score` consents, which are over; harmless when there is nothing.

    For the citizen themselves, or on the jobs door. While such a consent lives nothing goes, the key neither.
    """
    subject = await _subject(session, ring, citizen_id)
    if await session.scalar(_ERASE, {"citizen": citizen_id, "subject": subject}):
        await keys.destroy(session, owner=citizen_id, purpose="records")
        await keys.destroy(session, owner=citizen_id, purpose="reports")


async def counts(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> dict[str, int]:
    """How many rows stand on a citizen's live `score` consent, by table; nothing without one."""
    holder = await holders.one(session, ring, citizen_id=citizen_id)
    if holder is None:
        return {}
    found = {record.fullname: record.c.record_subject == holder.record_subject}
    found |= {live.fullname: live.c.record_subject == holder.record_subject}
    for table in (
        refusal,
        statement,
        standing,
        standing_change,
        history_pull,
        repair,
        declaration,
        commitment,
        right_event,
        link,
    ):
        found[table.fullname] = table.c.citizen_id == citizen_id
    found[dispute.fullname] = dispute.c.citizen_id == citizen_id
    mine = select(record.c.id).where(record.c.record_subject == holder.record_subject)
    for table in (suspension, pending):
        found[table.fullname] = table.c.record_id.in_(mine)
    found[report.fullname] = report.c.score_of == citizen_id
    return {name: await session.scalar(select(func.count()).where(mine)) or 0 for name, mine in found.items()}


async def rest(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> None:
    """Let records rest from now on, when their consent ended before its day; the grace runs from now."""
    subject = await _subject(session, ring, citizen_id)
    now = clock.civil()
    await session.execute(update(live).where(live.c.record_subject == subject, live.c.until > now).values(until=now))


async def erase_source(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, source: str) -> int:
    """Erase what one source sent about a citizen; the caller refreshes the standing. Returns how many records went."""
    holder = await holders.one(session, ring, citizen_id=citizen_id, locked=True)
    if holder is None:
        return 0
    asked = (history_pull.c.citizen_id == citizen_id) & (history_pull.c.source == source)
    await session.execute(delete(history_pull).where(asked))
    gone = await session.execute(
        delete(record)
        .where(record.c.record_subject == holder.record_subject, record.c.source == source)
        .returning(record.c.id)
    )
    return len(gone.all())


async def erase_kind(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, kind: str) -> int:
    """Erase every record of a kind about a citizen; the caller refreshes the standing. Returns how many went."""
    subject = await _subject(session, ring, citizen_id)
    return await session.scalar(_ERASE_KIND, {"citizen": citizen_id, "subject": subject, "kind": kind}) or 0


async def sweep(session: AsyncSession, ring: Keyring) -> None:
    """Remove what is over, in the caller's transaction on the jobs door; cheap, and safe to repeat at any time."""
    await session.execute(text(_STAGING))
    lapsed = await session.execute(text(_LAPSED), {"days": GRACE_DAYS, "some": _SOME})
    owners = await holders.owners(session, ring, record_subjects=lapsed.scalars().all())
    for record_subject, citizen_id in sorted(owners.items()):  # the order in which they are held (`holders.unseen`)
        await ledger.turn(session, citizen_id=citizen_id)
        if await session.scalar(text(_STILL), {"days": GRACE_DAYS, "subject": record_subject}):
            await erase(session, ring, citizen_id=citizen_id)
            await ledger.erased(session, ring, citizen_id=citizen_id, purpose="score")
    await session.execute(text(_REVOKED))
    await session.execute(text(_EARLIER), {"days": EARLIER_DAYS})


async def spent(session: AsyncSession, people: Iterable[Holder], *, book: RuleBook, today: date) -> None:
    """Remove records of these people, whom the caller has locked, that can count no more: window and storage over.

    Part of the daily pass. No standing moves by it.
    """
    connection = await db.raw(session)
    await connection.execute(_SPENT, [each.record_subject for each in people], *_cuts(book, today), today)


async def overdue(
    session: AsyncSession, subjects: Sequence[uuid.UUID], *, book: RuleBook, today: date
) -> set[uuid.UUID]:
    """Those of these record subjects of whom `spent` would remove something; locks nobody."""
    connection = await db.raw(session)
    return {row[0] for row in await connection.fetch(_OVERDUE, subjects, *_cuts(book, today), today)}


def _cuts(book: RuleBook, today: date) -> tuple[list[str], list[date], list[bool]]:
    """Kinds that end, the day until which a record of each is over, and whether it is a deduction."""
    kinds = [kind for kind in book.catalogue.kinds.values() if kind.window_months or not kind.positive]
    cuts = [shift(today, -(kind.window_months + kind.keep_months)) for kind in kinds]
    return [kind.code for kind in kinds], cuts, [not kind.positive for kind in kinds]


async def old_traces(session: AsyncSession, *, today: date, most: int) -> int:
    """Remove the traces older than 24 months of up to `most` citizens; returns of how many."""
    connection = await db.raw(session)
    cut = shift(today, -TRACE_MONTHS)
    citizens = [row[0] for row in await connection.fetch(_WITH_OLD, cut, most)]
    await holders.hold(session, citizen_ids=citizens)
    await connection.execute(_OLD, citizens, cut)
    return len(citizens)


async def _subject(session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID) -> uuid.UUID | None:
    """The record subject, with the link locked; it is there to be read once more after the consent."""
    value = await session.scalar(_THREAD, {"citizen": citizen_id})
    if value is None:
        return None
    try:
        key = await keys.fetch(session, ring, owner=citizen_id, purpose="records")
    except KeyGone:
        return None
    return holders.read_thread(key, value, citizen_id).record_subject


# The doors themselves see nothing any more of somebody whose consent is over: two functions do it for them.
_THREAD = text("select scoring.thread_to_erase(:citizen)").bindparams(bindparam("citizen", type_=Uuid))
_ERASE = text("select scoring.erase_of(:citizen, :subject)").bindparams(
    bindparam("citizen", type_=Uuid), bindparam("subject", type_=Uuid)
)

_ERASE_KIND = text("select scoring.erase_kind(:citizen, :subject, :kind)").bindparams(
    bindparam("citizen", type_=Uuid), bindparam("subject", type_=Uuid)
)

_STAGING = "delete from scoring.staging where staged_at < now() - interval '1 hour'"

# Papers of a revoked record go after three days; the bare row stays, so that the same version cannot come back.
_REVOKED = """
update scoring.record set sealed = '', earlier = null
where status = 'revoked' and sealed <> '' and status_at < core.civil_now() - interval '3 days'
"""

_EARLIER = """
update scoring.record set earlier = null
where earlier is not null and received_at < core.civil_now() - make_interval(days => :days)
"""

_LAPSED = """
select record_subject from scoring.live where until < core.civil_now() - make_interval(days => :days)
order by until limit :some
"""

# Read once more in the citizen's turn: a renewal may have come first.
_STILL = """
select true from scoring.live
where record_subject = :subject and until < core.civil_now() - make_interval(days => :days)
"""

# A deduction also stays until its interval is over, however old the act.
_OVER = """
r.record_subject = any($1::uuid[]) and r.kind = over.kind and r.occurred_on <= over.cut
and (not over.negative or r.until_on <= $5)
"""
_ENDING = "unnest($2::text[], $3::date[], $4::bool[]) as over (kind, cut, negative)"
_SPENT = f"delete from scoring.record r using {_ENDING} where {_OVER}"  # noqa: S608  (constants of ours)
_OVERDUE = f"select distinct r.record_subject from scoring.record r, {_ENDING} where {_OVER}"  # noqa: S608  (the same)

# A trace's id was made at the time of its change, so the oldest are found by their ids.
_WITH_OLD = """
select distinct citizen_id from scoring.standing_change
where id < uuidv7($1::date + interval '1 day' - now()) and as_of < $1 limit $2
"""
_OLD = "delete from scoring.standing_change where citizen_id = any($1::uuid[]) and as_of < $2"
