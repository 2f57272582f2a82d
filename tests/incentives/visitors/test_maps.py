"""The map of recognition: what a threshold elsewhere is worth here, on which day, and what may not be written."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.policyfile import Faulty
from incentives.book import perkfile
from incentives.visitors import mapfile, mapschema, proofs
from incentives.visitors.maps import points_of
from tests.rulebook import POLICY, text
from tests.scoring.book.test_schema import wrong_by

FILE = "recognition.toml"
DAY = date(2027, 3, 1)
SHIPPED = text(FILE)
HEAD = '[[city]]\ncode = "990100"\nname = "示范邻市"\nbasis = {kind = "demo"}\n'
RULE = '[[city.rule]]\npredicate = "over_120"\nperks = ["a"]'
TWO = """
[[level]]
id = "a"
name = "甲"
basis = {kind = "demo"}
[[level.rule]]
predicate = "over_110"
perks = ["transit.discount", "tourism.ticket"]

[[city]]
code = "990100"
name = "乙"
level = "a"
basis = {kind = "demo"}
[[city.rule]]
predicate = "over_700"
perks = ["tourism.ticket"]
until = 2027-02-28
[[city.rule]]
predicate = "over_650"
perks = ["tourism.ticket"]
from = 2027-03-01
until = 2027-03-31

[[city]]
code = "990200"
name = "丙"
level = "a"
until = 2027-03-01
basis = {kind = "demo"}
"""
MAPS = mapfile.load(TWO, FILE)


def faults(body: str) -> list[str]:
    """What is wrong with a file."""
    with pytest.raises(Faulty) as caught:
        mapfile.load(body, FILE)
    return [str(fault) for fault in caught.value.faults]


class TestNeeded:
    """Which threshold rules."""

    def test_a_city_s_own_rule_goes_first(self) -> None:
        """By the day: its own threshold, another one from March on, and then what its level has."""
        days = (date(2027, 2, 28), DAY, date(2027, 3, 31), date(2027, 4, 1))
        assert [MAPS.needed("990100", "tourism.ticket", day) for day in days] == [700, 650, 650, 110]
        assert MAPS.needed("990100", "transit.discount", DAY) == 110

    def test_what_is_over(self) -> None:
        """A city that was recognised until yesterday is a stranger today."""
        assert MAPS.grants("990200", ["over_110"], "tourism.ticket", DAY)
        assert not MAPS.grants("990200", ["over_110"], "tourism.ticket", date(2027, 3, 2))
        assert MAPS.needed("990300", "tourism.ticket", DAY) is None

    def test_what_a_wallet_is_asked(self) -> None:
        """Each threshold with the cities whose it is."""
        assert MAPS.asks("tourism.ticket", DAY) == {110: ("990200",), 650: ("990100",)}
        assert MAPS.asks("library.deposit-free", DAY) == {}

    @given(st.sets(st.integers(1, 9999), max_size=5), st.sets(st.integers(1, 9999), max_size=5))
    def test_showing_more_never_brings_less(self, shown: set[int], more: set[int]) -> None:
        """Whoever is granted by what was shown is granted by more."""
        few, many = ({f"over_{points}" for points in some} for some in (shown, shown | more))
        for code in ("990100", "990200", "990300"):
            had, has = (MAPS.grants(code, some, "tourism.ticket", DAY) for some in (few, many))
            assert has >= had

    def test_what_is_no_predicate(self) -> None:
        """It is worth nothing."""
        assert [points_of(one) for one in ("over_0", "over_12345", "under_110", "over_110 ", "OVER_110")] == [None] * 5
        assert not MAPS.grants("990200", ["city", "over_0110"], "tourism.ticket", DAY)


class TestFile:
    """What may not be written."""

    def test_the_shipped_file(self) -> None:
        """It has no fault, editors are pointed to its schema, and the schema takes it."""
        assert mapfile.load(SHIPPED, FILE).asks("transit.discount", DAY) == {110: ("990100",)}
        assert wrong_by(mapschema.schema(), SHIPPED) == []
        assert SHIPPED.startswith("#:schema ../docs/recognition.schema.json\n")
        published = (POLICY.parent / "docs" / "recognition.schema.json").read_text(encoding="utf-8")
        assert published == json.dumps(mapschema.schema(), ensure_ascii=False, indent=1) + "\n"

    @pytest.mark.parametrize(
        ("more", "line", "told"),
        [
            ('level = "b"', 5, "There is no such level"),
            ('[[city.rule]]\npredicate = "120"\nperks = ["tourism.ticket"]', 6, "`predicate` is none"),
            ('[[city.rule]]\npredicate = "over_120"\nperks = []', 7, "worth nothing"),
            (f"{RULE}\ncap = 9", 8, "`cap` means nothing here"),
            (f"{RULE}\nfrom = 2027-01-02\nuntil = 2027-01-01", 9, "ends before"),
            ('issuer = "example"\n[[city.rule]]\npredicate = "over_1"\nperks = ["a"]', 5, "no address of an issuer"),
            ("", 1, "Nothing is recognised of this city"),
        ],
    )  # fmt: skip
    def test_a_fault_and_its_line(self, more: str, line: int, told: str) -> None:
        """Each is told with its line and what to do."""
        found = faults(HEAD + more + "\n")
        assert any(one.startswith(f"{FILE}:{line}: ") and told in one for one in found), found

    def test_two_thresholds_on_one_day(self) -> None:
        """Of a city and a perk one threshold rules; of a code one city."""
        found = faults(TWO.replace("from = 2027-03-01", "from = 2027-02-28"))
        assert any("tourism.ticket has two thresholds on one day" in one for one in found)
        assert any("990100 stands twice" in one for one in faults(TWO.replace("990200", "990100")))
        assert any("six digits" in one for one in faults(HEAD.replace("990100", "9901")))


class TestProofs:
    """Beside our perks."""

    def test_a_map_cannot_lend(self) -> None:
        """What is lent or paid later is not for somebody who leaves no address; unknown perks are told."""
        perks = [one for path in (POLICY / "perks").iterdir() for one in perkfile.load(path.read_text(), path.name)]
        assert proofs.faults(mapfile.load(SHIPPED, FILE), perks, FILE) == []
        lent = SHIPPED.replace('"transit.discount"', '"library.deposit-free"')
        assert "lends or waits for money" in str(proofs.faults(mapfile.load(lent, FILE), perks, FILE)[0])
        gone = SHIPPED.replace('"transit.discount"', '"transit.free"')
        assert "no perk of ours" in str(proofs.faults(mapfile.load(gone, FILE), perks, FILE)[0])
