"""The published contract as tests read it: every operation of `/openapi.json`, who may call it, what a problem is."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import msgspec

AUDIENCES = {
    "/v1/me": "citizen",
    "/v1/partner": "partner",
    "/v1/source": "source",
    "/v1/staff": "staff",
    "/v1/citycard": "citycard",
    "/v1/rules": "public",
    "/v1/state-machines": "public",
    "/v1/sandbox": "partner",
    "/v1/channels": "public",
}
_ABSENT = {"version": "1", "year": "2999", "kind": "P01", "purpose": "score"}
_NOBODY = "x_00000000000000000000000000"
_MEMBERS = {"type": str, "title": str, "status": int, "detail": str, "code": str, "request_id": str, "retryable": bool}
_INSIDES = ("Traceback", 'File \\"', ".py", "asyncpg", "sqlalchemy", "msgspec.")


class Operation(msgspec.Struct, frozen=True):
    """One method of one address, as the document describes it."""

    method: str
    template: str
    described: dict[str, Any]

    @property
    def name(self) -> str:
        """`GET /v1/me`."""
        return f"{self.method} {self.template}"

    @property
    def audience(self) -> str:
        """Whose door it is; KeyError for an address under /v1 that no audience owns."""
        parts = self.template.split("/")
        return AUDIENCES["/".join(parts[:3])] if parts[1] == "v1" else "outside"

    def path(self, **filled: str) -> str:
        """An address with well-formed parameters that name nothing, unless `filled` says more."""
        values = {**_ABSENT, **filled}
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], _NOBODY), self.template)

    def parameters(self, place: str) -> list[str]:
        """The names of the parameters in `query`, `path` or `header`."""
        return [each["name"] for each in self.described.get("parameters", []) if each["in"] == place]

    def body(self) -> dict[str, Any] | None:
        """The schema of its JSON body, if it takes one."""
        return self.described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")

    def may_be_empty(self) -> bool:
        """Whether a call without a body means something, too."""
        schema = self.body() or {}
        return {"type": "null"} in [*schema.get("oneOf", ()), *schema.get("anyOf", ())]


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation, in the order of the document."""
    for template, methods in document["paths"].items():
        for method, described in methods.items():
            yield Operation(method.upper(), template, described)


def resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a reference."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def fault(answer: httpx2.Response) -> str | None:
    """Why this answer is no proper problem (RFC 9457, and our own members); None when it is one."""
    for wrong in _wrongs(answer):
        return f"{wrong}: {answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:300]}"
    return None


def _wrongs(answer: httpx2.Response) -> Iterator[str]:
    if not 400 <= answer.status_code < 600 or answer.status_code == 500:
        yield "the status is wrong"
    if answer.headers.get("content-type") != "application/problem+json":
        yield "no problem+json"
    else:
        yield from _wrong_members(answer.json(), answer)
    if any(sign in answer.text for sign in _INSIDES):
        yield "it tells about our insides"


def _wrong_members(body: dict[str, Any], answer: httpx2.Response) -> Iterator[str]:
    if wrong := [name for name, kind in _MEMBERS.items() if type(body.get(name)) is not kind]:
        yield f"members {wrong}"
    if (body.get("type"), body.get("status")) != (f"urn:osmanthus:problem:{body.get('code')}", answer.status_code):
        yield "type or status disagree"
    if not body.get("request_id") or body["request_id"] != answer.headers.get("x-request-id"):
        yield "the request id is another one"
    if any(set(each) != {"pointer", "code", "detail"} for each in body.get("errors", [])):
        yield "errors"
