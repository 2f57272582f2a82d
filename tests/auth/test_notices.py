"""Notices: what they say, and how a broken one is told."""

import hashlib

import pytest

from auth import notices
from core.policyfile import Faulty
from tests.rulebook import text

SCORE = text("notices/score-v1.zh.md")


class TestLoad:
    """`notices.load`."""

    def test_the_score_notice_says_what_article_17_asks_for(self) -> None:
        """Controller, contact, purpose, automated decision, sources, what they are told, retention, rights, leaving."""
        notice = notices.load(SCORE, "score-v1.zh.md")
        assert (notice.purpose, notice.version, notice.language) == ("score", 1, "zh-CN")
        assert notice.core_sources == ("utilities", "enforcement")
        assert notice.optional_sources == ("library", "volunteer", "civic")
        for said in (
            "处理者",
            "联系方式",
            "自动计算",
            "会被告知您参加了",
            "保存多久",
            "您的权利",
            "24小时内删除",
            "示范规则",
        ):
            assert said in notice.body_markdown

    def test_the_digest_is_of_the_whole_file(self) -> None:
        """What was shown can be proved to the letter."""
        assert notices.load(SCORE, "x").digest == hashlib.sha256(SCORE.encode()).hexdigest()

    def test_sharing_names_no_sources(self) -> None:
        """It gives one answer to one partner."""
        notice = notices.load(text("notices/share-v1.zh.md"), "share-v1.zh.md")
        assert (notice.purpose, notice.core_sources, notice.optional_sources) == ("share", (), ())

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("+++\n", "", "has no head"),
            ("version = 1", 'version = "1"', ":3: .version. is not a whole number"),
            ('"library", "volunteer"', '"utilities", "volunteer"', "both core and optional"),
            ("purpose", "purposes", "Did you mean .purpose."),
        ],
    )
    def test_a_mistake_in_the_head_has_its_line(self, old: str, new: str, says: str) -> None:
        """Lines are those of the file."""
        with pytest.raises(Faulty, match=says):
            notices.load(SCORE.replace(old, new, 1), "score-v1.zh.md")

    def test_a_notice_has_a_text(self) -> None:
        """A head alone tells nobody anything."""
        with pytest.raises(Faulty, match="says nothing"):
            notices.load(SCORE[: SCORE.index("+++\n", 4) + 4], "x")
