"""What the reports' fonts can print, and what stands for the rest."""

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from core.settings import ROOT
from scoring.reports import letters

FONTS = ROOT / "scoring" / "reports" / "fonts"


def glyphs(font: Path) -> set[str]:
    """The characters that a font has."""
    with TTFont(font) as opened:
        return {chr(code) for code in opened.getBestCmap()}


class TestHas:
    """The rule and the font say the same."""

    def test_every_character_that_is_said_to_be_there_is_there(self) -> None:
        """Of all that Unicode has in its first two planes."""
        font = glyphs(FONTS / "NotoSansSC-Regular.ttf")
        said = {chr(code) for code in range(0x20, 0x20000) if not 0xD800 <= code < 0xE000 and letters.has(chr(code))}
        assert said - font == set()
        assert len(said) > 6763

    def test_the_fonts_are_small_and_carry_their_licence(self) -> None:
        """Under four megabytes together, beside the words of the OFL."""
        assert sum(font.stat().st_size for font in FONTS.glob("*.ttf")) < 4_000_000
        assert "SIL Open Font License" in (FONTS / "OFL.txt").read_text(encoding="utf-8")


class TestPlain:
    """One line of paper."""

    @given(st.text(max_size=80))
    def test_whatever_comes_in_can_be_printed(self, text: str) -> None:
        """Never longer than asked, no control or direction character, nothing without a glyph."""
        shown = letters.plain(text, 20)
        assert len(shown) <= 20
        assert letters.whole(shown.replace("…", ""))

    @pytest.mark.parametrize(
        ("given_text", "shown"),
        [
            ("张三明", "张三明"),
            ("𠮷野", "〓野"),
            ("a\u202eb\u200d\n", "ab"),
            ("一二三四五", "一二三…"),
            ("买买提·吐尔逊", "买买提…"),
        ],
    )
    def test_examples(self, given_text: str, shown: str) -> None:
        """Kept, replaced, dropped, cut."""
        assert letters.plain(given_text, 4) == shown
