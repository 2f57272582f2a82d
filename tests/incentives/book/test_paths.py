"""That nothing which happens to an order ever reaches anybody's points."""

import msgspec
import pytest

from incentives.book import paths, perkfile
from incentives.book.perks import Perk
from scoring.book.kinds import Kind
from tests.rulebook import book, card, text

PERKS: list[tuple[str, Perk]] = [
    ("rental.toml", one) for one in perkfile.load(text("perks/rental.toml"), "rental.toml")
]
PERKS += [("stay.toml", one) for one in perkfile.load(text("perks/stay.toml"), "stay.toml")]
COUNTED = set(card().kinds())


def found(kinds: dict[str, Kind], perks: list[tuple[str, Perk]] = PERKS) -> list[str]:
    """The faults, in words."""
    return [str(fault) for fault in paths.faults(perks, kinds, COUNTED, "catalogue.toml")]


class TestFaults:
    """`paths.faults`."""

    def test_the_shipped_book_has_no_path(self) -> None:
        """Its graph has points in it, and no default reaches them."""
        assert found(dict(book().kinds)) == []
        made = paths.graph([one for _, one in PERKS], book().kinds, COUNTED)
        assert paths.POINTS in paths.reach(made, "record:P01")
        assert paths.reach(made, "default:rental.hotel") == {"granted:rental.hotel"}

    @pytest.mark.parametrize(
        "change",
        [
            {"english": "order kept"},
            {"name": "订单按时归还"},
            {"bureau": "合作商户"},
            {"fields": (msgspec.structs.replace(book().kinds["P01"].fields[0], name="out_order_no"),)},
        ],
        ids=["english", "name", "bureau", "field"],
    )
    def test_a_record_that_tells_of_orders_is_a_path(self, change: dict[str, object]) -> None:
        """By what it is called, who sends it, or one of its fields: both the record and every perk are told."""
        kinds = {**book().kinds, "P04": msgspec.structs.replace(book().kinds["P04"], **change)}
        told = found(kinds)
        assert told[0].startswith("catalogue.toml:1: P04 would carry orders to points.")
        assert sum("reaches" in one and "points" in one for one in told) == len(PERKS)

    @pytest.mark.parametrize("effect", ["points", "granted:rental.deposit-free", "record:N06", "a list"])
    def test_an_effect_outside_the_language_is_a_path(self, effect: str) -> None:
        """To the points, another perk, a record that is counted, or anywhere that nobody knows."""
        hotel = next(one for _, one in PERKS if one.id == "rental.hotel")
        worse = msgspec.structs.replace(hotel, after_default=effect)
        (told,) = found(dict(book().kinds), [("stay.toml", worse)])
        assert told.startswith("stay.toml:1: A default of rental.hotel reaches")
