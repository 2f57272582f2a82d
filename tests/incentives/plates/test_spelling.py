"""The one spelling of a plate that is digested."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incentives.plates.spelling import LONGEST, normal


class TestNormal:
    """`spelling.normal`."""

    @pytest.mark.parametrize(
        ("typed", "plate"),
        [
            ("苏E12345", "苏E12345"),
            (" 苏e·1a2B5 ", "苏E1A2B5"),
            ("苏Ｅ１２３４５", "苏E12345"),
            ("苏ED12345", "苏ED12345"),
            ("粤BF1A234", None),
            ("粤BFA1234", "粤BFA1234"),
            ("粤B12345D", "粤B12345D"),
            ("京A1234警", "京A1234警"),
            ("粤Z1234港", "粤Z1234港"),
            ("苏E1234学", "苏E1234学"),
        ],
    )
    def test_one_spelling_for_each_plate(self, typed: str, plate: str | None) -> None:
        """Width, case, blanks and dots make no difference; eight characters are a new-energy vehicle's."""
        assert normal(typed) == plate

    @pytest.mark.parametrize(
        "typed", ["", "苏E1234", "苏E123456", "苏I12345", "苏EO1234", "AE12345", "苏112345", "苏E1234中", "苏" * 40]
    )
    def test_what_is_no_plate(self, typed: str) -> None:
        """Too short, too long, I and O, no province: None, however long the text."""
        assert normal(typed) is None

    @given(st.text(max_size=2 * LONGEST))
    def test_a_plate_is_its_own_spelling(self, typed: str) -> None:
        """Whatever is taken is taken again as it was written."""
        if (plate := normal(typed)) is not None:
            assert normal(plate) == plate
            assert len(plate) in {7, 8}
