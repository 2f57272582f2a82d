"""Rehearsals put together: which rule book against which, everybody through both, and the report that staff read.

A draft of a scorecard, catalogue or perks is held against everything that will rule on its day without it. The jobs do
the work; it leaves one entry that everybody who takes part reads. The report names no person and holds no cell that
could lead to one.
"""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.deps import House
from api.releases import drafts
from api.releases.drafts import Before
from auth import bands
from auth.tables import client
from core import audit, cellkeys, clock, ids, pgerrors, releases
from core.audit import Actor
from core.errors import Conflict, Problem
from core.policyfile import Faulty
from core.releases import Release
from core.signed import Signer
from incentives import changes as perk_changes
from incentives import rulebook
from incentives.changes import Inference
from incentives.receipts import KID
from scoring.book.changes import Change
from scoring.points import reach
from scoring.rehearsal import desk, efforts, run
from scoring.rehearsal.desk import Rehearsal
from scoring.rehearsal.efforts import Effort
from scoring.rehearsal.run import World
from scoring.rehearsal.tally import Figures, Person

TYPE = "rehearsal+jwt"
_PAUSE_SECONDS = 2
_YEAR = timedelta(days=365)
_log = structlog.get_logger("osmanthus.rehearsing")


class NothingToRehearse(Conflict):
    """The release changes nobody's points or perks."""

    code = "nothing_to_rehearse"
    title = "Only scorecards, catalogues and perks are rehearsed"


class Hiding(msgspec.Struct, frozen=True):
    """How numbers were made safe: those under `least` are hidden, the others shifted by up to `spread`."""

    least: int
    spread: int


class Report(msgspec.Struct, frozen=True):
    """What a release would change. `figures_of`: the rehearsal whose numbers these are, if too little differs from it.

    `may_lower`: whether it could lower anybody's points or close a perk to them, by its text alone.
    """

    release: str
    kind: str
    name: str
    digest: str
    against: str
    effective_on: date
    made_at: datetime
    figures_of: str | None
    may_lower: bool
    changes: tuple[Change, ...]
    figures: Figures
    perk_names: dict[str, str]
    efforts: tuple[Effort, ...]
    inference: tuple[Inference, ...]
    hiding: Hiding


async def ask(session: AsyncSession, house: House, *, release_id: uuid.UUID, by: str) -> Rehearsal:
    """Queue a rehearsal of a draft; the same again within its time is the same one. Raises NothingToRehearse."""
    drafted = await releases.get(session, release_id=release_id)
    releases.COURSE.after(releases.state(drafted), "rehearse")
    if drafted.kind not in drafts.KINDS:
        raise NothingToRehearse
    held = await drafts.before(session, drafted)
    drafts.worlds(drafted, held)
    asked = await desk.ask(
        session, release=drafted, against=desk.rule_book(held.others), by=by, days=house.settings.rehearsal_days
    )
    detail = {"release": ids.show("rl", drafted.id), "rehearsal": ids.show("rh", asked.id), "digest": drafted.digest}
    await audit.write(
        session, actor=Actor("staff", by), action="rehearsal.ask", purpose=drafted.kind, outcome="asked", detail=detail
    )
    return asked


async def attend(house: House) -> None:
    """Do what is asked for until cancelled; a database that is away is waited for."""
    while True:
        try:
            while await once(house):
                pass
        except Exception as error:
            if not pgerrors.is_unavailable(error):
                raise
            _log.warning("waiting", kind=type(error).__name__)
        await asyncio.sleep(_PAUSE_SECONDS)


async def once(house: House) -> bool:
    """Do the rehearsal that waits longest; False when there is none."""
    async with house.doors.work("jobs") as session:
        taken = await desk.take(session)
        if taken is None:
            return False
        await _tell_everybody(session, taken)
    try:
        await _rehearse(house, taken)
    except (Problem, Faulty) as error:
        _log.warning("rehearsal failed", kind=type(error).__name__)
        async with house.doors.work("jobs") as session:
            await desk.fail(session, rehearsal_id=taken.id)
    return True


