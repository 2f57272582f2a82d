"""OpenAPI 3.1 at `/openapi.json` and its pages at `/docs`, served without a byte from elsewhere.

The framework writes the operations; what it does not know is put in here: problems are RFC 9457, and how callers
prove themselves.
"""

from functools import lru_cache
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Response, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from api.problems import MEDIA_TYPE
from api.requests import content_policy

CONFIG = OpenAPIConfig(
    title="Osmanthus 桂花",
    version="0.1.0",
    description=(
        "Opt-in personal credit points of a city, and the perks that come with them. Nothing without consent; "
        "answers are `granted` or `standard_route`; errors are RFC 9457 problems. 示范规则，未经任何城市采用。"
    ),
    path="/docs/raw",
    render_plugins=[JsonRenderPlugin(path="/openapi.json")],
)

_SECURITY = {
    "dpop": {
        "type": "http",
        "scheme": "dpop",
        "description": "RFC 9449 access token from `/oauth/token`, with a proof for each request.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "osm_session",
        "description": "The citizen's page; unsafe methods also need `X-CSRF-Token`.",
    },
}
_TEXT = {"type": "string"}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id", "retryable"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:osmanthus:problem:not_found"]},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": _TEXT,
        "request_id": _TEXT,
        "retryable": {"type": "boolean"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {"pointer": _TEXT, "code": _TEXT, "detail": _TEXT},
            },
        },
    },
}


_PROBLEMATIC = {
    "description": "A problem (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_REFUSED = {
    "description": "A refusal (RFC 6749, section 5.2), or a problem (RFC 9457) for what is no business of OAuth's",
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/OAuthError"}},
        MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
    },
}
_UNABLE = {
    "description": "A page that says what is wrong and what to do, or a problem (RFC 9457)",
    "content": {"text/html": {"schema": _TEXT}, MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_PAGES = ("/login", "/logout", "/oauth/authorize")
_REFUSAL: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "examples": ["invalid_grant"]}, "error_description": _TEXT},
}


@lru_cache(maxsize=1)
def document(app: Litestar) -> bytes:
    """The whole document, as JSON."""
    schema: dict[str, Any] = app.openapi_schema.to_schema()
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {}).update(Problem=_PROBLEM, OAuthError=_REFUSAL)
    components["securitySchemes"] = _SECURITY
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            _mend(path, operation)
    return msgspec.json.encode(schema)


def _mend(path: str, operation: dict[str, Any]) -> None:
    """Replace the framework's error schema by ours, and say who may call."""
    responses = operation["responses"]
    responses.pop("400", None)
    responses["default"] = _REFUSED if path.startswith("/oauth/") else _PROBLEMATIC
    if path.startswith(_PAGES):
        responses["default"] = _UNABLE
    operation.setdefault("tags", ["oauth" if path.startswith(("/oauth/", "/.well-known/")) else "login"])
    if path.startswith("/v1/me"):
        operation["security"] = [{"session": []}, {"dpop": []}]
    elif path.startswith(("/v1/partner", "/v1/source", "/v1/staff", "/v1/citycard", "/v1/sandbox")):
        operation["security"] = [{"dpop": []}]


@get("/openapi.json", include_in_schema=False)
async def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The document."""
    return Response(document(request.app), media_type=MediaType.JSON, headers={"Cache-Control": "max-age=300"})


_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Osmanthus API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/swagger/swagger-ui.css">
</head><body><div id="swagger"></div><script src="/static/swagger/swagger-ui-bundle.js"></script>
<script src="/static/docs.js"></script></body></html>"""


@get("/docs", include_in_schema=False)
async def docs() -> Response[str]:
    """The interactive pages. Swagger UI sets styles of its own, so this page alone allows inline style attributes."""
    policy = content_policy().replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
    return Response(_PAGE, media_type=MediaType.HTML, headers={"Content-Security-Policy": policy})


handlers = [openapi_json, docs]
