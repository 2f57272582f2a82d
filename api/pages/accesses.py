"""Who looked: every access to the citizen's data, in plain words (PIPL article 45, SZX article 45)."""

from typing import Any, Literal

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import me
from api.deps import House, HttpRequest
from api.pages import frame, names, words
from api.pages.door import behind

WHO = ("您自己", "系统")


class Line(msgspec.Struct, frozen=True):
    """An access in words."""

    by: str
    at: Any
    what: str
    why: str
    outcome: str
    remark: str
    count: int


@get("/accesses")
async def accesses(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    cursor: FromQuery[str | None] = None,
    by: FromQuery[Literal["me", "others"]] = "others",
) -> Response[str]:
    """A page of accesses, newest first: those of others, or what the caller did."""
    found: me.Accesses = await me.accesses.fn(session, caller, limit=20, cursor=cursor, by=by)
    perks = await names.perks(session)
    lines = [line(one, perks) for one in found.accesses]
    more = {
        "next_cursor": found.next_cursor,
        "by": by,
        "first": cursor is None,
        "named": await names.english(request, session),
    }
    return frame.member(request, "accesses.html", house, caller, accesses=lines, **more)


def line(one: me.Access, perks: dict[str, str]) -> Line:
    """An access in words; `perks` are their names."""
    own = one.by_kind == "citizen"
    by = WHO[0] if own else WHO[1] if one.by_kind == "system" else one.by
    why = perks.get(one.purpose, names.PURPOSES.get(one.purpose, ""))
    return Line(
        by,
        one.at,
        words.act(one.action),
        why,
        words.DRAWN if one.action == "credit_code.draw" else words.outcome(one.outcome),
        words.remark(one.detail),
        one.detail.get("records", 0),
    )


handlers = [behind([accesses])]
