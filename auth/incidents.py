"""Incidents: what was read by whom it should not have been, whom to tell, and the four hours until the report.

PIPL article 57: regulator and persons are told. 国家网络安全事件报告管理办法 (2025): within four hours of knowing.
The log says whose data of these kinds was read; the desk learns numbers alone. The persons (citizens' ids,
nothing else) lie sealed until the incident is closed, and are opened only to tell them. Promises: opened, reported,
notified, closed, in that order; whoever opened it does not close it. Does not promise to find what left no entry.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, ids, sealed
from core.audit import Actor
from core.errors import Conflict, NotFound
from core.keys import Keyring
from core.releases import SecondPersonNeeded
from core.tables import incident

REPORT_WITHIN = timedelta(hours=4)
_AT_ONCE = 5_000

Kind = Literal["eligibility", "orders", "records", "identity", "matters", "account"]
# The acts by which data of a kind is read, or, of records, handed over.
KINDS: Mapping[str, tuple[str, ...]] = {
    "eligibility": ("eligibility.check",),
    "records": (
        "records.write", "records.revoke", "records.withdraw", "records.correct", "records.repair", "record.pending",
        "record.decided", "occupational.write", "occupational.revoke", "report.check", "quality.trace",
    ),
    "identity": (
        "counter.arrive", "counter.open", "counter.prove", "account.link", "card.bind", "card.lost", "card.replace",
        "death.record", "plate.told",
    ),
    "matters": (
        "review.read", "review.answer", "correction.read", "correction.send", "correction.answer", "dispute.read",
        "dispute.forward", "dispute.extend", "dispute.escalate", "dispute.accept", "dispute.uphold", "dispute.overrule",
        "dispute.note", "dispute.pending", "dispute.decided", "dispute.answer", "repair.read", "repair.check",
        "repair.extend", "repair.approve", "repair.refuse",
        "declaration.read", "declaration.verify", "declaration.refuse", "commitment.read",
    ),
    "orders": (
        "order.open", "order.start", "order.extend", "order.read", "order.reject", "order.uphold", "order.default",
        "order.write_off",
    ),
    "account": ("counter.request", "proxy.read", "export"),
}  # fmt: skip
_COLUMNS = [column for column in incident.c if column.name != "sealed_persons"]


class WrongState(Conflict):
    """The incident is not where this step begins."""

    code = "wrong_state"
    title = "The incident is in another state"


class Number(msgspec.Struct, frozen=True):
    """How many persons' data of one kind was read, and how often."""

    kind: str
    persons: int
    accesses: int


class Opening(msgspec.Struct, frozen=True):
    """What is known: kinds of data, the time [from_at, until_at), by which client (None: anybody), why, since when."""

    kinds: Sequence[str]
    from_at: datetime
    until_at: datetime
    client_id: str | None
    cause: str
    measures: str
    known_at: datetime


class Incident(msgspec.Struct, frozen=True):
    """One incident. `known_at` and what follows from it are wall-clock times."""

    id: uuid.UUID
    kinds: list[str]
    from_at: datetime
    until_at: datetime
    client_id: str | None
    cause: str
    measures: str
    known_at: datetime
    opened_by: str
    opened_at: datetime
    persons: int
    numbers: list[dict[str, Any]]
    reported_at: datetime | None
    notified_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None

    @property
    def state(self) -> str:
        """The name of opened, reported, notified or closed."""
        if self.closed_at:
            return "closed"
        return "notified" if self.notified_at else "reported" if self.reported_at else "opened"

    @property
    def report_by(self) -> datetime:
        """Until when it must be reported."""
        return self.known_at + REPORT_WITHIN

    @property
    def overdue(self) -> bool:
        """Whether the report came, or still waits, after its time."""
        return (self.reported_at or clock.wall()) > self.report_by


async def open(  # noqa: A001  the field's word; always called as `incidents.open`
    session: AsyncSession, ring: Keyring, *, token: bytes, known: Opening, by: str
) -> Incident:
    """Find whose data was read, keep them sealed, and open the incident. `token`: hash of a live `staff:incidents`."""
    touched = await _touched(session, token, known)
    owners = {owner for of in touched.values() for owner in of}
    incident_id = ids.new()
    values = {
        "id": incident_id, **msgspec.structs.asdict(known), "kinds": list(known.kinds), "opened_by": by,
        "opened_at": clock.wall(), "persons": len(owners), "numbers": _numbers(touched),
        "sealed_persons": _seal(ring, incident_id, owners),
    }  # fmt: skip
    made = await session.execute(incident.insert().values(**values).returning(*_COLUMNS))
    return Incident(**made.mappings().one())


async def report(session: AsyncSession, *, incident_id: uuid.UUID) -> Incident:
    """Note that the regulator was told. Raises NotFound, WrongState."""
    done = await _step(session, incident_id, [incident.c.reported_at.is_(None)], {"reported_at": clock.wall()})
    return Incident(**_without_persons(done))


