"""When a reader's class may change."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from api.sip2 import limits
from api.sip2.limits import LIMIT, Rung, Standing

MORE, FREE = "library.more-books", "library.deposit-free"
BOTH = Rung("both", (MORE, FREE), "G2", items=20, deposit=True)
BOOKS = Rung("books", (MORE,), "G1", items=20)
DEPOSIT = Rung("deposit", (FREE,), "G0", deposit=True)
RUNGS = (BOTH, BOOKS, DEPOSIT)
BY_NAME = {one.name: one for one in RUNGS}
START = Standing(LIMIT.start, None, "PT", 10)
GRANTED = st.frozensets(st.sampled_from([MORE, FREE]))


def turned(standing: Standing, granted: frozenset[str], on_loan: int | None) -> Standing:
    """One question."""
    present = None if standing.rung is None else BY_NAME[standing.rung]
    return limits.turn(standing, present=present, wanted=limits.best(RUNGS, granted), on_loan=on_loan)


class TestTurn:
    """Where a reader stands next."""

    def test_up_at_once(self) -> None:
        """A granted perk raises in the middle of loans, however many."""
        raised = turned(START, frozenset({MORE}), 10)
        assert (raised.state, raised.rung) == ("raised", "books")
        assert limits.category(raised, RUNGS) == "G1"
        assert turned(raised, frozenset({MORE, FREE}), 15).rung == "both"

    def test_down_at_a_loans_end(self) -> None:
        """With eleven on loan the class stays, with ten it is the library's own again."""
        raised = turned(START, frozenset({MORE}), 10)
        waiting = turned(raised, frozenset(), 11)
        assert (waiting.state, limits.category(waiting, RUNGS)) == ("waiting", "G1")
        assert turned(waiting, frozenset(), None) == waiting
        assert turned(waiting, frozenset(), 10) == START

    def test_a_deposit_covers_its_loans(self) -> None:
        """A waived deposit stays waived until nothing is on loan, even when more books are granted instead."""
        free = turned(START, frozenset({FREE}), 0)
        waiting = turned(free, frozenset({MORE}), 1)
        assert (waiting.state, waiting.rung) == ("waiting", "deposit")
        assert turned(waiting, frozenset({MORE}), 0).rung == "books"

    def test_granted_again_while_waiting(self) -> None:
        """What is granted again is simply kept."""
        waiting = turned(turned(START, frozenset({MORE}), 0), frozenset(), 15)
        assert turned(waiting, frozenset({MORE}), 15).state == "raised"

    def test_nothing_for_nobody(self) -> None:
        """Who has no perk is never moved."""
        assert turned(START, frozenset(), 5) == START

    def test_unknown_limits_wait_for_nothing_on_loan(self) -> None:
        """Where the library's own limit is not known, it is lowered at nought."""
        raised = turned(Standing(LIMIT.start, None, "PT"), frozenset({MORE}), 0)
        assert turned(raised, frozenset(), 1).state == "waiting"
        assert turned(raised, frozenset(), 0).state == LIMIT.start


class TestCovers:
    """Whether a step is a step up."""

    def test_perks_items_and_the_deposit(self) -> None:
        """Only what has all perks, no fewer items and the waiver is a step up; anything is, from nothing."""
        unwaived = Rung("both, but a deposit", (MORE, FREE), "G3", items=20)
        fewer = Rung("fewer", (MORE, FREE), "G4", items=15, deposit=True)
        assert BOTH.covers(BOOKS)
        assert BOTH.covers(DEPOSIT)
        assert DEPOSIT.covers(None)
        assert not any(one.covers(two) for one, two in ((unwaived, BOTH), (fewer, BOTH), (BOOKS, DEPOSIT)))


class Loans(RuleBasedStateMachine):
    """A reader borrows, returns, is granted and loses perks in any order."""

    def __init__(self) -> None:
        """An ordinary reader with nothing on loan."""
        super().__init__()
        self.standing, self.out, self.under_waiver, self.granted = START, 0, False, frozenset[str]()

    @rule(granted=GRANTED, known=st.booleans())
    def asked(self, granted: frozenset[str], known: bool) -> None:  # noqa: FBT001  (hypothesis gives it by name)
        """The terminal asks; the system may not say how many are on loan."""
        before = self.standing
        self.granted = granted
        self.standing = turned(before, granted, self.out if known else None)
        present, after = BY_NAME.get(before.rung or ""), BY_NAME.get(self.standing.rung or "")
        if present and not (after and after.covers(present)):
            assert known
            assert self.out <= limits.floor(present, after, 10)

    @rule(count=st.integers(1, 5))
    def borrow(self, count: int) -> None:
        """As many as the class allows."""
        rung = BY_NAME.get(self.standing.rung or "")
        self.out = max(self.out, min(self.out + count, (rung and rung.items) or 10))
        self.under_waiver = self.out > 0 and (self.under_waiver or bool(rung and rung.deposit))

    @rule(count=st.integers(1, 20))
    def give_back(self, count: int) -> None:
        """Some come back."""
        self.out = max(0, self.out - count)
        self.under_waiver = self.under_waiver and self.out > 0

    @invariant()
    def nobody_is_above_their_limit(self) -> None:
        """Never is more on loan than the class allows: no limit fell in the middle of loans."""
        rung = BY_NAME.get(self.standing.rung or "")
        assert self.out <= ((rung and rung.items) or 10)

    @invariant()
    def nobody_owes_a_deposit_for_what_began_without(self) -> None:
        """What began under a waived deposit ends under it."""
        rung = BY_NAME.get(self.standing.rung or "")
        assert not self.under_waiver or (rung is not None and rung.deposit)

    @invariant()
    def the_state_says_it(self) -> None:
        """An ordinary reader is on no rung, every other on one; the library's own category is never lost."""
        assert (self.standing.state == LIMIT.start) == (self.standing.rung is None)
        assert self.standing.own == "PT"


Loans.TestCase.settings = settings(max_examples=25, stateful_step_count=20)
TestLoans = Loans.TestCase


class TestBest:
    """Which rung is due."""

    @given(GRANTED)
    def test_the_first_that_is_covered(self, granted: frozenset[str]) -> None:
        """The library's order decides; without perks there is none."""
        found = limits.best(RUNGS, granted)
        assert (found is None) == (not granted)
        assert found is None or granted.issuperset(found.perks)


class TestPage:
    """The librarian's page draws the table."""

    def test_the_table_is_whole(self) -> None:
        """Its page can be drawn; who reads docs/library.md sees the same states."""
        assert "waiting --> ordinary" in LIMIT.mermaid()
