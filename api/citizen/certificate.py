"""The erasure certificate: what was destroyed, what remains and by which law, until when copies can be read.

A JWS (RFC 7515) with `typ` `erasure-certificate+jwt`, signed by the receipts' key, which `/.well-known/jwks.json`
publishes: it can be checked offline and years later. It holds no name and no number of the person.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from api.deps import House
from core import ids
from core.signed import Signer
from incentives.receipts import KID

TYPE = "erasure-certificate+jwt"


class Destroyed(msgspec.Struct, frozen=True):
    """How many rows of a table were destroyed."""

    table: str
    rows: int


class Remains(msgspec.Struct, frozen=True):
    """What stays, why, by which law, and for how long."""

    what: str
    why: str
    law: str
    until: str


class Certificate(msgspec.Struct, frozen=True):
    """The payload. `keys`: purpose/epoch/beginning of the digest of each key as it was kept."""

    iss: str
    jti: str
    iat: int
    left_at: datetime
    destroyed: list[Destroyed]
    keys: list[str]
    remains: list[Remains]
    unreadable_everywhere_by: datetime
    statement: str


_STATEMENT = (
    "您的个人信息已从本系统删除，加密密钥已销毁。备份中的密文在所示日期之前全部无法读取。"
    "留存的内容只在一个随机编号之下，没有任何信息能由它找到您。以后再次使用，将作为新的用户从头开始。"
)


_REMAINS = (
    Remains(
        "您曾经作出的同意和撤回（在随机编号之下，不含姓名和号码）",
        "证明处理曾得到您的同意",
        "个人信息保护法第14、17条；网络数据安全管理条例第12条",
        "三年",
    ),
    Remains(
        "谁在何时为何查询过的记录（在随机编号之下，不含姓名和号码）",
        "查询记录的法定保存",
        "深圳经济特区社会信用条例第45条；浙江省公共信用信息管理条例第20条",
        "十年",
    ),
    Remains("日志的数字摘要", "证明日志没有被改动", "网络安全法第21条", "长期；摘要不含个人信息"),
    Remains("与来源单位约定的编码，标为“已退出”", "让来源单位停止报送", "个人信息保护法第47条", "三十天"),
    Remains(
        "密钥已销毁的登记（随机编号）",
        "万一从备份恢复，先再次删除",
        "个人信息保护法第47、51条",
        "备份存续期间",
    ),
    Remains(
        "商户一方的订单账目：订单号、金额、时间（与您的联系已切断）",
        "商户对账",
        "电子商务法第31条",
        "与商户账目相同",
    ),
    Remains("本证明", "供您再次取回", "个人信息保护法第50条", "三年"),
)


def remains() -> list[Remains]:
    """What stays after a leaving, whoever leaves."""
    return list(_REMAINS)


def sign(house: House, number: uuid.UUID, *, at: datetime, destroyed: list[Destroyed], keys: Iterable[str]) -> str:
    """The compact JWS. `at` is the instant of the leaving; copies can be read at most so many days longer."""
    payload = Certificate(
        iss=house.settings.base_url,
        jti=ids.show("le", number),
        iat=int(at.timestamp()),
        left_at=at,
        destroyed=destroyed,
        keys=list(keys),
        remains=remains(),
        unreadable_everywhere_by=at + timedelta(days=house.settings.forgotten_within_days()),
        statement=_STATEMENT,
    )
    return Signer(house.ring.ed25519(KID), TYPE).sign(payload)
