"""The transit discounts as GTFS files."""

import csv
import io
import zipfile
from datetime import date, timedelta

import msgspec

from core.settings import ROOT
from incentives.book import perkfile
from incentives.book.perks import Perk
from incentives.rides import gtfs
from incentives.rides.gtfs import Publisher

DAY = date(2026, 11, 22)
CITY = Publisher("示范市市民卡公司", "https://credit.example.city")
(TRANSIT,) = perkfile.load((ROOT / "policy/perks/transit.toml").read_text(), "transit.toml")


def files(*perks: Perk) -> dict[str, list[dict[str, str]]]:
    """The rows of every file of a feed."""
    with zipfile.ZipFile(io.BytesIO(gtfs.feed(perks, CITY, day=DAY))) as archive:
        return {name: list(csv.DictReader(io.StringIO(archive.read(name).decode()))) for name in archive.namelist()}


class TestFeed:
    """What is in it."""

    def test_everybody_is_the_default_category(self) -> None:
        """And each perk a category of its own, with where to read how one comes to hold it."""
        everybody, holder = files(TRANSIT)["rider_categories.txt"]
        assert (everybody["rider_category_id"], everybody["is_default_fare_category"]) == ("standard", "1")
        assert holder["rider_category_name"] == "公交地铁九折"
        assert holder["is_default_fare_category"] == "0"
        assert holder["eligibility_url"].startswith("https://credit.example.city/")

    def test_each_price_stands_twice(self) -> None:
        """What a stranger pays beside what a holder pays, in yuan, and no holder pays more."""
        rows = files(TRANSIT)["fare_products.txt"]
        paid = {(one["fare_product_name"], one["rider_category_id"]): one["amount"] for one in rows}
        assert paid["地铁最高票价", "standard"] == "10.00"
        assert paid["地铁最高票价", "transit.discount"] == "9.00"
        assert len(rows) == 2 * len(TRANSIT.prices)

    def test_two_perks_share_a_price(self) -> None:
        """One product with three categories, not two products of one fare."""
        other = msgspec.structs.replace(TRANSIT, id="transit.more", percent=50, cap=1000)
        rows = [one for one in files(TRANSIT, other)["fare_products.txt"] if one["fare_product_name"] == "公交单程"]
        assert [one["amount"] for one in rows] == ["2.00", "1.80", "1.00"]
        assert len({one["fare_product_id"] for one in rows}) == 1

    def test_what_rests_is_not_told(self) -> None:
        """A closed perk, one that is over, and one of another sector."""
        closed = msgspec.structs.replace(TRANSIT, closed=True)
        over = msgspec.structs.replace(TRANSIT, ends_on=DAY - timedelta(days=1))
        elsewhere = msgspec.structs.replace(TRANSIT, sector="tourism")
        assert len(files(closed, over, elsewhere)["rider_categories.txt"]) == 1

    def test_the_same_perks_have_the_same_bytes(self) -> None:
        """A copy can be compared."""
        assert gtfs.feed([TRANSIT], CITY, day=DAY) == gtfs.feed([TRANSIT], CITY, day=DAY)
