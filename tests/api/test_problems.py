"""Whatever is sent, to whatever address: a proper problem, never a fault of ours. Generated from `/openapi.json`."""

import functools
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import pytest_asyncio
from hypothesis import Phase, find, settings
from hypothesis.strategies import from_regex

from api import problems
from tests.api.cast import Cast, gathered
from tests.api.conftest import Server
from tests.api.contract import Operation, fault, operations, resolved

DEEP = 100_000
NUL = "a\x00b"
ODD_TEXTS = [NUL, "\ud800", "x" * 5000, "../..", "'; drop table x; --", "co_" + "Z" * 26, "\u202e名"]
ODD_VALUES: list[Any] = [
    None,
    True,
    2**63,
    10**40,
    1.5,
    NUL,
    "x" * 70_000,
    "0001-01-01",
    "9999-12-31",
    [[]],
    {"a": NUL},
]
JSON = {"Content-Type": "application/json"}
MISFITS: Mapping[str, tuple[bytes, set[int]]] = {
    "none": (b"", {400, 422}),
    "cut": (b"{", {400}),
    "trailing": (b'{"a": 1}}', {400}),
    "byte order": (b"\xff\xfe{}", {400}),
    "latin": (b'"\xff"', {400}),
    "half a pair": (b'{"a": "\\ud800"}', {400, 422}),
    "array": (b"[]", {422}),
    "text": (b'"text"', {422}),
    "null": (b"null", {422}),
    "no number": (b"NaN", {400}),
    "deep": (b"[" * DEEP, {400, 413}),
    "deep objects": (b'{"a":' * DEEP, {400, 413}),
    "deep inside": (b'{"perk":' + b"[" * 30_000 + b"]" * 30_000 + b"}", {400, 413, 422}),
}


@pytest_asyncio.fixture(scope="module")
async def cast(server: Server) -> AsyncIterator[Cast]:
    """Everybody, at the shared server."""
    async with gathered(server, "problems") as everybody:
        yield everybody


@pytest_asyncio.fixture(scope="module")
async def document(cast: Cast) -> dict[str, Any]:
    """The OpenAPI document as served."""
    return (await cast.clients["anonymous"].get("/openapi.json")).json()


def readers(document: Mapping[str, Any]) -> list[tuple[Operation, Mapping[str, Any]]]:
    """The operations under /v1 that read JSON, with the schema of their body.

    But for notices of pay channels: what is not signed by the channel is never read (`tests/api/test_channels.py`).
    """
    listed = [each for each in operations(document) if each.template.startswith("/v1/")]
    every = [each for each in listed if not each.template.startswith("/v1/channels/")]
    return [(each, resolved(document, schema)) for each in every if (schema := each.body()) is not None]


@functools.cache
def fitting(pattern: str) -> str:
    """The simplest text of a pattern, as it is searched for in JSON Schema: the first that hypothesis thinks of."""
    first = settings(phases=[Phase.generate], derandomize=True, database=None)
    return find(from_regex(pattern), lambda _: True, settings=first)


