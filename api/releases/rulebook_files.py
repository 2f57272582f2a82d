"""The shipped files of the rule book, as drafts to publish. In the repository they rule nothing."""

from collections.abc import Iterator
from pathlib import Path

import msgspec


class File(msgspec.Struct, frozen=True):
    """A shipped file: its release `kind` and `name`, and its text."""

    kind: str
    name: str
    body: str


_WHERE = (
    ("statutes", "statutes.toml"),
    ("catalogue", "catalogue.toml"),
    ("scorecard", "scorecard/*.toml"),
    ("notice", "notices/*.zh.md"),
    ("repair", "repair.toml"),
    ("promises", "promises.toml"),
    ("disputes", "disputes.toml"),
    ("perks", "perks/*.toml"),
    ("recognition", "recognition.toml"),
    ("cases", "cases/*.toml"),
)


def shipped(directory: Path) -> Iterator[File]:
    """Every shipped file of `directory` (policy/), in the order in which they are published."""
    for kind, pattern in _WHERE:
        for path in sorted(directory.glob(pattern)):
            yield File(kind, path.name, path.read_text(encoding="utf-8"))


def kind_of(path: Path) -> str | None:
    """What a file is by its name and folder, as in policy/; None for what stands elsewhere."""
    return next((kind for kind, pattern in _WHERE if path.match(pattern)), None)
