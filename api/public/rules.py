"""`/v1/rules/*`: the rule book in force, for everybody, signed (see `api.public.published`).

Only what two persons published and whose day has come. A file in the repository is a draft and appears nowhere here.
"""

import tomllib
import uuid
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps
from api.citizen import leaving
from api.deps import House, HttpRequest
from api.public import perklist, published, ruleschemas
from api.public.published import Document, Press
from auth import notices
from core import clock, releases
from core.errors import NotFound
from core.releases import Release
from core.tables import release
from incentives import rulebook
from incentives.visitors import mapfile
from scoring.book import catalogue, disputefile, promisefile, repairfile, scorecard
from scoring.book.scorecard import Scorecard

_CARD_TENTHS = ("base", "low", "high", "deduction_cap", "points", "cap", "start")


async def provide_press(request: HttpRequest, house: NamedDependency[House]) -> Press:
    """Dependency `press`, one a process."""
    found = request.app.state.get("press")
    if found is None:
        found = request.app.state["press"] = Press(house.ring)
    return found


class Shelf:
    """What is in force of one kind: its ids at once, its texts when a document must be made."""

    def __init__(self, session: AsyncSession, press: Press) -> None:
        """`session` may read releases."""
        self.session = session
        self.press = press

    async def document(self, kind: str, what: str, make: Callable[[list[Release]], object]) -> Document:
        """The document `what` about the releases of a kind in force today."""
        today = clock.today()
        key = (kind, what, await self._approved(kind, today))
        texts: list[Release] = []
        if not self.press.holds(key):
            texts = await releases.in_force(self.session, on=today, kind=kind)
        return self.press.document(key, lambda: make(texts))

    async def _approved(self, kind: str, today: date) -> frozenset[uuid.UUID]:
        query = select(release.c.id).where(
            release.c.kind == kind, release.c.approved_at.is_not(None), release.c.withdrawn_at.is_(None),
            release.c.effective_on <= today,
        )  # fmt: skip
        return frozenset(await self.session.scalars(query))


async def provide_shelf(session: NamedDependency[AsyncSession], press: NamedDependency[Press]) -> Shelf:
    """Dependency `shelf`."""
    return Shelf(session, press)


def _newest(found: Sequence[Release]) -> list[Release]:
    """The one that rules when each edition has a name of its own."""
    return sorted(found, key=lambda one: (one.effective_on, one.approved_at))[-1:]


def _cards(found: Sequence[Release]) -> list[tuple[Release, Scorecard]]:
    return [(one, scorecard.load(one.body, one.name)) for one in _newest(found)]


def _stamp(one: Release) -> dict[str, Any]:
    """By which release a value rules."""
    return {"file": one.name, "sha256": one.digest, "effective_on": one.effective_on, "approved_at": one.approved_at}


@get("/scorecards", summary="The scorecard in force", tags=["rules"])
async def scorecards(request: HttpRequest, shelf: NamedDependency[Shelf]) -> Response[Any]:
    """Which scorecard rules today."""

    def make(found: list[Release]) -> object:
        return {
            "scorecards": [
                {"id": card.id, "title": card.title, "basis": published.plain(card.basis), "release": _stamp(one)}
                for one, card in _cards(found)
            ]
        }

    return published.answer(request, await shelf.document("scorecard", "list", make))


@get("/scorecards/{card_id:str}", summary="A scorecard, whole", tags=["rules"])
async def one_scorecard(request: HttpRequest, card_id: FromPath[str], shelf: NamedDependency[Shelf]) -> Response[Any]:
    """Every indicator, cap, window and tier with its basis, and the file's text behind its digest."""

    def make(found: list[Release]) -> object:
        for one, card in _cards(found):
            if card.id == card_id:
                return {**published.plain(card, tenths=_CARD_TENTHS), "release": _stamp(one), "text": one.body}
        raise NotFound

    return published.answer(request, await shelf.document("scorecard", card_id, make))


@get("/catalogue", summary="The catalogue in force", tags=["rules"])
async def the_catalogue(request: HttpRequest, shelf: NamedDependency[Shelf]) -> Response[Any]:
    """Which records may be taken, from whom, with which fields, and what is never taken."""

    def make(found: list[Release]) -> object:
        for one in _newest(found):
            return {**published.plain(catalogue.load(one.body, one.name)), "release": _stamp(one)}
        raise NotFound("No catalogue has been published yet.")

    return published.answer(request, await shelf.document("catalogue", "whole", make))


