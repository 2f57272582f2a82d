"""`osmanthus call`: one signed request as a client or citizen of a kit, its answer printed for a person or a script.

Its status goes to standard error, its body to standard output; of a good answer one member alone, if a script asks for
it. Never prints a key or a token.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any, cast

from api.tool import caller

_FAILED, _MISUSED = 1, 2


class NoSuchMember(ValueError):
    """The answer has no such member."""

    def __init__(self, name: str, path: str, there: list[str]) -> None:
        """Say what is there instead."""
        super().__init__(f"no `{name}` of `{path}` in the answer; there is: {', '.join(there) or 'nothing'}")


def call(chosen: argparse.Namespace) -> int:
    """Send one signed request; its status goes to standard error, its body to standard output."""
    kit = json.loads(chosen.kit.read_text())
    if chosen.client not in caller.names(kit):
        print(f"osmanthus: the kit has no {chosen.client}; it has {', '.join(caller.names(kit))}.", file=sys.stderr)
        return _MISUSED
    content, media = _body(chosen.body)
    headers = {"Content-Type": media} if content is not None else {}
    if chosen.idempotency_key:
        headers["Idempotency-Key"] = chosen.idempotency_key
    answer = asyncio.run(
        caller.once(kit, chosen.client, chosen.method.upper(), chosen.path, content=content, headers=headers)
    )
    print(f"{answer.status_code} {answer.reason_phrase}", file=sys.stderr)
    try:
        print(picked(answer.text, chosen.pick) if chosen.pick and answer.is_success else _pretty(answer.text))
    except NoSuchMember as none:
        print(f"osmanthus: {none}", file=sys.stderr)
        return _MISUSED
    return 0 if answer.is_success else _FAILED


def _body(given: str | None) -> tuple[bytes | None, str]:
    """The bytes to send and their media type."""
    if given is None:
        return None, ""
    if given == "@-":
        return sys.stdin.buffer.read(), "application/json"
    if given.startswith("@"):
        media = "application/x-ndjson" if given.endswith(".ndjson") else "application/json"
        return Path(given[1:]).read_bytes(), media
    json.loads(given)  # a slip of the shell's quoting is told here
    return given.encode(), "application/json"


def picked(text: str, path: str) -> str:
    """One member of an answer by its dotted path (`orders.0.order_id`), as a script wants it. Raises NoSuchMember."""
    found: Any = json.loads(text)
    for name in path.split("."):
        inside = _members(found)
        if name not in inside:
            raise NoSuchMember(name, path, list(inside))
        found = inside[name]
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _members(found: Any) -> dict[str, Any]:
    """What is inside: the members of an object, the elements of an array by their place; a plain value has none."""
    if isinstance(found, list):
        return {str(place): one for place, one in enumerate(cast("list[Any]", found))}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except ValueError:
        return text
