"""Our transit feed before a validator that is not ours (gtfs-guru, the rules of the canonical GTFS validator)."""

import zipfile
from datetime import date
from pathlib import Path

import pytest

from core.settings import ROOT
from incentives.book import perkfile
from incentives.rides import gtfs
from incentives.rides.gtfs import Publisher

pytestmark = pytest.mark.interop
_MIXED_CASE = "mixed_case_recommended_field"  # Chinese has no letter case


def test_the_feed_is_valid(tmp_path: Path) -> None:
    """A complete feed without errors, and without warnings but those about the letter case of Chinese names."""
    validator = pytest.importorskip("gtfs_guru", reason="gtfs-guru is not installed: the feed was not validated")
    perks = perkfile.load((ROOT / "policy/perks/transit.toml").read_text(), "transit.toml")
    day = date(2026, 11, 22)
    file = tmp_path / "feed.zip"
    file.write_bytes(gtfs.feed(perks, Publisher("示范市市民卡公司", "https://credit.example.city"), day=day))
    said = validator.validate(str(file), country_code="CN", date=day.isoformat())
    assert [(one.code, one.message) for one in said.notices if one.code != _MIXED_CASE] == []
    assert said.is_valid


def test_the_validator_sees_faults(tmp_path: Path) -> None:
    """The same validator refuses a feed whose fare names a rider category that is not there."""
    validator = pytest.importorskip("gtfs_guru", reason="gtfs-guru is not installed: the feed was not validated")
    perks = perkfile.load((ROOT / "policy/perks/transit.toml").read_text(), "transit.toml")
    file = tmp_path / "feed.zip"
    by = Publisher("示范市市民卡公司", "https://credit.example.city")
    file.write_bytes(gtfs.feed(perks, by, day=date(2026, 11, 22)))
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(broken, "w") as part:
        for name in whole.namelist():
            body = whole.read(name)
            part.writestr(name, body.replace(b"standard,", b"nobody,") if name == "rider_categories.txt" else body)
    assert not validator.validate(str(broken), country_code="CN", date="2026-11-22").is_valid
