"""The library's own file."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from api.sip2 import readers
from api.sip2.limits import Standing
from api.sip2.readers import Held
from tests.api.sip2.libraryworld import FREE, MORE, RULINGS

DAY = date(2026, 11, 22)


class TestHeld:
    """What goes with a card."""

    def test_a_subject_and_a_code(self, tmp_path: Path) -> None:
        """Both are kept beside each other, come back as they were, and end by themselves."""
        with readers.opened(tmp_path / "file") as kept:
            mine = [
                Held("R1", FREE, DAY, told=RULINGS[FREE]),
                Held("R1", FREE, DAY + timedelta(days=1), "su_1"),
                Held("R1", MORE, DAY, "su_2"),
            ]
            for one in mine:
                kept.hold(one)
            kept.hold(Held("R2", MORE, DAY, "su_3"))
            assert kept.held("R1", on=DAY) == mine
            assert [one.subject for one in kept.held("R1", on=DAY + timedelta(days=1))] == ["su_1"]
            assert kept.drop_past(today=DAY + timedelta(days=1)) == 3

    def test_forgotten(self, tmp_path: Path) -> None:
        """By card, by card and perk, by subject."""
        with readers.opened(tmp_path / "file") as kept:
            for card in ("R1", "R2"):
                for perk in (FREE, MORE):
                    kept.hold(Held(card, perk, DAY, f"su_{card}_{perk}"))
            assert (kept.drop("R1", MORE), kept.drop("R2"), kept.drop_subject(f"su_R1_{FREE}")) == (1, 2, 1)
            assert kept.drop_subject("") == 0

    def test_a_subject_of_nothing_takes_no_code(self, tmp_path: Path) -> None:
        """An end without a subject never takes what codes gave."""
        with readers.opened(tmp_path / "file") as kept:
            kept.hold(Held("R1", FREE, DAY, told=RULINGS[FREE]))
            assert kept.drop_subject("") == 0

    def test_for_its_owner_alone(self, tmp_path: Path) -> None:
        """Mode 0600, from the first moment."""
        with readers.opened(tmp_path / "file"):
            assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


class TestStanding:
    """Where readers stand."""

    def test_their_own_category_is_never_overwritten(self, tmp_path: Path) -> None:
        """Whatever is kept later, the category that the library gave stays, also after the program was killed."""
        with readers.opened(tmp_path / "file") as kept:
            kept.keep("R1", Standing("ordinary", None, "PT", 10), frozenset({MORE}))
            kept.keep("R1", Standing("raised", "books", "G1", 20), frozenset({MORE, FREE}))
        with readers.opened(tmp_path / "file") as kept:
            assert kept.standing("R1") == Standing("raised", "books", "PT", 10)
            assert (kept.wanted("R1"), kept.rungs(), kept.moved()) == (frozenset({MORE, FREE}), {"books"}, ["R1"])
            kept.forget("R1")
            assert (kept.standing("R1"), kept.wanted("R1"), kept.moved()) == (None, frozenset(), [])


class TestSwept:
    """The last day told."""

    @pytest.mark.parametrize("again", [False, True])
    def test_the_latest(self, tmp_path: Path, again: bool) -> None:  # noqa: FBT001  (pytest gives it by name)
        """The latest of the days; twice is once."""
        with readers.opened(tmp_path / "file") as kept:
            assert kept.swept() is None
            for day in (DAY, DAY - timedelta(days=1), *([DAY] if again else [])):
                kept.sweep(day)
            assert kept.swept() == DAY
