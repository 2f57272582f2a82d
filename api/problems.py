"""The one translator: whatever is raised becomes an RFC 9457 answer.

A `Problem` says its own. The framework's errors are read for their cause: JSON that is no JSON is 400 `malformed`, a
member that breaks the schema 422 with its JSON Pointer, a body beyond the limit 413. A database that is away is 503
with Retry-After. Anything else is a fault of ours: 500, logged by class and place, never with values.
"""

import re
import traceback
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import structlog
from litestar import Response
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    ValidationException,
)
from litestar.serialization import decode_json
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from api.deps import HttpRequest
from core.errors import (
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    Problem,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from core.pgerrors import is_unavailable, is_unstorable

MEDIA_TYPE = "application/problem+json"
_DECODER = decode_json.__name__
_log = structlog.get_logger("osmanthus.problems")
_PLACE = re.compile(r" - at `([^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")


class UnknownField(Invalid):
    """The body holds a member that the endpoint does not know."""

    code = "unknown_field"
    title = "Unknown field"


class MethodNotAllowed(Problem):
    """The address exists, the method does not."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"


class UnsupportedMediaType(Problem):
    """The body is of a type that the endpoint does not read."""

    code = "unsupported_media_type"
    status = 415
    title = "Unsupported media type"


_BY_STATUS: dict[int, type[Problem]] = {
    400: Malformed,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    413: TooLarge,
    415: UnsupportedMediaType,
    503: Unavailable,
}


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An RFC 9457 problem: `type` is `urn:osmanthus:problem:<code>`; a `retryable` one may be sent again as it was."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retryable: bool
    errors: tuple[FieldError, ...] = ()


def answer(request: HttpRequest, error: Exception) -> Response[Any]:
    """Answer any exception."""
    problem = translate(error)
    request.scope["state"]["code"] = problem.code  # for the request's log line
    if problem.status == HTTP_500_INTERNAL_SERVER_ERROR:
        _log.error("fault", kind=type(error).__name__, where=_where(error), request_id=_request_id(request))
    body = msgspec.to_builtins(describe(problem, _request_id(request)))
    body["retryable"] = problem.retryable
    body.update(problem.more)
    again = {"Retry-After": "1"} if problem.status == Unavailable.status else {}
    headers = {"Cache-Control": "no-store", **again, **problem.headers}
    return Response(msgspec.json.encode(body), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def describe(problem: Problem, request_id: str) -> Answer:
    """The members of a problem's answer."""
    kind = type(problem)
    return Answer(
        type=f"urn:osmanthus:problem:{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=problem.detail,
        code=kind.code,
        request_id=request_id,
        retryable=kind.retryable,
        errors=problem.errors,
    )


def translate(error: Exception) -> Problem:
    """The problem behind an exception; an unknown one becomes the plain 500."""
    error = _alone(error)
    if isinstance(error, Problem):
        return error
    if is_unavailable(error):
        return Unavailable()
    if (problem := _from_body(error)) is not None:
        return problem
    if isinstance(error, HTTPException) and (problem := _from_framework(error)) is not None:
        return problem
    return Problem("This is our fault and it is logged under the request id. Nothing was changed.")


def _from_body(error: Exception) -> Problem | None:
    """What is wrong with the bytes that were sent; a decoder that one of our rooms called tells about us instead."""
    for cause in _causes(error):
        if is_unstorable(cause):
            return Invalid("A text holds a character that is none (U+0000); leave it out.")
        if isinstance(error, HTTPException) and isinstance(cause, msgspec.ValidationError):
            return invalid(cause)
        if isinstance(cause, (msgspec.DecodeError, UnicodeDecodeError, RecursionError)) and _is_of_the_body(cause):
            return Malformed("The body is not JSON in UTF-8, or is nested too deeply; nothing was read from it.")
    return None


def _is_of_the_body(error: BaseException) -> bool:
    """Whether it was raised while the framework decoded a body."""
    return any(frame.f_code.co_name == _DECODER for frame, _ in traceback.walk_tb(error.__traceback__))


def _alone(error: Exception) -> Exception:
    """The one exception in a group of one, as a failed commit arrives."""
    while isinstance(error, ExceptionGroup):
        inner = cast("ExceptionGroup[Exception]", error).exceptions
        if len(inner) != 1:
            break
        error = inner[0]
    return cast("Exception", error)


def invalid(error: msgspec.ValidationError) -> Invalid:
    """A schema error with its JSON Pointer (RFC 6901)."""
    text = str(error)
    place = _PLACE.search(text)
    pointer = _pointer(place.group(1)) if place else ""
    text = _PLACE.sub("", text)
    if unknown := _UNKNOWN.search(text):
        named = FieldError(f"{pointer}/{unknown.group(1)}", "unknown_field", "Remove it; the name may be misspelt.")
        return UnknownField(f"The member {named.pointer} is not known here.", errors=[named])
    if missing := _MISSING.search(text):
        named = FieldError(f"{pointer}/{missing.group(1)}", "missing", "Send it.")
        return Invalid(f"The member {named.pointer} is missing.", errors=[named])
    return Invalid(f"The member {pointer or '/'} does not fit: {text}.", errors=[FieldError(pointer, "invalid", text)])


def _pointer(path: str) -> str:
    """`$.data.holder.items[2]` -> `/holder/items/2` (`data` is the framework's name for the body)."""
    parts = [part for part in re.split(r"[.\[\]]+", path.lstrip("$")) if part]
    return "".join(f"/{part}" for part in (parts[1:] if parts[:1] == ["data"] else parts))


def _from_framework(error: HTTPException) -> Problem | None:
    """What the framework says of a request; None for a fault of ours."""
    if isinstance(error, ValidationException):
        return _from_parameters(error)
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowed(headers=error.headers)  # Allow: RFC 9110, section 15.5.6
    if isinstance(error, InternalServerException) and "disconnected" in error.detail:
        return Malformed("The body ended early; nothing of it was kept. Send it again.")
    known = _BY_STATUS.get(error.status_code)
    return known() if known else None


def _from_parameters(error: ValidationException) -> Problem:
    extra = cast("list[dict[str, Any]]", error.extra if isinstance(error.extra, list) else [])
    named = [FieldError(f"/{item.get('key', '')}", "invalid", str(item.get("message", ""))) for item in extra]
    return Invalid("A parameter does not fit: see errors.", errors=named)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _where(error: BaseException) -> str:
    """The innermost place of ours or others', as file:line, without values."""
    place = "?"
    for frame, line in traceback.walk_tb(error.__traceback__):
        place = f"{frame.f_code.co_filename.rsplit('/', 1)[-1]}:{line}"
    return place


def _request_id(request: HttpRequest) -> str:
    state = request.scope["state"]
    return str(state.get("request_id", ""))
