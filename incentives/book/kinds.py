"""The kinds of perks, and what a file may say of each: money, a list of prices, measures, a field.

Pure. The list is closed: a benefit that is none of these does not load. A measure is a number that a stranger has, too;
the file states both numbers side by side, so that whoever reads it sees what points add.
"""

import msgspec


class Shape(msgspec.Struct, frozen=True):
    """What a kind may state. `money`: it waives a part of an amount; `priced`: strangers' prices are listed.

    `admits`: it sells a pass, and the file may say how that is used.
    """

    name: str
    money: bool = False
    priced: bool = False
    measures: tuple[str, ...] = ()
    fielded: bool = False
    admits: bool = False


class Gauge(msgspec.Struct, frozen=True):
    """A measure: its name, its unit, and whether more of it is better for the citizen."""

    name: str
    unit: str
    more_is_better: bool


KINDS = {
    "deposit_waiver": Shape("免押金", money=True),
    "allowance": Shape("更高限额", measures=("items", "days")),
    "discount": Shape("优惠价", money=True, priced=True),
    "annual_pass": Shape("年票优惠", money=True, priced=True, measures=("visits",), admits=True),
    "pay_later": Shape("先用后付", money=True, measures=("pay_days", "fee")),
    "parking": Shape("先离场后付费", money=True, measures=("minutes", "pay_days")),
    "public_service": Shape("办事便利", measures=("wait_days", "papers_days"), fielded=True),
}
GAUGES = {
    "items": Gauge("件数", "件", more_is_better=True),
    "days": Gauge("期限", "天", more_is_better=True),
    "visits": Gauge("可用次数", "次", more_is_better=True),
    "minutes": Gauge("免费时长", "分钟", more_is_better=True),
    "pay_days": Gauge("付款期限", "天", more_is_better=True),
    "papers_days": Gauge("材料可后补", "个工作日", more_is_better=True),
    "wait_days": Gauge("办理时限", "个工作日", more_is_better=False),
    "fee": Gauge("手续费", "分", more_is_better=False),
}
FIELDS = {
    "education": "教育",
    "employment": "就业",
    "social_services": "社会服务",
    "sports_hall": "体育场馆",
    "housing": "住房",
}
