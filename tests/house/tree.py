"""The tree as the house checks see it: tracked files, and the syntax of every Python file of ours."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "auth", "scoring", "incentives", "api")


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks and that still exists."""
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in told.split("\0") if name and (path := ROOT / name).is_file())


def python(*folders: str) -> Iterator[Path]:
    """The tracked Python files under these folders."""
    for path in tracked():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders:
            yield path


@functools.cache
def syntax(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, methods and inner ones too."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def place(path: Path, line: int | None = None) -> str:
    """A file, and perhaps a line, as a person looks for it."""
    shown = str(path.relative_to(ROOT))
    return f"{shown}:{line}" if line else shown