async def notify(
    session: AsyncSession, ring: Keyring, *, incident_id: uuid.UUID, notice: str, actor: Actor, clerk: str
) -> Incident:
    """Tell everybody concerned, by an entry that each reads among "who looked". Raises NotFound, WrongState."""
    begins = [incident.c.reported_at.is_not(None), incident.c.notified_at.is_(None)]
    row = await _step(session, incident_id, begins, {"notified_at": clock.wall()})
    told = Incident(**_without_persons(row))
    detail = {"incident": ids.show("in", told.id), "kinds": told.kinds, "notice": notice, "clerk": clerk}
    detail |= {"from": told.from_at.isoformat(), "until": told.until_at.isoformat()}
    persons = _unseal(ring, told.id, row["sealed_persons"])
    for some in (persons[at : at + _AT_ONCE] for at in range(0, len(persons), _AT_ONCE)):
        await audit.write_each(
            session, actor=actor, action="incident.notify", purpose="incident", outcome="told",
            owners=dict.fromkeys(some, detail),
        )  # fmt: skip
    return told


async def close(session: AsyncSession, *, incident_id: uuid.UUID, by: str) -> Incident:
    """Close it and drop the list of persons. Raises NotFound, SecondPersonNeeded, WrongState."""
    if (await get(session, incident_id=incident_id)).opened_by == by:
        raise SecondPersonNeeded("Somebody other than who opened it must close it.")
    begins = [incident.c.notified_at.is_not(None), incident.c.closed_at.is_(None)]
    values = {"closed_at": clock.wall(), "closed_by": by, "sealed_persons": None}
    return Incident(**_without_persons(await _step(session, incident_id, begins, values)))


async def get(session: AsyncSession, *, incident_id: uuid.UUID) -> Incident:
    """One incident. Raises NotFound."""
    found = (await session.execute(select(*_COLUMNS).where(incident.c.id == incident_id))).mappings().one_or_none()
    if found is None:
        raise NotFound
    return Incident(**found)


async def everything(session: AsyncSession, *, limit: int, before: uuid.UUID | None = None) -> list[Incident]:
    """Incidents, newest first, older than `before`."""
    query = select(*_COLUMNS).order_by(incident.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(incident.c.id < before)
    return [Incident(**row) for row in (await session.execute(query)).mappings()]


async def overdue(session: AsyncSession) -> int:
    """How many wait for their report beyond their four hours."""
    late = select(func.count(incident.c.known_at)).where(
        incident.c.reported_at.is_(None), incident.c.known_at < clock.wall() - REPORT_WITHIN
    )
    return await session.scalar(late) or 0


async def _touched(session: AsyncSession, token: bytes, known: Opening) -> dict[str, dict[uuid.UUID, int]]:
    """Per kind, whose data was read how often."""
    kind_of = {action: kind for kind in known.kinds for action in KINDS[kind]}
    query = text("select * from auth.persons_read(:token, :from_at, :until_at, :client_id, :actions)")
    given = {"token": token, "from_at": known.from_at, "until_at": known.until_at, "client_id": known.client_id}
    found: dict[str, dict[uuid.UUID, int]] = {kind: defaultdict(int) for kind in known.kinds}
    for owner, action, entries in await session.execute(query, {**given, "actions": list(kind_of)}):
        found[kind_of[action]][owner] += entries
    return found


def _numbers(touched: Mapping[str, Mapping[uuid.UUID, int]]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(Number(kind, len(of), sum(of.values()))) for kind, of in touched.items()]


async def _step(
    session: AsyncSession, incident_id: uuid.UUID, begins: Sequence[Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Take the step if the incident stands where it begins; the row is locked until the transaction ends."""
    query = update(incident).where(incident.c.id == incident_id, *begins).values(**values).returning(incident)
    row = (await session.execute(query)).mappings().one_or_none()
    if row is None:
        state = (await get(session, incident_id=incident_id)).state
        detail = f"It is {state}; the order is opened, reported, notified, closed."
        raise WrongState(detail)
    return dict(row)


def _without_persons(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in Incident.__struct_fields__}


def _seal(ring: Keyring, incident_id: uuid.UUID, owners: set[uuid.UUID]) -> bytes:
    joined = b"".join(sorted(owner.bytes for owner in owners))
    return sealed.seal(ring.derive("incidents"), joined, place=_place(incident_id))


def _unseal(ring: Keyring, incident_id: uuid.UUID, value: bytes) -> list[uuid.UUID]:
    """Whom to tell; the only reason to open the list."""
    joined = sealed.unseal(ring.derive("incidents"), value, place=_place(incident_id))
    return [uuid.UUID(bytes=joined[at : at + 16]) for at in range(0, len(joined), 16)]


def _place(incident_id: uuid.UUID) -> tuple[str, str, bytes]:
    return "core.incident", "sealed_persons", incident_id.bytes
