"""`/desk/counter/deceased`: an account closed after a death, by two clerks who both saw the papers (PIPL article 49).

The list names nobody: a clerk finds a case by its number, which stands on the office's own file. What the papers say is
sealed and shown to no clerk again.
"""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, problems, seated, workpages
from api.deps import HttpRequest
from api.desk import frame
from api.desk.counter import opposite
from api.desk.counter.begin import Shown
from api.seated import Seated
from api.staff import deceased as api
from auth.counter import deaths
from core import clock, ids

RELATIONS = {
    "spouse": "配偶", "child": "子女", "parent": "父母", "sibling": "兄弟姐妹",
    "grandparent": "祖父母、外祖父母", "grandchild": "孙子女、外孙子女",
}  # fmt: skip


@get("/desk/counter/deceased")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    done: FromQuery[str] = "",
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """What waits for a second clerk, what a relative may still ask, and the form."""
    found = await deaths.of(session, client_id=caller.client_id)
    cases = [(ids.show("dd", one.id), one) for one in found]
    return frame.page(
        request, "counter/deceased.html", caller, cases=cases, mine=caller.by, relations=RELATIONS, done=done,
        today=clock.today(),
    )  # fmt: skip


@post("/desk/counter/deceased", status_code=200)
async def record(
    request: HttpRequest, session: NamedDependency[AsyncSession], caller: NamedDependency[Seated]
) -> Response[Any]:
    """Record it; nothing ends before a colleague has approved."""
    made = await api.record.fn(await _said(request, caller), session, deps.house(request), caller)
    return Redirect(f"/desk/counter/deceased?done={made.id}", status_code=303)


async def _said(request: HttpRequest, caller: Seated) -> api.Deceased:
    """The form as the API's own body; the relative is left out where no name is given. Raises Invalid."""
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    said: dict[str, Any] = {name: form.get(name, "") for name in ("id_number", "died_on", "document")}
    said["clerk"] = frame.clerk(caller)
    if form.get("relative_name"):
        said["relative"] = {
            "id_card": {"name": form["relative_name"], "number": form.get("relative_number", "")},
            "relation": form.get("relation", ""), "document": form.get("relative_document", ""),
            "lawful_interest": form.get("lawful_interest") == "true",
        }  # fmt: skip
    try:
        return msgspec.convert(said, api.Deceased)
    except msgspec.ValidationError as error:
        raise problems.invalid(error) from error


@post("/desk/counter/deceased/{death_id:str}/approve", status_code=200)
async def approve(request: HttpRequest, death_id: FromPath[str], caller: NamedDependency[Seated]) -> Response[Any]:
    """End what ends with a death, as the second person, who has just logged in."""
    seated.must_be_fresh(caller)
    await api.approve.fn(death_id, api.Approve(frame.clerk(caller)), deps.house(request), caller)
    return Redirect(f"/desk/counter/deceased?done={death_id}", status_code=303)


@post("/desk/counter/deceased/{death_id:str}/erasure", status_code=200)
async def erase(request: HttpRequest, death_id: FromPath[str], caller: NamedDependency[Seated]) -> Response[Any]:
    """Destroy what remains, at the wish of the relative, who shows their own card."""
    shown = await workpages.sent(request, Shown, purpose="relative")
    try:
        asked = msgspec.convert({"clerk": frame.clerk(caller), "holder": shown.holder()}, api.Erase)
    except msgspec.ValidationError as error:
        raise problems.invalid(error) from error
    left = await api.erase.fn(death_id, asked, deps.house(request), caller)
    return frame.page(request, "counter/left.html", caller, left=left)


handlers = [
    workpages.behind([see, record], role="staff", scope=opposite.SCOPE, door="auth"),
    workpages.behind([approve, erase], role="staff", scope=opposite.SCOPE),
]
