"""Check digits of the two national codes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import idnumber


class TestCheck:
    """`idnumber.check`."""

    @pytest.mark.parametrize("number", ["11010519491231002X", "11010519491231002x"])
    def test_a_good_number_gives_the_birth_date(self, number: str) -> None:
        """The standard's own example, in either spelling of X."""
        assert idnumber.check(number) == date(1949, 12, 31)

    @pytest.mark.parametrize(
        "number",
        [
            *("", "1", "110105194912310021", "11010519491231002XX", "1101051949123100２X", "X1010519491231002X"),
            idnumber.complete("00000019900101001"),
            idnumber.complete("99000019900230001"),
            idnumber.complete("99000019901301001"),
        ],
    )
    def test_what_cannot_exist_is_none(self, number: str) -> None:
        """Length, digits, check character, region, date."""
        assert idnumber.check(number) is None

    @given(st.integers(0, 16), st.integers(1, 9))
    def test_one_wrong_digit_is_found(self, place: int, by: int) -> None:
        """MOD 11-2 finds every single mistake."""
        number = idnumber.complete("99000019900101001")
        wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
        assert idnumber.check(wrong) is None


class TestOrganisation:
    """`idnumber.organisation`."""

    @pytest.mark.parametrize(
        ("code", "good"),
        [
            ("91350100M000100Y43", True),
            ("91350100M000100Y44", False),
            ("91350100M000100Y4", False),
            ("91350100I000100Y43", False),
            ("91350100m000100y43", False),
        ],
    )
    def test_the_check_character_is_looked_at(self, code: str, *, good: bool) -> None:
        """GB 32100: 31 letters, powers of three."""
        assert idnumber.organisation(code) is good
