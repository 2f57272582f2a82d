"""The course of a delivery, for every series of answers."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from incentives.events import course
from incentives.events.course import ATTEMPTS, WAITS, Reply

STATUSES = st.one_of(st.none(), st.integers(100, 599))
REPLIES = st.one_of(
    st.just(Reply("no_answer")), st.just(Reply("bad_address")),
    st.builds(course.reply, st.integers(100, 599), st.one_of(st.none(), st.integers(0, 999_999))),
)  # fmt: skip


class TestAfter:
    """What follows an attempt."""

    def test_the_plan(self) -> None:
        """Ten attempts: 0, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; 75 h 35 m 5 s in all."""
        assert ATTEMPTS == len(WAITS) == 10
        assert sum(WAITS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)

    @given(st.lists(REPLIES, min_size=12, max_size=12), st.floats(0, 1))
    def test_every_course_ends(self, replies: list[Reply], chance: float) -> None:
        """After ten attempts at most, not waiting any more; each wait is the plan's, give or take a tenth."""
        for number, said in enumerate(replies, 1):
            step = course.after(number, said, chance=chance)
            if step.state != "waiting":
                break
            plan = WAITS[number]
            assert step.after >= plan * 0.9
            assert step.after <= max(plan * 1.1, step.pause)
        assert step.state != "waiting"
        assert number <= ATTEMPTS

    @given(st.integers(1, ATTEMPTS), st.integers(100, 599), st.floats(0, 1))
    def test_what_a_status_means(self, attempts: int, status: int, chance: float) -> None:
        """2xx alone is success, 410 alone disables; 429, 502 and 504 are given half a minute."""
        step = course.after(attempts, course.reply(status), chance=chance)
        assert (step.state == "delivered") is (200 <= status < 300)
        assert (step.state == "disabled") is (status == 410)
        assert (step.pause > timedelta(0)) is (status in {429, 502, 504})

    @given(st.integers(400, 599).filter(lambda status: status != 410), st.integers(0, 999_999))
    def test_who_asks_for_time_gets_it(self, status: int, seconds: int) -> None:
        """Retry-After, an hour at most; the next attempt is not before."""
        step = course.after(1, course.reply(status, seconds), chance=0)
        assert step.pause == timedelta(seconds=min(seconds, 3600))
        assert step.after >= step.pause

    def test_a_redirect_is_a_failure(self) -> None:
        """It is not followed, and what it says of time is not heard."""
        assert course.reply(302, 5) == Reply("redirect", 302)
        assert course.after(1, course.reply(302), chance=0.5).after == timedelta(seconds=5)
