"""The published transit discounts as GTFS Schedule files with Fares v2, for whoever plans trips or shows fares.

Pure. One rider category for everybody (the default one) and one per perk; one fare product per listed price and
category, so that a stranger's price stands beside the holder's. An authority merges `rider_categories.txt` and
`fare_products.txt` into its own feed. The other files are there because a feed without them is not valid: they hold
one line between two places that says of itself that it is none. Reference: gtfs.org/documentation/schedule/reference.
The same perks have the same bytes, so a copy can be compared.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec

from incentives.book.kinds import KINDS
from incentives.book.perks import Perk, price

EVERYBODY = "standard"
SECTOR = "transit"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # what ZIP calls no time
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_YEAR = timedelta(days=365)
_NONE = "仅为满足格式要求，不是线路"


class Publisher(msgspec.Struct, frozen=True):
    """Who publishes: the operator's name, the deployment's address, the ISO 4217 code of the prices."""

    name: str
    url: str
    currency: str = "CNY"


def feed(perks: Iterable[Perk], by: Publisher, *, day: date) -> bytes:
    """The ZIP file of the feed that is in force from `day` on, for a year at most."""
    held = sorted((one for one in perks if shown(one, day)), key=lambda one: one.id)
    files = {**_frame(by, day), "rider_categories.txt": categories(held, by), **_fares(held, by)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in files.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), _csv(rows), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def shown(perk: Perk, day: date) -> bool:
    """Whether a perk is a transit discount with listed prices that is open on a day."""
    return perk.sector == SECTOR and KINDS[perk.kind].priced and bool(perk.prices) and not perk.rests(day)


def categories(perks: Sequence[Perk], by: Publisher) -> list[list[str]]:
    """`rider_categories.txt`: everybody, and whoever holds a perk; where to read how one comes to hold it."""
    rows = [["rider_category_id", "rider_category_name", "is_default_fare_category", "eligibility_url"]]
    rows.append([EVERYBODY, "普通乘客", "1", ""])
    rows += [[one.id, one.name, "0", f"{by.url}/v1/rules/perks"] for one in perks]
    return rows


def _fares(perks: Sequence[Perk], by: Publisher) -> dict[str, list[list[str]]]:
    """`fare_products.txt`, and one leg rule per product, so that none hangs in the air."""
    products = [["fare_product_id", "fare_product_name", "rider_category_id", "amount", "currency"]]
    numbers: dict[tuple[str, int], str] = {}
    for perk, one in ((held, one) for held in perks for one in held.prices):
        told = (one.item, one.stranger)
        if told not in numbers:
            numbers[told] = f"fare-{len(numbers) + 1}"
            products.append([numbers[told], one.item, EVERYBODY, _amount(one.stranger), by.currency])
        products.append([numbers[told], one.item, perk.id, _amount(price(perk, one.stranger)), by.currency])
    return {
        "fare_products.txt": products,
        "fare_leg_rules.txt": [["fare_product_id"], *([n] for n in numbers.values())],
    }


def _frame(by: Publisher, day: date) -> dict[str, list[list[str]]]:
    """What a feed must have beside fares."""
    until = f"{day + _YEAR:%Y%m%d}"
    return {
        "agency.txt": [
            ["agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"],
            ["operator", by.name, by.url, "Asia/Shanghai", "zh-CN"],
        ],
        "feed_info.txt": [
            ["feed_publisher_name", "feed_publisher_url", "feed_lang", "feed_start_date", "feed_end_date",
             "feed_version", "feed_contact_url"],
            [by.name, by.url, "zh-CN", f"{day:%Y%m%d}", until, f"{day}", by.url],
        ],
        "stops.txt": [
            ["stop_id", "stop_name", "stop_lat", "stop_lon"],
            ["a", f"甲（{_NONE}）", "31.2990", "120.5853"],
            ["b", f"乙（{_NONE}）", "31.3090", "120.5953"],
        ],
        "routes.txt": [
            ["route_id", "agency_id", "route_long_name", "route_type"],
            ["none", "operator", _NONE, "3"],
        ],
        "calendar.txt": [
            ["service_id", *_DAYS, "start_date", "end_date"],
            ["daily", *"1111111", f"{day:%Y%m%d}", until],
        ],
        "trips.txt": [["route_id", "service_id", "trip_id"], ["none", "daily", "none-1"]],
        "stop_times.txt": [
            ["trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "timepoint"],
            ["none-1", "08:00:00", "08:00:00", "a", "1", "1"],
            ["none-1", "08:10:00", "08:10:00", "b", "2", "1"],
        ],
    }  # fmt: skip


def _amount(fen: int) -> str:
    """Yuan with the two digits that ISO 4217 gives CNY."""
    return f"{fen // 100}.{fen % 100:02}"


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
