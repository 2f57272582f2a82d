"""The bureau's side of declarations and commitments: what waits for it, and its answer. On the scorer's door.

A bureau sees what citizens declared or promised to it while their consent names it, under the digest agreed with it and
never by name; the first sight leaves an entry that the citizen reads. Verifying is a record that passes the check of
every record; a refusal has reasons and moves nothing.
"""

import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, ids, sealed
from core.audit import Actor
from core.db import Doors
from core.errors import FieldError, Invalid, NotFound
from core.keys import Keyring
from core.lifecycle import IllegalTransition
from scoring import holders, ingest
from scoring.holders import Holder
from scoring.ingest import Source
from scoring.rights import commitments, declarations, steps
from scoring.rights.commitments import Promise
from scoring.rights.courses import DECLARATION
from scoring.rights.declarations import Declaration
from scoring.righttables import commitment, declaration

PREFIX = "dl"
PAGE = 100


class BadAnswer(Invalid):
    """The record that should verify a declaration is not well-formed; `errors` holds the code of the line."""

    code = "bad_line"
    title = "The record is not well-formed"


class Asked(msgspec.Struct, frozen=True):
    """A declaration for its bureau: `subject` is the digest agreed with it, in hex."""

    subject: str
    declaration: Declaration


class Promised(msgspec.Struct, frozen=True):
    """A commitment for its bureau."""

    subject: str
    promise: Promise


async def asked(session: AsyncSession, ring: Keyring, *, source: str) -> list[Asked]:
    """What waits for this source, the oldest first, at most PAGE."""
    found = await _theirs(session, ring, _DECLARED, source)
    today = clock.today()
    shown = [
        Asked(row["digest"].hex(), declarations.opened(holder, row, []))
        for row, holder in found
        if declarations.standing_of(
            row["state"], answer_by=row["answer_by"], lapse_on=row["lapse_on"], today=today
        ) in declarations.WAITING
    ]  # fmt: skip
    fresh = {row["id"]: holder for row, holder in found if row["seen_at"] is None}
    await _seen(session, declaration, fresh, source=source, action="declaration.read", prefix=PREFIX)
    return shown


async def promised(session: AsyncSession, ring: Keyring, *, source: str) -> list[Promised]:
    """What was promised to this source and is not withdrawn, the newest first, at most PAGE."""
    found = await _theirs(session, ring, _PROMISED, source)
    fresh = {row["id"]: holder for row, holder in found if row["seen_at"] is None}
    await _seen(session, commitment, fresh, source=source, action="commitment.read", prefix="cm")
    return [Promised(row["digest"].hex(), commitments.promise(holder, row)) for row, holder in found]


async def verify(doors: Doors, *, source: Source, declaration_id: uuid.UUID, line: Mapping[str, Any]) -> None:
    """Verify a declaration by the record `line` (ref, version, occurred_on, document, fields): it counts by that alone.

    Raises NotFound, IllegalTransition, BadAnswer.
    """
    async with doors.work("scorer") as session:
        row, _ = await _one(session, doors.ring, source.id, declaration_id)
        _after(row, "verify")
    whole = {**line, "kind": row["kind"], "subject": row["digest"].hex()}
    receipt = await ingest.receive(doors, source=source, body=_body(whole))
    if receipt.rejected:
        first = receipt.rejected[0]
        raise BadAnswer(first.detail, errors=[FieldError("/record", first.code, first.detail)])
    async with doors.work("scorer") as session:
        row, holder = await _one(session, doors.ring, source.id, declaration_id)
        await _turn(session, row, holder, "verify", source.id, ref=line["ref"])


async def refuse(session: AsyncSession, ring: Keyring, *, source: str, declaration_id: uuid.UUID, reasons: str) -> None:
    """Say that it could not be verified, and why. Raises NotFound, IllegalTransition."""
    row, holder = await _one(session, ring, source, declaration_id)
    body = sealed.seal(holder.key, reasons.encode(), place=declarations.reasons_of(declaration_id))
    await _turn(session, row, holder, "refuse", source, sealed_reasons=body)


