"""What a perk gives, beside what everybody has, in the words of the citizen's page."""

from datetime import date

from api.citizen.perks import There
from api.pages.words import yuan
from incentives.allotments import Left
from incentives.book.kinds import GAUGES
from incentives.book.perks import Measure
from incentives.book.places import words
from incentives.rulebook import Terms

_NOTHING = {"wait_days": "当场办结", "papers_days": "当场交齐", "pay_days": "当场付款", "fee": "不收"}
_EVERY = {"day": "今天", "month": "这个月", "year": "今年", "ever": "一共"}


def measure(one: Measure) -> str:
    """Read as 件数：普通10件，凭信用20件."""
    gauge = GAUGES[one.name]
    stranger, granted = (_value(one.name, value) for value in (one.stranger, one.granted))
    return f"{gauge.name}：普通{stranger}，凭信用{granted}"


def left(one: Left) -> str:
    """Read as 这个月还可以用58次（共60次）."""
    parts: list[str] = []
    if one.count is not None:
        parts.append(f"还可以用{one.count}次（共{one.of_count}次）")
    if one.amount is not None:
        parts.append(f"还可以免{yuan(one.amount)}（共{yuan(one.of_amount or 0)}）")
    return f"{_EVERY[one.every]}{'，'.join(parts)}"


def there(one: There) -> str:
    """Read as 春季惠民游（2027年3月1日至2027年4月15日）：优惠30%，最多40元."""
    when = f"（{_day(one.from_on)}至{_day(one.until_on)}）" if one.from_on and one.until_on else ""
    return f"{one.name}{when}：{_terms(one.terms)}"


def _day(value: date) -> str:
    return f"{value.year}年{value.month}月{value.day}日"


def _terms(terms: Terms) -> str:
    off = f"优惠{terms.percent}%" if 0 < terms.percent < 100 else ""  # noqa: PLR2004  (a hundred percent)
    minus = f"减{yuan(terms.minus)}" if terms.minus else ""
    most = f"最多{yuan(terms.cap)}" if terms.cap else ""
    return "，".join(part for part in (off, minus, most, words(terms.measures)) if part)


def _value(name: str, value: int) -> str:
    if value == 0 and name in _NOTHING:
        return _NOTHING[name]
    return yuan(value) if name == "fee" else f"{value}{GAUGES[name].unit}"
