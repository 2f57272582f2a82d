"""What every request and answer carries: an id, security headers, one log line, one metric.

Log lines and metrics name the route's template, never the path: a path may hold an id. A refusal's line has its code,
and the line of a registered client its id (never a citizen's), so that an attack can be followed from the log alone
(ASVS 16.3). Headers follow OWASP's secure headers; the content security policy allows nothing from elsewhere and
nothing inline.
"""

import os
import time
from collections.abc import Iterable
from typing import Any, cast

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry

from api.tally import Answers

# Seconds that a server keeps an idle connection: longer than clients and proxies do (httpx 5, nginx 60), so that the
# side that sends is the one that closes, and no request meets a connection that is just being closed.
KEPT_ALIVE = 75
registry = CollectorRegistry()
_answers = Answers()
registry.register(_answers)
_log = structlog.get_logger("osmanthus.requests")

_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # what may be kept says so itself
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_TLS_ONLY = "max-age=63072000; includeSubDomains"  # RFC 6797: two years


def content_policy(form_target: str = "", *, ancestors: str = "'none'") -> str:
    """The content security policy; forms go to us, and to `form_target`, since a form's answer may redirect there.

    `ancestors`: the origins that may frame the answer.
    """
    targets = f"'self' {form_target}".strip()
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"object-src 'none'; form-action {targets}; base-uri 'none'; frame-ancestors {ancestors}"
    )


class Envelope:
    """ASGI middleware around every request."""

    def __init__(self, app: ASGIApp, *, form_target: str = "", https: bool = False) -> None:
        """`app` is what answers; `form_target` is the origin of an identity provider elsewhere; `https`: our scheme."""
        self.app = app
        ours = {**_HEADERS, "Content-Security-Policy": content_policy(form_target)}
        ours |= {"Strict-Transport-Security": _TLS_ONLY} if https else {}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in ours.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the id and the headers, then log and count."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        request_id = os.urandom(16).hex()
        before = cast("dict[str, Any]", scope).get("state")
        scope["state"] = {**(before or {}), "request_id": request_id}
        started, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._with_ours(message.get("headers", ()), request_id)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            _note(scope, status, time.perf_counter() - started, request_id)

    def _with_ours(self, given: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
        """An answer's own headers, and ours where it has none of the name."""
        headers = list(given)
        named = {name.lower() for name, _ in headers}
        if b"content-security-policy" in named and any(
            name == b"content-security-policy" and b"frame-ancestors 'none'" not in value for name, value in headers
        ):
            named.add(b"x-frame-options")  # has no word for other origins; frame-ancestors says it (CSP 3, 6.4.2)
        headers += [one for one in self._headers if one[0] not in named]
        headers.append((b"x-request-id", request_id.encode()))
        return headers


def _note(scope: Scope, status: int, seconds: float, request_id: str) -> None:
    seen = cast("dict[str, Any]", scope)
    route, method = str(seen.get("path_template") or "(none)"), str(seen.get("method", "-"))
    _answers.note(method, route, status, seconds)
    told = {name: seen["state"][name] for name in ("code", "client") if name in seen["state"]}
    ms = round(seconds * 1000, 1)
    _log.info("request", method=method, route=route, status=status, ms=ms, request_id=request_id, **told)
