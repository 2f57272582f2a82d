"""The demo city: who lives in it, who is connected, and what the bureaus know. All made up.

ID numbers begin with 990000, a region that does not exist, and have valid check digits (GB 11643). Nothing here is
stored until a demo person consents through the public API; the minor, the stranger and the person who left show that.
"""

from datetime import date
from typing import Any

import msgspec

from api.sandbox import lines
from core import idnumber

PASSWORD = "osmanthus-demo"  # noqa: S105  (a made-up city's password, printed on its login page)
CARD_PIN = "204816"
CARDS = ("9900000000012345", "9900000000023456", "9900000000034567")  # the card company's stock; the first is bound


COUNTER = "staff-counter"


class Person(msgspec.Struct, frozen=True):
    """A demo person; `records` are source lines without identity, by source; `joins` says whether the seed consents.

    `shares`: with which partners for which perks (`<partner>/<perk>`) the seed lets them be known, besides.
    """

    name: str
    id_number: str
    note: str
    login: str | None = None
    card_no: str | None = None
    pin: str | None = None
    joins: bool = False
    leaves: bool = False
    shares: tuple[str, ...] = ()
    records: dict[str, list[dict[str, Any]]] = {}


class Connected(msgspec.Struct, frozen=True):
    """A client of the demo city, by its name in the kit."""

    client_id: str
    role: str
    name: str
    scopes: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    perks: tuple[str, ...] = ()


CLIENTS = (
    Connected(
        "city-library",
        "partner",
        "示范市图书馆",
        ("eligibility:check", "orders:write"),
        (),
        ("library.deposit-free", "library.more-books"),
    ),
    Connected(
        "guixing-bikes", "partner", "桂行共享单车", ("eligibility:check", "orders:write"), (), ("rental.deposit-free",)
    ),
    *(
        Connected(client_id, "partner", name, ("eligibility:check", "orders:write"), (), perks)
        for client_id, name, perks in (
            ("metro", "示范市轨道交通", ("transit.discount",)),
            ("old-town", "示范市古城景区", ("tourism.ticket", "tourism.annual-pass")),
            ("city-hospital", "示范市第一医院", ("health.pay-later",)),
            ("city-parking", "示范市停车管理公司", ("parking.leave-first",)),
            ("city-hotel", "示范市桂花酒店", ("rental.hotel",)),
        )
    ),
    Connected(
        "utilities",
        "source",
        "示范市公用事业（水电气、租赁、社保）",
        ("records:write",),
        ("P01", "P02", "P03", "P07", "P21", "P22"),
    ),
    Connected("library", "source", "示范市图书馆流通部", ("records:write",), ("P04",)),
    Connected("volunteer", "source", "示范市志愿服务联合会", ("records:write",), ("P08", "P09")),
    Connected(
        "civic", "source", "示范市文明办与民政局", ("records:write",), ("P12", "P13", "P14", "P15", "P16", "P17")
    ),
    Connected(
        "enforcement",
        "source",
        "示范市公共信用信息中心",
        ("records:write",),
        ("P06", "N01", "N02", "N03", "N04", "N05", "N06"),
    ),
    Connected(
        "occupation", "source", "示范市卫生健康与人社部门", ("records:write",), ("O01", "O02", "O03", "O04", "O05")
    ),
    Connected(
        "city-card", "citycard", "示范市市民卡公司", ("citycard",), (), ("library.deposit-free", "transit.discount")
    ),
    Connected(
        "staff-drafter",
        "staff",
        "信用办·规则起草岗",
        ("staff:releases", "staff:assessments"),
    ),
    Connected(
        "staff-approver",
        "staff",
        "信用办·规则审核岗",
        ("staff:releases", "staff:assessments"),
    ),
    Connected(COUNTER, "staff", "示范市政务服务中心信用窗口", ("staff:clerks", "staff:counter")),
    Connected(
        "staff-rights",
        "staff",
        "信用办·修复与异议岗",
        ("staff:repairs", "staff:disputes", "staff:orders", "staff:quality", "staff:calendar"),
    ),
    Connected(
        "staff-desk",
        "staff",
        "示范市信用办公室",
        (
            *("staff:assessments", "staff:audits", "staff:calendar", "staff:clerks", "staff:clients"),
            *("staff:disputes", "staff:incidents", "staff:orders", "staff:quality", "staff:releases"),
            *("staff:repairs", "staff:reviews"),
        ),
    ),
)
CITIZEN_CLIENT = "citizen-app"

