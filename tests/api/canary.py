"""A canary citizen: values found nowhere else, and every form in which they could lie about in the clear."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator

import asyncpg
import msgspec

_JWS = re.compile(r"eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]*")
_TABLES = (
    "select format('%I.%I', schemaname, tablename) from pg_tables "
    "where schemaname not in ('pg_catalog', 'information_schema')"
)


class Canary(msgspec.Struct, frozen=True):
    """Who and what must not be found."""

    name: str = "鱻龘燚"
    disease: str = "囊性纤维化-canary"
    card: str = "card-canary-7788"
    document: str = "罚字第canary4711号"
    authority: str = "canary城管局"
    religion: str = "canary-faith"

    def words(self, id_number: str) -> dict[str, str]:
        """Every value, by what it is."""
        return {**msgspec.structs.asdict(self), "id_number": id_number}


def forms(value: str, *, hashed: bool = True) -> Iterator[str]:
    """A value as text, as JSON, in hex, in base64 at each of three alignments, and as a hash anyone can recompute."""
    data = value.encode()
    yield value
    yield json.dumps(value)[1:-1]
    yield data.hex()
    for shift in range(3):
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            start, end = (0, 2, 4)[shift], (shift + len(data)) // 3 * 4  # the edges depend on the neighbours
            yield alphabet(b"\0" * shift + data).decode()[start:end]
    for algorithm in ("sha256", "sha1", "md5") if hashed else ():
        yield hashlib.new(algorithm, data).hexdigest()


def found(words: dict[str, str], text: str, *, hashed: bool = True) -> list[str]:
    """Which of these words a text holds, in any of their forms, also inside signed objects."""
    readable = text + "\n".join(_opened(text))
    folded = readable.casefold()
    return [
        name
        for name, value in words.items()
        if any(form.casefold() in folded for form in forms(value, hashed=hashed) if len(form) > 2)
    ]


def _opened(text: str) -> Iterator[str]:
    """The payloads of the signed objects in a text."""
    for match in _JWS.finditer(text):
        yield base64.urlsafe_b64decode(match[1] + "==").decode(errors="replace")


async def dump(owner_url: str) -> dict[str, str]:
    """Every row of every table, as text; bytes are hex there."""
    connection = await asyncpg.connect(owner_url)
    try:
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        return {
            table: "\n".join(row[0] for row in await connection.fetch(f"select x::text from {table} x"))
            for table in tables
        }
    finally:
        await connection.close()
