"""The rules of self-declarations and commitments as frozen values.

Pure. A declaration counts only once a bureau that may send its kind verified it, and a false or unanswered one takes
nothing away (Liaoyuan 2020, articles 1 and 5). A commitment is made by a standard text in a version; it is never a
deduction by itself: only a bureau's written finding is (kind N06).
"""

import hashlib
from datetime import date

import msgspec

from core.policyfile import Document, Table
from scoring.book import basis
from scoring.book.basis import Basis, Claim
from scoring.book.repairfile import Pledge, pledge, span

_MOST_DAYS = 90
_MOST_TERM = 1825


class Declaring(msgspec.Struct, frozen=True):
    """What may be declared, by which pledge, and how long a bureau has: working days."""

    kinds: tuple[str, ...]
    answer_days: int
    lapse_days: int
    pledge: Pledge
    basis: Basis


class Item(msgspec.Struct, frozen=True):
    """One matter of the register: the standard text in its version, and how far ahead its day may be."""

    code: str
    name: str
    version: int
    text: str
    longest_days: int
    basis: Basis


class PromiseRules(msgspec.Struct, frozen=True):
    """The whole file."""

    version: str
    valid_from: date
    digest: str
    remind_days: int
    declaration: Declaring
    items: dict[str, Item]
    basis: Basis
    claims: tuple[Claim, ...]


def load(text: str, file: str) -> PromiseRules:
    """Read the file; raises `policyfile.Faulty` with every fault found."""
    document = Document(text, file)
    root = document.root
    claims: list[Claim] = []
    items = [_item(table) for table in root.tables("item", least=1)]
    rules = PromiseRules(
        version=root.text("version"),
        valid_from=root.day("valid_from"),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        remind_days=span(root.table("remind"), "commitment.remind", "days", _MOST_DAYS, claims),
        declaration=_declaring(root.table("declaration"), claims),
        items={one.code: one for one in items},
        basis=basis.read(root),
        claims=tuple(claims),
    )
    if len(rules.items) < len(items):
        root.fault("An item is listed twice.", "Each code stands once.", "item")
    root.close()
    document.close()
    return rules


def _declaring(table: Table, claims: list[Claim]) -> Declaring:
    found = Declaring(
        kinds=table.words("kinds"),
        answer_days=span(table.table("answer"), "declaration.answer", "days", _MOST_DAYS, claims),
        lapse_days=span(table.table("lapse"), "declaration.lapse", "days", _MOST_DAYS, claims),
        pledge=pledge(table.table("pledge")),
        basis=basis.read(table),
    )
    if wrong := [code for code in found.kinds if not code.startswith("P")]:
        table.fault(f"{', '.join(wrong)}: nobody declares a deduction.", "List positive kinds only.", "kinds")
    if found.lapse_days <= found.answer_days:
        table.fault("`lapse` is not after `answer`.", "Give the bureau time to be late.", "lapse")
    table.close()
    return found


def _item(table: Table) -> Item:
    found = Item(
        code=table.text("code"),
        name=table.text("name"),
        version=table.whole("version", 1, 1000),
        text=table.text("text"),
        longest_days=table.whole("longest_days", 1, _MOST_TERM),
        basis=basis.read(table),
    )
    table.close()
    return found