# Name, birthday, serial number of the ID number.
_BORN = (
    ("陈桂芳", date(1968, 5, 12), 124),
    ("李明远", date(1996, 11, 3), 217),
    ("王晓清", date(1990, 2, 28), 345),
    ("赵安", date(1985, 8, 19), 411),
    ("周立新", date(1979, 12, 1), 533),
    ("孙海燕", date(1993, 4, 7), 629),
    ("吴小禾", date(2012, 6, 1), 718),
    ("何访", date(1988, 9, 9), 812),
    ("郑存善", date(1951, 1, 23), 957),
    ("林致远", date(1982, 3, 14), 161),
    ("黄向前", date(1975, 10, 8), 275),
)


def id_number(birth: date, serial: int) -> str:
    """A made-up ID number of region 990000 with a valid check digit."""
    return idnumber.complete(f"990000{birth:%Y%m%d}{serial:03d}")


def _long_kept(today: date) -> dict[str, list[dict[str, Any]]]:
    """Two years of bills, a year of loans and Saturdays, an honour."""
    past = list(lines.months_back(today, 12))
    return {
        "utilities": lines.bills("P01", "SW-20417", today, 24),
        "library": [lines.loan(f"JY-{month:%Y%m}", month) for month in past],
        "volunteer": [lines.service(f"ZY-{month:%Y%m}", month.replace(day=9), 4) for month in past],
        "civic": [lines.honour("P14", "RY-0001", past[5], "city")],
    }


def _one_tenth_short(today: date) -> dict[str, list[dict[str, Any]]]:
    """19 months of rent (9.5) and two hours (0.4) on top of 110: 119.9."""
    last = next(lines.months_back(today, 1))
    return {
        "utilities": lines.bills("P21", "ZL-88213", today, 19),
        "volunteer": [lines.service("ZY-1", last.replace(day=12), 2)],
    }


def _penalised(today: date, no: int, *, months: int) -> dict[str, list[dict[str, Any]]]:
    """Ten months of bills and one general penalty that took effect so many months ago."""
    *_, month = lines.months_back(today, months)
    return {
        "utilities": lines.bills("P02", f"DL-511{no}", today, 10),
        "enforcement": [lines.penalty(str(no), month.replace(day=15))],
    }


def people(today: date) -> list[Person]:
    """Everybody, with records that end in the months before `today`."""
    rent, bills = _one_tenth_short(today), {"utilities": lines.bills("P01", "SW-7", today, 6)}
    disputed, old = _penalised(today, 17, months=3), _penalised(today, 23, months=6)
    born = {name: id_number(day, serial) for name, day, serial in _BORN}
    return [
        Person("陈桂芳", born["陈桂芳"], "high", "chen.guifang", joins=True, records=_long_kept(today)),
        Person("李明远", born["李明远"], "just_below", "li.mingyuan", joins=True, records=rent),
        Person("王晓清", born["王晓清"], "clean_no_records", "wang.xiaoqing", joins=True),
        Person("赵安", born["赵安"], "not_enrolled", "zhao.an", records=bills),
        Person("周立新", born["周立新"], "withdrew", "zhou.lixin", joins=True, leaves=True),
        Person("孙海燕", born["孙海燕"], "open_dispute", "sun.haiyan", joins=True, records=disputed),
        Person("吴小禾", born["吴小禾"], "minor", "wu.xiaohe"),
        Person("何访", born["何访"], "visitor", "he.fang"),
        Person("林致远", born["林致远"], "repairable", "lin.zhiyuan", joins=True, records=old),
        Person("黄向前", born["黄向前"], "declared", "huang.xiangqian", joins=True),
        Person(
            "郑存善", born["郑存善"], "card_only", card_no=CARDS[0], pin=CARD_PIN, joins=True,
            shares=("city-card/transit.discount",),
        ),
    ]  # fmt: skip


def entries(today: date) -> list[dict[str, Any]]:
    """Everybody as the kit lists them; who has no login comes by card alone."""
    return [_entry(person) for person in people(today)]


def _entry(person: Person) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "login": person.login,
        "password": PASSWORD if person.login else None,
        "name": person.name,
        "id_number": person.id_number,
        "note": person.note,
    }
    return entry | ({"card_no": person.card_no, "pin": person.pin} if person.card_no else {})
