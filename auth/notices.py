"""Reads a consent notice: Markdown in the citizen's language under a TOML head that says what it is about.

Pure. The head stands between two lines `+++` and names purpose, version, language, title, and the groups of sources:
core ones are taken or refused with the consent as a whole, each optional one has its own switch (PIPL articles 14
and 17). The digest is over the whole file, so that what was shown can be proved to the letter.
"""

import hashlib

import msgspec

from core.policyfile import Document, Fault, Faulty

_FENCE = "+++"
_VERSIONS = 100_000


class Notice(msgspec.Struct, frozen=True):
    """One version of a notice; `digest` is the SHA-256 of the file's UTF-8 bytes in hex."""

    purpose: str
    version: int
    language: str
    title: str
    digest: str
    core_sources: tuple[str, ...]
    optional_sources: tuple[str, ...]
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
        body_markdown=body.strip() + "\n",
    )
    if both := sorted(set(notice.core_sources) & set(notice.optional_sources)):
        root.fault(f"{', '.join(both)} is both core and optional.", "Name it once.", "optional_sources")
    if not body.strip():
        root.fault("The notice says nothing.", "Write the text under the head.")
    root.close()
    document.close()
    return notice
