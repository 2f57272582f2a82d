"""What is strange about a source's week, and what is not."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from scoring.book.basis import Basis
from scoring.book.kinds import Quality
from scoring.feeds import drift
from scoring.feeds.drift import Week

RULES = Quality(7, 5, 10, 6, 25, 50, 4, Basis("demo", ""))


def week(
    *, rejected: int = 0, took: dict[str, int] | None = None, level: dict[str, int] | None = None, **kinds: int
) -> Week:
    """A week of lines."""
    return Week(Counter(kinds), rejected, {"P01": Counter(took or {})}, {"P13": Counter(level or {})}, {})


def said(last: Week, earlier: list[Week]) -> list[tuple[str, str]]:
    """What is strange."""
    return [(one.what, one.kind) for one in drift.judge(last, earlier, RULES)]


class TestJudge:
    """One week against those before."""

    def test_a_usual_week(self) -> None:
        """A source that sends what it always sends raises nothing, however small or large it is."""
        for size in (3, 100, 100_000):
            assert said(week(P01=size, rejected=size // 50), [week(P01=size + n) for n in range(8)]) == []

    def test_silence(self) -> None:
        """A source that always sent and sends nothing is silent."""
        assert said(week(), [week(P01=10)] * 8) == [("silent", "")]

    def test_volume(self) -> None:
        """Ten times as much, or a tenth, is strange; one odd week among the earlier ones does not hide it."""
        earlier = [week(P01=1000), week(P01=1010), week(P01=9000), week(P01=990), week(P01=1005)]
        assert said(week(P01=10_000), earlier) == [("volume", "")]
        assert said(week(P01=100), earlier) == [("volume", "")]
        assert said(week(P01=10_000), earlier[:3]) == [], "not before there are weeks to compare with"

    def test_the_mix(self) -> None:
        """Another share of kinds is strange, even in the same volume."""
        assert said(week(P01=500, P02=500), [week(P01=1000)] * 8) == [("mix", "")]

    def test_levels(self) -> None:
        """A kind whose levels wander is strange."""
        earlier = [week(P13=100, level={"1": 100})] * 8
        assert said(week(P13=100, level={"4": 100}), earlier) == [("level", "P13")]

    def test_late_and_refused(self) -> None:
        """More than 5 % later than 7 working days, or more than 10 % refused."""
        assert said(week(P01=100, took={"7": 94, "8": 6}), []) == [("late", "P01")]
        assert said(week(P01=100, took={"7": 95, "8": 5}), []) == []
        assert said(week(P01=100, rejected=12), []) == [("rejected", "")]
        assert said(week(P01=40, took={"8": 40}), []) == [], "a handful says nothing"


class TestMeasures:
    """The two numbers."""

    @given(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 500), min_size=1), st.integers(1, 9))
    def test_the_same_shares_lie_nowhere_apart(self, counts: dict[str, int], times: int) -> None:
        """Scaling changes no share; strangers lie as far apart as can be."""
        assert drift.shifted(counts, {name: times * n for name, n in counts.items()}) == 0
        assert drift.shifted(counts, {"z": times}) == 100

    @given(st.lists(st.integers(0, 1000), min_size=1))
    def test_the_median_is_no_deviation(self, numbers: list[int]) -> None:
        """In an odd list the median lies nowhere off."""
        odd = sorted(numbers) if len(numbers) % 2 else sorted(numbers)[:-1] or [0]
        if len(odd) % 2:
            assert drift.deviation(odd[len(odd) // 2], odd) == 0
