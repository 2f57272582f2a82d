"""A perk as everybody reads it at `/v1/rules/perks`: its file, and the prices that follow from it."""

from typing import Any

from api.public import published
from incentives.book.kinds import KINDS
from incentives.book.perks import Perk, price
from incentives.book.places import Place

_TENTHS = ("threshold",)


def show(perk: Perk) -> dict[str, Any]:
    """Every member of the file; of each price what a stranger and what a holder pays, everywhere and at each place."""
    said = published.plain(perk, tenths=_TENTHS)
    for shown, place in zip(said["places"], perk.places, strict=True):
        shown["prices"] = _prices(perk, place)
    return {**said, "kind_name": KINDS[perk.kind].name, "prices": _prices(perk), "bits": perk.bits()}


def _prices(perk: Perk, place: Place | None = None) -> list[dict[str, Any]]:
    return [
        {"item": one.item, "stranger": one.stranger, "granted": price(perk, one.stranger, place)} for one in perk.prices
    ]
