"""The linters agree. `make lint` runs the same commands and the types, which take a minute; so does `.ci/run`."""

import subprocess
import sys
from pathlib import Path

import pytest
from tree import ROOT

BIN = Path(sys.executable).parent


class TestTools:
    """Each tool with the settings of pyproject.toml."""

    @pytest.mark.parametrize(
        "command",
        [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("lint-imports", "--no-logo")],
        ids=" ".join,
    )
    def test_the_tool_finds_nothing(self, command: tuple[str, ...]) -> None:
        """Style, format and import contracts hold everywhere."""
        done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-1000:]}"
