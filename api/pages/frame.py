"""The frame of every page: a template environment for each language, elder mode, and the answer's headers.

Templates escape by themselves and fail on a name that they were not given. Pages hold personal data, so no cache keeps
them. Elder mode and the language are choices of the device: `?mode=elder` and `?lang=en` set cookies that say
nothing about the person.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response
from litestar.datastructures import Cookie
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.routes import HTTPRoute

from api.deps import Connection, House
from api.guards import Citizen
from api.pages import english, places, words

_HERE = Path(__file__).parent
_MODE = "osm_mode"
_MODES = {"elder", "standard"}
_LANG = "osm_lang"
_TONGUES = {"en", "zh"}
_YEAR = 365 * 24 * 3600


def elder(request: Connection) -> bool:
    """Whether the device asks for large letters: by the address now, or by the cookie of an earlier choice."""
    return request.query_params.get("mode", request.cookies.get(_MODE)) == "elder"


def tongue(request: Connection) -> str:
    """The language that the device asks for: "en" or "zh-CN"."""
    return "en" if request.query_params.get("lang", request.cookies.get(_LANG)) == "en" else "zh-CN"


def mode_link(request: Connection) -> str:
    """The same address in the other mode, its other parameters kept."""
    return _link(request, "mode", "standard" if elder(request) else "elder")


def tongue_link(request: Connection) -> str:
    """The same address in the other language."""
    return _link(request, "lang", "zh" if tongue(request) == "en" else "en")


def _link(request: Connection, changed: str, value: str) -> str:
    kept = [(name, old) for name, old in request.query_params.multi_items() if name != changed]
    return f"{_readable(request)}?{urlencode([*kept, (changed, value)])}"


def _readable(request: Connection) -> str:
    """The page's own address, empty where it is the one in view; of a form's address that is no page, the one above."""
    scope, path = cast("dict[str, Any]", request.scope), request.url.path
    if scope.get("method") in {"GET", "HEAD"}:
        return ""
    pages = (one for one in request.app.routes if isinstance(one, HTTPRoute) and "GET" in one.methods)
    return path if any(one.path == scope.get("path_template") for one in pages) else path.rpartition("/")[0]


def teller(request: Connection, named: Mapping[str, str]) -> Callable[[str], str]:
    """What puts a text of ours, or a name of the rule book's, into the page's language; it stays where it can't."""
    if tongue(request) != "en":
        return lambda text: text
    return lambda text: english.lookup(text, named) or text


@lru_cache(maxsize=32)
def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so that nobody keeps an old one."""
    digest = hashlib.sha256((_HERE / "static" / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


_GLOBALS: dict[str, Any] = {
    "elder": elder,
    "mode_link": mode_link,
    "tongue_link": tongue_link,
    "asset": asset,
    "places": places,
}


def _environment(loader: FileSystemLoader, filters: Mapping[str, Any], lang: str) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known: dict[str, Any] = {**_GLOBALS, "lang": lang}
    environment.globals |= known
    environment.filters.update(filters)
    return environment


ENVIRONMENT = _environment(FileSystemLoader(_HERE / "templates"), words.FILTERS, "zh-CN")
ENGLISH = _environment(english.Loader(_HERE / "templates"), english.FILTERS, "en")


def engine() -> JinjaTemplateEngine:
    """The environment as the framework takes it."""
    return JinjaTemplateEngine.from_environment(ENVIRONMENT)


def page(
    request: Connection,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response[str]:
    """Render a template now, inside the request's transaction, so that a fault in it rolls back."""
    two_tongues = template not in english.PAPER
    environment = ENGLISH if two_tongues and tongue(request) == "en" else ENVIRONMENT
    body = environment.get_template(template).render(request=request, two_tongues=two_tongues, **context)
    asked = [(_MODE, request.query_params.get("mode"), _MODES), (_LANG, request.query_params.get("lang"), _TONGUES)]
    chosen = [
        Cookie(name, value=value, max_age=_YEAR, samesite="lax", httponly=True)
        for name, value, known in asked
        if value in known
    ]
    held = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status_code=status, media_type=MediaType.HTML, headers=held, cookies=chosen)


def member(
    request: Connection,
    template: str,
    house: House,
    caller: Citizen,
    **context: Any,
) -> Response[str]:
    """A page for somebody who is logged in: with navigation, contact and the form to leave."""
    return page(request, template, csrf=caller.csrf, contact=house.settings.contact, **context)


def either(request: Connection, template: str, house: House, caller: Citizen | None, **context: Any) -> Response[str]:
    """A page for everybody: with navigation for who is logged in, without for who is not."""
    csrf = caller.csrf if caller else None
    return page(request, template, csrf=csrf, contact=house.settings.contact, **context)