def example(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """A value that fits a schema, more or less."""
    schema = resolved(document, schema)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example(document, schema[choice][0])
    if schema.get("type") == "object":
        wanted = schema.get("required", [])
        return {name: example(document, schema["properties"][name]) for name in wanted}
    if "enum" in schema:
        return schema["enum"][0]
    if "pattern" in schema:
        return fitting(schema["pattern"])
    if schema.get("type") == "array":
        return [example(document, schema.get("items", {}))] * schema.get("minItems", 0)
    text = "2026-01-01T00:00:00Z" if schema.get("format") == "date-time" else "2027-01-01"
    simple = {"string": text, "integer": 1, "number": 1, "boolean": True, "null": None}
    return simple.get(str(schema.get("type")), "x")


def spoiled(good: Any) -> Iterator[Any]:
    """A body with one member after the other made odd, at every depth."""
    if not isinstance(good, dict):
        return
    for name, value in good.items():
        for odd in ODD_VALUES:
            yield {**good, name: odd}
        for worse in spoiled(value):
            yield {**good, name: worse}


class TestBodies:
    """Bad bodies, by somebody who may call."""

    async def test_every_reader_is_found(self, document: dict[str, Any]) -> None:
        """The generated tests below have something to do."""
        assert {each.template for each, _ in readers(document)} >= {"/v1/me/consents", "/v1/partner/eligibility"}

    @pytest.mark.parametrize(("content", "status"), MISFITS.values(), ids=MISFITS)
    async def test_what_is_no_fitting_json_is_refused(
        self, cast: Cast, document: dict[str, Any], content: bytes, status: set[int]
    ) -> None:
        """Cut, misencoded, nested beyond reason, or of another type altogether."""
        faults = []
        for each, _ in readers(document):
            answer = await cast.of(each.audience).request(each.method, each.path(), content=content, headers=JSON)
            allowed = status | {404} if content in {b"", b"null"} and each.may_be_empty() else status
            faults += [(each.name, answer.status_code, answer.text)] if answer.status_code not in allowed else []
            faults += [found] if (found := fault(answer)) else []
        assert faults == []

    async def test_an_unknown_member_is_named(self, cast: Cast, document: dict[str, Any]) -> None:
        """422 `unknown_field` with a JSON Pointer, wherever a body is an object of known members."""
        for each, schema in readers(document):
            if "properties" not in schema:
                continue
            body = {**example(document, schema), "colour": "red"}
            answer = await cast.of(each.audience).request(each.method, each.path(), json=body)
            assert fault(answer) is None
            assert (answer.status_code, answer.json()["code"]) == (422, "unknown_field"), each.name
            assert [one["pointer"] for one in answer.json()["errors"]] == ["/colour"]

    async def test_a_missing_member_is_named(self, cast: Cast, document: dict[str, Any]) -> None:
        """422 with the pointer of what is missing."""
        for each, schema in readers(document):
            for name in schema.get("required", []):
                body = {key: value for key, value in example(document, schema).items() if key != name}
                answer = await cast.of(each.audience).request(each.method, each.path(), json=body)
                assert fault(answer) is None
                assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, [f"/{name}"])

    async def test_odd_values_are_never_a_fault_of_ours(self, cast: Cast, document: dict[str, Any]) -> None:
        """Zero bytes, huge numbers, the ends of the calendar: every member of every body, one after the other."""
        faults = []
        for each, schema in readers(document):
            client = cast.of(each.audience)
            for body in spoiled(example(document, schema)):
                answer = await client.request(each.method, each.path(), content=json.dumps(body), headers=JSON)
                if answer.status_code >= 400 and (found := fault(answer)):
                    faults.append((found, str(body)[:200]))
        assert faults == []

    async def test_too_much_is_413(self, cast: Cast, document: dict[str, Any]) -> None:
        """Beyond the published size, with a length or without."""

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(12):
                yield b" " * 100_000

        for each, _ in readers(document):
            for content in (b" " * 1_100_000, endless()):
                client = cast.of(each.audience)
                await client.get("/healthz/live")
                answer = await client.request(each.method, each.path(), content=content, headers=JSON)
                assert (answer.status_code, fault(answer)) == (413, None), each.name

    async def test_another_media_type_is_refused(self, cast: Cast, document: dict[str, Any]) -> None:
        """A form is no JSON, even if its bytes are."""
        for each, _ in readers(document):
            answer = await cast.of(each.audience).request(
                each.method, each.path(), content=b"{}", headers={"Content-Type": "text/csv"}
            )
            assert fault(answer) is None
            # Where an empty object means something, the answer says what else is wrong.
            meant = each.may_be_empty() or each.path() == "/v1/sandbox/self-check"
            assert answer.status_code in ({400, 404, 409, 415, 422} if meant else {400, 415, 422}), each.name


