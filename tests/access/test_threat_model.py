"""The threat model names the tests that prove it, and they exist."""

import ast
import re

from core.settings import ROOT

_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


class TestThreatModel:
    """`docs/threat-model.md`."""

    def test_every_test_that_it_names_is_there(self) -> None:
        """File and class; a row without a proof is no row."""
        page = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
        rows = [line for line in page.splitlines() if line.startswith("| **")]
        assert len(rows) >= 10
        for row in rows:
            named = _NAMED.findall(row)
            assert named, row
            for place, name in named:
                module = ast.parse((ROOT / place).read_text(encoding="utf-8"))
                classes = {node.name for node in module.body if isinstance(node, ast.ClassDef)}
                assert not name or name in classes, f"{place}::{name}"