async def _rehearse(house: House, taken: Rehearsal) -> None:
    async with house.doors.work("jobs") as session:
        drafted = await releases.get(session, release_id=taken.release_id)
        held = await drafts.before(session, drafted)
        old, new = drafts.worlds(drafted, held)
        earlier = {one.id: one for one in await desk.others(session, but=taken, days=house.settings.rehearsal_days)}
        others: dict[uuid.UUID, World] = {}
        for one in earlier.values():
            other = await releases.get(session, release_id=one.release_id)
            others[one.id] = drafts.worlds(other, await drafts.before(session, other))[1]

    async def groups(session: AsyncSession, some: Sequence[uuid.UUID]) -> dict[uuid.UUID, Person]:
        found = await bands.of(session, house.ring, citizen_ids=some, on=taken.effective_on)
        return {key: Person(one.district, one.age, one.sex) for key, one in found.items()}

    async def told(done: int, total: int) -> None:
        async with house.doors.work("jobs") as session:
            await desk.tell(session, rehearsal_id=taken.id, done=done, total=total)

    compared = await run.over_everyone(
        house.doors, old=old, new=new, others=others, on=taken.effective_on, groups=groups, told=told
    )
    figures = compared.figures
    if compared.like is not None:
        figures = msgspec.json.decode(earlier[compared.like].report or b"", type=Report).figures
    async with house.doors.work("jobs") as session:
        report = await _report(session, house, drafted, held, (old, new), figures, compared.like)
        body = msgspec.json.encode(report)
        statement = _sign(house, taken, body)
        await desk.finish(session, rehearsal_id=taken.id, report=body, statement=statement, figures_of=compared.like)


async def _tell_everybody(session: AsyncSession, taken: Rehearsal) -> None:
    """One entry about everybody who takes part, who read it among their own (CIR 22, SZX 45)."""
    detail = {"rehearsal": ids.show("rh", taken.id), "release": ids.show("rl", taken.release_id)}
    await audit.write(
        session, actor=Actor("system", "jobs"), action="everyone.rehearsal", purpose="rules", outcome="done",
        detail=detail,
    )  # fmt: skip


async def _report(
    session: AsyncSession,
    house: House,
    drafted: Release,
    held: Before,
    both: tuple[World, World],
    figures: Figures,
    like: uuid.UUID | None,
) -> Report:
    found, may_lower = drafts.changed(drafted, held)
    old, new = both
    names = {perk.id: perk.name for perk in (*held.perks(), *drafts.perks_of(drafted))}
    file = house.settings.policy_dir / "personas.toml"
    personas = reach.load(await asyncio.to_thread(file.read_text, encoding="utf-8"), file.name)
    effort = await asyncio.to_thread(efforts.table, old.book.scorecard, new.book.scorecard, personas)
    return Report(
        release=ids.show("rl", drafted.id), kind=drafted.kind, name=drafted.name, digest=drafted.digest,
        against=desk.rule_book(held.others), effective_on=drafted.effective_on, made_at=clock.wall(),
        figures_of=None if like is None else ids.show("rh", like), may_lower=may_lower, changes=found,
        figures=figures, perk_names={perk.id: names.get(perk.id, perk.id) for perk in figures.perks},
        efforts=effort,
        inference=await _inferences(session, drafted, old, new),
        hiding=Hiding(cellkeys.LEAST, cellkeys.SPREAD),
    )  # fmt: skip


async def _inferences(session: AsyncSession, drafted: Release, old: World, new: World) -> tuple[Inference, ...]:
    """Per live partner what it can tell, thresholds of the last year counted in."""
    since = drafted.effective_on - _YEAR
    year = await rulebook.thresholds_since(session, since=since, until=drafted.effective_on)
    rows = await session.execute(
        select(client.c.client_id, client.c.perks)
        .where(client.c.role == "partner", client.c.disabled_at.is_(None))
        .order_by(client.c.client_id)
    )
    return tuple(perk_changes.infer(row.client_id, row.perks, old.thresholds, new.thresholds, year) for row in rows)


def _sign(house: House, taken: Rehearsal, body: bytes) -> str:
    said = {
        "iss": house.settings.base_url, "iat": int(clock.wall().timestamp()), "rehearsal": ids.show("rh", taken.id),
        "release_digest": taken.digest, "against": taken.against, "report_digest": releases.digest(body.decode()),
    }  # fmt: skip
    return Signer(house.ring.ed25519(KID), TYPE).sign(said)


def seen(one: Rehearsal) -> Any:
    """The stored report as JSON; None while there is none."""
    return None if one.report is None else msgspec.json.decode(one.report)
