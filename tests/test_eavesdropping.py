"""The search for people in what the suite wrote can find them."""

import pytest
import structlog

from api.tool import demo_city
from tests import eavesdropping


class TestLeaks:
    """What would fail the run."""

    @pytest.mark.parametrize("text", ["born 990000199001010017", "名 欧阳测试", 'x="13900001111"'])
    def test_it_finds_a_person_in_a_line(self, text: str) -> None:
        """A number with a right check digit, a registered name, a registered telephone."""
        assert [*eavesdropping.leaks([text], {"欧阳测试", "13900001111"})]

    def test_it_leaves_what_is_nobodys(self) -> None:
        """A number whose check digit is wrong, an id of ours, a time."""
        assert [
            *eavesdropping.leaks(["990000199001010018 rc_9900001990 who-other-staff"], {"欧阳测试", "o-other"})
        ] == []

    def test_our_log_lines_are_heard(self) -> None:
        """A line written now is in the pile; this one names nobody."""
        structlog.get_logger("test").info("a line that is heard", number=len(demo_city.__name__))
        assert any("a line that is heard" in text for text in eavesdropping.heard)
