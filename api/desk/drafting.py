"""`/desk/releases/new`: a file of the rule book becomes a draft, or comes back with every fault at its line.

The reader is the one of `osmanthus policy check`: what it refuses is not even drafted. Whoever uploads is the drafter,
so a colleague approves.
"""

from datetime import date, timedelta
from typing import Any, cast

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems, workpages
from api.deps import HttpRequest
from api.desk import frame
from api.desk.releases import KINDS
from api.seated import Seated
from api.staff import releases
from api.staff.publication import PolicyFaulty
from api.staff.releases import Draft
from core import clock
from core.errors import FieldError, Invalid

_SOON = timedelta(days=8)
_LONGEST = 2_000_000
_WIDE = 160


class Shown(msgspec.Struct, frozen=True):
    """A fault beside the line it is about; `text` is empty where there is no such line."""

    line: int
    text: str
    message: str
    advice: str


class Sent(msgspec.Struct, frozen=True):
    """What the form held, to be filled in again."""

    kind: str = "scorecard"
    name: str = ""
    effective_on: str = ""
    body: str = ""


@get("/desk/releases/new")
async def ask(
    request: HttpRequest,
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The form: a file, or its text."""
    return _page(request, caller, Sent(effective_on=(clock.today() + _SOON).isoformat()))


@post("/desk/releases/new", status_code=200)
async def draft(
    request: HttpRequest, session: NamedDependency[AsyncSession], caller: NamedDependency[Seated]
) -> Response[Any]:
    """Keep it as a draft, or show its faults with the text still in the form."""
    sent = await _sent(request)
    said = {**msgspec.structs.asdict(sent), "clerk": frame.clerk(caller)}
    try:
        drafted = await releases.draft.fn(msgspec.convert(said, Draft), session, caller)
    except msgspec.ValidationError as error:
        raise problems.invalid(error) from error
    except PolicyFaulty as error:
        return _page(request, caller, sent, faults=_faults(error, sent.body))
    return Redirect(f"/desk/releases/{drafted.id}", status_code=303)


async def _sent(request: HttpRequest) -> Sent:
    """A file goes before the text; its name is the draft's where none was given. Raises Invalid."""
    form = await request.form()
    held = {name: str(form.get(name, "")).strip() for name in ("kind", "name", "effective_on")}
    body, file = str(form.get("body", "")), form.get("file")
    if isinstance(file, UploadFile) and file.filename:
        raw = await file.read()
        if len(raw) > _LONGEST:
            raise Invalid(errors=[FieldError("/file", "too_long", "At most 500,000 characters.")])
        try:
            body = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid(errors=[FieldError("/file", "encoding", "Save the file as UTF-8.")]) from error
        held["name"] = held["name"] or file.filename
    return Sent(**held, body=body.replace("\r\n", "\n"))


def _faults(error: PolicyFaulty, body: str) -> list[Shown]:
    lines = body.splitlines()
    named = cast("list[dict[str, Any]]", error.more.get("faults", []))
    return [
        Shown(one["line"], _line(lines, one["line"]), one["message"], one["advice"])
        for one in sorted(named, key=lambda one: one["line"])
    ]


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1].strip()[:_WIDE] if 0 < number <= len(lines) else ""


def _page(request: HttpRequest, caller: Seated, sent: Sent, *, faults: list[Shown] | None = None) -> Response[str]:
    earliest: date = clock.today()
    return frame.page(
        request, "drafting.html", caller, sent=sent, faults=faults, kinds=KINDS, earliest=earliest,
        status=422 if faults else 200,
    )  # fmt: skip


handlers = [workpages.behind([ask, draft], role="staff", scope=frame.RELEASES, door="staff")]
