"""Identifiers read back what they showed, and tell nothing else."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import ids
from core.errors import NotFound


class TestShowAndRead:
    """Text form."""

    @given(st.uuids())
    def test_reading_what_was_shown_gives_the_same_id(self, value: uuid.UUID) -> None:
        """Every UUID survives the round trip."""
        assert ids.read("co", ids.show("co", value)) == value

    @given(st.uuids(), st.uuids())
    def test_order_of_text_is_order_of_ids(self, one: uuid.UUID, other: uuid.UUID) -> None:
        """Shown ids sort like the ids, so that a cursor may be a shown id."""
        assert (ids.show("co", one) < ids.show("co", other)) == (one < other)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "co_",
            "co",
            "rc_" + "0" * 26,
            "co_" + "0" * 25,
            "co_" + "O" * 26,
            "co_" + "Z" * 26,
            "0" * 26,
            "co_" + "0" * 27,
        ],
    )
    def test_what_was_never_shown_is_not_found(self, text: str) -> None:
        """A malformed id answers like an id that does not exist."""
        with pytest.raises(NotFound):
            ids.read("co", text)


class TestNew:
    """Fresh ids."""

    def test_new_ids_are_time_ordered_version_7(self) -> None:
        """Our own rows get UUIDv7 (RFC 9562)."""
        value = ids.new()
        assert (value.version, value.variant) == (7, uuid.RFC_4122)

    def test_pairwise_ids_hold_no_time(self) -> None:
        """What a partner sees of a holder is UUIDv4."""
        assert ids.random().version == 4
