"""Bands of age."""

from datetime import date

import pytest

from auth import bands


class TestBand:
    """Ages."""

    @pytest.mark.parametrize(
        ("born", "name"),
        [
            (date(2008, 11, 22), "18-29"),
            (date(1996, 11, 23), "18-29"),
            (date(1996, 11, 22), "30-44"),
            (date(1964, 2, 29), "60-74"),
            (date(1930, 1, 1), "75+"),
        ],
    )
    def test_a_birthday_moves_into_the_next_band(self, born: date, name: str) -> None:
        """Counted on the day itself."""
        assert bands.band(born, date(2026, 11, 22)) == name
