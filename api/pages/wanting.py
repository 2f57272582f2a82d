"""What somebody would have to allow before something they do can count: sources that their consent does not name."""

from collections.abc import Callable, Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from auth import clients
from auth.consent import ledger
from core import clock
from scoring import rulebook
from scoring.book.catalogue import Catalogue
from scoring.book.scorecard import Scorecard

Wanting = Callable[[str], list[str]]


async def of(session: AsyncSession, caller: guards.Citizen) -> Wanting:
    """From an indicator's id, or several joined by `+`, the names of sources that are yet to be allowed for it."""
    book = await rulebook.current(session, on=clock.today())
    given = await ledger.live(session, citizen_id=caller.id, purpose="score")
    there = await clients.names(session, [group.id for group in book.catalogue.groups])
    wanted = missing(book.scorecard, book.catalogue, allowed=given.sources if given else (), there=there)
    return lambda indicators: list(dict.fromkeys(name for one in indicators.split("+") for name in wanted.get(one, ())))


def missing(
    card: Scorecard, catalogue: Catalogue, *, allowed: Collection[str], there: Collection[str]
) -> Mapping[str, list[str]]:
    """Per indicator that no allowed source feeds, the names of those that would, as far as they send at all."""
    named = {group.id: group.name for group in catalogue.groups}
    wanted: dict[str, list[str]] = {}
    for rule in card.indicators():
        senders = {catalogue.kinds[kind].group for kind in rule.kinds if kind in catalogue.kinds}
        if not senders.intersection(allowed):
            wanted[rule.id] = [name for group, name in named.items() if group in senders and group in there]
    return wanted
