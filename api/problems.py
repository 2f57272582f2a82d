"""The one translator: whatever is raised becomes an RFC 9457 answer.

A `Problem` says its own. The framework's errors are read for their cause: JSON that is no JSON is 400 `malformed`, a
member that breaks the schema 422 with its JSON Pointer, a body beyond the limit 413. A database that is away is 503
with Retry-After. Anything else is a fault of ours: 500, logged by class and place, never with values.
"""

import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import structlog
from litestar import Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from api.deps import HttpRequest
from core.db import is_unavailable, is_unstorable
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

MEDIA_TYPE = "application/problem+json"
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
    if problem.status == HTTP_500_INTERNAL_SERVER_ERROR:
        _log.error("fault", kind=type(error).__name__, where=_where(error), request_id=_request_id(request))
    body = msgspec.to_builtins(describe(problem, _request_id(request)))
    body["retryable"] = problem.retryable
    body.update(problem.more)
    headers = {"Cache-Control": "no-store", **problem.headers}
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


def translate(error: Exception) -> Problem:  # noqa: PLR0911  (one line per kind of cause)
    """The problem behind an exception; an unknown one becomes the plain 500."""
    error = _alone(error)
    if isinstance(error, Problem):
        return error
    if is_unavailable(error):
        return Unavailable()
    for cause in _causes(error):
        if isinstance(cause, msgspec.ValidationError):
            return invalid(cause)
        if isinstance(cause, (msgspec.DecodeError, UnicodeDecodeError)) or _is_nested_too_deep(cause):
            return Malformed("The body is not valid JSON in UTF-8; nothing was read from it.")
        if is_unstorable(cause):
            return Invalid("A text holds a character that is none (U+0000); leave it out.")
    if isinstance(error, ValidationException):
        return _from_parameters(error)
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowed(headers=error.headers)  # Allow: RFC 9110, section 15.5.6
    if isinstance(error, HTTPException) and error.status_code in _BY_STATUS:
        return _BY_STATUS[error.status_code]()
    return Problem("This is our fault and it is logged under the request id. Nothing was changed.")


def _is_nested_too_deep(error: BaseException) -> bool:
    """Whether the decoder gave up on a body of brackets within brackets; a recursion of ours stays our fault."""
    return isinstance(error, RecursionError) and "deserializing" in str(error)


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
    traceback, place = error.__traceback__, "?"
    while traceback is not None:
        place = f"{traceback.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def _request_id(request: HttpRequest) -> str:
    state = request.scope["state"]
    return str(state.get("request_id", ""))
