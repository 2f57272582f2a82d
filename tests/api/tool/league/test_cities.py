"""The rule books of a league: each passes as the shipped one does, on a scale of its own."""

from datetime import date
from pathlib import Path

import pytest

from api.tool.league import cities
from api.tool.league.cities import CITIES, City
from auth import notices
from core.settings import ROOT
from incentives import policycheck
from incentives.visitors import mapfile

DAY = date(2026, 11, 22)


def book(city: City, target: Path) -> dict[str, str]:
    """The files of a city's book."""
    cities.write(ROOT / "policy", target, city, [other for other in CITIES if other != city])
    return policycheck.read(target)


class TestWrite:
    """`cities.write`."""

    @pytest.mark.parametrize("city", CITIES[1:], ids=lambda city: city.code)
    def test_no_fault(self, city: City, tmp_path: Path) -> None:
        """Scorecard, perks, cases, map and notices agree with one another."""
        files = {name: text for name, text in book(city, tmp_path).items() if "ten-thousand" not in name}
        assert policycheck.check(files, notices.load).faults == ()

    def test_scales(self, tmp_path: Path) -> None:
        """The same number of points is the first step in one city and the last in another; the map knows."""
        files = book(CITIES[1], tmp_path)
        assert "base = 60\nlow = 0\nhigh = 160" in files["scorecard/2026-01-01.toml"]
        assert "threshold = 80" in files["perks/tourism.toml"]
        there = mapfile.load(files["recognition.toml"], "recognition.toml")
        assert there.needed("990000", cities.TICKET, DAY) == 120
        here = mapfile.load(book(CITIES[0], tmp_path)["recognition.toml"], "recognition.toml")
        assert here.needed("990100", cities.TICKET, DAY) == 80

    def test_consents(self, tmp_path: Path) -> None:
        """A citizen may name every other city, and not their own."""
        notice = book(CITIES[2], tmp_path)["notices/recognise-v1.zh.md"]
        assert [city.code in notice for city in CITIES] == [True, True, False]

    def test_again(self, tmp_path: Path) -> None:
        """What a city had before is replaced."""
        (tmp_path / "perks").mkdir()
        (tmp_path / "perks/old.toml").write_text("x")
        assert "perks/old.toml" not in book(CITIES[0], tmp_path)
