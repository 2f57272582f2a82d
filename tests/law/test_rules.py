"""Every rule of the law that the points stand on, 13 to 38, has a test that carries its number."""

import ast
import re
from pathlib import Path

NUMBERS = range(13, 39)


class TestNumbers:
    """The index of the rules."""

    def test_every_number_has_a_test(self) -> None:
        """A rule without a test is red here."""
        found: set[int] = set()
        for file in Path(__file__).parent.glob("test_*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    found |= {int(number) for number in re.findall(r"test_rule_(\d+)", node.name)}
        assert found >= set(NUMBERS)
