"""`/v1/staff/workdays/{year}`: load the State Council's yearly notice of working days. Scope `staff:calendar`.

A notice is CSV: a first line `day,kind`, then each day that is off (`off`) and each weekend day that is worked
(`work`); all other days go by the week. Loading is entered in the log; loading again is the next edition.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import msgspec
from litestar import Router, get, put
from litestar.di import NamedDependency, Provide
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath, QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import HttpRequest
from api.problems import UnsupportedMediaType
from api.staff.clerks import ClerkQuery, person
from core import audit, workdays
from core.audit import Actor
from core.errors import FieldError, Invalid, NotFound

SCOPE = "staff:calendar"
CSV = "text/csv"
_LONGEST = 20_000
_HEAD = ["day", "kind"]
_KINDS = ("off", "work")
_Notice = Annotated[str, QueryParameter(min_length=1, max_length=100, description="The notice's number.")]


class BadCsv(Invalid):
    """The file is no notice; `errors` names the line."""

    code = "bad_csv"
    title = "The file cannot be read"


class Edition(msgspec.Struct, frozen=True):
    """What is loaded of a year: by which notice, in which edition."""

    year: int
    source: str
    version: int


@dataclass
class _File(Operation):
    """The body, which no type describes."""

    def __post_init__(self) -> None:
        """One string of lines."""
        self.request_body = RequestBody(
            content={CSV: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))}, required=True,
            description="First line `day,kind`; then one ISO date a line with `off` or `work`.",
        )  # fmt: skip


@get("/workdays/{year:int}", summary="What is loaded of a year", tags=["staff"])
async def loaded(year: FromPath[int], session: NamedDependency[AsyncSession]) -> Edition:
    """The notice that a year's working days are counted by; 404 while they are estimated."""
    found = await workdays.loaded(session, year=year) if 1 <= year <= date.max.year else None
    if found is None:
        raise NotFound
    return msgspec.convert(found, Edition, from_attributes=True)


@put(
    "/workdays/{year:int}",
    summary="Load a year's notice",
    tags=["staff"],
    request_max_body_size=_LONGEST,
    operation_class=_File,
)
async def load(
    year: FromPath[int],
    notice: _Notice,
    clerk: ClerkQuery,
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
) -> Edition:
    """Replace a year's working days by its notice; provisional days are counted anew by the jobs."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CSV:
        raise UnsupportedMediaType("Send Content-Type: text/csv.")
    return await take(session, year=year, notice=notice, body=await request.body(), by=person(caller, clerk))


async def take(session: AsyncSession, *, year: int, notice: str, body: bytes, by: str) -> Edition:
    """Load a year from the bytes of a notice, on the staff door. Raises BadCsv, NotAYear."""
    days: dict[str, list[date]] = {kind: [] for kind in _KINDS}
    for day, kind in _lines(body):
        days[kind].append(day)
    edition = await workdays.load(session, year=year, off=days["off"], worked=days["work"], source=notice)
    who = Actor("staff", by)
    await audit.write(
        session, actor=who, action="workdays.load", purpose="calendar", outcome="done",
        detail={"year": year, "version": edition.version, "notice": notice},
    )  # fmt: skip
    return msgspec.convert(edition, Edition, from_attributes=True)


def _lines(body: bytes) -> Iterator[tuple[date, str]]:
    """The days of a file. Raises BadCsv."""
    try:
        rows = [row for row in csv.reader(body.decode("utf-8-sig").splitlines()) if row]
    except UnicodeDecodeError as error:
        raise BadCsv(errors=[FieldError("", "encoding", "Send UTF-8.")]) from error
    if not rows or [cell.strip() for cell in rows[0]] != _HEAD:
        raise BadCsv(errors=[FieldError("/0", "head", "The first line is `day,kind`.")])
    for number, row in enumerate(rows[1:], start=1):
        day, kind = (*(cell.strip() for cell in row), "")[:2]
        try:
            read = date.fromisoformat(day)
        except ValueError as error:
            raise BadCsv(errors=[FieldError(f"/{number}", "day", "An ISO date, for example 2027-02-06.")]) from error
        if len(row) != len(_HEAD) or kind not in _KINDS:
            raise BadCsv(errors=[FieldError(f"/{number}", "kind", "`off` or `work`.")])
        yield read, kind


handlers = [
    Router(
        path="/v1/staff",
        route_handlers=[loaded, load],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]
