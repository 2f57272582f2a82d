"""As much of JSON Schema (2020-12) as our published schemas use; what it does not know, it refuses to skip."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TYPES = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
    "null": type(None),
}  # fmt: skip
_SILENT = {"$defs", "$schema", "title", "description", "default", "format", "contentEncoding", "$id"}
_KNOWN = {
    "$ref", "anyOf", "enum", "const", "type", "properties", "required", "items", "additionalProperties", "minimum",
    "maximum", "pattern", "minLength", "minItems", "uniqueItems", *_SILENT,
}  # fmt: skip


def faults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Every place where a value is not what the schema says."""
    assert set(schema) <= _KNOWN, f"a keyword that this reader does not know: {set(schema) - _KNOWN}"
    if "$ref" in schema:
        yield from faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, where)
    if "anyOf" in schema and all(list(faults(value, one, root)) for one in schema["anyOf"]):
        yield f"{where}: none of the choices"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is not one of {schema['enum']}"
    kind = schema.get("type")
    if kind is not None and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{where}: no {kind}"
        return
    yield from _bounds(value, schema, where)
    if isinstance(value, dict) and kind == "object":
        yield from _members(value, schema, root, where)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for place, member in enumerate(value):
            yield from faults(member, schema["items"], root, f"{where}/{place}")


def _bounds(value: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    """Numbers, texts and lists beyond what they may be."""
    if "minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        yield f"{where}: out of bounds"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: not of this form"
    if (
        len(value) < max(schema.get("minLength", 0), schema.get("minItems", 0))
        if isinstance(value, str | list)
        else False
    ):
        yield f"{where}: too short"
    if schema.get("uniqueItems") and len(set(map(str, value))) < len(value):
        yield f"{where}: twice the same"


def _members(value: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], where: str) -> Iterator[str]:
    """The members of an object: none missing, none unknown, each as it should be."""
    yield from (f"{where}/{name}: missing" for name in schema.get("required", ()) if name not in value)
    known = schema.get("properties", {})
    rest = schema.get("additionalProperties", {} if not known else None)
    for name, member in value.items():
        inner = known.get(name, rest)
        if inner is None or inner is False:
            yield f"{where}/{name}: unknown"
        elif isinstance(inner, dict):
            yield from faults(member, inner, root, f"{where}/{name}")
