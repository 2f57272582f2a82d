"""What every request and answer carries: an id, security headers, one log line, one metric.

Log lines and metrics name the route's template, never the path: a path may hold an id. Headers follow OWASP's secure
headers; the content security policy allows nothing from elsewhere and nothing inline.
"""

import time
import uuid
from typing import Any, cast

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram

registry = CollectorRegistry()
_requests = Counter(
    "osmanthus_requests", "Requests by route and status", ["method", "route", "status"], registry=registry
)
_seconds = Histogram(
    "osmanthus_request_seconds", "Time to the end of the answer", ["method", "route"], registry=registry
)
_log = structlog.get_logger("osmanthus.requests")

_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def content_policy(form_target: str = "") -> str:
    """The content security policy; forms go to us, and to `form_target`, since a form's answer may redirect there."""
    targets = f"'self' {form_target}".strip()
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )


class Envelope:
    """ASGI middleware around every request."""

    def __init__(self, app: ASGIApp, *, form_target: str = "") -> None:
        """`app` is what answers; `form_target` is the origin of an identity provider elsewhere."""
        self.app = app
        self._headers = {**_HEADERS, "Content-Security-Policy": content_policy(form_target)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the id and the headers, then log and count."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        before = cast("dict[str, Any]", scope).get("state")
        scope["state"] = {**(before or {}), "request_id": request_id}
        started, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableScopeHeaders.from_message(message)
                headers["X-Request-Id"] = request_id
                for name, value in self._headers.items():
                    if name not in headers:
                        headers[name] = value
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            _note(scope, status, time.perf_counter() - started, request_id)


def _note(scope: Scope, status: int, seconds: float, request_id: str) -> None:
    seen = cast("dict[str, Any]", scope)
    route, method = str(seen.get("path_template") or "(none)"), str(seen.get("method", "-"))
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(method, route).observe(seconds)
    _log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), request_id=request_id)
