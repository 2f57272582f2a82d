"""What a value of the rule book rests on, and what it may not claim to rest on.

Pure. A `demo` value is nobody's decision yet; a `law` value must cite an entry of the kept list of statutes, and that
entry must say that it sets this very value: a statute is never cited for a number that no statute sets.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from core.policyfile import Document, Fault, Table

KINDS = ("law", "policy", "city_decision", "demo")
DEMO = "示范规则，未经任何城市采用"


class Basis(msgspec.Struct, frozen=True):
    """`kind` is law, policy, city_decision or demo; `cite` is empty for demo, a statute's id for law."""

    kind: str
    cite: str

    def shown(self) -> str:
        """Give what a reader sees: the citation, or that nobody adopted this."""
        return DEMO if self.kind == "demo" else self.cite


class Claim(msgspec.Struct, frozen=True):
    """One value of a file, what it is called in the list of statutes, and what it rests on."""

    value: str
    amount: int
    basis: Basis
    file: str
    line: int


class Setting(msgspec.Struct, frozen=True):
    """A value that a statute sets: never above `at_most`, in `unit`, or exactly `exactly`."""

    value: str
    at_most: int
    exactly: bool
    unit: str


class Statute(msgspec.Struct, frozen=True):
    """One article: its words, where they were read, their SHA-256, and the values that it sets."""

    id: str
    title: str
    text: str
    source: str
    sha256: str
    sets: tuple[Setting, ...]


def read(table: Table) -> Basis:
    """Read `basis = {kind, cite}` of a table."""
    inner = table.table("basis")
    kind = inner.choice("kind", KINDS, None)
    cite = inner.text("cite", "-") if inner.has("cite") else ""
    if "kind" in inner.value and kind != "demo" and not cite:
        inner.fault(f"A basis of kind {kind} cites nothing.", "Name the document, or say demo.", "cite")
    if kind == "demo" and cite:
        inner.fault(
            "A demo basis cites a document.", "Remove the citation, or say what kind of decision it is.", "cite"
        )
    inner.close()
    return Basis(kind, cite)


def load(text: str, file: str) -> dict[str, Statute]:
    """Read the list of statutes; raises `policyfile.Faulty`."""
    document = Document(text, file)
    statutes = [_statute(table) for table in document.root.tables("statute", least=1)]
    document.root.close()
    document.close()
    return {statute.id: statute for statute in statutes}


def judge(claims: Iterable[Claim], statutes: dict[str, Statute]) -> list[Fault]:
    """Find every value that claims a statute which does not set it."""
    return [Fault(c.file, c.line, *why) for c in claims if (why := _why_not(c, statutes))]


def _why_not(claim: Claim, statutes: dict[str, Statute]) -> tuple[str, str] | None:
    if claim.basis.kind != "law":
        known = claim.basis.cite in statutes
        return (
            (f"`{claim.value}` cites a statute but is not of kind law.", "Say law, or cite something else.")
            if known
            else None
        )
    statute = statutes.get(claim.basis.cite)
    if statute is None:
        return f"`{claim.basis.cite}` is not in the list of statutes.", "Add it to policy/statutes.toml, or say demo."
    setting = next((setting for setting in statute.sets if setting.value == claim.value), None)
    if setting is None:
        return f"{statute.title} does not set `{claim.value}`.", "Say demo: a statute is cited only for what it sets."
    if claim.amount > setting.at_most or (setting.exactly and claim.amount != setting.at_most):
        word = "sets exactly" if setting.exactly else "allows at most"
        return (
            f"{statute.title} {word} {setting.at_most} {setting.unit}.",
            f"`{claim.value}` is {claim.amount}; correct it.",
        )
    return None


def _statute(table: Table) -> Statute:
    text, digest = table.text("text"), table.text("sha256")
    actual = hashlib.sha256(text.encode()).hexdigest()
    if digest != actual:
        table.fault(
            "The quoted words do not match their SHA-256.", f"Compare with the source; the hash is {actual}.", "sha256"
        )
    sets = tuple(_setting(inner) for inner in table.tables("sets", least=1))
    statute = Statute(table.text("id"), table.text("title"), text, table.text("source"), digest, sets)
    table.close()
    return statute


def _setting(table: Table) -> Setting:
    exactly = table.has("exactly")
    amount = table.whole("exactly" if exactly else "at_most", 0, 10_000)
    setting = Setting(table.text("value"), amount, exactly, table.text("unit"))
    table.close()
    return setting
