"""docs/quickstart.md, in both languages: every command of the page, in its order, in one shell, against a demo city."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.settings import ROOT
from tests.api.tool.test_demo_process import City

pytestmark = pytest.mark.interop

ENGLISH, CHINESE = ROOT / "docs" / "quickstart.md", ROOT / "docs" / "quickstart.zh.md"
BLOCK = re.compile(r"```(sh|json|text)\n(.*?)```", re.DOTALL)
END = "-- end of block"


class Shell:
    """One bash in a folder like a clone, as a reader has it open."""

    def __init__(self, folder: Path) -> None:
        """Job control is on, so that `kill %1` means what it means to a reader."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            ["bash", "-m"], cwd=folder, env=environment, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def run(self, commands: str) -> str:
        """Paste some lines; what they print."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{commands}\necho '{END}'\n")
        self.process.stdin.flush()
        return "".join(iter(self.process.stdout.readline, f"{END}\n"))

    def close(self) -> None:
        """End the shell and whatever it left running."""
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.communicate(timeout=20)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell in a folder with the docs, a virtual environment, and the kit of a demo city of its own."""
    city = City(tmp_path / "var")
    city.start()
    try:
        city.wait_until_told()
        for name in ("docs", ".venv"):
            (tmp_path / name).symlink_to(ROOT / name)
        shell = Shell(tmp_path)
        yield shell
        shell.close()
    finally:
        city.stop(signal.SIGINT)


def fits(shown: Any, given: Any) -> bool:
    """Whether an answer is what the page shows, where `…` stands for anything."""
    if isinstance(shown, str):
        head, dots, _ = shown.partition("…")
        return isinstance(given, str) and (given.startswith(head) if dots else given == shown)
    if isinstance(shown, Mapping) and isinstance(given, Mapping):
        return all(name == "…" or (name in given and fits(value, given[name])) for name, value in shown.items())
    if isinstance(shown, list) and isinstance(given, list):
        return len(shown) == len(given) and all(map(fits, shown, given))
    return shown == given


class TestQuickstart:
    """The page."""

    @pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en", "zh"])
    def test_every_command_answers_as_shown(self, shell: Shell, page: Path) -> None:
        """Pasted one after another, nothing left out."""
        blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
        assert len([kind for kind, _ in blocks if kind == "sh"]) >= 8
        said = ""
        for kind, text in blocks:
            if kind == "sh":
                said = shell.run(text)
            elif kind == "json":
                assert fits(json.loads(text), json.loads(said)), said
            else:
                assert fits(text.strip().splitlines(), said.strip().splitlines()), said

    def test_both_languages_have_the_same_commands(self) -> None:
        """Whoever reads the Chinese page misses no step, and no line of a table."""
        english, chinese = (page.read_text(encoding="utf-8") for page in (ENGLISH, CHINESE))
        assert BLOCK.findall(english) == BLOCK.findall(chinese)
        assert english.count("\n| ") == chinese.count("\n| ")
        assert english.count("\n## ") == chinese.count("\n## ")
