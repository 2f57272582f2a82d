"""`/v1/rules/*.schema.json`: the forms of what we publish and sign, for editors and for whoever checks without us."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.citizen import archive
from api.deps import HttpRequest
from api.public import published
from api.public.published import Press
from auth.consent import receipts
from incentives.book import schema as perkschema
from incentives.visitors import mapschema
from scoring.book import schema


@get("/export.schema.json", summary="The schema of an export", tags=["rules"])
async def export_schema(request: HttpRequest, press: NamedDependency[Press]) -> Response[Any]:
    """JSON Schema of `export.json` in the archive that `GET /v1/me/export` gives."""
    return published.answer(request, press.document("export.schema", archive.schema))


@get("/scorecard.schema.json", summary="The schema of a scorecard file", tags=["rules"])
async def scorecard_schema(request: HttpRequest, press: NamedDependency[Press]) -> Response[Any]:
    """JSON Schema (2020-12) of the scorecard language, for editors; drawn from the reader itself."""
    return published.answer(request, press.document("scorecard.schema", schema.schema))


@get("/perks.schema.json", summary="The schema of a file of perks", tags=["rules"])
async def perks_schema(request: HttpRequest, press: NamedDependency[Press]) -> Response[Any]:
    """JSON Schema (2020-12) of the language of perks, for editors; drawn from the reader itself."""
    return published.answer(request, press.document("perks.schema", perkschema.schema))


@get("/recognition.schema.json", summary="The schema of the map of recognition", tags=["rules"])
async def recognition_schema(request: HttpRequest, press: NamedDependency[Press]) -> Response[Any]:
    """JSON Schema (2020-12) of `recognition.toml`, for editors; drawn from the reader itself."""
    return published.answer(request, press.document("recognition.schema", mapschema.schema))


@get("/consent-receipt.schema.json", summary="The schema of a consent receipt", tags=["rules"])
async def receipt_schema(request: HttpRequest, press: NamedDependency[Press]) -> Response[Any]:
    """JSON Schema of what a consent receipt signs: the record of ISO/IEC TS 27560 and its hash."""
    return published.answer(request, press.document("receipt.schema", receipts.schema))


handlers = [export_schema, scorecard_schema, perks_schema, recognition_schema, receipt_schema]
