"""The envelope of a source line: strict JSON, prohibited names, and the members that every kind shares.

Pure. Prohibited names are looked for first, in every key at every depth, so that nothing else can hide them behind its
own fault. A detail names a listed word or a plain name, never a value.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import cast

import msgspec

from scoring.book.fieldcheck import Refused, day, members, text

TOP = frozenset({"ref", "version", "kind", "id_number", "subject", "occurred_on", "document", "notice", "fields"})
PARTS = {"document": ("no", "authority", "effective_on"), "notice": ("no", "served_on")}
_SUBJECT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}", re.ASCII)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\x00-\x7f]+")
_REF = 64
_MOST = 2**31 - 1


class SourceLine(msgspec.Struct, frozen=True):
    """One well-formed line; exactly one of `id_number` and `subject` is there. `fields` are still unread."""

    ref: str
    version: int
    kind: str
    id_number: str | None
    subject: str | None
    occurred_on: date
    document: dict[str, object] | None
    notice: dict[str, object] | None
    fields: dict[str, object]


class Prohibited:
    """The names that may not appear as a key, at any depth (CIR art. 14, PIPL art. 28)."""

    def __init__(self, names: Iterable[str], known: frozenset[str]) -> None:
        """Take the list and the names in use, which are never looked at twice."""
        self._known = known
        self._words = {_joined(name) for name in names if name.isascii()}
        self._signs = tuple(name for name in names if not name.isascii())

    def refuse(self, value: dict[str, object]) -> None:
        """Look at every key; raises `Refused` with a detail that names the listed word, not the key."""
        waiting: list[object] = [value]
        while waiting:
            one = waiting.pop()
            if isinstance(one, dict):
                for key, inner in cast("dict[str, object]", one).items():
                    if key not in self._known and (name := self._listed(key)):
                        detail = f"A member named like `{name}` may not be collected; nothing was kept. Remove it."
                        raise Refused("prohibited_field", detail)
                    if isinstance(inner, dict | list):
                        waiting.append(cast("object", inner))
            else:
                waiting.extend(cast("list[object]", one) if isinstance(one, list) else [])

    def _listed(self, key: str) -> str:
        """Give the prohibited name that a key holds as whole words (Latin) or anywhere (Chinese), else nothing."""
        plain = unicodedata.normalize("NFKC", key)
        words = [word.casefold() for word in _WORD.findall(plain)]
        for first in range(len(words)):
            for last in range(first + 1, min(first + 3, len(words)) + 1):
                if (name := "".join(words[first:last])) in self._words:
                    return name
        joined = "".join(words)
        return joined if joined in self._words else next((sign for sign in self._signs if sign in plain), "")


def parse(raw: bytes) -> object:
    """Read one JSON value in UTF-8."""
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, a number beyond reading, nested without end
        raise Refused("malformed", "The line is not one JSON object in UTF-8. Correct it and resend.") from None


def _joined(name: str) -> str:
    return name.replace("_", "")


def read_ref(value: object) -> str | None:
    """Give a reference that can be shown back, else None."""
    return value if isinstance(value, str) and 0 < len(value) <= _REF and value.isprintable() else None


def unknown(value: dict[str, object], known: frozenset[str] | tuple[str, ...], where: str) -> None:
    """Refuse a member that is not known; its name is shown only when it is a plain one."""
    for key in value:
        if key not in known:
            shown = f"`{where}{key}`" if _PLAIN.fullmatch(key) else f"A member of `{where.rstrip('.') or 'the line'}`"
            raise Refused("unknown_field", f"{shown} is not in the catalogue. Remove it and resend.")


def envelope(value: dict[str, object], ref: str | None) -> SourceLine:
    """Read the envelope."""
    unknown(value, TOP, "")
    if ref is None or ref.isspace():
        raise Refused("malformed", f"`ref` must be a printable text of 1 to {_REF} characters. Correct it and resend.")
    version = value.get("version")
    if type(version) is not int or not 1 <= version <= _MOST:
        raise Refused("malformed", "`version` must be a whole number from 1. Correct it and resend.")
    id_number, subject = value.get("id_number"), value.get("subject")
    if (id_number is None) == (subject is None):
        raise Refused("malformed", "Send exactly one of `id_number` and `subject`.")
    if id_number is not None and not isinstance(id_number, str):
        raise Refused("bad_id_number", "`id_number` must be a text of 18 characters. Correct it and resend.")
    if subject is not None and not (isinstance(subject, str) and _SUBJECT.fullmatch(subject)):
        raise Refused(
            "malformed", "`subject` must be the keyed digest, 64 lower-case hex digits. Correct it and resend."
        )
    document, notice = (None if value.get(name) is None else members(name, value[name]) for name in PARTS)
    for name, part in (("document", document), ("notice", notice)):
        unknown(part or {}, PARTS[name], f"{name}.")
    kind = text("kind", value.get("kind"), 16)
    occurred = day("occurred_on", value.get("occurred_on"))
    fields = members("fields", value.get("fields"))
    return SourceLine(ref, version, kind, id_number, subject, occurred, document, notice, fields)
