"""Reads a consent notice: Markdown in the citizen's language under a TOML head that says what it is about.

Pure. The head stands between two lines `+++` and names purpose, version, language, title, and the groups of sources:
core ones are taken or refused with the consent as a whole, each optional one has its own switch (PIPL articles 14
and 17). It also says in a few words what receipts repeat: what for, how long, with what consequence, to whom. A version
that `widens` what is done (another purpose, method or kind of data) ends consents to older ones on its day. The digest
is over the whole file, so that what was shown can be proved to the letter.
"""

import hashlib

import msgspec

from core.policyfile import Document, Fault, Faulty, Table

_FENCE = "+++"
_VERSIONS = 100_000


class Recipient(msgspec.Struct, frozen=True):
    """Who may receive under this notice, where the notice itself names them (PIPL article 23)."""

    id: str
    name: str
    address: str
    contact: str


class Notice(msgspec.Struct, frozen=True):
    """One version of a notice; `digest` is the SHA-256 of the file's UTF-8 bytes in hex."""

    purpose: str
    version: int
    language: str
    title: str
    digest: str
    core_sources: tuple[str, ...]
    optional_sources: tuple[str, ...]
    aim: str
    retention: str
    consequence: str
    automated: bool
    widens: bool
    recipients: tuple[Recipient, ...]
    body_markdown: str


def load(text: str, file: str) -> Notice:
    """Read a notice; raises `policyfile.Faulty` with every fault found, each with its line."""
    head, fence, body = text.removeprefix(_FENCE + "\n").partition(f"\n{_FENCE}\n")
    if not text.startswith(_FENCE + "\n") or not fence:
        advice = f"Begin with a line {_FENCE}, then purpose, version and so on, then another line {_FENCE}."
        raise Faulty([Fault(file, 1, "The notice has no head.", advice)])
    document = Document("\n" + head, file)  # the fence is line 1
    root = document.root
    notice = Notice(
        purpose=root.text("purpose"),
        version=root.whole("version", 1, _VERSIONS),
        language=root.text("language"),
        title=root.text("title"),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        core_sources=root.words("core_sources", ()),
        optional_sources=root.words("optional_sources", ()),
        aim=root.text("aim"),
        retention=root.text("retention"),
        consequence=root.text("consequence"),
        automated=root.flag("automated", default=True),
        widens=root.flag("widens", default=False),
        recipients=tuple(_recipient(table) for table in root.tables("recipients")),
        body_markdown=body.strip() + "\n",
    )
    if both := sorted(set(notice.core_sources) & set(notice.optional_sources)):
        root.fault(f"{', '.join(both)} is both core and optional.", "Name it once.", "optional_sources")
    if not body.strip():
        root.fault("The notice says nothing.", "Write the text under the head.")
    root.close()
    document.close()
    return notice


def _recipient(table: Table) -> Recipient:
    found = Recipient(table.text("id"), table.text("name"), table.text("address"), table.text("contact"))
    table.close()
    return found
