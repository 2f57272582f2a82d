"""A TOML reader that knows on which line each value stands and collects every fault it meets.

A reader asks a `Table` for typed values. A missing or wrong value is written down with file, line, message and advice,
and a harmless stand-in is returned, so that one pass finds all faults; `Document.close` raises them together. Decimals
are read exactly (no binary fractions). It knows nothing of what the values mean, and opens no file.
"""

import re
import tomllib
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import TypeVar, cast

import msgspec

from core.errors import Problem
from core.tomllines import Path, locate

T = TypeVar("T")

LONGEST = 1_000_000
_DEEPEST = 50
_MOST = 10**9
_NUMBER = re.compile(r"[0-9_]{400,}|[eE][+-]?[0-9]{6,}")


class Fault(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong: where, what, and what to do about it."""

    file: str
    line: int
    message: str
    advice: str

    def __str__(self) -> str:
        """Show as one line, the way compilers do."""
        return f"{self.file}:{self.line}: {self.message} {self.advice}"


class Faulty(Problem):
    """A file of rules cannot be used; `faults` names every cause found."""

    code = "policy_faulty"
    status = 422
    title = "The file has faults"

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Take the faults in the order found."""
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def decode(raw: bytes, file: str) -> str:
    """Read a file's bytes as UTF-8; raises `Faulty` with the line of the first byte that is not."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Faulty([Fault(file, line, "This is not UTF-8.", "Save the file as UTF-8.")]) from error


class Document:
    """One file being read: its root table and the faults found so far."""

    def __init__(self, text: str, file: str) -> None:
        """Parse `text`; raises `Faulty` at once when it is no TOML at all, or far too long."""
        self.file = file
        self.faults: list[Fault] = []
        if len(text) > LONGEST:
            raise Faulty(
                [Fault(file, 1, f"The file is longer than {LONGEST} characters.", "A rule file is far smaller.")]
            )
        try:
            value = tomllib.loads(text, parse_float=Decimal)
            self.lines = locate(text)
        except tomllib.TOMLDecodeError as error:
            raise Faulty([_syntax(error, text, file)]) from error
        except (ValueError, ArithmeticError, RecursionError) as error:  # what tomllib lets through of its own parts
            raise Faulty([_beyond(text, file)]) from error
        self.root = Table(self, value, ())

    def line(self, path: Path) -> int:
        """Give the line of `path`, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def close(self) -> None:
        """Raise `Faulty` when anything was wrong."""
        if self.faults:
            raise Faulty(self.faults)


class Table:
    """One table of the file. Every reader records a fault and returns a stand-in when the value is wrong."""

    def __init__(self, document: Document, value: dict[str, object], path: Path) -> None:
        """Keep the values and remember which were asked for."""
        self.document = document
        self.value = value
        self.path = path
        self._asked: set[str] = set()

    def line(self, key: str = "") -> int:
        """Give the line of a key, or of the table."""
        return self.document.line((*self.path, key) if key else self.path)

    def fault(self, message: str, advice: str, key: str = "") -> None:
        """Write down a fault at a key, or at the table."""
        self.document.faults.append(Fault(self.document.file, self.line(key), message, advice))

    def has(self, key: str) -> bool:
        """Say whether the key is present."""
        return key in self.value

    def text(self, key: str, default: str | None = None) -> str:
        """Read a text that is not empty."""
        wanted = "a text in double quotes, not empty"
        return self._read(key, default, "", wanted, lambda v: isinstance(v, str) and v.strip() != "")

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """Read true or false."""
        no = False
        return self._read(key, default, no, "true or false", lambda v: isinstance(v, bool))

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Read a whole number from `low` to `high`."""
        wanted = f"a whole number from {low} to {high}"
        return self._read(key, default, low, wanted, lambda v: type(v) is int and low <= v <= high)

    def tenths(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Read a number with at most one decimal and return it in tenths; the bounds are in tenths."""
        wanted = f"a number from {low / 10:g} to {high / 10:g} with at most one decimal"

        def fits(value: object) -> bool:
            tenths = _tenths(value)
            return tenths is not None and low <= tenths <= high

        stand_in = None if default is None else Decimal(default) / 10
        return _tenths(self._read(key, stand_in, Decimal(low) / 10, wanted, fits)) or 0

    def day(self, key: str) -> date:
        """Read a civil date, written without quotes."""
        wanted = "a date such as 2026-01-01, without quotes"
        return self._read(key, None, date.min, wanted, lambda v: isinstance(v, date) and not isinstance(v, datetime))

    def choice(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """Read one of a closed list of words."""
        return self._read(key, default, allowed[0], f"one of {', '.join(allowed)}", lambda v: v in allowed)

    def words(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Read a list of texts, each once."""

        def fits(value: object) -> bool:
            items = cast("list[object]", value) if isinstance(value, list) else None
            return items is not None and all(isinstance(i, str) and i for i in items) and len(set(items)) == len(items)

        found = self._read(key, None if default is None else list(default), [], "a list of texts, each once", fits)
        return tuple(found)

    def table(self, key: str) -> "Table":
        """Read a table; an absent one is a fault and reads as empty."""
        empty: dict[str, object] = {}
        value = self._read(key, None, empty, "a table", lambda v: isinstance(v, dict))
        return Table(self.document, value, (*self.path, key))

    def tables(self, key: str, *, least: int = 0) -> "list[Table]":
        """Read a list of tables, with at least `least` members."""

        def fits(value: object) -> bool:
            items = cast("list[object]", value) if isinstance(value, list) else []
            return isinstance(value, list) and len(items) >= least and all(isinstance(i, dict) for i in items)

        found: list[dict[str, object]] = self._read(key, None if least else [], [], f"at least {least} tables", fits)
        return [Table(self.document, value, (*self.path, key, index)) for index, value in enumerate(found)]

    def close(self) -> None:
        """Record a fault for every key that nobody asked for."""
        for key in self.value.keys() - self._asked:
            near = get_close_matches(key, self._asked, 1)
            advice = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(sorted(self._asked))}."
            self.fault(f"`{key}` means nothing here.", advice, key)

    def _read(self, key: str, default: T | None, stand_in: T, wanted: str, fits: Callable[[object], bool]) -> T:
        self._asked.add(key)
        if key not in self.value:
            if default is not None:
                return default
            self.fault(f"`{key}` is missing.", f"Write {wanted}.")
            return stand_in
        value = self.value[key]
        if fits(value):
            return cast("T", value)
        self.fault(f"`{key}` is not {wanted}.", "Correct the value.", key)
        return stand_in


def _tenths(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    if not number.is_finite() or number.copy_abs() > _MOST:
        return None
    tenths = number * 10
    return int(tenths) if tenths == tenths.to_integral_value() else None


def _beyond(text: str, file: str) -> Fault:
    """Find the line of a number beyond reading, or of brackets nested without end."""
    for number, line in enumerate(text.splitlines(), 1):
        if _NUMBER.search(line) or line.count("[") + line.count("{") > _DEEPEST:
            return Fault(file, number, "A value is beyond reading.", "Write an ordinary number or a flat list.")
    return Fault(file, 1, "The file is beyond reading.", "Look for a number or a nesting without end.")


def _syntax(error: tomllib.TOMLDecodeError, text: str, file: str) -> Fault:
    """Turn tomllib's message into a fault; the line stands inside the message until Python 3.14 gives it apart."""
    message, _, place = str(error).partition(" (at line ")
    line = int(place.partition(",")[0]) if place else text.count("\n") + 1
    return Fault(file, line, f"This is not TOML: {message}.", "Look for a missing quote, bracket or equals sign.")
