"""docs/sectors/*.md do what they say: every command of each page, in its order, against a demo city."""

import json

import pytest

from core.settings import ROOT
from tests.interop.test_quickstart import BLOCK, Shell, fits, shell

__all__ = ["shell"]  # the fixture: a shell in a folder like a clone, beside a demo city
pytestmark = pytest.mark.interop

PAGES = sorted((ROOT / "docs" / "sectors").glob("*.md"))


def right(kind: str, shown: str, said: str) -> bool:
    """Whether a block is what was said."""
    if kind == "json":
        return fits(json.loads(shown), json.loads(said))
    if shown.endswith("…\n"):  # the last line begins what is long
        head = shown.strip().splitlines()[:-1]
        return said.splitlines()[: len(head)] == head
    return fits(shown.strip().splitlines(), said.strip().splitlines())


class TestSectors:
    """Each page of a sector; one city for all, since they use other partners."""

    def test_every_command_answers_as_shown(self, shell: Shell) -> None:
        """Pasted one after another, nothing left out."""
        assert len(PAGES) >= 4
        for page in PAGES:
            said = ""
            for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
                if kind == "sh":
                    said = shell.run(text)
                else:
                    assert right(kind, text, said), f"{page.name}: {text} {said}"
