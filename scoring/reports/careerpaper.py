"""What stands on an occupational report. Pure.

Each record with its day, its source and the paper behind it; what its holder left out is left out by kinds, never by
records, so that nobody picks the good ones of a kind. A report that leaves kinds out says so.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from scoring.reports.letters import plain
from scoring.reports.paper import LONGEST_DAYS, TERMS, Holder, Paper, Part, Row, facts, watermark

KINDS = ("O01", "O02", "O03", "O04", "O05")
_NOT_NEEDED = "任何单位不得因为没有这份报告而拒绝提供服务。"
_NAME = 30
_WIDE = 60


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the holder wants shown: `leave_out` names kinds; `days`: for how long it can be checked.

    `full_name`: the name as it is, not masked. `recipient`: for whose eyes, across the page.
    """

    leave_out: tuple[Annotated[str, Meta(pattern=r"^O\d\d$")], ...] = ()
    full_name: bool = False
    days: Annotated[int, Meta(ge=1, le=LONGEST_DAYS)] = 30
    recipient: Annotated[str, Meta(max_length=_NAME)] = ""


class Record(Protocol):
    """What is asked of a record."""

    @property
    def source(self) -> str:
        """Who sent it."""
        ...

    @property
    def name(self) -> str:
        """What its kind is called."""
        ...

    @property
    def label(self) -> str:
        """What it is, in a line."""
        ...

    @property
    def content(self) -> Any:
        """Its kind, fields and document."""
        ...


def of_career(
    choice: Choice,
    holder: Holder,
    records: Sequence[Record],
    *,
    names: Mapping[str, str],
    issuer: str,
    issued_on: date,
    valid_until: date,
) -> Paper:
    """The paper; `names` are those of the sources."""
    kept = [one for one in records if one.content.kind not in choice.leave_out]
    groups: dict[str, list[Record]] = {}
    for one in sorted(kept, key=lambda one: one.content.kind):
        groups.setdefault(one.name, []).append(one)
    parts = [Part(name, ("内容", "来源"), tuple(_row(one, names) for one in found)) for name, found in groups.items()]
    left = "持有人选择不显示其中的一些种类。" if choice.leave_out else ""
    parts = parts or [Part("职业信用记录", ("", ""), (), "没有可以显示的记录。")]
    return Paper(
        title="职业信用报告",
        subtitle="由本人申请，由本人决定出示；与桂花分无关，不计分、不评级",
        issuer=plain(issuer, _NAME),
        issued_on=issued_on,
        valid_until=valid_until,
        facts=facts(choice, holder, {}),
        headline=(),
        parts=tuple(parts),
        terms=(TERMS[0], _NOT_NEEDED, *TERMS[2:], *([left] if left else [])),
        watermark=watermark(choice),
    )


def _row(one: Record, names: Mapping[str, str]) -> Row:
    fields: dict[str, Any] = one.content.fields
    document: dict[str, Any] | None = one.content.document
    said = [fields[name] for name in ("profession", "title", "programme", "class", "cycle") if fields.get(name)]
    number = f"{document['authority']} {document['no']}" if document else ""
    note = "，".join(plain(str(part), _WIDE) for part in (*said, number) if part)
    return Row(plain(one.label, _WIDE), plain(names.get(one.source, "已注销的单位"), _NAME), note)
