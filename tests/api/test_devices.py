"""A few plain words about a device."""

import pytest

from api.identity import devices

_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
_PC = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


class TestHint:
    """`devices.hint`."""

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            (f"{_PHONE} MicroMessenger/8.0.60 NetType/WIFI", "苹果手机 · 微信"),
            (f"{_PC} Edg/140.0", "Windows 电脑 · Edge 浏览器"),
            (_PC, "Windows 电脑 · Chrome 浏览器"),
            ("Mozilla/5.0 (Linux; Android 16; <script>) Firefox/144.0", "安卓手机 · 火狐浏览器"),
            ("curl/8", devices.UNKNOWN),
            ("", devices.UNKNOWN),
        ],
    )
    def test_words(self, said: str, words: str) -> None:
        """System and browser in words of ours; nothing of what the browser said is kept."""
        assert devices.hint(said) == words
