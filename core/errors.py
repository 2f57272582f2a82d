"""The error tree. One class per state, one code per class, one translator (`api.problems`) for all of them.

    Problem                      a request that cannot be served as asked; RFC 9457 fields as class attributes
    ├── Malformed        400     not JSON, not UTF-8, cut short
    ├── Unauthenticated  401     nobody, or a proof that does not hold
    ├── Forbidden        403     somebody, without the scope
    ├── NotFound         404     absent, or not yours: the two answer alike
    ├── Conflict         409     the state does not allow it
    ├── TooLarge         413     beyond a published size
    ├── Invalid          422     well-formed, with members that break a rule (`errors` holds JSON Pointers)
    ├── TooMany          429     a published limit, with Retry-After
    └── Unavailable      503     we cannot now; never a false "no"

Rooms subclass these beside the code that raises them. A message gives the cause and the next step and never holds
personal data: it is logged and sent as it stands.
"""

from collections.abc import Sequence
from typing import ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One member that broke a rule: RFC 6901 `pointer`, stable `code`, and what to do."""

    pointer: str
    code: str
    detail: str


class Problem(Exception):
    """A request that cannot be served as asked, with the members of RFC 9457 (section 3.1)."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: dict[str, str] | None = None,
        **more: object,
    ) -> None:
        """`detail` is the cause and the next step; `more` are extension members (RFC 9457, section 3.2)."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.more = more


class Malformed(Problem):
    """The bytes are not what the endpoint reads at all."""

    code = "malformed"
    status = 400
    title = "Malformed request"


class Unauthenticated(Problem):
    """Nobody is calling, or the proof does not hold."""

    code = "unauthenticated"
    status = 401
    title = "Authentication required"


class Forbidden(Problem):
    """The caller is known and lacks the scope."""

    code = "insufficient_scope"
    status = 403
    title = "Not allowed"


class NotFound(Problem):
    """Absent, or not yours; both answer with the same bytes but for the request id."""

    code = "not_found"
    status = 404
    title = "Not found"

    def __init__(self, detail: str = "There is nothing of yours under this address.", **more: object) -> None:
        """Say the same whatever the cause."""
        super().__init__(detail, **more)  # pyright: ignore[reportArgumentType]  (extension members pass through)


class Conflict(Problem):
    """The state does not allow what was asked."""

    code = "conflict"
    status = 409
    title = "Conflict with the present state"


class TooLarge(Problem):
    """Beyond a published size."""

    code = "too_large"
    status = 413
    title = "Too large"


class Invalid(Problem):
    """Well-formed, but members break a rule; `errors` says which."""

    code = "invalid"
    status = 422
    title = "Some members break a rule"


class TooMany(Problem):
    """A published limit is used up; `Retry-After` says when it opens."""

    code = "too_many_requests"
    status = 429
    title = "Too many requests"
    retryable = True

    def __init__(self, detail: str = "", *, retry_after: int) -> None:
        """`retry_after` in seconds."""
        super().__init__(detail or f"Try again in {retry_after} s.", headers={"Retry-After": str(retry_after)})


class Unavailable(Problem):
    """We cannot answer now. The same request may be repeated with the same Idempotency-Key."""

    code = "unavailable"
    status = 503
    title = "Temporarily unavailable"
    retryable = True

    def __init__(
        self, detail: str = "Nothing was decided. Repeat the request shortly.", *, retry_after: int = 1
    ) -> None:
        """`retry_after` in seconds."""
        super().__init__(detail, headers={"Retry-After": str(retry_after)})
