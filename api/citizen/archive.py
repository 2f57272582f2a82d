"""The portable archive: one ZIP that a person opens and a machine reads, signed as a whole (PIPL article 45).

`README.txt` says in Chinese what is inside; `export.json` is everything held, after the schema that
`/v1/rules/export.schema.json` publishes; `rules/<digest>.toml` are the scorecards by which the points were counted, to
the byte; `manifest.json` names every file with its digest, and `manifest.jws` is that manifest signed.
`docs/examples/check_export.py` counts the points again from it, without us.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from joserfc.jwk import OKPKey

from api.citizen.commitments import View as Commitment
from api.citizen.consents import View as Consent
from api.citizen.declarations import View as Declaration
from api.citizen.disputes import View as Dispute
from api.citizen.me import Access
from api.citizen.occupational import View as Occupational
from api.citizen.orders import View as Order
from api.citizen.repairs import View as Repair
from api.citizen.report import View as Report
from api.citizen.reviews import View as Matter
from auth.holdings import Drawn, Known
from core.signed import Signer
from incentives.credentials.copies import Batch
from incentives.holdings import HeldCode, HeldDecision
from incentives.plates.bound import Plate
from incentives.rides.days import Ridden
from scoring.exporting import Enrolment

FORMAT = "osmanthus-export-1"
TYPE = "export-manifest+jwt"
DATA = "export.json"


class Profile(msgspec.Struct, frozen=True):
    """Who the citizen is, as the identity provider proved it, null where nobody did; `assurance` 1-3."""

    name: str | None
    id_number: str | None
    birth_date: date | None
    phone: str | None
    assurance: int


class Export(msgspec.Struct, frozen=True):
    """Everything held about one citizen. `enrolment` is null without a live `score` consent.

    `ways_in`: accounts, logins and what they opened, by table; `sources` may send about the citizen now; `names` are
    the organisations behind the client ids in `records`, `decisions` and `rides`; `orders` name theirs.
    """

    format: str
    made_at: datetime
    made_by: str
    profile: Profile
    ways_in: Mapping[str, list[dict[str, Any]]]
    consents: list[Consent]
    codes_drawn: list[Drawn]
    codes: list[HeldCode]
    sources: list[Known]
    enrolment: Enrolment | None
    decisions: list[HeldDecision]
    orders: list[Order]
    rides: list[Ridden]
    plates: list[Plate]
    credentials: list[Batch]
    reviews: list[Matter]
    corrections: list[Matter]
    disputes: list[Dispute]
    reports: list[Report]
    occupational: list[Occupational]
    repairs: list[Repair]
    declarations: list[Declaration]
    commitments: list[Commitment]
    accesses: list[Access]
    names: dict[str, str]


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `export.json`."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FORMAT}
    return {**dialect, **msgspec.json.schema(Export)}


def files(export: Export, rules: Mapping[str, str], *, key: OKPKey) -> dict[str, bytes]:
    """The archive's files by name. `rules` are scorecard texts by digest; `key` signs the manifest."""
    made = {
        "README.txt": _readme(export).encode(),
        DATA: msgspec.json.format(msgspec.json.encode(export), indent=2),
        **{f"rules/{digest}.toml": text.encode() for digest, text in rules.items()},
    }
    digests = {name: {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)} for name, body in made.items()}
    manifest = {"format": FORMAT, "made_at": export.made_at, "files": digests}
    made["manifest.json"] = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    made["manifest.jws"] = Signer(key, TYPE).sign(manifest).encode()
    return made


class _Sink(io.RawIOBase):
    """Keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._waiting += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self._waiting = bytes(self._waiting), bytearray()
        return taken


def pack(made: Mapping[str, bytes], *, at: datetime) -> Iterator[bytes]:
    """The ZIP over these files, piece by piece; the same files give the same bytes."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in made.items():
            entry = zipfile.ZipInfo(name, at.timetuple()[:6])
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(entry, body)
            yield sink.take()
    yield sink.take()


def _readme(export: Export) -> str:
    """What is inside, for its owner."""
    lines = [
        f"{export.made_by}保存的关于您的全部信息",
        f"导出时间：{export.made_at:%Y-%m-%d %H:%M}（世界协调时）",
        "",
        *_points(export.enrolment),
        f"同意 {len(export.consents)} 项；机构查询和变更 {len(export.accesses)} 次。",
        f"使用便利的结果 {len(export.decisions)} 个，订单 {len(export.orders)} 个，乘车优惠 {len(export.rides)} 天。",
        f"异地互认凭证 {sum(one.given for one in export.credentials)} 份。",
        f"人工复核 {len(export.reviews)} 件；更正 {len(export.corrections)} 件；异议 {len(export.disputes)} 件。",
        "",
        "文件说明：",
        "  README.txt      本说明",
        "  export.json     全部信息（可用浏览器或记事本打开；格式说明：/v1/rules/export.schema.json）",
        "  rules/          计算分数所用的评分规则原文",
        "  manifest.json   每个文件的数字摘要；manifest.jws 是它的电子签名",
        "",
        "怎样自己核对分数：docs/examples/check_export.py 不联网、不依赖我们的程序，按规则原文逐项重算。",
        "这个压缩包里有您的姓名和身份证号码，请妥善保管，不要随意转发。",
        "觉得有误？可以要求更正，也可以要求人工复核：登录后看“我的权利”，或者到服务窗口。",
    ]
    return "\r\n".join(lines) + "\r\n"


def _points(enrolment: Enrolment | None) -> list[str]:
    if enrolment is None:
        return ["您现在没有加入桂花分，所以没有分数，也没有记录。"]
    score = enrolment.score
    parts = [f"  {one.name}：{one.points:g}分" for one in score.dimensions]
    parts += [f"  {one.name}：{one.points:g}分" for one in score.deductions]
    return [
        f"截至{enrolment.as_of}，您的分数是{score.points:g}分，等级“{score.tier}”；记录{len(enrolment.records)}条。",
        f"  起始：{score.range.base:g}分",
        *parts,
        f"评分规则：{score.scorecard.title}（{score.scorecard.basis.cite}）",
        "",
    ]
