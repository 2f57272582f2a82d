"""A staff system that knocks without the scope leaves an entry; whoever's matter it wanted to read sees it.

Written in a session of its own, so that the refusal, which rolls everything else back, does not lose it. The answer is
the same whether there is such a matter or not.
"""

import uuid
from typing import Any, cast

import msgspec
from sqlalchemy import text

from api.deps import Connection, House
from auth import matters
from core import ids
from core.errors import NotFound

_NOTE = text("select auth.note_refused(:client, :matter, cast(:detail as jsonb))")
_NAMED = {"review_id": matters.PREFIX["review"], "correction_id": matters.PREFIX["correction"]}


async def note(connection: Connection, here: House, client_id: str, scope: str) -> None:
    """Leave the entry of a refused request."""
    seen = cast("dict[str, Any]", connection.scope)
    template = str(seen.get("path_template", "")).replace(":str}", "}")
    detail = {"request": f"{seen['method']} {template}", "scope": scope}
    given = {"client": client_id, "detail": msgspec.json.encode(detail).decode(), "matter": _matter(connection)}
    async with here.doors.claims("auth") as session:
        await session.execute(_NOTE, given)


def _matter(connection: Connection) -> uuid.UUID | None:
    """The matter that the address names; None for another address, or for what is no id."""
    for name, prefix in _NAMED.items():
        if (shown := connection.path_params.get(name)) is not None:
            try:
                return ids.read(prefix, str(shown))
            except NotFound:
                return None
    return None