class TestAddresses:
    """Bad addresses, parameters and headers."""

    @pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v1/nowhere", "/v1/me/nowhere", "/v1/me/consents/a/b/c"])
    async def test_an_unknown_address_is_404(self, cast: Cast, path: str) -> None:
        """Whoever asks."""
        for name in ("anonymous", "citizen", "partner"):
            answer = await cast.clients[name].get(path)
            assert (answer.status_code, fault(answer)) == (404, None)

    async def test_another_method_is_405_and_names_the_right_ones(self, cast: Cast, document: dict[str, Any]) -> None:
        """With Allow (RFC 9110, section 15.5.6)."""
        known: dict[str, set[str]] = {}
        for each in operations(document):
            known.setdefault(each.path(), set()).add(each.method)
        for path, methods in known.items():
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
                answer = await cast.clients["anonymous"].request(method, path)
                assert (answer.status_code, fault(answer)) == (405, None), (method, path)
                assert methods <= set(answer.headers["allow"].split(", ")), (method, path)

    async def test_odd_parameters_are_never_a_fault_of_ours(self, cast: Cast, document: dict[str, Any]) -> None:
        """In the path, in the query, in headers; a list has a positive limit."""
        faults = []
        for each in operations(document):
            client = cast.of(each.audience)
            for odd in ODD_TEXTS:
                quoted = quote(odd.encode("utf-8", "surrogatepass"), safe="")
                places = [each.path(**{name: quoted}) for name in each.parameters("path")]
                places += [f"{each.path()}?{name}={quoted}" for name in each.parameters("query")]
                for place in places:
                    answer = await client.request(each.method, place)
                    faults += [found] if answer.status_code >= 400 and (found := fault(answer)) else []
            if "limit" in each.parameters("query"):
                for limit in ("0", "-1", "99999999999999999999", "x"):
                    answer = await client.request(each.method, f"{each.path()}?limit={limit}")
                    faults += [found] if (found := fault(answer)) else []
        assert faults == []

    async def test_an_odd_idempotency_key_is_no_fault_of_ours(self, cast: Cast) -> None:
        """Too long, not printable."""
        for key in ("", "x" * 4000, "ключ".encode(), "a\tb"):
            for name, path, body in (
                ("source", "/v1/source/records/revoke", {"ref": "r1"}),
                ("partner", "/v1/partner/eligibility", {"perk": "library.deposit-free", "holder": {"code": "c"}}),
            ):
                answer = await cast.clients[name].post(path, json=body, headers={"Idempotency-Key": key})
                assert answer.status_code < 400 or fault(answer) is None, (name, key)


class TestForms:
    """The pages' own forms, with our token and odd fields."""

    async def test_a_form_that_no_page_made_is_no_fault_of_ours(self, cast: Cast) -> None:
        """Fields missing, twice, unreadable, or of another form; files where fields are."""
        browser = cast.clients["cookie"]
        csrf = str(browser.cookies.get("osm_csrf"))
        nobody = "co_00000000000000000000000000"
        paths = [
            "/consents",
            f"/consents/{nobody}/withdraw",
            f"/consents/{nobody}/sources/x",
            "/code",
            "/oauth/authorize",
        ]
        paths += ["/records/rc_00000000000000000000000000/hide", "/records/x/y"]
        odd: list[dict[str, Any]] = [
            {},
            {"version": "x", "digest": "", "expires_on": "tomorrow"},
            {"version": "1", "digest": NUL, "expires_on": "9999-12-31", "optional_sources": [NUL, "x"]},
            {"version": "9" * 40, "digest": "d", "expires_on": "2027-02-30", "perk": NUL, "decision": "perhaps"},
            {"perk": "x" * 5000, "request_uri": NUL, "client_id": NUL},
        ]
        for path in paths:
            for fields in odd:
                answer = await browser.post(path, data={"csrf": csrf, **fields})
                assert answer.status_code < 500, (path, fields)
            upload = await browser.post(path, data={"csrf": csrf}, files={"version": ("a.txt", b"1")})
            assert upload.status_code < 500, path


class TestTranslate:
    """`problems.translate`, where a request is not needed to show it."""

    @pytest.mark.parametrize(
        "error",
        [
            msgspec.ValidationError("Expected `int`"),
            msgspec.DecodeError("cut"),
            RecursionError("maximum depth"),
            KeyError("x"),
        ],
    )
    def test_what_breaks_in_our_rooms_is_our_fault(self, error: Exception) -> None:
        """A stored value that does not open is no bad request, and its words stay inside."""
        told = problems.translate(error)
        assert (told.status, told.code) == (500, "internal")
        assert str(error) not in told.detail
