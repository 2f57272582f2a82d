"""Settings say what is wrong with them, and what they promise."""

import pytest

from core import settings
from core.settings import ROOT, SettingMissing

WHOLE = {
    "OSMANTHUS_MASTER_KEY": "00" * 32,
    "OSMANTHUS_BASE_URL": "https://credit.example",
    "OSMANTHUS_EPOCHS_FILE": "epochs.json",
    "DATABASE_URL": "postgresql://owner@host/osmanthus",
}


class TestRead:
    """Epochs and the suite."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("OSMANTHUS_EPOCH_DAYS", "two"),
            ("OSMANTHUS_EPOCH_GRACE_DAYS", "-1"),
            ("OSMANTHUS_EPOCH_COPY_DAYS", "1.5"),
            ("OSMANTHUS_SUITE", "des"),
        ],
    )
    def test_what_is_no_number_or_no_suite_is_named(self, name: str, value: str) -> None:
        """The message names the variable."""
        with pytest.raises(SettingMissing, match=name):
            settings.read(WHOLE | {name: value})

    def test_a_city_chooses(self) -> None:
        """Periods and suite as set, the others as shipped."""
        found = settings.read(WHOLE | {"OSMANTHUS_EPOCH_DAYS": "7", "OSMANTHUS_SUITE": "sm"})
        assert (found.epoch_days, found.epoch_grace_days, found.suite) == (7, 2, "sm")


class TestForgottenWithinDays:
    """The number that the notice says."""

    def test_the_shipped_notice_and_pages_say_the_shipped_number(self) -> None:
        """Notice, README and runbook promise what the shipped settings keep."""
        days = settings.read(WHOLE).forgotten_within_days()
        assert f"最迟**{days}天**" in (ROOT / "policy/notices/score-v1.zh.md").read_text(encoding="utf-8")
        for page in ("README.md", "docs/keys.md"):
            assert f"within {days} days" in (ROOT / page).read_text(encoding="utf-8")
