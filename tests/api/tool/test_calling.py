"""`osmanthus call`: what a script is given of an answer."""

import pytest

from api.tool import calling

ANSWER = '{"code": "CC1:7", "orders": [{"order_id": "or_1", "seq": 4}], "reason": null}'


class TestPicked:
    """`--pick`."""

    @pytest.mark.parametrize(
        ("path", "found"),
        [("code", "CC1:7"), ("orders.0.order_id", "or_1"), ("orders.0.seq", "4"), ("reason", "null")],
    )
    def test_a_member_is_found_by_its_path(self, path: str, found: str) -> None:
        """Members of objects by name, elements of arrays by place; text without its quotes."""
        assert calling.picked(ANSWER, path) == found

    @pytest.mark.parametrize("path", ["codes", "orders.1", "orders.order_id", "code.0", "orders.-1"])
    def test_what_is_not_there_is_said_with_what_is(self, path: str) -> None:
        """A slip in the path names what stands there instead."""
        with pytest.raises(calling.NoSuchMember, match="there is: "):
            calling.picked(ANSWER, path)
