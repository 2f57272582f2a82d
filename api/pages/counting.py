"""How points are counted, for everybody: the scorecard in force as tables, and the case files with their whole path.

No login, nothing of anybody: the rules and made-up situations, as two persons published them.
"""

import tomllib
from itertools import takewhile

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.deps import House, HttpRequest
from api.pages import charts, english, frame, names
from api.pages.door import anyone, behind
from api.pages.score import tiers
from core import clock, releases
from core.errors import NotFound
from core.policyfile import Faulty
from scoring import rulebook
from scoring.points import casepath, cases, sheet


class Step(msgspec.Struct, frozen=True):
    """A step of a path: its name, and its lines, each with what stands under it."""

    name: str
    lines: list[tuple[str, list[str]]]


@get("/points")
async def points(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen | None],
) -> Response[str]:
    """The scorecard in force."""
    book = await rulebook.current(session, on=clock.today())
    card, named = book.scorecard, await names.english(request, session)
    if named:
        named |= {kind.name: english.called(kind.english) for kind in book.catalogue.kinds.values()}
    told = sheet.of(card, book.catalogue)
    scale = charts.scale(told.plain, card.low / 10, card.high / 10, tiers(card), say=frame.teller(request, named))
    context = {"sheet": told, "title": card.title, "basis": card.basis, "scale": scale, "named": named}
    return frame.either(request, "points.html", house, caller, **context)


@get("/points/cases")
async def examples(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen | None],
) -> Response[str]:
    """Every case file in force, by its title."""
    found = await releases.in_force(session, on=clock.today(), kind="cases")
    told = [(one.name.removesuffix(".toml"), tomllib.loads(one.body)) for one in found]
    return frame.either(request, "cases.html", house, caller, cases=sorted(told, key=lambda one: one[1]["title"]))


@get("/points/cases/{name:str}")
async def example(
    request: HttpRequest,
    name: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen | None],
) -> Response[str]:
    """One case, from its records to its points, step by step. NotFound for one that is not in force."""
    found = await releases.in_force(session, on=clock.today(), kind="cases")
    one = next((one for one in found if one.name.removesuffix(".toml") == name), None)
    if one is None:
        raise NotFound
    book = await rulebook.current(session, on=clock.today())
    try:
        case = cases.read(one.body, one.name, cases.rules(book.scorecard, book.catalogue))
    except Faulty as older:  # it is about rules that are no more
        raise NotFound from older
    head, *blocks = casepath.path(case).split("\n\n")
    return frame.either(
        request, "case.html", house, caller, case=case, head=head.splitlines()[2:], basis=book.scorecard.basis,
        steps=[_step(block.splitlines()) for block in blocks],
    )  # fmt: skip


def _step(block: list[str]) -> Step:
    """A block of the path: its first line names it, and what is indented further stands under what is above."""
    rest, lines = block[1:], list[tuple[str, list[str]]]()
    for at, line in enumerate(rest):
        if not _under(line):
            lines.append((line.strip(), [one.strip() for one in takewhile(_under, rest[at + 1 :])]))
    return Step(block[0].strip(), lines)


def _under(line: str) -> bool:
    return line.startswith("    ")


handlers = [behind([points, examples, example], guard=anyone)]
