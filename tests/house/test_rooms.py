"""What the import contracts of pyproject.toml cannot say by themselves."""

import ast
import re
import tomllib

import grimp
from tree import ROOMS, ROOT, place, python, syntax

PURE = re.compile(r"(?:^|[.\n] ?)Pure\b")


def contracts() -> list[dict[str, object]]:
    """The import contracts."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["tool"]["importlinter"]["contracts"]


def listed(word: str, key: str) -> set[str]:
    """The modules that the contract whose name begins with `word` lists under `key`."""
    (contract,) = [one for one in contracts() if str(one["name"]).startswith(word)]
    modules = contract[key]
    assert isinstance(modules, list)
    return {str(module) for module in modules}


class TestContracts:
    """The lists are complete."""

    def test_every_module_that_calls_itself_pure_is_held_to_it(self) -> None:
        """A docstring with the word Pure and the contract's list name the same modules."""
        said = {
            ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for path in python(*ROOMS)
            if PURE.search(ast.get_docstring(syntax(path)) or "")
        }
        assert said == listed("Pure", "source_modules")

    def test_every_module_of_auth_but_consent_is_protected(self) -> None:
        """A new module of auth is closed to the rooms above until somebody decides otherwise."""
        below = {path.relative_to(ROOT).with_suffix("").parts[1] for path in python("auth")}
        here = {f"auth.{name}" for name in below - {"__init__", "consent"}}
        assert here == listed("Of auth", "protected_modules")


class TestCycles:
    """Arrows point one way."""

    def test_no_module_imports_itself_through_others(self) -> None:
        """No import cycle, not even one that is closed inside a function."""
        graph = grimp.build_graph(*ROOMS, cache_dir=None)
        below = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
        while leaves := {module for module, imported in below.items() if not imported}:
            below = {module: imported - leaves for module, imported in below.items() if module not in leaves}
        assert below == {}, "what is left imports each other"


class TestPlaces:
    """What belongs to one place."""

    def test_only_the_clock_tells_the_time(self) -> None:
        """Nobody but core.clock asks for now, today or the time; waiting and measuring are no time of day."""
        asking = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
        found = [
            place(path, node.lineno)
            for path in python(*ROOMS)
            if place(path) not in {"core/clock.py", "api/tool/signing.py"}  # the signer is a client of ours, elsewhere
            for node in ast.walk(syntax(path))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id, node.attr) in asking
        ]
        assert found == []

    def test_every_place_that_opens_sealed_bytes_is_listed(self) -> None:
        """Ciphertext is opened in the modules of this list alone; each is a reason to look twice at a change."""
        openers = {
            "core/keys.py": "personal keys, under their epoch",
            "auth/digestkeys.py": "digest keys of sources and car parks",
            "incentives/plates/bound.py": "a citizen's own number plates",
            "auth/citizens.py": "a citizen's own profile; everybody's for the groups of a rehearsal (auth/bands.py)",
            "auth/matters.py": "what a citizen asked a person to look at, and the answer",
            "auth/counter/cards.py": "the last digits of a citizen's own cards",
            "auth/incidents.py": "whom a breach concerns, to tell them",
            "auth/reindex.py": "ID numbers and accounts, to index them under a new epoch",
            "auth/accounts.py": "a citizen's own telephone number, and accounts that pass to a proved owner",
            "scoring/staging.py": "papers of staged and stored records",
            "scoring/holders.py": "the thread from a citizen to the records",
            "scoring/reports/career.py": "a citizen's own occupational records",
            "scoring/reports/issued.py": "reports, for their holder and for whoever has the number",
            "scoring/rights/commitments.py": "what a citizen promised, for them or the bureau",
            "scoring/rights/declarations.py": "what a citizen declared and was told, for them or the bureau",
            "scoring/rights/repairs.py": "what a citizen said and was told about a repair, for them or a clerk",
            "scoring/sources.py": "the feed's position",
            "scoring/traces.py": "the stored trace",
            "scoring/rights/objections.py": "what a citizen objects to a record, and the answer",
            "scoring/statements.py": "a citizen's own words beside a record",
        }
        opening = {
            place(path)
            for path in python(*ROOMS)
            for node in ast.walk(syntax(path))
            if isinstance(node, ast.Attribute) and node.attr == "unseal"
        }
        assert opening == set(openers)

    def test_nothing_opens_by_itself_on_load(self) -> None:
        """No column type, event or property turns ciphertext into plaintext behind a reader's back."""
        hooks = {"TypeDecorator", "process_result_value", "process_bind_param", "UserDefinedType", "hybrid_property"}
        found = [
            place(path, getattr(node, "lineno", None))
            for path in python(*ROOMS)
            for node in ast.walk(syntax(path))
            if {getattr(node, name, None) for name in ("id", "attr", "name")} & hooks
        ]
        assert found == []

    def test_no_cipher_is_used_beside_the_suites(self) -> None:
        """Encryption is in one module, so that what is sealed is bound to its place everywhere."""
        ciphers = re.compile(r"ciphers|fernet", re.IGNORECASE)
        found = {
            place(path)
            for path in python(*ROOMS)
            for node in ast.walk(syntax(path))
            if isinstance(node, ast.ImportFrom | ast.Import)
            and ciphers.search(" ".join([getattr(node, "module", "") or "", *(alias.name for alias in node.names)]))
        }
        assert found == {"core/suites.py"}
