"""The threat model and the list of requirements name the tests that prove them, and these exist."""

import ast
import re

from core.settings import ROOT

_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


# How many requirements of levels 1 and 2 each section of ASVS 5.0.0 begins with; those of level 3 come after them.
_SECTIONS = {
    "1": (2, 9, 11, 3, 2), "2": (3, 3, 4, 1), "3": (0, 2, 4, 6, 5, 0, 2), "4": (3, 1, 2, 4), "5": (1, 3, 2, 3),
    "6": (3, 12, 4, 4, 5, 3, 0, 4), "7": (3, 4, 2, 5, 2, 2), "8": (2, 3, 1, 1), "9": (3, 4),
    "10": (2, 2, 4, 11, 5, 2, 3), "11": (2, 3, 3, 4, 1, 1), "12": (3, 2, 4), "13": (1, 5, 2, 5), "14": (2, 4, 3),
    "15": (3, 3, 7), "16": (1, 5, 4, 3, 3),
}  # fmt: skip
_REQUIREMENT = re.compile(
    r"^\| (\d+\.\d+\.\d+) \| (holds|partly|operator|not applicable) \| (.+?) \| (.*?) ?\|$", re.MULTILINE
)


def real(page: str) -> bool:
    """Whether every test that a text names is there, file and class."""
    for place, name in _NAMED.findall(page):
        module = ast.parse((ROOT / place).read_text(encoding="utf-8"))
        classes = {node.name for node in module.body if isinstance(node, ast.ClassDef)}
        assert not name or name in classes, f"{place}::{name}"
    return bool(_NAMED.findall(page))


class TestThreatModel:
    """`docs/threat-model.md`."""

    def test_every_test_that_it_names_is_there(self) -> None:
        """File and class; a row without a proof is no row."""
        page = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
        rows = [line for line in page.splitlines() if line.startswith("| **")]
        assert len(rows) >= 30
        for row in rows:
            assert real(row), row


class TestRequirements:
    """`docs/asvs.md`."""

    def test_it_is_complete_and_shows_what_it_says(self) -> None:
        """Each requirement of levels 1 and 2 once, in order; what holds has a test that is there."""
        page = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
        found = _REQUIREMENT.findall(page)
        asked = [
            f"{chapter}.{section}.{number}"
            for chapter, counts in _SECTIONS.items()
            for section, count in enumerate(counts, 1)
            for number in range(1, count + 1)
        ]
        assert [one[0] for one in found] == asked
        assert [number for number, state, _, shown in found if state == "holds" and not real(shown)] == []
