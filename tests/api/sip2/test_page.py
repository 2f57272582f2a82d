"""The pages for a library say what is."""

import re
from pathlib import Path

from api.sip2 import places, words
from api.sip2.limits import LIMIT
from core.settings import ROOT

PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "docs" / "library.zh.md").read_text(encoding="utf-8")


class TestPage:
    """docs/library.md."""

    def test_its_file_can_be_read(self, tmp_path: Path) -> None:
        """Whoever copies the file from the page has one that the bridge takes."""
        (said,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
        (tmp_path / "library.toml").write_text(said, encoding="utf-8")
        here = places.read(tmp_path / "library.toml")
        assert (here.patience_ms, here.terminals.most, len(here.rungs)) == (300, 200, 2)
        assert here.file == tmp_path / "bridge.sqlite"

    def test_its_table_is_the_codes(self) -> None:
        """The states on the page are those that the code asks."""
        drawn = PAGE.partition("held equal by a test -->\n")[2].partition("<!-- end of the table")[0]
        assert drawn == LIMIT.markdown()


class TestChinesePage:
    """docs/library.zh.md."""

    def test_the_screens_are_the_codes(self) -> None:
        """What the librarian is told to expect is what the screens say."""
        assert words.CARD_FIRST.rstrip("。") in CHINESE
        assert all(part in CHINESE for part in ("信用码已过期", "已经用过", "不是本馆便利用的"))
        assert all(
            any(part in said for said in words.REFUSED.values()) for part in ("信用码已过期", "已经用过", "不是本馆")
        )
