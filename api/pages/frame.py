"""The frame of every page: one template environment, elder mode, and the answer's headers.

Templates escape by themselves and fail on a name that they were not given. Pages hold personal data, so no cache keeps
them. Elder mode is a choice of the device: `?mode=elder` sets a cookie that says nothing about the person.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response
from litestar.datastructures import Cookie
from litestar.plugins.jinja import JinjaTemplateEngine

from api.deps import Connection, House
from api.guards import Citizen
from api.pages import places, words

_HERE = Path(__file__).parent
_MODE = "osm_mode"
_MODES = {"elder", "standard"}
_YEAR = 365 * 24 * 3600


def elder(request: Connection) -> bool:
    """Whether the device asks for large letters: by the address now, or by the cookie of an earlier choice."""
    return request.query_params.get("mode", request.cookies.get(_MODE)) == "elder"


def mode_link(request: Connection) -> str:
    """The same address in the other mode, its other parameters kept."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "mode"]
    return "?" + urlencode([*kept, ("mode", "standard" if elder(request) else "elder")])


@lru_cache(maxsize=32)
def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so that nobody keeps an old one."""
    digest = hashlib.sha256((_HERE / "static" / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


_GLOBALS: dict[str, Any] = {"elder": elder, "mode_link": mode_link, "asset": asset, "places": places}


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= _GLOBALS
    environment.filters.update(words.FILTERS)
    return environment


ENVIRONMENT = _environment()


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
    body = ENVIRONMENT.get_template(template).render(request=request, **context)
    mode = request.query_params.get("mode")
    chosen = [Cookie(_MODE, value=mode, max_age=_YEAR, samesite="lax", httponly=True)] if mode in _MODES else []
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
