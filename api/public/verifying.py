"""Checking a report: whoever has its number sees what its holder chose to show, and nothing else.

The number travels in a body, or behind `#` in the code's address, which a browser keeps to itself: no log has it. A
number that never was, one that is over, that its holder stopped, or whose consent is over, get one answer. Each number
may be checked 30 times an hour, known or not; its holder reads of every check that found something.
"""

import hashlib
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps
from api.deps import House, HttpRequest
from api.pages import door, frame
from core.errors import TooMany
from scoring.reports import issued
from scoring.reports.paper import Fact, Part

HOUR = 3600
PER_NUMBER = 30
_LONGEST = 64


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A report's number, as it is printed or typed."""

    number: Annotated[str, Meta(min_length=1, max_length=_LONGEST)]


class Content(msgspec.Struct, frozen=True):
    """What stands on the page, word for word; `pdf_sha256` (hex) is that of the file that was issued."""

    title: str
    issuer: str
    issued_at: datetime
    valid_until: date
    facts: tuple[Fact, ...]
    headline: tuple[Fact, ...]
    parts: tuple[Part, ...]
    terms: tuple[str, ...]
    pdf_sha256: str


class Answer(msgspec.Struct, frozen=True):
    """`valid`: the report was issued by us and still stands. Otherwise there is no content, and no reason."""

    valid: bool
    report: Content | None = None


async def checked(session: AsyncSession, house: House, typed: str) -> Answer:
    """Check a number; `session` is of the auth door. Raises TooMany."""
    digest = issued.digest_of(typed)
    if await house.short.count(f"report|{hashlib.sha256(digest).hexdigest()}", HOUR) > PER_NUMBER:
        detail = f"A number is checked at most {PER_NUMBER} times an hour."
        raise TooMany(detail, retry_after=HOUR)
    found = await issued.check(session, house.ring, typed=typed)
    if found is None:
        return Answer(valid=False)
    one = found.paper
    return Answer(
        valid=True,
        report=Content(
            title=one.title,
            issuer=one.issuer,
            issued_at=found.issued_at,
            valid_until=one.valid_until,
            facts=one.facts,
            headline=one.headline,
            parts=one.parts,
            terms=one.terms,
            pdf_sha256=found.pdf_digest.hex(),
        ),
    )


@post("/v1/rules/reports/verify", status_code=200, summary="Check a report", tags=["rules"])
async def verify(data: JSONBody[Ask], session: NamedDependency[AsyncSession], house: NamedDependency[House]) -> Answer:
    """Say whether a report stands, and what its holder chose to show. 429 after 30 checks of one number in an hour."""
    return await checked(session, house, data.number)


@get("/verify")
async def ask(request: HttpRequest) -> Response[str]:
    """The page with the field for a number; a scanned code fills it in and sends it."""
    return frame.page(request, "verify.html", answer=None)


@post("/verify", status_code=200)
async def say(
    request: HttpRequest, session: NamedDependency[AsyncSession], house: NamedDependency[House]
) -> Response[str]:
    """The same check as a page, for who has no scripts."""
    form: Any = await request.form()
    answer = await checked(session, house, str(form.get("number", ""))[:_LONGEST])
    return frame.page(request, "verify.html", answer=answer)


handlers = [
    Router(path="/", route_handlers=[verify], dependencies={"session": Provide(deps.work("auth"))}),
    Router(
        path="/",
        route_handlers=[ask, say],
        dependencies={"session": Provide(deps.work("auth"))},
        exception_handlers={Exception: door.answer},
        include_in_schema=False,
    ),
]
