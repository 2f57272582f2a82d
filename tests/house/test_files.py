"""Files are where the house says, small, documented, and free of what belongs to one machine."""

import ast
import re

from tree import ROOMS, ROOT, functions, place, python, syntax, tracked

LONGEST_FILE = 250
LONGEST_FUNCTION = 40
NAMELESS = {"utils", "util", "misc", "helpers", "helper", "common", "manager", "base", "service", "services"}
# Longer for a reason, which stands beside each.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

_NOT_OURS = re.compile(
    "|".join(
        (
            r"(?<![\w.-])/(?:root|work|home)/\w",
            "files." + "pythonhosted",
            "pypi" + r"\.org",
            "registry" + r"\.npmjs",
            "deb" + r"\.debian",
        )
    )
)
_TEXT = {".py", ".toml", ".md", ".lock", ".txt", ".ini", ".sql", ".html", ".css", ".js", ".json", ".yaml", ".yml", ""}


class TestSizes:
    """Small files, small functions."""

    def test_files_are_short(self) -> None:
        """No file is over 250 lines without a reason on the list."""
        lengths = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python(*ROOMS)}
        assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE and name not in LONG_FILES} == {}
        assert all(lengths.get(name, 0) > LONGEST_FILE for name in LONG_FILES)

    def test_functions_are_short(self) -> None:
        """No function is over 40 lines without a reason on the list."""
        long = {
            f"{place(path)}:{node.name}": lines
            for path in python(*ROOMS)
            for node in functions(path)
            if (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
        }
        assert {name: lines for name, lines in long.items() if name not in LONG_FUNCTIONS} == {}
        assert set(LONG_FUNCTIONS) <= set(long)


class TestNames:
    """A name says what is kept or done."""

    def test_no_module_or_folder_has_an_empty_name(self) -> None:
        """Nothing is called utils, misc, helpers, common, manager, base or service."""
        parts = {place(path): {*path.relative_to(ROOT).parent.parts, path.stem} for path in python(*ROOMS, "tests")}
        assert {name: found for name, words in parts.items() if (found := words & NAMELESS)} == {}


class TestDocstrings:
    """What a reader is told."""

    def test_every_module_of_the_rooms_says_what_it_keeps(self) -> None:
        """Every module begins with a docstring."""
        assert [place(path) for path in python(*ROOMS) if not ast.get_docstring(syntax(path))] == []

    def test_every_public_function_and_class_is_explained(self) -> None:
        """Every public function, method and class of the rooms has a docstring."""
        silent = [
            place(path, node.lineno)
            for path in python(*ROOMS)
            for node in ast.walk(syntax(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
            and node in _reachable(syntax(path))
        ]
        assert silent == []

    def test_every_test_is_a_sentence(self) -> None:
        """Every test's docstring is the sentence that it proves."""
        silent = [
            place(path, node.lineno)
            for path in python("tests")
            for node in functions(path)
            if node.name.startswith("test_") and not ast.get_docstring(node)
        ]
        assert silent == []

    def test_nothing_is_left_to_do(self) -> None:
        """No comment puts work off."""
        marks = re.compile(r"#.*\b(" + "TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
        left = [
            place(path, number)
            for path in python(*ROOMS, "tests", "deploy", "benchmarks")
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if marks.search(line)
        ]
        assert left == []


def _reachable(module: ast.Module) -> set[ast.AST]:
    """The module's functions and classes, and the classes' methods; not what lives inside a function."""
    found: set[ast.AST] = set()
    waiting: list[ast.AST] = [module]
    while waiting:
        for child in ast.iter_child_nodes(waiting.pop()):
            found.add(child)
            if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
                waiting.append(child)
    return found


class TestRepository:
    """What is committed."""

    def test_the_front_papers_exist(self) -> None:
        """Whoever comes first finds README, CHANGELOG and the architecture."""
        assert [
            name for name in ("README.md", "CHANGELOG.md", "docs/architecture.md") if not (ROOT / name).exists()
        ] == []

    def test_no_file_names_a_machine_or_a_registry(self) -> None:
        """No tracked text holds an absolute local path or a package registry's host."""
        found = [
            place(path, number)
            for path in tracked()
            if path.suffix in _TEXT
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if _NOT_OURS.search(line)
        ]
        assert found == []

    def test_locks_pin_every_package_with_hashes_and_name_no_address(self) -> None:
        """The lock files hold `name==version` with hashes, and nothing that points to a host."""
        for name in ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock"):
            text = (ROOT / name).read_text(encoding="utf-8")
            assert "://" not in text
            packages = [block for block in re.split(r"\n(?=\S)", text.strip()) if not block.startswith("#")]
            assert [
                block.splitlines()[0] for block in packages if "==" not in block or "--hash=sha256:" not in block
            ] == []

    def test_no_private_key_or_secret_is_tracked(self) -> None:
        """Neither kits nor secrets nor environments are committed."""
        names = {path.name for path in tracked()}
        assert names & {"kit.json", "secrets.json", "epochs.json", ".env", "uv.lock", "package-lock.json"} == set()
