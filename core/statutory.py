"""Public holidays by statute, and whether a day is worked as far as one knows before the yearly notice.

全国年节及纪念日放假办法 (as amended 2024-11-08, in force 2025-01-01), article 2: 1 January; the eve and the first three
days of the lunar year; Qingming; 1 and 2 May; Dragon Boat; Mid-Autumn; 1 to 3 October. Which weekends are worked in
exchange (调休) only the State Council's notice says, each November for the next year, so what is told here of a year
without its notice is provisional. Pure. Years outside the table know the fixed days alone.
"""

from datetime import date, timedelta

# Month and day of 春节 (初一), 清明, 端午, 中秋. A test holds the table equal to another library's calendar.
_MOVABLE = {
    2025: "0129 0404 0531 1006",
    2026: "0217 0405 0619 0925",
    2027: "0206 0405 0609 0915",
    2028: "0126 0404 0528 1003",
    2029: "0213 0404 0616 0922",
    2030: "0203 0405 0605 0912",
    2031: "0123 0405 0624 1001",
    2032: "0211 0404 0612 0919",
    2033: "0131 0404 0601 0908",
    2034: "0219 0405 0620 0927",
    2035: "0208 0405 0610 0916",
    2036: "0128 0404 0530 1004",
    2037: "0215 0404 0618 0924",
    2038: "0204 0405 0607 0913",
    2039: "0124 0405 0527 1002",
    2040: "0212 0404 0614 0920",
    2041: "0201 0404 0603 0910",
    2042: "0122 0404 0622 0928",
    2043: "0210 0405 0611 0917",
    2044: "0130 0404 0531 1005",
    2045: "0217 0404 0619 0925",
    2046: "0206 0404 0608 0915",
    2047: "0126 0405 0529 1004",
    2048: "0214 0404 0615 0922",
    2049: "0202 0404 0604 0911",
    2050: "0123 0404 0623 0930",
}
_FIXED = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}
_SATURDAY = 5


def is_holiday(day: date) -> bool:
    """Whether the statute itself makes the day a holiday for everybody."""
    return (day.month, day.day) in _FIXED or day in _movable(day.year)


def is_workday(day: date) -> bool:
    """Whether the day is worked as far as the statute and the week tell, without the year's notice."""
    return day.weekday() < _SATURDAY and not is_holiday(day)


def _movable(year: int) -> set[date]:
    if (written := _MOVABLE.get(year)) is None:
        return set()
    spring, *others = (date(year, int(word[:2]), int(word[2:])) for word in written.split())
    return {spring + timedelta(days=days) for days in (-1, 0, 1, 2)} | set(others)
