"""The clocks of a dispute as frozen values: working days that each side has.

Pure. SZX articles 50 and 51 are the strictest clocks found. Whatever they say, a disputed deduction does not count
while it waits, so that no clock is at the citizen's cost.
"""

import hashlib
from datetime import date

import msgspec

from core.policyfile import Document
from scoring.book import basis
from scoring.book.basis import Basis, Claim
from scoring.book.changes import Change
from scoring.book.repairfile import span

_NAMES = {
    "dispute.check": "本平台自查",
    "dispute.answer": "来源单位答复",
    "dispute.extension": "批准延长",
    "dispute.decide": "负责人督办",
}
MOST_DAYS = 20  # what the longest rule found gives to the whole of it (CIR article 25)


class DisputeRules(msgspec.Struct, frozen=True):
    """The whole file; days are working days. `extension_days` run on from the day on which the answer was due."""

    version: str
    valid_from: date
    digest: str
    check_days: int
    answer_days: int
    extension_days: int
    decide_days: int
    basis: Basis
    claims: tuple[Claim, ...]

    def days(self, state: str) -> int:
        """How long an office has in an open state."""
        return {
            "opened": self.check_days,
            "with_source": self.answer_days,
            "extended": self.extension_days,
            "escalated": self.decide_days,
        }[state]


# What rules until two persons published a file: the shipped numbers, since nobody may wait for ever.
UNPUBLISHED = DisputeRules("", date.min, "", 1, 2, 3, 1, Basis("demo", ""), ())


def load(text: str, file: str) -> DisputeRules:
    """Read the file; raises `policyfile.Faulty` with every fault found."""
    document = Document(text, file)
    root = document.root
    claims: list[Claim] = []
    rules = DisputeRules(
        version=root.text("version"),
        valid_from=root.day("valid_from"),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        check_days=span(root.table("check"), "dispute.check", "days", MOST_DAYS, claims),
        answer_days=span(root.table("answer"), "dispute.answer", "days", MOST_DAYS, claims),
        extension_days=span(root.table("extension"), "dispute.extension", "days", MOST_DAYS, claims),
        decide_days=span(root.table("decide"), "dispute.decide", "days", MOST_DAYS, claims),
        basis=basis.read(root),
        claims=tuple(claims),
    )
    for claim in claims if not document.faults else ():
        if not claim.amount:
            root.fault(f"{claim.value}: nobody can act in no time.", "Give one working day at least.")
    root.close()
    document.close()
    return rules


def compare(old: DisputeRules, new: DisputeRules) -> tuple[Change, ...]:
    """Give every clock that changes; no point depends on any."""
    return tuple(
        Change(
            one.value, "异议期限", "days", _NAMES[one.value], f"{one.amount}个工作日", f"{other.amount}个工作日",
            one.basis.shown(), other.basis.shown(), "days",
        )
        for one, other in zip(old.claims, new.claims, strict=True)
        if (one.amount, one.basis) != (other.amount, other.basis)
    )  # fmt: skip
