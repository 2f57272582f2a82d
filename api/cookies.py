"""The page's session cookie, and the proof that an unsafe request comes from our own pages.

Promises: the cookie is host-only, HttpOnly and SameSite=Lax, and has the `__Host-` prefix wherever the origin is https
(RFC 6265bis, section 4.1.3). An unsafe request by cookie needs the session's CSRF token, in the header `X-CSRF-Token`
or the form field `csrf`, and must not come from another site (Fetch Metadata, or Origin where a browser has no more).
"""

import hmac
from urllib.parse import parse_qs

from litestar import Request
from litestar.datastructures import Cookie

from api.deps import Connection
from core.errors import Forbidden
from core.settings import Settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM = "application/x-www-form-urlencoded"
_UPLOAD = "multipart/form-data"


class ForeignRequest(Forbidden):
    """An unsafe request by cookie without proof that one of our pages sent it."""

    code = "csrf_failed"
    title = "The request did not come from one of our pages"


def _secure(settings: Settings) -> bool:
    return settings.base_url.startswith("https://")


def session_name(settings: Settings) -> str:
    """The name of the session cookie."""
    return "__Host-osm_session" if _secure(settings) else "osm_session"


def csrf_name(settings: Settings) -> str:
    """The name of the cookie from which our pages' scripts read the CSRF token."""
    return "__Host-osm_csrf" if _secure(settings) else "osm_csrf"


def login_name(settings: Settings) -> str:
    """The name of the cookie that ties a login under way to the browser that began it."""
    return "__Host-osm_login" if _secure(settings) else "osm_login"


def counter_name(settings: Settings) -> str:
    """The name of the cookie that makes a telephone a shop's counter."""
    return "__Host-osm_counter" if _secure(settings) else "osm_counter"


def seat_name(settings: Settings, role: str) -> str:
    """The name of the cookie that seats somebody at a partner's console, or at the office's desk."""
    kind = {"partner": "console", "staff": "desk"}[role]
    return f"__Host-osm_{kind}" if _secure(settings) else f"osm_{kind}"


def cookie(settings: Settings, name: str, value: str, *, readable: bool = False, max_age: int | None = None) -> Cookie:
    """A host-only cookie for the whole origin; `readable` by scripts only where that is its use."""
    return Cookie(
        key=name,
        value=value,
        path="/",
        httponly=not readable,
        secure=_secure(settings),
        samesite="lax",
        max_age=max_age,
    )


async def must_be_same_site(connection: Connection, settings: Settings, csrf: str) -> None:
    """Raise ForeignRequest unless the request carries the session's CSRF token and no sign of another site."""
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    ours = {None, "null", settings.base_url}  # our own pages' forms say null: their referrer policy is no-referrer
    foreign = site not in {"same-origin", "none"} if site is not None else origin not in ours
    if foreign or not hmac.compare_digest((await _sent(connection)).encode(), csrf.encode()):
        raise ForeignRequest("Send the session's CSRF token, in X-CSRF-Token or the form field csrf, from our page.")


async def _sent(connection: Connection) -> str:
    """The CSRF token of a request, empty when there is none."""
    if (header := connection.headers.get("x-csrf-token")) is not None:
        return header
    kind = connection.headers.get("content-type", "")
    if isinstance(connection, Request) and kind.startswith(_FORM):
        fields = parse_qs((await connection.body()).decode("latin-1"), max_num_fields=100)
        return fields.get("csrf", [""])[0]
    if isinstance(connection, Request) and kind.startswith(_UPLOAD):
        return str((await connection.form()).get("csrf", ""))
    return ""
