"""How a file of the rule book comes into force: read by its own room's reader, drafted by one, approved by another.

A text that its reader refuses is not even drafted: every fault comes back with line, message and advice. Approving
perks writes the lines that the gate decides by. Every act leaves an entry that names the office's system, not a person.
"""

import uuid
from collections.abc import Iterable
from datetime import date

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.releases import drafts
from auth import notices
from auth.tables import client
from core import assessments, audit, clock, ids, releases
from core.audit import Actor
from core.errors import Conflict, FieldError, Invalid
from core.policyfile import Document, Fault, Faulty
from core.releases import Release
from incentives import rulebook
from incentives.book import paths, perkfile
from incentives.book.perks import Perk
from incentives.changes import MOST_BITS_A_PERK
from incentives.visitors import mapfile, proofs
from scoring import rulebook as scorebook
from scoring.book import basis, catalogue, disputefile, promisefile, repairfile, scorecard
from scoring.book.basis import Claim, Statute
from scoring.points import cases

KINDS = (
    "scorecard", "catalogue", "perks", "notice", "cases", "statutes", "repair", "promises", "disputes", "recognition",
)  # fmt: skip
MOST_THRESHOLDS = 2


class TooManyThresholds(Conflict):
    """A partner could tell more than two groups of people apart."""

    code = "too_many_thresholds"
    title = "A partner's perks use at most two thresholds"


class TooManyBits(Conflict):
    """A partner could learn more of one person from one perk than granted or standard route."""

    code = "too_many_bits"
    title = "A perk tells a partner at most one bit"


class PolicyFaulty(Invalid):
    """The text cannot be published: `errors` names every fault with file, line and advice."""

    code = "policy_faulty"
    title = "The file has faults"


async def check(session: AsyncSession, *, kind: str, name: str, body: str, on: date) -> None:
    """Read a text as its own room would, beside what is in force on its day. Raises PolicyFaulty or Invalid."""
    if kind not in KINDS:
        advice = f"Use one of {', '.join(KINDS)}."
        raise Invalid("There is no such kind of release.", errors=[FieldError("/kind", "unknown_kind", advice)])
    try:
        faults = await _faults(session, kind, name, body, on)
    except Faulty as error:
        raise faulty(error.faults) from error
    if faults:
        raise faulty(faults)


async def _faults(session: AsyncSession, kind: str, name: str, body: str, on: date) -> list[Fault]:
    """Read, and find what only other files can tell: statutes behind claims, the rules behind cases."""
    match kind:
        case "scorecard":
            return await _judge(session, scorecard.load(body, name).claims, on)
        case "catalogue":
            drafted = catalogue.load(body, name, draft=True)
            return await _judge(session, drafted.claims, on) + paths.faults([], drafted.kinds, [], name)
        case "cases":
            return await _run(session, name, body, on)
        case "repair" | "promises" | "disputes":
            load = {"repair": repairfile.load, "promises": promisefile.load, "disputes": disputefile.load}[kind]
            return await _judge(session, load(body, name).claims, on)
        case "perks":
            perkfile.load(body, name)
        case "notice":
            notices.load(body, name)
        case "recognition":
            held = [perk for one in await releases.in_force(session, on=on) for perk in drafts.perks_of(one)]
            return proofs.faults(mapfile.load(body, name), held, name)
        case _:
            basis.load(body, name)
    return []


async def _judge(session: AsyncSession, claims: Iterable[Claim], on: date) -> list[Fault]:
    """A value may claim only a statute that is in force and sets it."""
    statutes: dict[str, Statute] = {}
    for one in await releases.in_force(session, on=on, kind="statutes"):
        statutes |= basis.load(one.body, one.name)
    return basis.judge(claims, statutes)


async def _run(session: AsyncSession, name: str, body: str, on: date) -> list[Fault]:
    """A case must hold under the scorecard and catalogue of its day; before there are any, it must be readable."""
    try:
        book = await scorebook.current(session, on=on)
    except scorebook.NoScorecardInForce:
        Document(body, name)
        return []
    return cases.run(body, name, cases.rules(book.scorecard, book.catalogue))


def faulty(faults: Iterable[Fault]) -> PolicyFaulty:
    """Faults of a text as a problem: each with the pointer to the body, and its line in words and as a member."""
    found = list(faults)
    named = [FieldError("/body", "fault", str(fault)) for fault in found]
    places = [msgspec.structs.asdict(fault) for fault in found]
    return PolicyFaulty(f"{len(named)} faults; nothing was drafted.", errors=named, faults=places)


async def draft(session: AsyncSession, *, kind: str, name: str, body: str, effective_on: date, by: str) -> Release:
    """Keep a checked draft. Raises what `check` raises."""
    await check(session, kind=kind, name=name, body=body, on=effective_on)
    drafted = await releases.draft(session, kind=kind, name=name, body=body, effective_on=effective_on, by=by)
    await _note(session, drafted, "release.draft", by)
    return drafted


