"""Which bureau a citizen may name: a source of their live consent, for the kinds that it may send."""

from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from auth import clients, holdings


async def permitted(session: AsyncSession, caller: guards.Citizen, source: str) -> frozenset[str]:
    """The kinds that `source` may send about the caller; none when their consent does not name it."""
    if source not in {one.source for one in await holdings.sources(session, citizen_id=caller.id)}:
        return frozenset()
    found = await clients.get(session, source)
    return found.kinds if found is not None else frozenset()
