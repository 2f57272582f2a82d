"""A script of `tests/interop/node` with npm packages that it is given, and talk with it: a line in, a line out.

The packages go into a temporary directory when a test asks; without Node, npm or what it installs from, the test is
skipped and says so.
"""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

HERE = Path(__file__).parent / "node"


class Script:
    """A running script: `ask` sends one question and gives its answer."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Keep the pipes."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._asked, self._told = process.stdin, process.stdout

    def ask(self, what: str, **question: Any) -> dict[str, Any]:
        """What it makes of a question; `refused` holds its complaint."""
        self._asked.write(json.dumps({"do": what, **question}) + "\n")
        self._asked.flush()
        return json.loads(self._told.readline())


Talk = TypeVar("Talk", bound=Script)


@contextlib.contextmanager
def running(
    folder: Path, name: str, *packages: str, talk: type[Talk], also: Mapping[str, Any] | None = None
) -> Iterator[Talk]:
    """The script `name` with exactly these packages; `also` stands in its package.json."""
    program, installer = shutil.which("node"), shutil.which("npm")
    if program is None or installer is None:
        pytest.skip("NOT RUN: no node or npm on PATH")
    shutil.copy(HERE / name, folder)
    (folder / "package.json").write_text(json.dumps({"private": True, "type": "module", **(also or {})}))
    command = [installer, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", *packages]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"NOT RUN: npm could not install {', '.join(packages)}: {done.stderr[-300:]}")
    pipe = subprocess.PIPE
    with subprocess.Popen([program, name], cwd=folder, text=True, stdin=pipe, stdout=pipe) as process:
        yield talk(process)
        process.kill()
