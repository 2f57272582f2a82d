"""The perks in force: what a partner, a citizen and the gate are told of them, from published releases alone.

A release of kind `perks` is one file. Approving it writes a dated line per perk, with its budgets, zones and
programmes, so that the gate decides by the line of the day and by nothing else; perks that an older release of the same
name had and this one has not get a line without a threshold. Terms are public, belong to the perk, and never depend on
a person.
"""

import uuid
from datetime import date
from functools import lru_cache

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import releases
from core.errors import Conflict, NotFound
from core.releases import Release
from incentives.book import perkfile
from incentives.book.perks import Perk
from incentives.book.places import Place
from incentives.tables import perk as perk_line
from incentives.tables import perk_budget, perk_place

KIND = "perks"
_SAME = (
    "kind",
    "percent",
    "minus",
    "from_amount",
    "starts_on",
    "ends_on",
    "hold_minutes",
    "start_hours",
    "longest_days",
)


class PerkElsewhere(Conflict):
    """The perk is published under another release name."""

    code = "perk_elsewhere"
    title = "Another release holds this perk"


class PerkNotOffered(NotFound):
    """No such perk is in force."""

    code = "perk_unknown"
    title = "No such perk"

    def __init__(self, detail: str = "GET /v1/rules/perks lists what is in force.") -> None:
        """Say where to look."""
        super().__init__(detail)


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a perk gives to everybody it is granted to, and what everybody else gets. `cap` in fen.

    Of an amount from `from_amount` fen on, `percent` of it and `minus` fen on top are waived, at most `cap`. `place`:
    the zone or programme whose terms these are; `measures`: what a holder has of each. What is as usual is left out.
    """

    name: str
    text: str
    standard_route: str
    price_rule: str
    cap: int
    over_cap: str
    basis: str
    kind: str = "deposit_waiver"
    place: str | None = None
    percent: int = 100
    minus: int = 0
    from_amount: int = 0
    measures: dict[str, int] = {}


class InForce(msgspec.Struct, frozen=True):
    """A perk and the release that put it in force."""

    perk: Perk
    release_id: uuid.UUID
    effective_on: date


@lru_cache(maxsize=128)
def read(body: str, name: str) -> tuple[Perk, ...]:
    """The perks of a file, parsed once per text. Raises `core.policyfile.Faulty`."""
    return perkfile.load(body, name)


def terms(perk: Perk, place: Place | None = None) -> Terms:
    """The terms as everybody reads them, here or everywhere."""
    rate = place.rate(perk.rate()) if place else perk.rate()
    return Terms(
        name=perk.name,
        text=perk.terms,
        standard_route=perk.standard_route,
        price_rule=perk.price_rule,
        basis=perk.basis.shown(),
        kind=perk.kind,
        place=place and place.name,
        measures={one.name: one.granted for one in perk.measures} | (place.measures if place else {}),
        **msgspec.structs.asdict(rate),
    )


async def in_force(session: AsyncSession, *, on: date) -> list[InForce]:
    """Every perk in force on a day, by id."""
    found = [
        InForce(perk, one.id, one.effective_on)
        for one in await releases.in_force(session, on=on, kind=KIND)
        for perk in read(one.body, one.name)
    ]
    return sorted(found, key=lambda each: each.perk.id)


async def find(session: AsyncSession, *, perk_id: str, on: date) -> InForce:
    """One perk in force; raises PerkNotOffered."""
    for one in await in_force(session, on=on):
        if one.perk.id == perk_id:
            return one
    raise PerkNotOffered


async def put_in_force(session: AsyncSession, approved: Release) -> list[str]:
    """Write the dated lines of a release just approved; returns the perk ids. Raises PerkElsewhere."""
    if approved.approved_at is None:
        raise ValueError("only an approved release rules")
    held = read(approved.body, approved.name)
    found = await releases.everything(session, kind=KIND)
    others = [one for one in found if one.approved_at and one.withdrawn_at is None and one.id != approved.id]
    _must_be_alone(held, others, approved.name)
    dated = {"release_id": approved.id, "effective_on": approved.effective_on, "approved_at": approved.approved_at}
    lines = [{**dated, **_line(perk)} for perk in held]
    before = {perk.id for one in others if one.name == approved.name for perk in read(one.body, one.name)}
    lines += [{**dated, **_gone(perk_id)} for perk_id in sorted(before - {perk.id for perk in held})]
    await session.execute(insert(perk_line).values(lines))
    for table, rows in ((perk_budget, _budgets(held)), (perk_place, _places(held))):
        if rows:
            await session.execute(insert(table).values([{"release_id": approved.id, **row} for row in rows]))
    return [perk.id for perk in held]


async def take_back(session: AsyncSession, withdrawn: Release) -> None:
    """Remove the dated lines of a release that was withdrawn before its day."""
    await session.execute(delete(perk_line).where(perk_line.c.release_id == withdrawn.id))


async def thresholds(session: AsyncSession, *, on: date) -> dict[str, int]:
    """The threshold (tenths) that the gate uses on a day, per perk in force."""
    query = (
        select(perk_line.c.perk_id, perk_line.c.threshold)
        .ext(distinct_on(perk_line.c.perk_id))
        .where(perk_line.c.effective_on <= on)
        .order_by(perk_line.c.perk_id, perk_line.c.effective_on.desc(), perk_line.c.approved_at.desc())
    )
    return {row.perk_id: row.threshold for row in await session.execute(query) if row.threshold is not None}


async def thresholds_since(session: AsyncSession, *, since: date, until: date) -> dict[str, set[int]]:
    """Every threshold (tenths) that an open perk had on some day of [since, until], approved ones to come included."""
    query = (
        select(perk_line.c.perk_id, perk_line.c.effective_on, perk_line.c.threshold, perk_line.c.closed)
        .where(perk_line.c.effective_on <= until)
        .order_by(perk_line.c.perk_id, perk_line.c.effective_on, perk_line.c.approved_at)
    )
    found: dict[str, set[int]] = {}
    for row in await session.execute(query):
        held = found.setdefault(row.perk_id, set())
        if row.effective_on <= since:
            held.clear()  # an older one was over by then
        if row.threshold is not None and not row.closed:
            held.add(row.threshold)
    return found


def _must_be_alone(held: tuple[Perk, ...], others: list[Release], name: str) -> None:
    """One perk, one name: else two releases would rule it at once."""
    ids_held = {perk.id for perk in held}
    for one in others:
        if one.name == name:
            continue
        if both := sorted(ids_held & {perk.id for perk in read(one.body, one.name)}):
            detail = f"{', '.join(both)} is published by {one.name}. Release it under that name."
            raise PerkElsewhere(detail)


def _line(perk: Perk) -> dict[str, object]:
    return {
        "perk_id": perk.id,
        "threshold": perk.threshold,
        "cap": perk.cap,
        "over_cap": perk.over_cap,
        "closed": perk.closed,
        "terminals": list(perk.terminals) or None,
        "lines": list(perk.lines) or None,
        "admission": perk.admission and msgspec.to_builtins(perk.admission),
        **{name: getattr(perk, name) for name in _SAME},
    }


def _gone(perk_id: str) -> dict[str, object]:
    """A line without a threshold; the rest is what a line must have."""
    usual = {field.name: field.default for field in msgspec.structs.fields(Perk) if field.name in _SAME}
    none = {"perk_id": perk_id, "threshold": None, "cap": None, "over_cap": "part", "closed": True, "terminals": None}
    none |= {"lines": None, "admission": None}
    return {**none, **usual}


def _budgets(held: tuple[Perk, ...]) -> list[dict[str, object]]:
    return [{"perk_id": perk.id, **msgspec.structs.asdict(one)} for perk in held for one in perk.budgets]


def _places(held: tuple[Perk, ...]) -> list[dict[str, object]]:
    return [{"perk_id": perk.id, **_place(one)} for perk in held for one in perk.places]


def _place(one: Place) -> dict[str, object]:
    """A zone or programme for the gate, which reckons in money alone; its name and measures are read in the release."""
    said = {name: value for name, value in msgspec.structs.asdict(one).items() if name not in {"name", "measures"}}
    return {**said, "partners": list(one.partners) or None, "terminals": list(one.terminals) or None}