async def _turn(
    session: AsyncSession, row: Mapping[Any, Any], holder: Holder, event: str, source: str, **columns: Any
) -> None:
    to = _after(row, event)
    news = {"state": to, "changed_at": clock.civil(), **columns}
    await session.execute(update(declaration).where(declaration.c.id == row["id"]).values(**news))
    await steps.note(session, citizen_id=holder.citizen_id, matter_id=row["id"], event=event, state=to, by="source")
    await _tell(session, {row["id"]: holder}, source=source, action=f"declaration.{event}", prefix=PREFIX)


def _after(row: Mapping[Any, Any], event: str) -> str:
    """The state after an answer, from how the row stands today. Raises IllegalTransition."""
    days = {name: row[name] for name in ("answer_by", "lapse_on")}
    now = declarations.standing_of(row["state"], today=clock.today(), **days)
    if event not in DECLARATION.allowed(now, by="source"):
        raise IllegalTransition(state=now, event="answer", allowed=())
    return DECLARATION.after(now, event, by="source")


async def _one(
    session: AsyncSession, ring: Keyring, source: str, declaration_id: uuid.UUID
) -> tuple[Mapping[Any, Any], Holder]:
    """One declaration to this source, locked; NotFound for any other."""
    found = await _theirs(session, ring, _LOCKED, source, declaration_id)
    if not found:
        raise NotFound
    return found[0]


async def _theirs(
    session: AsyncSession, ring: Keyring, query: str, source: str, identity: uuid.UUID | None = None
) -> list[tuple[Mapping[Any, Any], Holder]]:
    given = {"source": source, "most": PAGE} | ({} if identity is None else {"id": identity})
    rows = (await session.execute(text(query), given)).mappings().all()
    people = await holders.of(session, ring, citizen_ids={row["citizen_id"] for row in rows})
    return [(row, people[row["citizen_id"]]) for row in rows if row["citizen_id"] in people]


async def _seen(session: AsyncSession, table: Any, fresh: Mapping[uuid.UUID, Holder], **how: str) -> None:
    """Note the first sight, for the citizens too."""
    if fresh:
        await session.execute(update(table).where(table.c.id.in_(list(fresh))).values(seen_at=clock.civil()))
        await _tell(session, fresh, **how)


async def _tell(
    session: AsyncSession, matters: Mapping[uuid.UUID, Holder], *, source: str, action: str, prefix: str
) -> None:
    for identity, holder in matters.items():
        await audit.write(
            session, actor=Actor("source", source), action=action, purpose="score", outcome="done",
            owner=holder.citizen_id, detail={"matter": ids.show(prefix, identity)},
        )  # fmt: skip


async def _body(line: Mapping[str, Any]) -> AsyncIterator[bytes]:
    yield msgspec.json.encode(line)


# Only while the consent lives and names the source: as a line of theirs would be taken.
_ALLOWED = """
  join auth.source_subject n on n.source = m.source and n.citizen_id = m.citizen_id
  join auth.live_consent c on c.id = n.consent_id
  left join auth.consent_source_end e on e.consent_id = n.consent_id and e.source = n.source
  where m.source = :source and e.consent_id is null
"""
_DECLARED = f"""
select m.*, n.digest from scoring.declaration m {_ALLOWED} and m.state = 'declared' order by m.opened_at limit :most
"""  # noqa: S608  (constants of this module)
_PROMISED = f"""
select m.*, n.digest from scoring.commitment m {_ALLOWED} and m.withdrawn_at is null order by m.made_at desc limit :most
"""  # noqa: S608  (constants of this module)
_LOCKED = (
    f"select m.*, n.digest from scoring.declaration m {_ALLOWED} "  # noqa: S608  (constants of this module)
    "and m.id = :id limit :most for update of m"
)