async def must_be_assessed(session: AsyncSession, *, release_id: uuid.UUID) -> None:
    """No perk, and no scorecard of a city, goes live without its impact assessment. Raises NotFound, AssessmentMissing.

    PIPL article 55: automated decisions and sharing are assessed first.
    """
    drafted = await releases.get(session, release_id=release_id)
    if drafted.kind == "scorecard":
        await assessments.need(session, subject_kind="city")
    if drafted.kind == rulebook.KIND:
        for perk in perkfile.load(drafted.body, drafted.name):
            await assessments.need(session, subject_kind="perk", subject=perk.id)


async def approve(session: AsyncSession, *, release_id: uuid.UUID, by: str, rehearsal: str | None = None) -> Release:
    """Put a draft in force from its day, having seen the rehearsal's report of that digest.

    Raises NotFound, SecondPersonNeeded, AlreadyApproved, AnotherWaits, IllegalTransition, PerkElsewhere, TooManyBits,
    TooManyThresholds.
    """
    drafted = await releases.get(session, release_id=release_id)
    before = await _perks(session, drafted)
    alone = drafted.kind in {"scorecard", "catalogue", "recognition"}
    approved = await releases.approve(session, release_id=release_id, by=by, rehearsal=rehearsal, alone=alone)
    if approved.kind == rulebook.KIND:
        await rulebook.put_in_force(session, approved)
        few_bits(rulebook.read(approved.body, approved.name))
        await _few_thresholds(session, approved.effective_on)
        await _note_perks(session, approved, before, by)
    await _note(session, approved, "release.approve", by)
    if approved.kind in drafts.KINDS and approved.effective_on > clock.today():
        await _note(session, approved, "release.notify", by)  # from now on /v1/me/rule-changes tells of it
    return approved


async def withdraw(session: AsyncSession, *, release_id: uuid.UUID, by: str) -> Release:
    """Take back a draft, or an approved release before its day. Raises NotFound, IllegalTransition."""
    withdrawn = await releases.withdraw(session, release_id=release_id, by=by)
    if withdrawn.kind == rulebook.KIND:
        await rulebook.take_back(session, withdrawn)
    await _note(session, withdrawn, "release.withdraw", by)
    return withdrawn


async def _perks(session: AsyncSession, drafted: Release) -> dict[str, Perk]:
    """The perks that would rule on a draft's day without it, of the release that it replaces."""
    if drafted.kind != rulebook.KIND:
        return {}
    found = await releases.in_force(session, on=drafted.effective_on, kind=rulebook.KIND)
    return {perk.id: perk for one in found if one.name == drafted.name for perk in rulebook.read(one.body, one.name)}


async def _note_perks(session: AsyncSession, approved: Release, before: dict[str, Perk], by: str) -> None:
    """Each perk that begins, changes or ends leaves an entry: threshold (tenths), cap (fen), closed; old and new."""
    after = {perk.id: perk for perk in rulebook.read(approved.body, approved.name)}
    for perk_id in sorted({*before, *after}):
        old, new = before.get(perk_id), after.get(perk_id)
        if old is not None and new is not None and msgspec.structs.replace(old, digest=new.digest) == new:
            continue
        detail = {"perk": perk_id, "old": _terms(old), "new": _terms(new), "from": approved.effective_on.isoformat()}
        actor = Actor("staff", by)
        await audit.write(
            session, actor=actor, action="perk.change", purpose=approved.kind, outcome="done", detail=detail
        )


def _terms(perk: Perk | None) -> dict[str, object] | None:
    return perk and {"threshold": perk.threshold, "cap": perk.cap, "closed": perk.closed}


def few_bits(held: Iterable[Perk]) -> None:
    """Let no perk's answers tell more of one person than a bit. Raises TooManyBits."""
    for perk in held:
        if perk.bits() > MOST_BITS_A_PERK:
            detail = f"{perk.id} tells a partner {perk.bits():.2f} bits of one person. Give it two personal answers."
            raise TooManyBits(detail)


async def _few_thresholds(session: AsyncSession, on: date) -> None:
    """What partners can tell of a person is bounded: one bit a perk, at most two thresholds in all."""
    used = await rulebook.thresholds(session, on=on)
    rows = await session.execute(
        select(client.c.client_id, client.c.perks).where(client.c.role == "partner", client.c.disabled_at.is_(None))
    )
    for row in rows:
        if len({used[perk] for perk in row.perks if perk in used}) > MOST_THRESHOLDS:
            detail = f"{row.client_id} could tell more than two groups of people apart. Align the thresholds."
            raise TooManyThresholds(detail)


async def _note(session: AsyncSession, one: Release, action: str, by: str) -> None:
    await audit.write(
        session,
        actor=Actor("staff", by),
        action=action,
        purpose=one.kind,
        outcome="done",
        detail={"release": ids.show("rl", one.id), "name": one.name, "digest": one.digest},
    )
