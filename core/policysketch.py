"""A table that draws, as JSON Schema (2020-12), what a reader of `core.policyfile` asks of it.

Handed to the very functions that read a file, so that a published schema cannot say anything else than what is read. It
knows nothing of what the values mean; a reader that judges them finds harmless stand-ins, and its faults are not kept.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from core.policyfile import Document, Table

_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


class Sketch(Table):
    """A table that notes what is asked of it, and answers with something harmless."""

    def __init__(self, words: Mapping[str, str], chosen: Mapping[str, str]) -> None:
        """`words` describes each key; `chosen` says which form is drawn: the answer to a choice of that key."""
        super().__init__(Document("", "schema"), {}, ())
        self._words = words
        self._chosen = chosen
        self._optional: set[str] = set()
        self._noted: dict[str, Any] = {}
        self._inner: dict[str, Sketch] = {}
        self._least: dict[str, int] = {}

    def drawn(self) -> dict[str, Any]:
        """Give the schema of this table."""
        properties = {key: {**self._of(key), "description": self._words[key]} for key in sorted(self._noted)}
        required = sorted(self._noted.keys() - self._optional)
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def _of(self, key: str) -> dict[str, Any]:
        inner = self._inner.get(key)
        if inner is None:
            return self._noted[key]
        if key not in self._least:
            return inner.drawn()
        return {"type": "array", "items": inner.drawn(), "minItems": self._least[key]}

    def _note(self, key: str, schema: dict[str, Any], *, required: bool) -> None:
        self._noted[key] = schema
        if not required:
            self._optional.add(key)

    def has(self, key: str) -> bool:
        """What is asked about first may be left out."""
        self._optional.add(key)
        return True

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        self._note(key, {"type": "string", "pattern": r"\S"}, required=default is None)
        return "x"

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """True or false."""
        self._note(key, {"type": "boolean"}, required=default is None)
        return True

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number."""
        self._note(key, {"type": "integer", "minimum": low, "maximum": high}, required=default is None)
        return low

    def tenths(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A number with at most one decimal."""
        # No multipleOf 0.1: many validators divide binary fractions and would call 0.3 wrong.
        self._note(key, {"type": "number", "minimum": low / 10, "maximum": high / 10}, required=default is None)
        return low

    def day(self, key: str) -> date:
        """A date."""
        self._note(key, {"type": "string", "format": "date", "pattern": _DAY}, required=True)
        return date.min

    def choice(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """One of a list, answered by the form that is being drawn."""
        self._note(key, {"enum": list(allowed)}, required=default is None)
        said = self._chosen.get(key, "")
        return said if said in allowed else allowed[0]

    def words(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts."""
        schema = {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}
        self._note(key, schema, required=default is None)
        return ()

    def table(self, key: str) -> "Sketch":
        """A table inside."""
        self._note(key, {}, required=True)
        return self._inner.setdefault(key, Sketch(self._words, self._chosen))

    def tables(self, key: str, *, least: int = 0) -> list[Table]:
        """A list of tables, drawn by one of them."""
        self._note(key, {}, required=least > 0)
        self._least[key] = least
        return [self._inner.setdefault(key, Sketch(self._words, self._chosen))]

    def close(self) -> None:
        """Nothing can be unknown here."""
