"""A table's row, laid out as a source line.

Pure. Columns are named as the members of a line are (`ref`, `fields.period`, `document.no`), or by the catalogue's
Chinese names for them. The check of the line stays where it is, in `scoring.book.lines`: this page only lays cells out,
gives numbers and yes their type, and refuses what a spreadsheet does to values, since no later check could tell. A
column that nobody knows is passed on by its name, without its values, so that each line hears why it is refused.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import cast

import msgspec

from core.errors import FieldError, Invalid
from scoring.book.catalogue import Catalogue
from scoring.book.envelope import PARTS, TOP, read_ref
from scoring.book.kinds import Field
from scoring.book.lines import Rejected

MOST_COLUMNS = 100
_SCALARS = TOP - {*PARTS, "fields"}
_DATES = frozenset({"occurred_on", "document.effective_on", "notice.served_on"})
_WHOLE = re.compile(r"[0-9]{1,10}", re.ASCII)
_ROUNDED = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]+", re.ASCII | re.IGNORECASE)
_SHEET_DATE = re.compile(
    r"[0-9]{5}(\.[0-9]+)?|[0-9]{1,4}[/.年][0-9]{1,2}([/.月][0-9]{0,4}日?)?|[0-9]{1,2}-[A-Za-z]{3}-[0-9]{2,4}"
    r"|[A-Za-z]{3}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}(-[0-9]{1,2})?([ T]00:00(:00(\.0+)?)?)?",
    re.ASCII,
)
_PROPER_DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?", re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet may run (OWASP, CSV injection)
_YES = frozenset({"true", "1", "是", "y", "yes"})
_NO = frozenset({"false", "0", "否", "n", "no"})

Path = tuple[str, ...]


class BadHeader(Invalid):
    """The first line of a table does not name its columns, so that no line of it can be read."""

    code = "bad_header"
    title = "The columns of the table cannot be read"


class Sheet:
    """The columns of one table."""

    def __init__(self, catalogue: Catalogue, header: Sequence[str]) -> None:
        """Read the names of the columns. Raises BadHeader."""
        names = [unicodedata.normalize("NFKC", name).strip() for name in header]
        self._columns = [catalogue.headers.get(name, name) for name in names]
        self._kinds = {kind.name: kind.code for kind in catalogue.kinds.values()}
        self._fields = {code: {f"fields.{f.name}": f for f in kind.fields} for code, kind in catalogue.kinds.items()}
        known = _SCALARS.union(f"{part}.{name}" for part, members in PARTS.items() for name in members)
        known = known.union(*self._fields.values())
        self._paths: list[Path] = [_path(name) for name in self._columns]
        self._strange = [name not in known for name in self._columns]
        self._checked = not any(self._strange)
        if faults := _faults(self._columns):
            raise BadHeader("Name the columns as the members of a line are: ref, kind, fields.period.", errors=faults)

    def text(self, cells: Sequence[str]) -> bytes | Rejected:
        """Lay out a row of texts, as a CSV file holds it; b"" for a row without anything in it."""
        values = [cell.strip(" ") for cell in cells]
        if not any(values):
            return b""
        if len(values) != len(self._columns):
            return Rejected("malformed", f"The line has {len(values)} cells, the header {len(self._columns)}.")
        named = dict(zip(self._columns, values, strict=True))
        kind = self._kinds.get(named.get("kind", ""), named.get("kind", ""))
        fields = self._fields.get(kind, {})
        if self._checked and (fault := _spoilt(named, fields)):
            return Rejected(*fault, read_ref(named.get("ref")))
        typed = {name: _typed(name, value, fields.get(name)) for name, value in named.items()}
        return self._lay([typed[name] if value else None for name, value in named.items()], kind)

    def typed(self, cells: Sequence[object]) -> bytes | Rejected:
        """Lay out a row of values that have types already, as a Parquet file holds it."""
        named = dict(zip(self._columns, cells, strict=True))
        given = named.get("kind")
        kind = self._kinds.get(given, given) if isinstance(given, str) else given
        texts = {name: value for name, value in named.items() if isinstance(value, str)}
        if self._checked and (fault := _formula(texts)):
            return Rejected(*fault, read_ref(named.get("ref")))
        return self._lay(cells, kind)

    def _lay(self, cells: Sequence[object], kind: object) -> bytes:
        line: dict[str, object] = {"fields": {}}
        for path, strange, cell in zip(self._paths, self._strange, cells, strict=True):
            if strange:
                _put(line, path, None)
            elif cell is not None:
                _put(line, path, kind if path == ("kind",) else cell)
        return msgspec.json.encode(line)


def _path(name: str) -> Path:
    part, dot, member = name.partition(".")
    return (part, member) if dot and (part in PARTS or part == "fields") else (name,)


def _put(line: dict[str, object], path: Path, value: object) -> None:
    inner = line
    for step in path[:-1]:
        inner = cast("dict[str, object]", inner.setdefault(step, {}))
    inner[path[-1]] = value


def _faults(columns: list[str]) -> list[FieldError]:
    """What keeps the whole table from being read. A name is not repeated here: it might be a value."""
    faults: list[FieldError] = []
    if len(columns) > MOST_COLUMNS:
        faults.append(FieldError("", "too_many_columns", f"At most {MOST_COLUMNS} columns."))
    for place, name in enumerate(columns, 1):
        if not name or len(name) > 64:  # noqa: PLR2004  (the longest name that any column may have)
            faults.append(FieldError(f"/{place}", "unnamed_column", f"Column {place} has no usable name."))
        elif name in columns[: place - 1]:
            faults.append(FieldError(f"/{place}", "repeated_column", f"Column {place} has the name of another."))
    faults += [
        FieldError("", "missing_column", f"There is no column `{name}`.")
        for name in ("ref", "version", "kind", "occurred_on")
        if name not in columns
    ]
    if not {"id_number", "subject"} & set(columns):
        faults.append(FieldError("", "missing_column", "There is neither a column `id_number` nor `subject`."))
    return faults[:20]


def _spoilt(named: dict[str, str], fields: dict[str, Field]) -> tuple[str, str] | None:
    """What a spreadsheet has done to a row, as a code and the next step."""
    for name, value in named.items():
        field = fields.get(name)
        dated = name in _DATES or (field is not None and field.type in {"date", "month"})
        if dated and _SHEET_DATE.fullmatch(value) and not _PROPER_DATE.fullmatch(value):
            wanted = "YYYY-MM" if field is not None and field.type == "month" else "YYYY-MM-DD"
            return "malformed", f"`{name}` looks like a spreadsheet's own date. Format the column as text {wanted}."
        if _ROUNDED.fullmatch(value):
            code = "bad_id_number" if name == "id_number" else "malformed"
            return code, f"`{name}` was rounded by a spreadsheet. Format the column as text and export it again."
    return _formula(named)


def _formula(named: dict[str, str]) -> tuple[str, str] | None:
    for name, value in named.items():
        if value.startswith(_FORMULA):
            return "malformed", f"`{name}` begins like a formula. Send the plain value."
    return None


def _typed(name: str, value: str, field: Field | None) -> object:
    """A cell's value with the type that the member has in JSON; what does not fit stays text."""
    kind = field.type if field else "whole" if name == "version" else ""
    if kind in {"whole", "grade"} and _WHOLE.fullmatch(value):
        return int(value)
    if kind == "true" and value.casefold() in _YES | _NO:
        return value.casefold() in _YES
    return value
