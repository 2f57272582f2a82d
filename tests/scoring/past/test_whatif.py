"""What-if: what is answered is what happens.

`OSMANTHUS_LIVES=100000 pytest tests/scoring/past/test_whatif.py` asks a hundred thousand made-up lives.
"""

import os
import random
from datetime import date
from typing import Any

import pytest

from core.errors import NotFound
from scoring.past import whatif
from scoring.past.whatif import NotEndable, NotHideable, Rules, Supposed, WouldNotBeTaken
from scoring.points.evaluate import Evaluation
from scoring.points.facts import RecordRow, facts
from tests.rulebook import book, card, evaluator, reader
from tests.scoring.past import lives
from tests.scoring.past.lives import ADULT, Store
from tests.scoring.records import AS_OF, negative, positive

LIVES = int(os.environ.get("OSMANTHUS_LIVES", "400"))
RULES = Rules(book(), reader(), card().kinds())
BILL = {"kind": "P01", "occurred_on": "2026-11-01", "fields": {"account": "a", "period": "2026-10", "on_time": True}}


def counted(rows: list[RecordRow], on: date = AS_OF) -> Evaluation:
    """The points of records."""
    return evaluator()(facts(rows), ADULT, on)


def after(held: list[RecordRow], supposed: Supposed, on: date = AS_OF) -> Evaluation:
    """The points if something happened."""
    return counted(whatif.after(held, supposed, rules=RULES, on=on), on)


class TestPromise:
    """simulate(x) equals the real score after x happens."""

    def test_on_made_up_lives(self) -> None:
        """Every part, tier and hold; the happening goes through lines, versions and statuses of its own."""
        moved = 0
        for seed in range(LIVES):
            chance = random.Random(seed)  # noqa: S311  (a life to be repeated by its number)
            store = Store(reader(), card().kinds())
            lives.live(chance, store)
            on = lives.day(chance)
            supposed, add = lives.suppose(chance, store, on)
            promised = after(store.rows(every=True), supposed, on)
            before = counted(store.rows(), on)
            lives.happen(chance, store, supposed, add, on)
            real = counted(store.rows(), on)
            assert promised.columns() == real.columns(), seed
            moved += before.columns() != real.columns()
        assert moved > LIVES / 2  # most of what is supposed makes a difference, or this proves nothing


class TestAfter:
    """`whatif.after`, act by act."""

    def test_a_record_that_comes(self) -> None:
        """It is checked and counted like a line of a source."""
        assert after([], Supposed(add=(BILL,))).points == 1105

    def test_a_deduction_that_ends(self) -> None:
        """Repaired or paid: it no longer counts, and its clean year is back."""
        rows = [negative("N01", date(2026, 6, 1), date(2027, 6, 1), name="n")]
        assert (counted(rows).points, after(rows, Supposed(end=frozenset("n"))).points) == (1030, 1100)

    def test_a_positive_hidden_or_shown(self) -> None:
        """And nothing changes when it is so already."""
        rows = [positive("P01", date(2026, 10, 1), name="a"), positive("P04", date(2026, 10, 1), name="b")]
        hidden = [*rows[:1], positive("P04", date(2026, 10, 1), name="b", status="hidden")]
        assert after(rows, Supposed(hide=frozenset("a"))).points == 1103
        assert after(hidden, Supposed(show=frozenset("b"))).points == 1108
        assert after(rows, Supposed(show=frozenset("ab"))).points == counted(rows).points

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"kind": "P99"}, "unknown_kind"),
            ({"kind": "P10"}, "kind_not_permitted"),
            ({"occurred_on": "2026-11-23"}, "future_date"),
            ({"fields": {"account": "a", "period": "2026-10"}}, "malformed"),
            ({"fields": {"income": 1}}, "prohibited_field"),
        ],
    )
    def test_what_no_source_could_send(self, changed: dict[str, Any], code: str) -> None:
        """The same codes as a source hears, each at its member."""
        with pytest.raises(WouldNotBeTaken) as caught:
            after([], Supposed(add=(BILL, {**BILL, **changed})))
        assert [(one.pointer, one.code) for one in caught.value.errors] == [("/add/1", code)]

    def test_a_kind_that_its_citizen_refused(self) -> None:
        """It would not be taken, so nothing is promised for it."""
        rules = Rules(book(), reader(), card().kinds(), frozenset({"P01"}))
        with pytest.raises(WouldNotBeTaken) as caught:
            whatif.after([], Supposed(add=(BILL,)), rules=rules, on=AS_OF)
        assert [one.code for one in caught.value.errors] == ["refused_kind"]

    def test_a_record_that_is_not_theirs(self) -> None:
        """Absent and not yours answer alike."""
        with pytest.raises(NotFound):
            after([], Supposed(end=frozenset({"rc_1"})))

    def test_a_positive_cannot_be_repaired_nor_a_deduction_hidden(self) -> None:
        """As in life."""
        rows = [positive("P01", date(2026, 10, 1), name="p"), negative("N01", date(2026, 6, 1), None, name="n")]
        with pytest.raises(NotEndable):
            after(rows, Supposed(end=frozenset("p")))
        for wanted in (Supposed(hide=frozenset("n")), Supposed(show=frozenset("n"))):
            with pytest.raises(NotHideable):
                after(rows, wanted)
