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

EVERYTHING = {
    "REDIS_URL": "redis://r", "OSMANTHUS_TRUSTED_PROXIES": "10.0.0.1",
    "OSMANTHUS_EMBED_ORIGINS": "https://portal.example.city", "OSMANTHUS_ROLE_PREFIX": "osm",
    "OSMANTHUS_CITY": "c", "OSMANTHUS_CITY_CODE": "990001", "OSMANTHUS_CONTROLLER": "o", "OSMANTHUS_CONTACT": "t",
    "OSMANTHUS_IDP_ISSUER": "https://idp", "OSMANTHUS_IDP_CLIENT_ID": "x", "OSMANTHUS_IDP_CLIENT_SECRET": "s",
    "OSMANTHUS_WECHAT_APPID": "w", "OSMANTHUS_WECHAT_SECRET": "ws", "OSMANTHUS_WECHAT_CLIENT": "wc",
    "OSMANTHUS_WECHAT_API": "https://w", "OSMANTHUS_EPOCH_DAYS": "0", "OSMANTHUS_EPOCH_GRACE_DAYS": "3",
    "OSMANTHUS_EPOCH_COPY_DAYS": "1", "OSMANTHUS_SUITE": "sm", "OSMANTHUS_SANDBOX": "1", "OSMANTHUS_DEMO_IDP": "1",
    "OSMANTHUS_TOKEN_KEY_SERIAL": "4", "OSMANTHUS_POLICY_DIR": "/p", "OSMANTHUS_LOG_HEADS": "/h",
    "OSMANTHUS_TRUST_SIGNERS": "/t", "OSMANTHUS_CHANNELS_FILE": "/c",
    "OSMANTHUS_REHEARSAL_DAYS": "5", "OSMANTHUS_NOTICE_DAYS": "3",
}  # fmt: skip


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


class TestEnvironment:
    """What another process of ours is given."""

    @pytest.mark.parametrize("more", [{}, EVERYTHING])
    def test_it_reads_the_same_settings(self, more: dict[str, str]) -> None:
        """`environment` undoes `read`, whatever was set and whatever was not."""
        known = settings.read(WHOLE | more)
        assert settings.read(settings.environment(known)) == known
        if more:
            shipped = settings.read(WHOLE)
            same = {
                name for name in settings.Settings.__struct_fields__ if getattr(known, name) == getattr(shipped, name)
            }
            assert same == {"master_key", "base_url", "database_url", "epochs_file"}, "name the new setting above"


class TestForgottenWithinDays:
    """The number that the notice says."""

    def test_the_shipped_notice_and_pages_say_the_shipped_number(self) -> None:
        """Notice, README and runbook promise what the shipped settings keep."""
        days = settings.read(WHOLE).forgotten_within_days()
        assert f"最迟**{days}天**" in (ROOT / "policy/notices/score-v1.zh.md").read_text(encoding="utf-8")
        for page in ("README.md", "docs/keys.md"):
            assert f"within {days} days" in (ROOT / page).read_text(encoding="utf-8")
