"""The published document: OpenAPI 3.1, whole, true, and served with its pages without a byte from elsewhere."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from core.settings import ROOT
from tests.api.conftest import Server
from tests.api.contract import AUDIENCES, Operation, operations, resolved

METHODS = {"get", "post", "put", "delete", "patch"}
_ADDRESS = re.compile(r"""(?:https?:)?//[^\s"'<>)]+""")


@pytest_asyncio.fixture(scope="module")
async def http(server: Server) -> Any:
    """A stranger's client."""
    async with httpx2.AsyncClient(base_url=server.base_url) as client:
        yield client


@pytest_asyncio.fixture(scope="module")
async def document(http: httpx2.AsyncClient) -> dict[str, Any]:
    """The document as served."""
    answer = await http.get("/openapi.json")
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


@pytest.fixture(scope="module")
def every(document: dict[str, Any]) -> list[Operation]:
    """Every operation."""
    return list(operations(document))


def references(part: Any) -> Iterator[str]:
    """Every `$ref` of a document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


class TestDocument:
    """Its form."""

    def test_it_is_openapi_3_1(self, document: dict[str, Any]) -> None:
        """The version, the title, and nothing but known members at the top."""
        assert document["openapi"].startswith("3.1.")
        assert {"title", "version"} <= set(document["info"])
        known = {"openapi", "info", "servers", "paths", "components", "tags", "security", "webhooks", "externalDocs"}
        assert set(document) - known == {"jsonSchemaDialect"} & set(document)

    def test_every_reference_leads_somewhere(self, document: dict[str, Any]) -> None:
        """No `$ref` dangles or leaves the document."""
        found = set(references(document))
        assert found
        for reference in found:
            assert reference.startswith("#/")
            assert resolved(document, {"$ref": reference})

    def test_operation_ids_are_unique(self, every: list[Operation]) -> None:
        """Generated clients name their functions by them."""
        ids = [each.described["operationId"] for each in every]
        assert len(ids) == len(set(ids))

    def test_every_parameter_of_a_path_is_described(self, every: list[Operation]) -> None:
        """And nothing else is."""
        for each in every:
            assert set(re.findall(r"\{(\w+)\}", each.template)) == set(each.parameters("path")), each.name


class TestOperations:
    """What each says."""

    def test_every_operation_has_a_summary_and_a_tag(self, every: list[Operation]) -> None:
        """For readers and for the pages' order."""
        assert [each.name for each in every if not each.described.get("summary")] == []
        assert [each.name for each in every if not each.described.get("tags")] == []

    def test_every_operation_says_who_may(self, document: dict[str, Any], every: list[Operation]) -> None:
        """`security` by the audience; the public ones have none."""
        schemes = document["components"]["securitySchemes"]
        for each in every:
            named = {name for choice in each.described.get("security", []) for name in choice}
            assert named <= set(schemes)
            if each.template.startswith("/v1/"):
                expected = {"public": set(), "citizen": {"session", "dpop"}}.get(each.audience, {"dpop"})
                assert named == expected, each.name

    def test_every_operation_has_its_problems(self, every: list[Operation]) -> None:
        """A `default` answer of problem+json (beside OAuth's own shape, or a page), and one that is no problem."""
        for each in every:
            answers = each.described["responses"]
            page = each.template.startswith(("/login", "/logout", "/oauth/authorize"))
            other = {"text/html"} if page else {"application/json"} if each.template.startswith("/oauth/") else set()
            assert any(status[0] in "23" for status in answers), each.name
            assert set(answers["default"]["content"]) == {"application/problem+json", *other}, each.name

    def test_every_reader_describes_its_body(self, every: list[Operation]) -> None:
        """POST and PUT under /v1 with a body say which; those without one take none."""
        bare = {each.name for each in every if each.method == "POST" and "requestBody" not in each.described}
        assert {name for name in bare if name.startswith("POST /v1")} <= {
            "POST /v1/me/cards/{card_id}/lost",
            "POST /v1/me/counter-code",
            "POST /v1/me/commitments/{commitment_id}/withdraw",
            "POST /v1/me/declarations/{declaration_id}/withdraw",
            "POST /v1/me/disputes/{dispute_id}/withdraw",
            "POST /v1/me/orders/{order_id}/report-fault",
            "POST /v1/me/records/{record_id}/hide",
            "POST /v1/me/repairs/{repair_id}/withdraw",
            "POST /v1/partner/orders/{order_id}/cancel",
            "POST /v1/partner/orders/{order_id}/start",
            "POST /v1/sandbox/orders/{order_id}/citizen/report-fault",
            "POST /v1/source/batches/{batch_id}/withdraw",
            "POST /v1/partner/webhooks/{webhook_id}/rotate",
            "POST /v1/partner/webhooks/{webhook_id}/test",
            "POST /v1/staff/clients/changes/{change_id}/approve",
            "POST /v1/staff/clients/{client_id}/disable",
            "POST /v1/staff/clients/{client_id}/enable",
        }  # fmt: skip
        assert {name for name in bare if name.startswith("POST /oauth")} == set()

    def test_the_audiences_are_those_of_the_contract(self, every: list[Operation]) -> None:
        """Nothing under /v1 outside them."""
        assert {each.audience for each in every} <= {*AUDIENCES.values(), "outside"}


class TestPages:
    """`/docs`."""

    async def test_nothing_comes_from_elsewhere(self, http: httpx2.AsyncClient) -> None:
        """The page, its scripts and its styles name no other origin, and the policy would not let them."""
        page = await http.get("/docs")
        assert page.status_code == 200
        assert _ADDRESS.findall(page.text) == []
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "http" not in page.headers["content-security-policy"]
        for place in re.findall(r'(?:src|href)="([^"]+)"', page.text):
            asset = await http.get(place)
            assert asset.status_code == 200, place

    async def test_the_pages_read_our_document(self) -> None:
        """The script shows /openapi.json and asks nobody to validate it."""
        script = (ROOT / "api/pages/static/docs.js").read_text()
        assert "/openapi.json" in script
        assert _ADDRESS.findall(script) == []
        assert "validatorUrl" in script
