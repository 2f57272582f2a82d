"""On which line of a TOML text each table and key begins; `tomllib` does not say.

Reads only texts that `tomllib` has accepted. Keys inside an inline table or an array share the line of the key that
holds them.
"""

import re
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_TOKEN = re.compile(
    r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]|\n',
)
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def locate(text: str) -> dict[Path, int]:
    """Give the line, from 1, of every table header and key; members of an array of tables are numbered from 0."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    here: Path = ()
    for line, statement in _statements(text):
        if header := _HEADER.match(statement):
            here = _enter(header[2], counts, append=header[1] == "[[")
            found.setdefault(here, line)
        elif key := _KEY.match(statement):
            found.setdefault((*here, *_parts(key[1])), line)
    return found


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]


def _enter(dotted: str, counts: dict[Path, int], *, append: bool) -> Path:
    path: Path = ()
    parts = _parts(dotted)
    for position, part in enumerate(parts):
        path = (*path, part)
        if append and position == len(parts) - 1:
            counts[path] = counts.get(path, 0) + 1
        if path in counts:
            path = (*path, counts[path] - 1)
    return path


def _statements(text: str) -> list[tuple[int, str]]:
    """Split where a newline stands outside every bracket and text."""
    statements: list[tuple[int, str]] = []
    start, depth, line = 0, 0, 1
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in "[{":
            depth += 1
        elif word in "]}":
            depth -= 1
        elif word == "\n" and depth == 0:
            statements.append((line, text[start : token.start()]))
            start, line = token.end(), text.count("\n", 0, token.end()) + 1
    return [*statements, (line, text[start:])]