@get("/notices/{purpose:str}/{version:int}", summary="A notice", tags=["rules"])
async def notice(
    request: HttpRequest, purpose: FromPath[str], version: FromPath[int], shelf: NamedDependency[Shelf]
) -> Response[Any]:
    """What is shown before a consent. `digest` is the SHA-256 of `text`; a consent names version and digest."""

    def make(found: list[Release]) -> object:
        for one in found:
            read = notices.load(one.body, one.name)
            if (read.purpose, read.version) == (purpose, version):
                return {**published.plain(read), "release": _stamp(one), "text": one.body}
        raise NotFound("This notice has not been published.")

    return published.answer(request, await shelf.document("notice", f"{purpose}/{version}", make))


@get("/perks", summary="The perks in force", tags=["rules"])
async def perks(request: HttpRequest, shelf: NamedDependency[Shelf]) -> Response[Any]:
    """All of every perk: threshold, formula, measures, prices, budgets, places, and the bits that a partner can learn.

    Of each measure and price both what a stranger has and what a holder has are stated.
    """

    def make(found: list[Release]) -> object:
        return {
            "perks": [
                {**perklist.show(perk), "release": _stamp(one)}
                for one in found
                for perk in rulebook.read(one.body, one.name)
            ]
        }

    return published.answer(request, await shelf.document("perks", "list", make))


@get("/recognition", summary="Which cities are recognised, and for what", tags=["rules"])
async def recognition(request: HttpRequest, shelf: NamedDependency[Shelf]) -> Response[Any]:
    """Per city or level of the league: which threshold reached there has which perk here, on our own terms.

    Keys and addresses of those cities: `/.well-known/credit-trust-list`.
    """

    def make(found: list[Release]) -> object:
        for one in _newest(found):
            return {**published.plain(mapfile.load(one.body, one.name)), "release": _stamp(one)}
        raise NotFound("No city is recognised yet.")

    return published.answer(request, await shelf.document("recognition", "whole", make))


@get("/cases", summary="The case files in force", tags=["rules"])
async def cases(request: HttpRequest, shelf: NamedDependency[Shelf]) -> Response[Any]:
    """Situations, and the points and sentences that the rules must give for them."""

    def make(found: list[Release]) -> object:
        return {"cases": [{**tomllib.loads(one.body), "release": _stamp(one)} for one in found]}

    return published.answer(request, await shelf.document("cases", "list", make))


@get("/repair", summary="How deductions are repaired", tags=["rules"])
async def repair(request: HttpRequest, shelf: NamedDependency[Shelf]) -> Response[Any]:
    """Which deductions can be repaired, from when on, on which conditions, and the pledge in its version. Free."""

    def make(found: list[Release]) -> object:
        for one in _newest(found):
            return {**published.plain(repairfile.load(one.body, one.name)), "release": _stamp(one)}
        raise NotFound("No rules of repair have been published yet.")

    return published.answer(request, await shelf.document("repair", "whole", make))


@get("/promises", summary="What can be declared and promised", tags=["rules"])
async def promises(request: HttpRequest, shelf: NamedDependency[Shelf]) -> Response[Any]:
    """Kinds that a citizen may declare, standard texts of commitments, and the days that each side has."""

    def make(found: list[Release]) -> object:
        for one in _newest(found):
            return {**published.plain(promisefile.load(one.body, one.name)), "release": _stamp(one)}
        raise NotFound("No rules of declarations and commitments have been published yet.")

    return published.answer(request, await shelf.document("promises", "whole", make))


@get("/disputes", summary="How long each side of a dispute has", tags=["rules"])
async def disputes(request: HttpRequest, shelf: NamedDependency[Shelf]) -> Response[Any]:
    """Working days for the check here, the source's answer, its extension, and the decision of what is overdue."""

    def make(found: list[Release]) -> object:
        for one in _newest(found):
            return {**published.plain(disputefile.load(one.body, one.name)), "release": _stamp(one)}
        raise NotFound("No clocks of disputes have been published; the shipped ones rule until some are.")

    return published.answer(request, await shelf.document("disputes", "whole", make))


handlers = [
    Router(
        path="/v1/rules",
        route_handlers=[
            scorecards,
            one_scorecard,
            the_catalogue,
            notice,
            perks,
            cases,
            recognition,
            repair,
            promises,
            disputes,
            *ruleschemas.handlers,
            leaving.see_again,
        ],
        dependencies={
            "session": Provide(deps.work("citizen")),
            "press": Provide(provide_press),
            "shelf": Provide(provide_shelf),
        },
    )
]
