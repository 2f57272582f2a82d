"""`/v1/me` and who looked: the caller's masked profile, and every access to their data."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import leaving
from api.citizen.door import behind
from api.deps import House
from auth import accounts, citizens, clients
from auth.consent import ledger
from core import audit, ids
from core.errors import FieldError, Invalid

_PAGE = 50
_OURS = {"citizen": "本人", "system": "系统（自动）", "proxy": "您授权查看的亲友", "anyone": "持有报告编号的人"}


class Right(msgspec.Struct, frozen=True):
    """Something that the caller may do with what is held about them: in words, where, and by which law."""

    name: str
    method: str
    href: str
    law: str


RIGHTS = (
    Right("查看和复制：我的分数和每一分的来由", "GET", "/v1/me/score", "个人信息保护法第45条"),
    Right("查看：保存着哪些记录", "GET", "/v1/me/records", "个人信息保护法第45条"),
    Right("查看：谁看过我的信息", "GET", "/v1/me/accesses", "深圳经济特区社会信用条例第45条"),
    Right("出示：可以查验的报告", "GET", "/v1/me/report.pdf", "上海市社会信用条例第34条"),
    Right("带走：导出全部信息", "GET", "/v1/me/export", "个人信息保护法第45条"),
    Right("更正：资料或记录有误", "POST", "/v1/me/corrections", "个人信息保护法第46条"),
    Right("说明：在记录旁写下自己的话", "POST", "/v1/me/records/{id}/statement", "征信业管理条例第16条"),
    Right("不计：隐藏一条加分记录", "POST", "/v1/me/records/{id}/hide", "深圳经济特区社会信用条例第39条"),
    Right("拒收：某一类加分记录", "PUT", "/v1/me/records/categories/{kind}/refusal", "深圳经济特区社会信用条例第39条"),
    Right("人工复核：任何结果", "POST", "/v1/me/reviews", "个人信息保护法第24条"),
    Right("撤回同意并删除", "DELETE", "/v1/me/consents/{id}", "个人信息保护法第15、47条"),
    Right("离开：会发生什么", "GET", "/v1/me/leaving", "个人信息保护法第48条"),
    Right("离开：销毁一切并取得证明", "DELETE", "/v1/me", "个人信息保护法第15、47条"),
)


class Me(msgspec.Struct, frozen=True):
    """Masked: `name` keeps its first and last character, `id_number` its region and last digit, `phone` three and four.

    Null is what nobody has proved yet. `assurance` is what this login proved: 1 WeChat, 2 with a phone, 3 a real name.
    """

    name: str | None
    id_number: str | None
    phone: str | None
    assurance: int
    enrolled: bool
    consent_id: str | None
    rights: tuple[Right, ...]


class Access(msgspec.Struct, frozen=True):
    """Who read or changed what, why, when, and what came out. `by` is the name of the organisation."""

    id: str
    at: datetime
    by: str
    by_kind: str
    action: str
    purpose: str
    outcome: str
    detail: dict[str, Any]


class Accesses(msgspec.Struct, frozen=True):
    """A page, newest first; send `next_cursor` as `cursor` for the next one."""

    accesses: list[Access]
    next_cursor: str | None


def mask_name(name: str) -> str:
    """张三明 -> 张*明, 张三 -> 张*."""
    return name[0] + "*" if len(name) < 3 else name[0] + "*" * (len(name) - 2) + name[-1]  # noqa: PLR2004


def mask_number(number: str) -> str:
    """Keep the region (6) and the last character."""
    return number[:6] + "*" * (len(number) - 7) + number[-1]


def mask_phone(number: str) -> str:
    """Keep the first three and the last four digits."""
    return number[:3] + "*" * (len(number) - 7) + number[-4:]


@get("/v1/me", summary="Masked profile", tags=["citizen"])
async def me(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Me:
    """Who we take the caller for, and whether they take part."""
    profile = await citizens.known_profile(session, house.ring, caller.id)
    phone = await accounts.phone_of(session, house.ring, citizen_id=caller.id)
    given = await ledger.live(session, citizen_id=caller.id, purpose="score")
    return Me(
        name=mask_name(profile.name) if profile else None,
        id_number=mask_number(profile.id_number) if profile else None,
        phone=phone and mask_phone(phone),
        assurance=caller.acr,
        enrolled=given is not None,
        consent_id=ids.show("co", given.id) if given else None,
        rights=RIGHTS,
    )


def page_size(limit: int) -> int:
    """A list's `limit`, 1 to 100."""
    if not 1 <= limit <= 2 * _PAGE:
        raise Invalid(errors=[FieldError("/limit", "out_of_range", "Use 1 to 100.")])
    return limit


@get("/v1/me/accesses", summary="Who looked", tags=["citizen"])
async def accesses(
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Citizen],
    limit: FromQuery[int] = _PAGE,
    cursor: FromQuery[str | None] = None,
    by: FromQuery[Literal["me", "others"] | None] = None,
) -> Accesses:
    """Every access to the caller's data, newest first; `by` keeps to the caller's own acts, or to everybody else's."""
    before = ids.read("ac", cursor) if cursor else None
    entries = await audit.about(
        session, owner=caller.id, limit=page_size(limit) + 1, before=before, own=by and by == "me"
    )
    names = await clients.names(session, {entry.actor.id for entry in entries})
    shown = [show(entry, names) for entry in entries[:limit]]
    return Accesses(shown, shown[-1].id if len(entries) > limit else None)


def show(entry: audit.Entry, names: dict[str, str]) -> Access:
    """An audit entry in the words of its owner."""
    return Access(
        id=ids.show("ac", entry.id),
        at=entry.at,
        by=_OURS.get(entry.actor.kind) or names.get(entry.actor.id, entry.actor.id),
        by_kind=entry.actor.kind,
        action=entry.action,
        purpose=entry.purpose,
        outcome=entry.outcome,
        detail=entry.detail,
    )


handlers = [behind([me, accesses, leaving.leave])]  # one address, one router
