"""A citizen's own act about a matter of theirs, written down for them."""

from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from core import audit
from core.audit import Actor


async def note(session: AsyncSession, caller: guards.Citizen, *, action: str, purpose: str, matter: str) -> None:
    """Append the entry of one act of the caller's; `matter` is the shown id."""
    await audit.write(
        session,
        actor=Actor("citizen", "self"),
        action=action,
        purpose=purpose,
        outcome="done",
        owner=caller.id,
        detail={"matter": matter},
    )
