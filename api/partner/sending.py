"""An answer at the partner's door as it goes out: the framework's response object costs as much as a signature."""

from collections.abc import Iterable

from litestar.types import ASGIApp, Receive, Scope, Send


def send(body: bytes, *, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> ASGIApp:
    """JSON bytes with these headers, never stored on the way."""
    named = [("content-type", "application/json"), ("content-length", str(len(body))), ("cache-control", "no-store")]
    raw = [(name.lower().encode(), value.encode()) for name, value in (*named, *headers)]

    async def send_it(_scope: Scope, _receive: Receive, send_on: Send) -> None:
        await send_on({"type": "http.response.start", "status": status, "headers": raw})
        await send_on({"type": "http.response.body", "body": body, "more_body": False})

    return send_it
